"""One trial by itself: its reports, its files, and that it can be taken up again."""

import math
import platform
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.config import LearnerConfig
from model.datasets import DataConfig, load_splits
from model.network.checkpoint import unpack
from model.topology import MEASURES, SHAPES, delay_graphs
from model.topology.delay_graph import SHARES
from service.record.columns import Converter
from service.record.provenance import cpu_model, data_digest
from service.record.schema import make_schemas
from service.storage.layout import checkpoint_file, network_file
from service.worker.task import Origin, Report, Task, snapshot_epochs
from service.worker.trial import Trial

LEARNER = LearnerConfig(hidden=6, epochs=3, duration=20.0, dt=2.0, batch_size=256, replicates=2)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(7, LEARNER, DataConfig(name="digits"), seed=3, folder=tmp_path, synapses=True)


def advance_to_end(trial: Trial) -> list[Report]:
    reports = [trial.advance()]
    while not reports[-1].done:
        assert reports[-1].failure is None
        reports.append(trial.advance())
    return reports


def test_reports_every_epoch_and_fills_the_tables(task: Task) -> None:
    reports = advance_to_end(Trial(task))
    assert [report.epoch for report in reports] == [1, 2, 3]
    assert all(len(values) == 2 for report in reports for values in report.metrics.values())
    assert ["test_accuracy" in report.metrics for report in reports] == [False, False, True]
    schemas = make_schemas({}, [*MEASURES, *SHAPES])
    for report in reports:
        for name, rows in report.tables.items():
            Converter(schemas[name]).from_table(rows)  # raises if a column does not fit
    neurons = pa.concat_tables([report.tables["neurons"] for report in reports if report.tables])
    assert sorted(set(neurons["epoch"].to_pylist())) == sorted(snapshot_epochs(3)) == [0, 1, 2, 3]
    assert len(neurons) == 4 * 2 * 6
    assert {len(position) for position in neurons["position"].to_pylist()} == {2}
    assert reports[-1].tables["topology"].num_rows == 2


@pytest.mark.parametrize(
    ("wanted", "epochs"),
    [(None, [0, 1, 2, 3]), (1, [3]), (2, [0, 3]), (9, [0, 1, 2, 3]), ([0, 2], [0, 2, 3]), ([1, 70], [1, 3])],
)
def test_snapshots_are_made_when_they_are_wanted(
    task: Task, wanted: int | list[int] | None, epochs: list[int]
) -> None:
    reports = advance_to_end(Trial(replace(task, snapshots=wanted)))
    for name in ("neurons", "topology"):
        found = [e for r in reports if name in r.tables for e in r.tables[name]["epoch"].to_pylist()]
        assert found == sorted(found) and sorted(set(found)) == epochs


def test_graphs_of_the_shortest_delays_are_recorded_where_they_are_asked_for(task: Task) -> None:
    reports = advance_to_end(Trial(replace(task, delay_graph=True, snapshots=2)))
    rows = pa.concat_tables([r.tables["delay_graph"] for r in reports if r.tables])
    assert len(rows) == 2 * 2 * len(SHARES) and sorted(set(rows["epoch"].to_pylist())) == [0, 3]
    Converter(make_schemas()["delay_graph"]).from_table(rows)
    net = unpack(network_file(task.folder, 7).read_bytes())[0]
    expected = delay_graphs(net.delays()[1].detach().numpy(), net.mask[1].numpy())
    for one, row in zip(expected, rows.to_pylist()[-len(SHARES) :], strict=True):
        assert (row["trial"], row["replicate"], row["epoch"]) == (7, 1, 3)
        for name, value in one._asdict().items():
            assert row[name] == (None if math.isnan(value) else value), name


