"""Networks of several layers in a trial: all tables, and a child that has grown in one layer."""

from typing import Any

import numpy as np
import pytest
from moved import SPLITS, trained

from model.analysis.layers import layers_of
from model.analysis.snapshot import topology_of
from model.analysis.tuning import tuning_of
from model.topology.network import Network
from model.topology.paths import global_efficiency
from model.training.trainer import Trainer
from service.record.columns import Converter
from service.record.schema import make_schemas
from service.worker.tables import (
    graphs_of,
    layer_rows,
    lesion_rows,
    measure_rows,
    neuron_rows,
    pruning_rows,
    synapse_rows,
    trained_neurons,
)

LAYERS: dict[str, Any] = {"hidden": (5, 4)}


def grown() -> Trainer:
    return trained(**LAYERS)


def test_neurons_have_their_layer() -> None:
    rows = neuron_rows(3, trained_neurons(grown()))
    assert rows["layer"].to_pylist() == [0, 0, 0, 0, 0, 1, 1, 1, 1] * 2
    hears = [one is not None for one in rows["input_centroid"].to_pylist()]
    assert not any(hears[5:9]) and any(hears[:5])


def test_synapses_are_those_that_layers_allow() -> None:
    rows = synapse_rows(3, grown()).to_pylist()
    found = {(int(row["pre"] > 4), int(row["post"] > 4)) for row in rows}
    assert found == {(0, 0), (0, 1), (1, 1)}


def test_pruning_lesions_and_delay_graphs_are_there() -> None:
    trainer = grown()
    curve = pruning_rows(3, trainer.net, SPLITS.validation)
    assert set(curve["by"].to_pylist()) == {"magnitude", "length"}
    assert len(lesion_rows(3, trainer)) >= 0
    tuning = tuning_of(trainer.net, SPLITS.validation)
    measured = topology_of(trainer.net, trainer.observed, tuning, nulls=2)
    rows = measure_rows(3, 1, measured, graphs_of(trainer.net)).to_pylist()
    known = {name for name, value in rows[0].items() if value is not None}
    wanted = {"modularity", "wiring_efficiency", "input_position_r2", "input_position_r2_cv", "input_moran"}
    assert wanted <= known


def test_the_table_of_layers_has_each_by_itself() -> None:
    trainer = grown()
    net, observed = trainer.net, trainer.observed
    tuning = tuning_of(net, SPLITS.validation)
    rows = layer_rows(3, 1, net, layers_of(net, observed, tuning))
    Converter(make_schemas()["layers"]).from_table(rows)
    assert rows["layer"].to_pylist() == [0, 1, 0, 1] and rows["neurons"].to_pylist() == [5, 4, 5, 4]
    for row, own in zip(rows.to_pylist(), [*net.layers.members] * 2, strict=True):
        rates = observed.rates[row["replicate"], own]
        assert row["rate"] == pytest.approx(rates.mean()) and row["silent"] == (rates == 0).mean()
        weights = net.w_rec[row["replicate"], own, own].detach().numpy()
        alone = Network.of(weights, np.ones_like(weights), net.mask[row["replicate"], own, own].numpy())
        assert row["global_efficiency"] == pytest.approx(global_efficiency(alone), nan_ok=True)
        assert (row["input_position_r2"] is None) == (row["layer"] == 1)
