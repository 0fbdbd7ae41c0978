"""Commands that run sweeps, here or on a cluster, and say how they stand.

Each imports what it needs when it runs, so that `--help` answers at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from service.cli.base import (
    AGAIN,
    Dashboard,
    Json,
    MaybeDashboard,
    MaybeOut,
    Name,
    Out,
    Quiet,
    Set,
    Verbose,
    app,
    console_,
    interruptible,
)
from service.commands.slurm import slurm
from service.errors import Fault, UserError
from service.storage.layout import RUNS


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep file.")],
    out: Out = RUNS,
    set_: Set = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would take; write nothing.")
    ] = False,
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="URL", help="A Ray cluster: HOST:PORT of its head, or auto."),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run a sweep here, or take it up where it stopped; with --address its trials run on that cluster.

    Where there is no file of that name, a template is taken: `polychrony run quickstart`.
    """
    from service.config.templates import template

    with interruptible("" if dry else AGAIN):
        if dry:
            from service.commands.dry_run import dry_run

            dry_run(template(file), out, set_ or [], console_())
        else:
            from service.commands.run import Lines
            from service.commands.run import run as run_sweep

            lines: Lines = "epochs" if verbose else "trials"
            run_sweep(template(file), out, set_ or [], console_(quiet), address, lines)


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

    with interruptible(""):
        raise typer.Exit(submit_sweep(file, address, out, set_ or [], console_(), detach=detach, code=code))


@app.command()
def status(name: Name, address: MaybeDashboard = None, out: MaybeOut = None, as_json: Json = False) -> None:
    """Say how a sweep stands; with --address also its job, and the nodes of the cluster."""
    from service.commands.dispatch import status as say_status

    say_status(name, address, out, console_(), as_json=as_json)


@app.command()
def logs(
    name: Name,
    address: MaybeDashboard = None,
    out: MaybeOut = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on while the sweep runs.")] = True,
) -> None:
    """Print what a sweep's job on a cluster has said."""
    from service.commands.dispatch import logs as print_logs

    with interruptible(""):
        raise typer.Exit(print_logs(name, address, out, console_(), following=follow))


@app.command()
def stop(name: Name, address: MaybeDashboard = None, out: MaybeOut = None) -> None:
    """Stop a sweep as ctrl-C would, here or on a cluster; what is finished is kept."""
    from service.commands.dispatch import stop as stop_sweep

    with interruptible(""):
        stop_sweep(name, address, out, console_())


@app.command()
def resume(name: Name, address: MaybeDashboard = None, out: MaybeOut = None) -> None:
    """Go on with a sweep as it was asked for, here or on a cluster."""
    from service.commands.dispatch import resume as resume_sweep

    with interruptible():
        raise typer.Exit(resume_sweep(name, address, out, console_()))


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
    quiet: Quiet = False,
) -> None:
    """Train one configuration here, without Ray, or a recorded trial once more.

    Without FILE and --from all is taken from --set, such as --set name=a --set data.name=digits.
    """
    if file is not None and again is not None:
        raise UserError([Fault("train", "FILE", "give either a sweep file or --from NAME/TRIAL")])
    if file is None and again is None and not set_:
        fault = "give a sweep file, --from NAME/TRIAL, or --set name=... --set data.name=..."
        raise UserError([Fault("train", "FILE", fault)])
    from service.commands.train import train as train_file
    from service.commands.train import train_again

    with interruptible():
        if again is None:
            train_file(file, out, set_ or [], console_(quiet))
        elif not train_again(again, out, console_(quiet)):
            raise typer.Exit(1)