@given(epochs=st.integers(1, 300), wanted=st.integers(1, 20))
def test_a_number_of_snapshots_lies_evenly(epochs: int, wanted: int) -> None:
    found = sorted(snapshot_epochs(epochs, wanted))
    assert len(found) == min(wanted, epochs + 1) and found[-1] == epochs and found[0] >= 0
    gaps = {b - a for a, b in pairwise(found)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_reports_tell_where_and_on_what(task: Task) -> None:
    splits = load_splits(task.data)
    late = int((splits.train.times.flat >= 10.0).sum())
    assert late > 0
    origin = Trial(replace(task, learner=replace(LEARNER, duration=10.0))).advance().origin
    assert (origin.node, origin.cpu, origin.dropped_spikes) == (platform.node(), cpu_model(), late)
    assert origin.data_digest == data_digest(splits) != data_digest(splits._replace(test=None))
    assert origin.parameters == 64 * 6 + 6 * 5 + 6 * 10 + 10 + 6 * 2
    failed = Trial(replace(task, data=DataConfig(path="nowhere.h5"))).advance()
    assert failed.failure and failed.origin == Origin(platform.node(), cpu_model())


def test_tables_hold_the_networks_as_they_are(task: Task) -> None:
    last = advance_to_end(Trial(task))[-1]
    net = unpack(network_file(task.folder, 7).read_bytes())[0]
    rows = last.tables["neurons"].to_pylist()
    row = next(row for row in rows if (row["epoch"], row["replicate"], row["neuron"]) == (3, 1, 4))
    assert row["position"] == net.positions[1, 4].tolist()
    synapses = last.tables["synapses"].to_pylist()
    assert len(synapses) == 2 * 6 * 5
    one = next(s for s in synapses if (s["replicate"], s["pre"], s["post"]) == (1, 2, 5))
    assert one["weight"] == net.w_rec[1, 2, 5].item()
    assert one["delay"] == net.delays()[1, 2, 5].item()


@pytest.mark.parametrize("keep", ["last", "best"])
def test_goes_on_from_its_checkpoint_to_the_same_end(task: Task, keep: Any) -> None:
    if keep == "best":  # with steps that lead nowhere, so that the best epoch is that before the kill
        wild = replace(LEARNER, keep=keep, learning_rate=30.0, revival=3.0, schedule="constant")
        task = replace(task, learner=wild)
    whole = advance_to_end(Trial(replace(task, folder=task.folder / "whole")))
    task = replace(task, checkpoint=0.0)
    cut_short = Trial(task)
    cut_short.advance()
    assert not checkpoint_file(task.folder, 7).exists()  # the first report may not be recorded yet
    cut_short.advance()
    rest = advance_to_end(Trial(task))
    assert [report.epoch for report in rest] == [2, 3]
    for found, expected in zip(rest, whole[1:], strict=True):
        for name in set(expected.metrics) - {"seconds"}:
            assert found.metrics[name] == expected.metrics[name], name
        assert found.kept == expected.kept
    if keep == "best":
        assert whole[-1].kept["loss"] == whole[0].metrics["loss"] != whole[-1].metrics["loss"]
    nets = [
        unpack(network_file(folder, 7).read_bytes())[0] for folder in (task.folder, task.folder / "whole")
    ]
    for name, value in nets[0].state_dict().items():
        assert torch.equal(value, nets[1].state_dict()[name]), name


def test_networks_of_a_trial_that_may_be_stopped_are_kept_at_every_epoch(task: Task) -> None:
    Trial(replace(task, may_stop=True)).advance()
    assert unpack(network_file(task.folder, 7).read_bytes())[1] == 1


def test_a_trial_without_positions_has_null_positions(task: Task) -> None:
    learner = replace(LEARNER, embedding="none", epochs=1)
    report = Trial(replace(task, learner=learner)).advance()
    assert report.tables["neurons"]["position"].null_count == report.tables["neurons"].num_rows
    assert report.tables["topology"]["wiring_efficiency"].null_count == 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": DataConfig(path="nowhere.h5")}, "DataError: nowhere.h5"),
        ({"learner": replace(LEARNER, duration=21.0)}, "ValueError: LearnerConfig: `duration`"),
    ],
)
def test_what_goes_wrong_is_reported_not_raised(task: Task, change: dict[str, Any], reason: str) -> None:
    report = Trial(replace(task, **change)).advance()
    assert report.failure is not None and report.failure.startswith(reason)
    assert "\n" not in report.failure


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_trial(task: Task) -> None:
    (task.folder / "networks").write_bytes(b"a file where a folder should be")
    report = Trial(replace(task, may_stop=True)).advance()
    assert report.failure is None
    assert report.halt is not None and "can't be written" in report.halt


def test_a_network_that_diverges_fails_with_its_reason(task: Task) -> None:
    trial = Trial(task)
    assert trial.advance().failure is None
    assert trial._trainer is not None
    with torch.no_grad():
        trial._trainer.net.w_out[1, 2, 0] = torch.nan
    assert trial.advance().failure == "`train_loss` of replicate 1 is not finite at epoch 2"
