"""Options that several commands have, and the console that they print to."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.storage.paths import parse_path

if TYPE_CHECKING:
    from rich.console import Console

Out = Annotated[  # a StoragePath; Typer knows no unions
    Any,
    typer.Option(
        "--out",
        metavar="DIR",
        parser=parse_path,
        help="The folder of all sweeps, or a URL such as s3://bucket/runs.",
    ),
]


def console() -> "Console":
    """Standard output, as it is written; where there is no terminal there is no width to keep to, either."""
    from rich.console import Console

    # Brackets and colons in the names of folders and in reasons are no markup.
    return Console(width=None if sys.stdout.isatty() else 160, markup=False, emoji=False)
