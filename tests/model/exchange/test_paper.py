"""Checkpoints of the paper's code come in as networks of ours, and what is wrong with them is told."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model import LearnerConfig, SpikeDataset
from model.analysis.evaluation import evaluate
from model.analysis.lesions import lesions, neuron_sets
from model.analysis.snapshot import neurons_of, topology_of
from model.analysis.tuning import tuning_of
from model.exchange import ForeignError, read_checkpoint
from model.network.best import Best
from model.network.checkpoint import pack, unpack

N, CHANNELS, CLASSES = 6, 9, 4


def arrays(axes: int = 2, seed: int = 0) -> dict[str, np.ndarray]:
    """A checkpoint as the paper's code saves it: flat float32 arrays."""
    draw = np.random.default_rng(seed)
    positions = draw.normal(0, 8, (N, axes))
    distances = np.linalg.norm(positions[:, None] - positions, axis=2)
    found = {
        "Conn_Pop0_Pop1-g": draw.normal(0.4, 0.1, CHANNELS * N),
        "Conn_Pop1_Pop1-g": draw.normal(0, 0.2, N * N),
        "Conn_Pop1_Pop2-g": draw.normal(0, 0.3, N * CLASSES),
        "Conn_Pop1_Pop1-d": np.rint(distances).ravel(),
        **{f"Pos{k}": positions[:, k] for k in range(axes)},
    }
    return {name: values.astype(np.float32) for name, values in found.items()}


def save(folder: Path, values: dict[str, np.ndarray], epoch: str = "299") -> None:
    for name, array in values.items():
        np.save(folder / f"{epoch}-{name}.npy", array)


@pytest.mark.parametrize("axes", [1, 2, 4])
def test_a_network_in_space_comes_in_bit_for_bit(tmp_path: Path, axes: int) -> None:
    made = arrays(axes)
    save(tmp_path, made)
    found = read_checkpoint(tmp_path)
    net, others = found.net, ~np.eye(N, dtype=bool)
    assert (found.epoch, found.autapses) == ("299", N)
    assert (net.n_channels, net.config.hidden, net.n_classes) == (CHANNELS, N, CLASSES)
    assert (net.config.embedding, net.config.dimensions, net.config.delay_scale) == ("space", axes, 1.0)
    assert np.array_equal(net.w_in[0].detach(), made["Conn_Pop0_Pop1-g"].reshape(CHANNELS, N))
    w_rec = made["Conn_Pop1_Pop1-g"].reshape(N, N)
    assert np.array_equal(net.w_rec[0].detach(), np.where(others, w_rec, 0))
    assert np.array_equal(net.w_out[0].detach(), made["Conn_Pop1_Pop2-g"].reshape(N, CLASSES))
    assert np.array_equal(net.positions[0].detach(), np.stack([made[f"Pos{k}"] for k in range(axes)], 1))
    assert (net.b_out == 0).all()
    # A step more than there, where a spike without delay acts in the next step; rounded there, not here.
    late = net.delays()[0].detach().numpy() - 1
    assert np.abs(late - made["Conn_Pop1_Pop1-d"].reshape(N, N)).max() <= 0.5 + 1e-4
    again = unpack(pack(net, None, 0, Best.start(1)))[0]
    for name, value in net.state_dict().items():
        assert np.array_equal(again.state_dict()[name], value), name


def test_delays_without_positions_are_free_axonal_or_none(tmp_path: Path) -> None:
    made = arrays(axes=0)
    late = np.random.default_rng(3).integers(0, 40, (N, N)).astype(np.float32)
    save(tmp_path, made | {"Conn_Pop1_Pop1-d": late.ravel()})
    net = read_checkpoint(tmp_path).net
    assert net.config.embedding == "free"
    assert np.array_equal(net.delays()[0].detach(), late + 1)
    each = np.repeat(late[:, :1], N, axis=1)
    save(tmp_path, {"Conn_Pop1_Pop1-d": each.ravel()})
    net = read_checkpoint(tmp_path).net
    assert net.config.embedding == "axonal"
    assert np.array_equal(net.delays()[0].detach(), each + 1)
    (tmp_path / "299-Conn_Pop1_Pop1-d.npy").unlink()
    assert read_checkpoint(tmp_path).net.config.embedding == "none"


def test_the_best_or_else_the_last_epoch_is_read_unless_one_is_named(tmp_path: Path) -> None:
    for epoch in ("9", "100"):
        save(tmp_path, arrays(seed=int(epoch)), epoch)
    assert read_checkpoint(tmp_path).epoch == "100"
    save(tmp_path, arrays(), "best")
    assert read_checkpoint(tmp_path).epoch == "best"
    found = read_checkpoint(tmp_path, "9")
    expected = arrays(seed=9)["Conn_Pop1_Pop2-g"].reshape(N, CLASSES)
    assert found.epoch == "9" and np.array_equal(found.net.w_out[0].detach(), expected)


