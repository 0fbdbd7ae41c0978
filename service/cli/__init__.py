"""The command line. The commands are in the modules of this folder, by groups."""

import os
import sys
from typing import Annotated

import typer

from service.cli import exchanging, reading, running, writing
from service.cli.base import app, say
from service.commands.surroundings import put_right
from service.errors import PolychronyError, UserError
from service.importing import leave_at_once
from service.text import write_plainly

__all__ = ["app", "exchanging", "main", "reading", "running", "writing"]


def _version(asked: bool) -> None:
    if asked:
        from service.version import code_version

        typer.echo(f"polychrony {code_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version, and end.")
    ] = False,
) -> None:
    """Search and evolution of spiking networks whose delays are distances."""


def main() -> None:
    """Run the command line; the exit codes are 0 done, 1 could not go on, 2 wrong input, 130 interrupted."""
    leave_at_once()
    put_right()
    for stream in (sys.stdout, sys.stderr):
        write_plainly(stream)
    # A broken pipe (`| head`) ends the program as it does others, without a word.
    try:
        app()
    except UserError as error:
        say(error)
        sys.exit(2)
    except PolychronyError as error:
        say(f"polychrony: {error}")
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        say(f"polychrony: {error.filename or 'a file'}: {error.strerror or error}")
        sys.exit(1)
