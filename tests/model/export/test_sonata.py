"""A circuit in SONATA comes back as it was, by our own reader; `test_peers` has it read by others."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from model.exchange import ForeignError, read_start
from model.exchange.sonata import read_sonata
from model.export import Bundle, export

MakeBundle = Callable[..., Bundle]


@pytest.fixture
def circuit(bundle: MakeBundle, tmp_path: Path) -> Path:
    export(bundle(), "sonata", tmp_path / "out")
    return tmp_path / "out/circuit_config.json"


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_weights_delays_and_places_come_back_bit_for_bit(
    bundle: MakeBundle, tmp_path: Path, dimensions: int
) -> None:
    made = bundle(dimensions=dimensions)
    export(made, "sonata", tmp_path / "out")
    found, network = read_sonata(tmp_path / "out/circuit_config.json"), made.network
    there = network.mask & (network.w_rec != 0)
    assert np.array_equal(found["mask"], there)
    assert np.array_equal(found["w_rec"], network.w_rec)
    assert np.array_equal(found["delays"], np.where(there, network.delays, 0))
    assert network.positions is not None and np.array_equal(found["positions"], network.positions)


def test_each_sample_has_its_input_and_our_spikes(bundle: MakeBundle, circuit: Path) -> None:
    made = bundle()
    for sample in range(4):
        with h5py.File(circuit.parent / f"inputs/{sample:03d}.h5") as file:
            assert np.array_equal(file["spikes/inputs/timestamps"], made.samples.times[sample])
            assert np.array_equal(file["spikes/inputs/node_ids"], made.samples.channels[sample])
        with h5py.File(circuit.parent / f"spikes/{sample:03d}.h5") as file:
            assert np.array_equal(file["spikes/hidden/timestamps"], made.hidden.times[sample])
        config = json.loads((circuit.parent / f"simulation_{sample:03d}.json").read_text())
        assert config["run"]["tstop"] == 42.0


def test_the_index_finds_every_edge_of_a_node(bundle: MakeBundle, circuit: Path) -> None:
    pre, post = bundle().network.synapses
    with h5py.File(circuit.parent / "edges.h5") as file:
        group = file["edges/hidden_to_hidden/indices"]
        for name, ids in (("source_to_target", pre), ("target_to_source", post)):
            ranges, edges = group[f"{name}/node_id_to_ranges"][()], group[f"{name}/range_to_edge_id"][()]
            for node in range(5):
                runs = edges[slice(*ranges[node])]
                found = [edge for begin, end in runs for edge in range(begin, end)]
                assert found == np.flatnonzero(ids == node).tolist()


def change(path: Path, name: str, value: object) -> None:
    with h5py.File(path, "r+") as file:
        if name in file:
            attrs = dict(file[name].attrs) if not isinstance(file[name], h5py.Group) else {}
            del file[name]
        else:
            attrs = {}
        if value is not None:
            file[name] = value
            file[name].attrs.update(attrs)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("edges/hidden_to_hidden/0/delay", None, "has no column `delay`"),
        ("edges/hidden_to_hidden/0/delay", np.full(17, np.nan), "not finite"),
        ("edges/hidden_to_hidden/target_node_id", np.full(17, 9, np.uint64), "names node 9"),
        ("edges/hidden_to_hidden/target_node_id", np.full(17, 2, np.uint64), "several edges"),
        ("edges/hidden_to_hidden/edge_group_id", np.ones(17, np.uint32), "several groups"),
        ("edges/hidden_to_hidden", None, "found none"),
    ],
)
def test_what_is_wrong_with_the_edges_is_told(circuit: Path, name: str, value: object, fault: str) -> None:
    change(circuit.parent / "edges.h5", name, value)
    with pytest.raises(ForeignError, match=fault):
        read_start(circuit)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"networks": {"edges": [{"edges_file": "no.h5"}]}}'])
def test_what_is_no_circuit_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "circuit.json").write_text(text)
    with pytest.raises(ForeignError, match="circuit"):
        read_start(tmp_path / "circuit.json")
