"""The command line. Commands import what they need when they run, so that `--help` answers at once."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from service.errors import Fault, PolychronyError, UserError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    help="Search and evolution of spiking networks whose delays are distances.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of all sweeps.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Set a value of the sweep file; may be repeated."),
]
RUNS = Path("runs")


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep file.")],
    out: Out = RUNS,
    set_: Set = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would take; write nothing.")
    ] = False,
) -> None:
    """Run a sweep here, or take it up where it stopped."""
    if dry:
        from service.dry_run import dry_run as act
    else:
        from service.run import run as act
    try:
        act(file, out, set_ or [], _console())
    except KeyboardInterrupt:
        if dry:
            raise typer.Exit(130) from None
        _interrupted()


@app.command()
def train(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A sweep file that searches nothing.")
    ] = None,
    again: Annotated[
        str | None, typer.Option("--from", metavar="NAME/TRIAL", help="A recorded trial, to be run again.")
    ] = None,
    out: Out = RUNS,
    set_: Set = None,
) -> None:
    """Train one configuration here, without Ray, or a recorded trial once more."""
    if (file is None) == (again is None):
        raise UserError([Fault("train", "FILE", "give either a sweep file or --from NAME/TRIAL")])
    from service.train import train as train_file
    from service.train import train_again

    try:
        if file is not None:
            train_file(file, out, set_ or [], _console())
        elif again is not None and not train_again(again, out, _console()):
            raise typer.Exit(1)
    except KeyboardInterrupt:
        _interrupted()


@app.command()
def table(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sweep.")],
    which: Annotated[
        str, typer.Argument(metavar="TABLE", help="trials, epochs, neurons, topology or synapses.")
    ],
    where: Annotated[
        str | None,
        typer.Option(metavar="EXPRESSION", help="Rows to keep, such as 'accuracy > 0.9 and epoch == 3'."),
    ] = None,
    format_: Annotated[
        Literal["table", "csv", "parquet", "json"], typer.Option("--format", help="How to print them.")
    ] = "table",
    out: Out = RUNS,
) -> None:
    """Print a table of a sweep."""
    from service.record.export import write
    from service.sweep import Sweep

    write(Sweep(out / name).arrow(which, where), format_, sys.stdout)


@app.command("list")
def list_(out: Out = RUNS) -> None:
    """List the sweeps: how they stand, and the best that they have found."""
    from service.listing import print_list

    print_list(out, _console())


@app.command()
def delete(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="The sweeps.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    out: Out = RUNS,
) -> None:
    """Delete sweeps for good: their folders, and their runs in MLflow."""
    from service.delete import delete as delete_sweeps
    from service.delete import sweeps_named

    sweeps = sweeps_named(names, out)
    if not yes:
        if not sys.stdin.isatty():
            raise UserError([Fault("delete", "--yes", "is missing: there is no terminal to ask at")])
        typer.confirm(f"Delete {', '.join(sweep.name for sweep in sweeps)} for good?", abort=True)
    delete_sweeps(sweeps, _console())


@app.command()
def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sweep, finished or not.")],
    out: Out = RUNS,
) -> None:
    """Write figures, their data and a page on what a sweep has found."""
    from service.report.write import write_report

    write_report(out / name, _console())


@app.command()
def ui(
    out: Out = RUNS,
    port: Annotated[int, typer.Option(help="On the loopback interface.")] = 5000,
) -> None:
    """Open the MLflow UI of a folder of sweeps."""
    import subprocess

    from service.tracking.ui import ui_command

    if server := os.environ.get("MLFLOW_TRACKING_URI"):
        raise UserError(
            [Fault("MLFLOW_TRACKING_URI", server, "sweeps are logged there; open that server's UI")]
        )
    if not (out / "mlflow.db").is_file():
        raise UserError([Fault("--out", str(out), "no sweep has been logged there; run one first")])
    command, environment = ui_command(out, port)
    _say(f"MLflow UI: http://127.0.0.1:{port}/#/experiments (trials: `Training runs`; ctrl-C stops it)")
    try:
        raise typer.Exit(subprocess.run(command, env=environment, check=False).returncode)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def main() -> None:
    """Run the command line; the exit codes are 0 done, 1 could not go on, 2 wrong input, 130 interrupted."""
    # A broken pipe (`| head`) ends the program as it does others, without a word.
    try:
        app()
    except UserError as error:
        _say(error)
        sys.exit(2)
    except PolychronyError as error:
        _say(f"polychrony: {error}")
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _say(f"polychrony: {error.filename or 'a file'}: {error.strerror or error}")
        sys.exit(1)


def _console() -> "Console":
    """Standard output; where there is no terminal there is no width to keep to, either."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160)


def _interrupted() -> NoReturn:
    _say("interrupted: what is finished is kept; run the same command again to go on")
    raise typer.Exit(130) from None


def _say(message: Any) -> None:
    sys.stderr.write(f"{message}\n")
