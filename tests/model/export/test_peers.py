"""Other programs read and run exported networks, in an environment of their own: see scripts/peers."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model import Cohort, LearnerConfig, SpikeDataset, load_dataset
from model.export import Bundle, bundle_of, export, script
from model.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[3]
PEERS = os.environ.get("POLYCHRONY_PEERS")
pytestmark = pytest.mark.skipif(
    PEERS is None, reason="Brian 2, NEST, libsonata and nir are not installed: scripts/peers runs these tests"
)


def peer(*arguments: object, folder: Path) -> Any:
    """What a script says, as JSON, in the peers' environment; NEST greets before."""
    command = [str(ROOT / PEERS) if PEERS else "", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout[done.stdout.index("\n{") if "\n{" in done.stdout else 0 :])


@pytest.fixture(scope="module")
def random_bundle() -> Bundle:
    """A random network that fires a lot, with recurrent weights as strong as those of its inputs."""
    return _random_bundle()


@pytest.fixture(scope="module")
def adaptive_bundle() -> Bundle:
    """The same of adaptive neurons, no two alike."""
    return _random_bundle(neuron="adaptive_lif", tau_adaptation=40.0)


@pytest.fixture(scope="module")
def layered_bundle() -> Bundle:
    """Adaptive neurons in two layers, recurrent within each."""
    return _random_bundle(hidden=(20, 10), neuron="adaptive_lif", tau_adaptation=40.0)


@pytest.fixture(scope="module")
def own_taus_bundle() -> Bundle:
    """Plain neurons that have their own time constants, no two alike."""
    return _random_bundle(tau_spread=0.3)


def _random_bundle(**config: Any) -> Bundle:
    draw = np.random.default_rng(5)
    events = [(np.sort(draw.uniform(0, 150, 250)), draw.integers(0, 20, 250)) for _ in range(4)]
    data = SpikeDataset.from_events(events, [0, 1, 2, 0], 20, 3)
    settings = {"hidden": 30, "duration": 200.0, **config}
    net = Cohort(LearnerConfig(**settings), 20, 3, [0], dtype=torch.float64)
    with torch.no_grad():
        net.w_in.copy_(torch.from_numpy(draw.normal(0.25, 0.3, tuple(net.w_in.shape))))
        net.w_rec.copy_(torch.from_numpy(draw.normal(0.0, 0.3, (1, 30, 30))))
        if net.config.neuron == "adaptive_lif":
            net.adaptation.add_(torch.from_numpy(draw.uniform(-0.1, 0.4, (1, 30))))
            net.log_tau_adaptation.add_(torch.from_numpy(draw.uniform(-1.0, 1.0, (1, 30))))
    return bundle_of(net, 0, data, 4)


@pytest.fixture(scope="module")
def trained_bundle() -> Bundle:
    """A network that two epochs have taught handwritten digits."""
    splits = load_dataset("digits")
    config = LearnerConfig(hidden=32, duration=80.0, epochs=2, learning_rate=0.3, initial_rate=3.0)
    trainer = Trainer(config, splits, [0])
    for _ in range(2):
        trainer.run_epoch()
    assert splits.test is not None
    return bundle_of(trainer.net, 0, splits.test, 12)


BUNDLES = ("random_bundle", "adaptive_bundle", "layered_bundle", "own_taus_bundle", "trained_bundle")


