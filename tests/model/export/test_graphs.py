"""A network as a graph comes back from the files as it was, bit for bit."""

import csv
from collections.abc import Callable
from pathlib import Path

import igraph
import networkx
import numpy as np
import pytest

from model.exchange import PlainNetwork
from model.export import Bundle, export
from model.export.graphs import places

MakeBundle = Callable[..., Bundle]


@pytest.mark.parametrize("embedding", ["space", "free", "axonal", "none"])
def test_networkx_reads_the_graph_bit_for_bit(bundle: MakeBundle, tmp_path: Path, embedding: str) -> None:
    made = bundle(embedding=embedding)
    export(made, "graphml", tmp_path / "out")
    graph = networkx.read_graphml(tmp_path / "out/network.graphml")
    network = made.network
    assert graph.is_directed() and graph.number_of_nodes() == network.neurons
    weights = networkx.to_numpy_array(graph, [f"n{k}" for k in range(network.neurons)], weight="weight")
    delays = networkx.to_numpy_array(graph, [f"n{k}" for k in range(network.neurons)], weight="delay")
    assert np.array_equal(weights, network.w_rec)
    assert np.array_equal(delays, np.where(network.w_rec != 0, network.delays, 0))
    for n, column in enumerate(made.columns["module"].tolist()):
        assert graph.nodes[f"n{n}"]["module"] == column
    if network.positions is None:
        assert "x" not in graph.nodes["n0"]
    else:
        found = [[graph.nodes[f"n{n}"][axis] for axis in "xy"] for n in range(network.neurons)]
        assert np.array_equal(found, network.positions)


def test_igraph_reads_the_same_graph(bundle: MakeBundle, tmp_path: Path) -> None:
    made = bundle()
    export(made, "graphml", tmp_path / "out")
    graph = igraph.Graph.Read_GraphML(str(tmp_path / "out/network.graphml"))
    ends = np.array(graph.get_edgelist())
    assert np.array_equal(ends.T, made.network.synapses)
    assert np.array_equal(graph.es["delay"], made.network.delays[tuple(ends.T)])


def test_the_arrays_hold_all_of_the_network(bundle: MakeBundle, tmp_path: Path) -> None:
    made = bundle(input_embedding="line")
    export(made, "npz", tmp_path / "out")
    with np.load(tmp_path / "out/network.npz", allow_pickle=False) as file:
        for name, value in made.network.as_arrays().items():
            assert np.array_equal(file[name], value), name
            assert file[name].dtype == value.dtype
    with (tmp_path / "out/synapses.csv").open() as table:
        rows = list(csv.DictReader(table))
    pre, post = made.network.synapses
    assert [(int(row["pre"]), int(row["post"])) for row in rows] == list(zip(pre, post, strict=True))
    assert [float(row["weight"]) for row in rows] == made.network.w_rec[pre, post].tolist()


def test_single_precision_comes_back_bit_for_bit(bundle: MakeBundle, tmp_path: Path) -> None:
    made = bundle()
    narrow = {name: getattr(made.network, name).astype(np.float32) for name in ("w_rec", "delays")}
    network = PlainNetwork(**{**vars(made.network), **narrow})
    export(made.of_network(network), "graphml", tmp_path / "out")
    graph = networkx.read_graphml(tmp_path / "out/network.graphml")
    found = networkx.to_numpy_array(graph, [f"n{k}" for k in range(5)], weight="weight", dtype=np.float32)
    assert np.array_equal(found, network.w_rec)


def test_more_than_three_dimensions_are_told_by_principal_components(
    bundle: MakeBundle, tmp_path: Path
) -> None:
    made = bundle(dimensions=4, hidden=9)
    export(made, "graphml", tmp_path / "out")
    graph = networkx.read_graphml(tmp_path / "out/network.graphml")
    positions = made.network.positions
    assert positions is not None
    told = np.array([[graph.nodes[f"n{n}"][f"position_{k}"] for k in range(4)] for n in range(9)])
    assert np.array_equal(told, positions)
    found = np.array([[graph.nodes[f"n{n}"][axis] for axis in "xyz"] for n in range(9)])
    # By the covariance: its eigenvalues are the variances along the components.
    variances = np.linalg.eigvalsh(np.cov(positions.T))[::-1][:3]
    assert np.allclose(np.cov(found.T), np.diag(variances), atol=1e-9)


def test_fewer_neurons_than_axes_have_zeros_for_the_rest() -> None:
    assert places(np.eye(2, 5)).shape == (2, 3)
    assert np.allclose(places(np.eye(2, 5))[:, 2], 0)
