"""The formats by name, and the one way in: a folder is written whole or not at all."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from model.border import kinds_checked
from model.export.bundle import Bundle
from model.export.errors import ExportError
from model.export.graphs import write_arrays, write_graphml
from model.export.nir import write_nir
from model.export.simulators import write_brian2, write_nest
from model.export.sonata import write_sonata
from model.fields import no_such

Writer = Callable[[Bundle, Path], None]
FORMATS: dict[str, Writer] = {
    "npz": write_arrays,
    "graphml": write_graphml,
    "brian2": write_brian2,
    "nest": write_nest,
    "sonata": write_sonata,
    "nir": write_nir,
}
"""What writes each format into a folder."""


LOSSLESS = ("npz", "graphml")
"""Formats that hold the configuration whole, or no readout and no inputs at all."""


@kinds_checked
def export(bundle: Bundle, format: str, folder: str | Path) -> list[Path]:
    """Write the network of `bundle` in a format, one of FORMATS, into `folder`, which is new or empty.

    Returns the files.

    Raises ExportError if the folder has something in it, there is no such format or it cannot hold the
    network; then nothing is written. Raises OSError if the disk is full or the like.
    """
    target = Path(folder)
    if format not in FORMATS:
        raise ExportError(no_such("format", format, FORMATS))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target}: is there already, and not empty; name a new folder")
    config = bundle.network.config
    for field, value, plain in (
        ("drive_norm", config.drive_norm, 0),
        ("readout_windows", config.readout_windows, 1),
    ):
        if value != plain and format not in LOSSLESS:
            raise ExportError(
                f"{format} cannot hold `{field}` {value:g}, and leaving it out would be another network; "
                f"take npz, or train with {plain}"
            )
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that it can be moved there at once.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as place:
        made = Path(place) / "made"
        made.mkdir()
        FORMATS[format](bundle, made)
        if target.exists():
            target.rmdir()
        shutil.move(made, target)
    return sorted(path for path in target.rglob("*") if path.is_file())
