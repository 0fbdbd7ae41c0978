"""Which version of the code runs."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SHIPPED = "shipped-version"
"""In a copy of the packages that was sent to a cluster: what the original is."""


@cache
def code_version() -> str:
    """The version of the distribution and, in a checkout, its commit (`+` if there are changes)."""
    shipped = Path(__file__).with_name(SHIPPED)
    if shipped.exists():
        return shipped.read_text()
    try:
        release = version("polychrony")
    except PackageNotFoundError:
        release = "unknown"
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return release
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return release
    return f"{release} {commit}"
