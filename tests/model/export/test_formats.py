"""A folder is written whole or not at all, and what cannot be is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import Cohort, SpikeDataset
from model.exchange import PlainNetwork
from model.export import FORMATS, Bundle, ExportError, bundle_of, export
from model.export import formats as formats_module

MakeBundle = Callable[..., Bundle]


def test_a_folder_that_has_something_in_it_is_left_alone(bundle: MakeBundle, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="not empty; name a new folder"):
        export(bundle(), "npz", tmp_path)
    with pytest.raises(ExportError, match="not empty"):
        export(bundle(), "npz", tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(bundle: MakeBundle, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    files = export(bundle(), "graphml", tmp_path / "out")
    assert files == [tmp_path / "out/network.graphml"] and files[0].is_file()


def test_what_fails_midway_leaves_nothing(
    bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(made: Bundle, folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(formats_module.FORMATS, "npz", fail)
    with pytest.raises(OSError, match="No space left"):
        export(bundle(), "npz", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_told_with_the_nearest(bundle: MakeBundle, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="did you mean `graphml`"):
        export(bundle(), "graphlm", tmp_path / "out")
    assert set(FORMATS) == {"sonata", "brian2", "nest", "nir", "graphml", "npz"}


@pytest.mark.parametrize("format", sorted(FORMATS))
@pytest.mark.parametrize(("field", "value"), [("drive_norm", 0.5), ("readout_windows", 3)])
def test_what_other_simulators_cannot_do_is_refused(
    bundle: MakeBundle, tmp_path: Path, format: str, field: str, value: float
) -> None:
    made = bundle(embedding="none", **{field: value})
    if format in ("npz", "graphml"):
        assert export(made, format, tmp_path / "out")
        return
    with pytest.raises(ExportError, match=f"{format} cannot hold `{field}` {value:g}, .* take npz"):
        export(made, format, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("config", [{}, {"readout_windows": 3, "drive_norm": 0.5, "hidden": (3, 2)}])
def test_a_plain_network_answers_as_its_cohort(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset], config: dict[str, Any]
) -> None:
    net, data = lively_net(input_embedding="line", **config), random_data(samples=6)
    logits = net(data, np.tile(np.arange(6), (2, 1))).logits.detach().numpy()
    for r in range(2):
        network = PlainNetwork.of(net, r)
        assert np.array_equal(network.answers(data, batch=4), logits[r].argmax(1))
        right = float((logits[r].argmax(1) == data.labels).mean())
        assert network.accuracy(data) == right
    with pytest.raises(ValueError, match="from 0 to 1"):
        PlainNetwork.of(net, 2)


def test_a_step_longer_than_a_delay_is_refused(bundle: MakeBundle) -> None:
    with pytest.raises(ValueError, match="take a shorter step"):
        bundle(embedding="none").network.at_step(2.0)


def test_the_input_spikes_are_those_that_the_network_sees(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> None:
    data = random_data(samples=3)
    net = lively_net(duration=20.0)
    times, inputs, ends = bundle_of(net, 0, data, 3).inputs
    for sample in range(3):
        own = slice(ends[sample], ends[sample + 1])
        inside = data.times[sample] < 20.0
        assert np.array_equal(times[own], data.times[sample][inside])
        assert np.array_equal(inputs[own], data.channels[sample][inside])
    assert (data.times.flat >= 20.0).any()
