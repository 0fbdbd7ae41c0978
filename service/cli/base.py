"""What the commands share: the application they belong to, their options, and how they are interrupted.

A group of commands is a module of this folder; `service.cli` imports all, and each adds its own to `app`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.errors import Fault, UserError
from service.execution.signals import install_signal_handlers
from service.storage.paths import parse_path

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    help="Search and evolution of spiking networks whose delays are distances.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Out = Annotated[  # a StoragePath; Typer knows no unions
    Any,
    typer.Option(
        "--out",
        metavar="DIR",
        parser=parse_path,
        help="The folder of all sweeps, or a URL such as s3://bucket/runs.",
    ),
]


def _in_one_piece(values: list[str] | None) -> list[str] | None:
    """Raises UserError for `--set a 64`, of which the command line would blame the 64 alone."""
    apart = [value for value in values or () if "=" not in value]
    cure = "expected PATH=VALUE in one piece, such as"
    if apart:
        raise UserError([Fault(f"--set {value}", "PATH", f"{cure} {value}=64") for value in apart])
    return values


Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        callback=_in_one_piece,
        help="Set a value of the sweep file; may be repeated.",
    ),
]
AGAIN = "interrupted: what is finished is kept; run the same command again to go on"
MaybeOut = Annotated[
    Any,
    typer.Option(
        "--out",
        metavar="DIR",
        parser=parse_path,
        help="The folder of all sweeps; with --address, needed only if two have a sweep of that name.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The sweep.")]
Dashboard = Annotated[
    str,
    typer.Option("--address", metavar="URL", help="The cluster's dashboard, such as http://127.0.0.1:8265."),
]
MaybeDashboard = Annotated[
    str | None,
    typer.Option("--address", metavar="URL", help="A cluster's dashboard, such as http://127.0.0.1:8265."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but what goes wrong.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say what each epoch of each trial has come to, a line each.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def console_(quiet: bool = False) -> "Console":
    """Standard output, as it is written; where there is no terminal there is no width to keep to, either."""
    from rich.console import Console

    # Brackets and colons in the names of folders and in reasons are no markup.
    return Console(width=None if sys.stdout.isatty() else 160, markup=False, emoji=False, quiet=quiet)


@contextmanager
def interruptible(message: str = AGAIN) -> Iterator[None]:
    """Ctrl-C ends the command in words; so do the signals of `install_signal_handlers`."""
    install_signal_handlers()
    try:
        yield
    except KeyboardInterrupt:
        if message:
            say(message)
        raise typer.Exit(130) from None


def say(message: Any) -> None:
    """Write a line to standard error, if there is anyone to read it."""
    with suppress(OSError):  # a terminal that is gone
        sys.stderr.write(f"{message}\n")
