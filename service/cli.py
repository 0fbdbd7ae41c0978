"""The command line. Commands import what they need when they run, so that `--help` answers at once."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from service.commands import exchange
from service.commands.options import Out, console
from service.commands.slurm import slurm
from service.commands.surroundings import put_right
from service.errors import Fault, PolychronyError, UserError
from service.execution.signals import install_signal_handlers
from service.storage.layout import RUNS
from service.storage.paths import parse_path
from service.text import write_plainly

app = typer.Typer(
    help="Search and evolution of spiking networks whose delays are distances.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Set a value of the sweep file; may be repeated."),
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


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep file.")],
    out: Out = RUNS,
    set_: Set = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take.")] = False,
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="URL", help="A Ray cluster: HOST:PORT of its head, or auto."),
    ] = None,
) -> None:
    """Run a sweep here, or take it up where it stopped; with --address its trials run on that cluster."""
    with _interruptible("" if dry else AGAIN):
        if dry:
            from service.commands.dry_run import dry_run

            dry_run(file, out, set_ or [], console())
        else:
            from service.commands.run import run as run_sweep

            run_sweep(file, out, set_ or [], console(), address)


@app.command()
def submit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep file.")],
    address: Dashboard,
    out: Out = RUNS,
    set_: Set = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
    code: Annotated[
        Literal["ship", "installed"],
        typer.Option(help="ship: our own code goes along; installed: the cluster's nodes have polychrony."),
    ] = "ship",
) -> None:
    """Run a sweep as a job of a Ray cluster; DIR is a folder as the cluster sees it."""
    from service.jobs.submit import submit as submit_sweep

    with _interruptible(""):
        raise typer.Exit(submit_sweep(file, address, out, set_ or [], console(), detach=detach, code=code))


@app.command()
def status(name: Name, address: MaybeDashboard = None, out: MaybeOut = None) -> None:
    """Say how a sweep stands; with --address also its job, and the nodes of the cluster."""
    from service.commands.dispatch import status as say_status

    say_status(name, address, out, console())


@app.command()
def logs(
    name: Name,
    address: MaybeDashboard = None,
    out: MaybeOut = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on while the sweep runs.")] = True,
) -> None:
    """Print what a sweep's job on a cluster has said."""
    from service.commands.dispatch import logs as print_logs

    with _interruptible(""):
        raise typer.Exit(print_logs(name, address, out, console(), following=follow))


@app.command()
def stop(name: Name, address: MaybeDashboard = None, out: MaybeOut = None) -> None:
    """Stop a sweep as ctrl-C would, here or on a cluster; what is finished is kept."""
    from service.commands.dispatch import stop as stop_sweep

    with _interruptible(""):
        stop_sweep(name, address, out, console())


@app.command()
def resume(name: Name, address: MaybeDashboard = None, out: MaybeOut = None) -> None:
    """Go on with a sweep as it was asked for, here or on a cluster."""
    from service.commands.dispatch import resume as resume_sweep

    with _interruptible():
        raise typer.Exit(resume_sweep(name, address, out, console()))


app.command()(slurm)


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
    from service.commands.train import train as train_file
    from service.commands.train import train_again

    with _interruptible():
        if file is not None:
            train_file(file, out, set_ or [], console())
        elif again is not None and not train_again(again, out, console()):
            raise typer.Exit(1)


@app.command()
def table(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sweep.")],
    which: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="trials, epochs, neurons, topology, synapses, pruning, lesions or delay_graph.",
        ),
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
    from service.results.export import write
    from service.results.sweep import Sweep

    write(Sweep(out / name).arrow(which, where), format_, sys.stdout)


@app.command("list")
def list_(address: MaybeDashboard = None, out: Out = RUNS) -> None:
    """List the sweeps: how they stand, and the best that they have found."""
    from service.commands.dispatch import list_sweeps

    list_sweeps(address, out, console())


@app.command()
def delete(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="The sweeps.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    out: Out = RUNS,
) -> None:
    """Delete sweeps for good: their folders, and their runs in MLflow."""
    from service.commands.delete import delete as delete_sweeps
    from service.results.sweeps import sweeps_named

    sweeps = sweeps_named(names, out)
    if not yes:
        if not sys.stdin.isatty():
            raise UserError([Fault("delete", "--yes", "is missing: there is no terminal to ask at")])
        typer.confirm(f"Delete {', '.join(sweep.name for sweep in sweeps)} for good?", abort=True)
    delete_sweeps(sweeps, console())


@app.command()
def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sweep, finished or not.")],
    out: Out = RUNS,
) -> None:
    """Write figures, their data and a page on what a sweep has found."""
    from service.report.write import write_report

    write_report(out / name, console())


@app.command()
def ui(
    out: Out = RUNS,
    port: Annotated[int, typer.Option(help="On the loopback interface.")] = 5000,
) -> None:
    """Open the MLflow UI of a folder of sweeps, or say which server has it."""
    from service.tracking.ui import show

    raise typer.Exit(show(out, port, _say))


@app.command()
def doctor(out: Out = RUNS) -> None:
    """Say what is installed and what can be reached, and how to mend what is not."""
    from service.commands.doctor import examine

    raise typer.Exit(0 if examine(out, console()) else 1)


app.command("export")(exchange.export)
app.command("import")(exchange.import_)


def main() -> None:
    """Run the command line; the exit codes are 0 done, 1 could not go on, 2 wrong input, 130 interrupted."""
    put_right()
    for stream in (sys.stdout, sys.stderr):
        write_plainly(stream)
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


@contextmanager
def _interruptible(message: str = AGAIN) -> Iterator[None]:
    """Ctrl-C ends the command in words; so do the signals of `install_signal_handlers`."""
    install_signal_handlers()
    try:
        yield
    except KeyboardInterrupt:
        if message:
            _say(message)
        raise typer.Exit(130) from None


def _say(message: Any) -> None:
    with suppress(OSError):  # a terminal that is gone
        sys.stderr.write(f"{message}\n")