@pytest.mark.parametrize("which", BUNDLES)
@pytest.mark.parametrize("simulator", ["brian2", "nest"])
def test_a_simulator_has_the_same_spikes(
    which: str, simulator: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bundle: Bundle = request.getfixturevalue(which)
    export(bundle, simulator, tmp_path / "out")
    off = {}
    for dt in (0.02, 0.01):
        found = peer("simulate.py", "--dt", dt, folder=tmp_path / "out")
        assert found["simulator"] == simulator and found["samples"] == len(bundle.samples)
        spikes = found[f"against steps of {bundle.fine_step:g} ms"]
        assert spikes["spikes"] > 300
        # Nearly all: one that just reaches the threshold may miss it on the simulator's grid.
        assert spikes["missing"] + spikes["extra"] <= 0.01 * spikes["spikes"]
        assert spikes["median"] < dt
        assert spikes["same answers"] >= 0.98
        off[dt] = spikes["median"]
    assert off[0.01] < 0.7 * off[0.02]  # the difference is their grid: it goes with their step


def test_brian2_and_nest_agree_with_inputs_that_are_late(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset], tmp_path: Path
) -> None:
    bundle = bundle_of(lively_net(input_embedding="line"), 0, random_data(samples=4), 4)
    assert bundle.network.input_delays is not None and bundle.network.input_delays.max() > 1
    for simulator in ("brian2", "nest"):
        export(bundle, simulator, tmp_path / simulator)
        found = peer("simulate.py", "--dt", 0.01, folder=tmp_path / simulator)
        spikes = found[f"against steps of {bundle.fine_step:g} ms"]
        assert spikes["spikes"] > 100 and spikes["missing"] + spikes["extra"] <= 0.02 * spikes["spikes"]
        assert spikes["median"] < 0.02


def test_libsonata_and_snap_read_the_circuit(bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    made = bundle()
    export(made, "sonata", tmp_path / "out")
    files = ("circuit_config.json", "simulation_001.json", "spikes/001.h5")
    script = ROOT / "tests/peers/read_sonata.py"
    found = peer(script, *(tmp_path / "out" / name for name in files), folder=tmp_path)
    network = made.network
    pre, post = network.synapses
    assert (found["source"], found["target"]) == (pre.tolist(), post.tolist())
    assert found["weight"] == network.w_rec[pre, post].tolist()
    assert found["delay"] == network.delays[pre, post].tolist()
    assert found["into_2"] == np.flatnonzero(post == 2).tolist()
    assert network.positions is not None
    assert [found["x"], found["y"]] == network.positions.T.tolist()
    own = list(zip(made.hidden.channels[1].tolist(), made.hidden.times[1].tolist(), strict=True))
    assert sorted(map(tuple, found["spikes"])) == sorted(own)
    assert found["step"] == made.fine_step
    assert len(found["populations"]) == 6


@pytest.mark.parametrize(
    "config", [{"input_embedding": "line"}, {"embedding": "axonal"}], ids=["a delay a synapse", "a neuron"]
)
def test_nir_reads_the_network_and_its_equations_give_our_spikes(
    bundle: Callable[..., Bundle], tmp_path: Path, config: dict[str, Any]
) -> None:
    made = bundle(expand="embedding" not in config, **config)
    found, compared = run_by_nir("run_nir.py", made, 0.005, 42.0, tmp_path)
    assert found["kinds"]["hidden"] == "CubaLIF" and found["kinds"]["delay"] == "Delay"
    assert compared.spikes > 20 and (compared.missing, compared.extra) == (0, 0)
    assert compared.median < 0.02


def test_norse_has_the_same_spikes_where_there_are_no_delays(
    bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    made = bundle(recurrent=False)
    off = []
    for step in (0.02, 0.01):
        _, compared = run_by_nir("run_norse.py", made, step, 42.0, tmp_path / str(step))
        assert compared.spikes > 20 and (compared.missing, compared.extra) == (0, 0)
        off.append(compared.median)
    assert off[1] < 0.7 * off[0] < 0.02  # Euler's steps are what differs


def run_by_nir(program: str, made: Bundle, step: float, end: float, folder: Path) -> tuple[Any, Any]:
    """What a program in tests/peers says of the first sample, and how its spikes agree with ours."""
    export(made, "nir", folder / "out")
    times, channels = made.samples.times[0], made.samples.channels[0]
    counts = np.zeros((round(end / step), made.samples.n_channels))
    inside = np.rint(times / step).astype(int) < len(counts)
    np.add.at(counts, (np.rint(times[inside] / step).astype(int), channels[inside]), 1)
    np.save(folder / "inputs.npy", counts)
    command = (ROOT / "tests/peers" / program, folder / "out/network.nir", folder / "inputs.npy", step)
    found = peer(*command, folder=folder)
    theirs = np.array(found["spikes"])
    spikes = (made.fine.times[0], made.fine.channels[0])
    return found, script.agreement([spikes], [(theirs[:, 0], theirs[:, 1].astype(int))], step, end)