def test_the_measures_and_lesions_of_here_hold_for_it(tmp_path: Path) -> None:
    save(tmp_path, arrays())
    net = read_checkpoint(tmp_path, config=LearnerConfig(duration=60.0, output_bias=False)).net
    draw = np.random.default_rng(1)
    events = [(draw.uniform(0, 50, 60), draw.integers(0, CHANNELS, 60)) for _ in range(8)]
    data = SpikeDataset.from_events(events, np.arange(8) % CLASSES, CHANNELS, CLASSES)
    seen, tuning = evaluate(net, data), tuning_of(net, data)
    assert seen.counts.sum() > 20
    neurons = neurons_of(net, seen, tuning, 0)
    assert np.isfinite(topology_of(net, seen, tuning)["modularity"]).all()
    sets = neuron_sets(neurons, CHANNELS)
    assert all(one.without.accuracy >= 0 for one in lesions(net, data, sets, count=2)[0])


def broken(name: str, array: object) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / f"299-{name}.npy", array, allow_pickle=True)  # type: ignore[arg-type]


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / f"299-{name}.npy").unlink()


def pickled(folder: Path) -> None:
    (folder / "299-Conn_Pop1_Pop1-g.npy").write_bytes(pickle.dumps(np.zeros(N * N)))


def cut(folder: Path) -> None:
    path = folder / "299-Conn_Pop1_Pop1-g.npy"
    path.write_bytes(path.read_bytes()[:100])


def poisoned(folder: Path) -> None:
    made = arrays()["Conn_Pop0_Pop1-g"]
    made[3] = np.nan
    np.save(folder / "299-Conn_Pop0_Pop1-g.npy", made)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (gone("Conn_Pop1_Pop2-g"), "Pop1_Pop2-g.npy: there is no such file"),
        (broken("Conn_Pop1_Pop1-g", np.array([{}], object)), "Pop1_Pop1-g.npy: holds Python objects"),
        (pickled, "Pop1_Pop1-g.npy: holds Python objects"),
        (cut, "Pop1_Pop1-g.npy: can't be read"),
        (poisoned, "Pop0_Pop1-g.npy: 1 of 54 numbers are not finite"),
        (broken("Conn_Pop1_Pop1-g", np.zeros(N * N - 1)), r"g.npy: got shape \[35\], expected a square"),
        (broken("Conn_Pop0_Pop1-g", np.zeros(N * 5 + 1)), r"g.npy: got shape \[31\], expected \[I, 6\]"),
        (broken("Conn_Pop1_Pop2-g", np.zeros((4, N))), r"g.npy: got shape \[4, 6\], expected \[6, O\]"),
        (broken("Conn_Pop0_Pop1-g", np.zeros(0)), "Pop0_Pop1-g.npy: got shape"),
        (broken("Conn_Pop1_Pop1-d", np.zeros(N)), r"d.npy: got shape \[6\], expected \[6, 6\]"),
        (broken("Conn_Pop1_Pop1-d", -np.ones(N * N)), "Pop1_Pop1-d.npy: has delays below 0"),
        (broken("Conn_Pop1_Pop1-d", np.full(N * N, 99.0)), "off the distances .* take the -Pos files away"),
        (broken("Conn_Pop1_Pop1-g", np.zeros(N * N, complex)), "holds complex128, expected .* real numbers"),
        (broken("Conn_Pop1_Pop1-g", np.array(["a"] * 36)), "expected an array of real numbers"),
        (broken("Pos1", np.zeros(N + 1)), r"Pos1.npy: got shape \[7\], expected \[6\]"),
        (gone("Pos0"), "Pos1.npy: axes are numbered from 0"),
    ],
)
def test_each_fault_of_a_file_is_told(tmp_path: Path, spoil: Callable[[Path], None], fault: str) -> None:
    save(tmp_path, arrays())
    spoil(tmp_path)
    with pytest.raises(ForeignError, match=fault):
        read_checkpoint(tmp_path)


def test_a_folder_without_a_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(ForeignError, match="there is no checkpoint"):
        read_checkpoint(tmp_path)
    with pytest.raises(ForeignError, match="there is no such folder"):
        read_checkpoint(tmp_path / "nowhere")
    save(tmp_path, arrays())
    with pytest.raises(ForeignError, match=r"7-Conn_Pop1_Pop1-g.npy: there is no such file"):
        read_checkpoint(tmp_path, "7")


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(str(tmp_path / "sprung")),))  # type: ignore[return-value]

    save(tmp_path, arrays())
    (tmp_path / "299-Conn_Pop1_Pop1-g.npy").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ForeignError):
        read_checkpoint(tmp_path)
    assert not (tmp_path / "sprung").exists()
