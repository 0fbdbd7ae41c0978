"""Commands on terminals that can show little, and with names that can't be written."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from known_sweep import write_known_sweep

PROGRAM = [sys.executable, "-c", "from service.cli import main; main()"]
PLAIN = {"PYTHONIOENCODING": "ascii", "COLUMNS": "40", "LINES": "20", "TERM": "xterm"}
LATIN = os.fsdecode(b"lat_\xe9")
SWEEP = "name: small\ndata: {name: digits}\nlearner: {hidden: 4, epochs: 1, duration: 20.0, dt: 4.0}\n"
COMMANDS = """
import sys
from service.cli import main
for command in sys.argv[1:]:
    sys.argv = ["polychrony", *command.split()]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, command
"""


def polychrony(folder: Path, *arguments: str, code: str | None = None) -> subprocess.CompletedProcess[bytes]:
    program = PROGRAM if code is None else [sys.executable, "-c", code]
    return subprocess.run(
        [*program, *arguments], cwd=folder, env=os.environ | PLAIN, capture_output=True, check=False
    )


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What commands write to a terminal of 40 columns that can show ASCII alone."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", COMMANDS, *arguments]
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | PLAIN, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                said += os.read(ours, 65536)
            except OSError:  # all has been closed
                break
    os.close(ours)
    text = said.decode("ascii")
    assert process.returncode == 0, text
    return text


def test_help_in_ascii_and_40_columns(tmp_path: Path) -> None:
    names = [
        "run",
        "submit",
        "status",
        "logs",
        "stop",
        "resume",
        "train",
        "table",
        "list",
        "delete",
        "report",
        "ui",
        "doctor",
        "init",
        "schema",
        "show",
        "best",
        "compare",
    ]
    done = polychrony(tmp_path, *[f"{name} --help" for name in names], "--help", code=COMMANDS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii() and b"Traceback" not in done.stderr
    assert done.stdout.count(b"Usage: ") == len(names) + 1


def test_results_on_a_terminal_of_ascii_and_40_columns(tmp_path: Path) -> None:
    write_known_sweep(tmp_path / "runs" / "known", networks=())
    said = on_a_terminal(tmp_path, "list", "status known", "table known trials")
    assert "known" in said and "~" in said and "Traceback" not in said


def test_training_on_a_terminal_of_ascii_and_40_columns(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SWEEP)
    said = on_a_terminal(tmp_path, "train small.yaml")
    assert "small: 1 complete" in said and "Traceback" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "small.yaml", "--out", LATIN],
        ["run", "small.yaml", "--dry-run", "--out", f"{LATIN}/runs"],
        ["list", "--out", f"s3://bucket/{LATIN}"],
        ["train", "small.yaml", "--out", "file:///lat_%E9"],
        ["report", LATIN],
    ],
)
def test_a_name_that_is_not_utf8_is_refused_before_anything_is_written(
    tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "small.yaml").write_text(SWEEP)
    done = polychrony(tmp_path, *arguments)
    assert done.returncode == 2
    assert rb"lat_\udce9" in done.stderr and b"is no name in UTF-8, and can't be kept" in done.stderr
    assert b"Traceback" not in done.stderr
    assert os.listdir(tmp_path) == ["small.yaml"]  # noqa: PTH208


def test_a_working_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    folder = tmp_path / LATIN
    folder.mkdir()
    (folder / "small.yaml").write_text(SWEEP)
    done = polychrony(folder, "train", "small.yaml")
    assert done.returncode == 2 and rb"lat_\udce9/runs: is no name in UTF-8" in done.stderr
    assert len(list(folder.iterdir())) == 1
