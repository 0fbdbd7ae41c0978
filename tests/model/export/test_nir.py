"""What NIR cannot hold is refused with the reason; on request delays become channels."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from model.export import Bundle, ExportError, export
from model.export import nir as nir_module
from model.export.nir import graph_of

MakeBundle = Callable[..., Bundle]


def test_a_network_is_refused_with_the_reason_unless_it_may_be_expanded(
    bundle: MakeBundle, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=r"no delay a synapse, and this network has 17 .* add --expand"):
        export(bundle(), "nir", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("embedding", ["axonal", "none"])
def test_one_delay_a_neuron_is_held_as_it_is(bundle: MakeBundle, tmp_path: Path, embedding: str) -> None:
    network = bundle(embedding=embedding).network
    nodes, edges = graph_of(network)
    assert np.array_equal(nodes["weights"]["weight"].T, network.w_rec * network.mask)
    late = network.delays[:, [1, 0, 0, 1, 0]].diagonal()  # of some synapse of each
    assert np.allclose(nodes["delay"]["delay"], late / 1000)
    assert ("hidden", "delay") in edges and "pick" not in nodes
    export(bundle(embedding=embedding), "nir", tmp_path / "out")  # not asked to expand


@pytest.mark.parametrize("inputs", ["none", "line"])
def test_each_synapse_is_a_channel_with_its_delay(bundle: MakeBundle, inputs: str) -> None:
    network = bundle(input_embedding=inputs).network
    nodes, edges = graph_of(network)
    ends = {name for edge in edges for name in edge}
    assert ends == set(nodes)
    for prefix, weights, delays in (
        ("", network.w_rec * network.mask, network.delays),
        ("input_", network.w_in, network.input_delays),
    ):
        if delays is None:
            assert np.array_equal(nodes["input_weights"]["weight"], weights.T)
            continue
        pick, late = nodes[f"{prefix}pick"]["weight"], nodes[f"{prefix}delay"]["delay"]
        weigh = nodes[f"{prefix}weigh"]["weight"]
        assert np.array_equal((weigh @ pick).T, weights)
        assert np.allclose((weigh @ np.diag(late * 1000) @ pick).T, weights * delays)
        assert (pick.sum(1) == 1).all()


def test_the_file_is_in_the_layout_of_nir(bundle: MakeBundle, tmp_path: Path) -> None:
    export(bundle(expand=True), "nir", tmp_path / "out")
    with h5py.File(tmp_path / "out/network.nir") as file:
        assert file["version"][()].decode() == "1.0"
        assert file["node/type"][()] == b"NIRGraph"
        assert file["node/nodes/hidden/type"][()] == b"CubaLIF"
        assert np.allclose(file["node/nodes/hidden/tau_mem"][()], 0.020)
        assert (b"pick", b"delay") in {tuple(edge) for edge in file["node/edges"][()]}


def test_adaptive_neurons_are_refused_with_the_reason(bundle: MakeBundle, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no neuron whose threshold adapts.*take brian2, nest or sonata"):
        export(bundle(neuron="adaptive_lif", expand=True), "nir", tmp_path / "there")


def test_what_would_be_too_large_is_refused(bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nir_module, "MOST_NUMBERS", 100)
    with pytest.raises(ExportError, match="prune the network"):
        nir_module.write_nir(bundle(expand=True), Path("nowhere"))


def test_a_network_without_synapses_has_no_channels(bundle: MakeBundle) -> None:
    network = bundle().network
    nodes, _ = graph_of(replace(network, w_rec=np.zeros_like(network.w_rec)))
    assert "delay" not in nodes
