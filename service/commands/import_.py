"""`polychrony import`: a network that the paper's own code has written, as one of ours."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from model.exchange import ForeignError, read_checkpoint
from model.exchange.paper import SETTINGS
from model.network.best import Best
from model.network.checkpoint import pack
from service.config.model_fields import reason
from service.errors import Fault, UserError
from service.storage.atomic import write_whole


def import_network(
    folder: Path, file: Path, console: Console, epoch: str | None = None, duration: float | None = None
) -> None:
    """Read a checkpoint of the paper's code in `folder`, and write it to `file` as a cohort of one network.

    Args:
        folder: where the .npy files are.
        file: a new file, in safetensors.
        console: where to say what was read.
        epoch: what the files' names begin with; None: `best`, or else the highest number.
        duration: length of a sample (ms); None: that of the paper, 1,000.

    Raises UserError, and writes nothing, if the file is there already or the checkpoint cannot be used.
    """
    if file.exists():
        raise UserError([Fault("import", "--to", f"{file} is there already; name a new file")])
    try:
        config = SETTINGS if duration is None else replace(SETTINGS, duration=duration)
        _ = config.steps
    except ValueError as error:
        raise UserError([Fault("import", "--duration", reason(error))]) from error
    try:
        found = read_checkpoint(folder, epoch, config)
    except ForeignError as error:
        raise UserError([Fault("import", str(folder), str(error))]) from error
    write_whole(file, pack(found.net, None, 0, Best.start(1)))
    net = found.net
    told = (
        f"{file}: epoch {found.epoch} of {folder}: {net.n_channels} channels, {net.config.neurons} neurons, "
        f"{net.n_classes} classes, embedding {net.config.embedding}"
    )
    console.print(told, highlight=False, soft_wrap=True)
    if found.autapses:
        left = f"left out: {found.autapses} self-connections, which there are none of here"
        console.print(left, highlight=False, soft_wrap=True)
