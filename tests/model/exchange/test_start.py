"""A network that training begins with, from a .npz file or from SONATA, in each embedding that can be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model import Cohort, LearnerConfig, load_dataset
from model.exchange import ForeignError, Start, begin_with, read_start, start_fault
from model.export import Bundle, export
from model.training.trainer import Trainer

N = 7


def matrix(seed: int = 2) -> dict[str, Any]:
    """A network with real distances in the plane as delays, a fifth of the synapses missing."""
    draw = np.random.default_rng(seed)
    positions = draw.normal(0, 1, (N, 2))
    delays = 1 + 10 * np.linalg.norm(positions[:, None] - positions, axis=2)
    mask = (draw.random((N, N)) < 0.8) & ~np.eye(N, dtype=bool)
    return {"delays": delays, "mask": mask, "w_rec": draw.normal(0, 0.3, (N, N)), "positions": positions}


def config(**fields: Any) -> LearnerConfig:
    return LearnerConfig(**({"hidden": N, "duration": 60.0, "delay_scale": 10.0} | fields))


def begun(path: Path, **fields: Any) -> Cohort:
    net = Cohort(config(**fields), 4, 3, [0, 1], dtype=torch.float64)
    begin_with(net, read_start(path))
    return net


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("embedding", ["free", "space", "fixed"])
def test_delays_weights_and_synapses_are_those_of_the_file(tmp_path: Path, embedding: str) -> None:
    made = matrix()
    net = begun(save(tmp_path / "start.npz", **made), embedding=embedding)
    for r in range(2):
        assert np.array_equal(net.mask[r], made["mask"])
        assert np.array_equal(net.w_rec[r].detach(), np.where(made["mask"], made["w_rec"], 0))
        late = net.delays()[r].detach().numpy()
        assert np.allclose(late[made["mask"]], made["delays"][made["mask"]], atol=1e-9)
        if embedding != "free":
            assert np.array_equal(net.positions[r].detach(), made["positions"])


def test_places_are_found_by_delays_that_are_distances(tmp_path: Path) -> None:
    delays = matrix()["delays"]
    net = begun(save(tmp_path / "start.npz", delays=delays))
    others = ~np.eye(N, dtype=bool)
    assert np.allclose(net.delays()[0].detach().numpy()[others], delays[others], atol=1e-6)
    assert net.w_rec[0, 0].count_nonzero() > 0  # weights are drawn


def test_in_fewer_dimensions_places_are_near(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    points = draw.normal(0, 1, (N, 3)) * [5, 5, 0.1]
    delays = 1 + 10 * np.linalg.norm(points[:, None] - points, axis=2)
    net = begun(save(tmp_path / "start.npz", delays=delays))
    assert np.abs(net.delays()[0].detach().numpy() - delays).max() < 0.02 * delays.max()


def test_axonal_delays_need_one_a_neuron(tmp_path: Path) -> None:
    late = np.repeat(np.arange(2.0, 2.0 + N)[:, None], N, axis=1)
    net = begun(save(tmp_path / "start.npz", delays=late), embedding="axonal")
    assert np.array_equal(net.axonal_delays[1].detach(), late[:, 0])
    save(tmp_path / "start.npz", delays=late + np.arange(N))
    with pytest.raises(ForeignError, match="several delays, and `axonal` knows one; use free"):
        begun(tmp_path / "start.npz", embedding="axonal")


def test_an_exported_circuit_is_a_start(bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    network = bundle().network
    export(bundle(), "sonata", tmp_path / "out")
    fields = {"hidden": 5, "delay_scale": 6.0, "duration": 42.0}
    net = begun(tmp_path / "out/circuit_config.json", **fields)
    there = network.mask & (network.w_rec != 0)
    assert np.array_equal(net.mask[0], there)
    assert np.array_equal(net.w_rec[0].detach(), network.w_rec)
    assert np.allclose(net.delays()[0].detach().numpy()[there], network.delays[there], atol=1e-12)


def test_training_begins_with_it_and_keeps_to_its_synapses(tmp_path: Path) -> None:
    made = matrix()
    path = save(tmp_path / "start.npz", **made)
    splits = load_dataset("digits")
    train, validation = splits.train.subset(slice(64)), splits.validation.subset(slice(9))
    small = splits._replace(train=train, validation=validation)
    asked = config(start=str(path), duration=40.0, epochs=1, embedding="free")
    trainer = Trainer(asked, small, [0])
    late = trainer.net.delays()[0].detach().numpy()
    assert np.allclose(late[made["mask"]], made["delays"][made["mask"]], atol=1e-5)
    trainer.run_epoch()
    trained = trainer.net.w_rec[0].detach().numpy()
    assert (trained[~made["mask"]] == 0).all() and not np.array_equal(trained, made["w_rec"])
    path.unlink()  # a checkpoint goes on without it
    assert Trainer.resume(trainer.checkpoint(), small).epoch == 1


@pytest.mark.parametrize(
    ("arrays", "fields", "fault"),
    [
        ({"delays": np.ones((5, 5))}, {}, "has 5 neurons, and `hidden` is 7"),
        ({"delays": np.ones((N, N)) / 2}, {"embedding": "free"}, "down to 0.5 ms, and the least delay is 1"),
        ({"delays": np.ones((N, N))}, {"embedding": "none"}, "`embedding` none takes no start"),
        ({"delays": np.ones((N, N))}, {"embedding": "shuffled"}, "takes no start"),
        ({**matrix(), "positions": np.ones((N, 3))}, {}, "positions have 3 axes, and `dimensions` is 2"),
        ({"w_rec": np.ones((N, N))}, {}, "has no array `delays`, but w_rec"),
        ({"delays": np.full((N, N), np.inf)}, {}, "49 of 49 numbers are not finite"),
        ({"delays": np.ones((N, 2))}, {}, r"`delays`: got shape \[7, 2\]"),
        ({"delays": np.ones((N, N)), "mask": np.ones(N, bool)}, {}, r"`mask`: got \[7\] of bool"),
        ({"delays": np.ones((N, N)), "w_rec": np.ones((3, 3))}, {}, r"`w_rec`: got shape \[3, 3\]"),
        ({"delays": np.ones((N, N)), "positions": np.ones(N)}, {}, r"`positions`: got shape \[7\]"),
        ({"delays": np.array([object()])}, {}, "holds Python objects"),
    ],
)
def test_what_is_no_start_is_told(tmp_path: Path, arrays: Any, fields: Any, fault: str) -> None:
    path = save(tmp_path / "start.npz", **arrays)
    told = start_fault(config(**fields, start=str(path)))
    assert told is not None
    with pytest.raises(ForeignError, match=fault):
        raise ForeignError(told)
    with pytest.raises(ForeignError, match=fault):
        begun(path, **fields)


def test_other_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "start.txt").write_text("1 2")
    (tmp_path / "start.npz").write_text("1 2")
    np.save(tmp_path / "one.npy", np.ones((N, N)))
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    faults = {"start.txt": "expected a .npz", "start.npz": "Python objects", "one.npz": "single array"}
    for name, fault in faults.items():
        with pytest.raises(ForeignError, match=fault):
            read_start(tmp_path / name)
    assert "no such file" in str(start_fault(config(start=str(tmp_path / "gone.npz")))).lower()
    assert start_fault(config()) is None


def test_a_start_is_read_again_when_its_file_changes(tmp_path: Path) -> None:
    path = save(tmp_path / "start.npz", delays=np.ones((N, N)))
    assert start_fault(config(start=str(path))) is None
    save(path, delays=np.ones((3, 3)))
    assert "has 3 neurons" in str(start_fault(config(start=str(path))))


def test_a_start_by_hand_is_checked_too() -> None:
    start = Start("here", np.ones((3, 3)), ~np.eye(3, dtype=bool))
    with pytest.raises(ForeignError, match="here: has 3 neurons"):
        begin_with(Cohort(config(), 4, 3, [0]), start)
