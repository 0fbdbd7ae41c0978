"""Rooms stay small enough to be lived in."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES, MOST_FILES = 300, 6


@pytest.mark.parametrize("package", ["model", "search", "service"])
def test_files_are_short(package: str) -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (ROOT / package).rglob("*.py")}
    assert [str(path) for path, length in lengths.items() if length > MOST_LINES] == []


def test_the_service_itself_has_few_files() -> None:
    assert len(list((ROOT / "service").glob("*.py"))) <= MOST_FILES


@pytest.mark.parametrize("package", ["model", "search", "service"])
def test_every_folder_says_its_idea(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert [str(one) for one in folders if not (one / "__init__.py").read_text().startswith('"""')] == []
