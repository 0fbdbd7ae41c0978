"""Commands that write sweep files, and say what they may hold."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli.base import Out, app, console_
from service.storage.layout import RUNS


@app.command()
def init(
    template: Annotated[
        str, typer.Argument(metavar="[TEMPLATE]", help="Which one; a wrong name lists them.")
    ] = "quickstart",
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Where; default TEMPLATE.yaml.")] = None,
) -> None:
    """Write a sweep file to start from, with its schema beside it for editors."""
    from service.commands.init import init as write

    write(template, to, console_())


@app.command()
def schema() -> None:
    """Print the JSON Schema of a sweep file, by which editors complete and check it."""
    from service.commands.init import schema_text

    sys.stdout.write(schema_text())


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME/TRIAL", help="A recorded trial.")], out: Out = RUNS
) -> None:
    """Print a trial's configuration as a sweep file that searches nothing, to train or to start from."""
    from service.commands.best import show_trial

    show_trial(name, out)
