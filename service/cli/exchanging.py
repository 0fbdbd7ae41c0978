"""Commands that bring networks to other programs, and from them.

Each imports what it needs when it runs, so that `--help` answers at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from service.cli.base import Out, app, console_
from service.storage.layout import RUNS


@app.command("export")
def export(
    name: Annotated[str, typer.Argument(metavar="NAME/TRIAL", help="A trial whose networks are kept.")],
    format_: Annotated[
        Literal["sonata", "brian2", "nest", "nir", "graphml", "npz"],
        typer.Option("--format", help="What to write; see docs/exchange.md."),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A new folder.")],
    replicate: Annotated[int, typer.Option(help="Which network of the trial, from 0.")] = 0,
    samples: Annotated[int, typer.Option(help="Held-out samples that go along with their spikes.")] = 20,
    quantize: Annotated[
        str | None,
        typer.Option(
            metavar="GRID",
            help="Round delays and weights, such as bits=8/6/4,delay_step=1/2,max_delay=60: the first of "
            "each is exported, and the accuracy is told of all.",
        ),
    ] = None,
    expand: Annotated[
        bool,
        typer.Option("--expand", help="For nir: each synapse a channel of its own."),
    ] = False,
    out: Out = RUNS,
) -> None:
    """Write a trained network as files of another program, with what is needed to check it there."""
    from service.commands.export import export_network

    export_network(
        name,
        out,
        format_,
        to,
        console_(),
        replicate=replicate,
        samples=samples,
        quantize=quantize,
        expand=expand,
    )


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Checkpoints of the paper's own code.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A new file, in safetensors.")],
    epoch: Annotated[
        str | None, typer.Option(metavar="EPOCH", help="A number or `best`; otherwise the last, or the best.")
    ] = None,
    duration: Annotated[float | None, typer.Option(help="Length of a sample (ms); otherwise 1,000.")] = None,
) -> None:
    """Read a network that the paper's own code has written."""
    from service.commands.import_ import import_network

    import_network(folder, to, console_(), epoch, duration)
