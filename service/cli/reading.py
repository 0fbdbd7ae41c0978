"""Commands that show what sweeps have found, and put away sweeps.

Each imports what it needs when it runs, so that `--help` answers at once.
"""

import sys
from typing import Annotated, Literal

import typer

from service.cli.base import Json, MaybeDashboard, Name, Out, Quiet, app, console_, interruptible, say
from service.errors import Fault, UserError
from service.storage.layout import RUNS


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
    columns: Annotated[
        str | None, typer.Option(metavar="A,B", help="The columns, in this order; all if not given.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Rows by this column; -COLUMN: the largest first.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=0, metavar="N", help="So many rows at most.")] = None,
    format_: Annotated[
        Literal["table", "csv", "parquet", "json"], typer.Option("--format", help="How to print them.")
    ] = "table",
    out: Out = RUNS,
) -> None:
    """Print a table of a sweep."""
    from service.results.export import arranged, write
    from service.results.sweep import Sweep

    sweep = Sweep(out / name)
    objectives = [one.metric for one in sweep.objectives]
    first = ["trial", *sweep.searched, *objectives] if which == "trials" and format_ == "table" else []
    wanted = columns.split(",") if columns else None
    write(arranged(sweep.arrow(which, where), wanted, sort, limit, first), format_, sys.stdout)


@app.command()
def best(name: Name, as_json: Json = False, out: Out = RUNS) -> None:
    """Print the Pareto front of a sweep; of one objective the best trial."""
    from service.commands.best import print_best
    from service.results.sweeps import sweeps_named

    print_best(sweeps_named([name], out)[0], console_(), as_json=as_json)


@app.command()
def compare(
    names: Annotated[list[str], typer.Argument(metavar="NAME NAME...", help="The sweeps.")], out: Out = RUNS
) -> None:
    """Print what sweeps have found side by side, and in what they differ from the first."""
    from service.commands.best import compare as compare_sweeps
    from service.results.sweeps import sweeps_named

    compare_sweeps(sweeps_named(names, out), console_())


@app.command("list")
def list_(address: MaybeDashboard = None, out: Out = RUNS, as_json: Json = False) -> None:
    """List the sweeps: how they stand, and the best that they have found."""
    from service.commands.dispatch import list_sweeps

    list_sweeps(address, out, console_(), as_json=as_json)


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
    delete_sweeps(sweeps, console_())


@app.command()
def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sweep, finished or not.")],
    out: Out = RUNS,
) -> None:
    """Write figures, their data and a page on what a sweep has found."""
    from service.report.write import write_report

    write_report(out / name, console_())


@app.command()
def ui(
    out: Out = RUNS,
    port: Annotated[int, typer.Option(help="On the loopback interface.")] = 5000,
) -> None:
    """Open the MLflow UI of a folder of sweeps, or say which server has it."""
    from service.tracking.ui import show

    with interruptible(""):
        raise typer.Exit(show(out, port, say))


@app.command()
def doctor(out: Out = RUNS, quiet: Quiet = False) -> None:
    """Say what is installed and what can be reached, and how to mend what is not."""
    from service.commands.doctor import examine

    raise typer.Exit(0 if examine(out, console_(), faults_only=quiet) else 1)
