"""A script that runs the network in another simulator, with samples and the spikes to compare."""

from pathlib import Path
from typing import Any

import numpy as np

from model.arrays import Array
from model.datasets import SpikeDataset
from model.export import script
from model.export.bundle import Bundle
from model.export.graphs import write_network


def write_brian2(bundle: Bundle, folder: Path) -> None:
    """Write `simulate.py` for Brian 2, with `network.npz` and `samples.npz`."""
    _write(bundle, folder, "brian2")


def write_nest(bundle: Bundle, folder: Path) -> None:
    """Write `simulate.py` for NEST, with `network.npz` and `samples.npz`."""
    _write(bundle, folder, "nest")


def _write(bundle: Bundle, folder: Path, simulator: str) -> None:
    write_network(bundle, folder)
    times, units, ends = bundle.inputs
    spikes: dict[str, Any] = _spikes("hidden", bundle.hidden, bundle.network.config.dt)
    spikes |= _spikes("fine", bundle.fine, bundle.fine_step)
    np.savez_compressed(
        folder / "samples.npz",
        input_times=times,
        input_units=units,
        input_ends=ends,
        labels=bundle.samples.labels,
        answers=bundle.network.answers(bundle.samples),
        simulator=np.array(simulator),
        **spikes,
    )
    (folder / "simulate.py").write_text(Path(script.__file__).read_text())


def _spikes(name: str, spikes: SpikeDataset, step: float) -> dict[str, Array]:
    """Spikes under the names by which the script knows them."""
    times = spikes.times
    return {
        f"{name}_times": times.flat,
        f"{name}_units": spikes.channels.flat.astype(np.int64),
        f"{name}_ends": times.offsets,
        f"{name}_step": np.array(step),
    }
