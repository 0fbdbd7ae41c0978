"""What a sweep records beyond the usual: pruning curves, nulls, and fields that training changes."""

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model import load_dataset
from model.analysis.evaluation import evaluate
from model.analysis.lesions import lesioned
from model.analysis.pruning import ORDERS, SHARES
from model.topology import MEASURES, NULL_MEASURES, SHAPES, null_measures
from service import Sweep
from service.config.load import load
from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.record.rows import FinishedTrial, Metrics
from service.report.contents import contents
from service.report.items import Drawn
from service.report.sweep_data import read_sweep_data
from service.worker.trial import Trial

ASKED = """\
name: asked
data: {name: digits}
learner: {hidden: 6, epochs: 2, duration: 20.0, dt: 2.0, batch_size: 256, replicates: 2,
  learn_delay_scale: true}
space:
  learner.delay_scale: {uniform: [5, 10]}
  learner.dimensions: {choice: [1, 2, 3]}
search: {sampler: random, trials: 3, seed: 5}
record: {pruning: true, lesions: true, nulls: 3}
"""
TRIALS, EPOCHS, REPLICATES = 3, 2, 2


class Told:
    """A listener that keeps what it is told of epochs."""

    def __init__(self) -> None:
        self.epochs: dict[tuple[int, int], Metrics] = {}

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None: ...

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        self.epochs[trial, epoch] = metrics

    def trial_finished(self, finished: FinishedTrial) -> None: ...

    def worker_idle(self, running: int) -> None: ...


def run(spec: SweepSpec, folder: Path, told: Told) -> Sweep:
    """Run a sweep in this process, and have it told once more from its record."""
    folder.mkdir()
    (folder / "sweep.yaml").write_text(dump(spec))
    controller = SweepController(spec, folder, [told])
    while task := controller.next_task():
        trial = Trial(task)
        while controller.take(trial.advance()).goes_on:
            pass
    retold = Told()
    controller.retell(range(spec.search.trials), retold)
    assert spec.measures or retold.epochs == told.epochs  # measures are told with the last epoch, once
    controller.close()
    return Sweep(folder)


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, told: Told) -> Sweep:
    """A sweep with everything asked for."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "asked.yaml").write_text(ASKED)
    return run(load(folder / "asked.yaml"), folder / "asked", told)


def test_nothing_more_is_recorded_unless_asked_for(
    small_spec: Callable[..., SweepSpec], tmp_path: Path
) -> None:
    sweep = run(small_spec(search__trials=1), tmp_path / "small", Told())
    assert len(sweep.arrow("lesions")) == len(sweep.arrow("pruning")) == len(sweep.arrow("synapses")) == 0
    assert sweep.arrow("topology").column_names == ["trial", "replicate", "epoch", *MEASURES, *SHAPES]
    assert "delay_scale" not in sweep.arrow("epochs").column_names


def test_pruning_curves_of_all_trials(sweep: Sweep) -> None:
    curves, trials = sweep.table("pruning"), sweep.table("trials").set_index("trial")
    assert len(curves) == TRIALS * REPLICATES * len(ORDERS) * len(SHARES)
    assert set(curves["by"]) == {"magnitude", "length"} and set(curves["share"]) == set(SHARES)
    assert curves["accuracy"].between(0, 1).all()
    whole = curves[curves["share"] == 0].groupby(["by", "trial"])["accuracy"].mean()
    for by in ORDERS:  # with nothing taken out they are the test set's
        assert whole[by].to_dict() == pytest.approx(trials["test_accuracy"].to_dict())


def test_lesions_of_all_trials_are_those_of_their_networks(sweep: Sweep) -> None:
    rows = sweep.table("lesions")
    assert set(rows["trial"]) == set(range(TRIALS)) and set(rows["epoch"]) == {EPOCHS}
    assert rows["accuracy"].between(0, 1).all() and rows["part"].isna().all()
    random = rows[rows["kind"] == "random"]
    assert random["class"].isna().all() and random["z"].isna().all()
    rows = rows[rows["kind"] != "random"]
    overall = rows[rows["class"].isna()]
    means = random.groupby(["trial", "replicate", "size"])["accuracy"].agg(["mean", "count"])
    compared = overall.join(means, on=["trial", "replicate", "size"])
    assert (compared["count"] == 20).all()
    assert compared["random_mean"].to_numpy() == pytest.approx(compared["mean"].to_numpy())
    assert overall["class_spread"].notna().all() and rows["part_spread"].isna().all()
    for kind, most in (("cluster", 4), ("band", 4)):
        assert overall[overall["kind"] == kind].groupby(["trial", "replicate"]).size().between(1, most).all()
    net, test = sweep.network(1), load_dataset("digits").test
    neurons = sweep.table("neurons").query(f"trial == 1 and replicate == 0 and epoch == {EPOCHS}")
    assert test is not None
    found = overall[(overall["trial"] == 1) & (overall["replicate"] == 0) & (overall["kind"] == "module")]
    for _, row in found.iterrows():
        members = neurons[neurons["module"] == row["label"]]["neuron"]
        assert len(members) == row["size"]
        gone = np.zeros((REPLICATES, 6), bool)
        gone[0, members] = True
        seen = evaluate(lesioned(net, gone), test)
        assert row["accuracy"] == pytest.approx(seen.accuracy[0])
        keys = ["trial", "replicate", "kind", "label"]
        own = rows[(rows[keys] == row[keys]).all(axis=1)]
        zeros = own[own["class"] == 0]["accuracy"].item()
        assert zeros == pytest.approx(seen.correct[0][test.labels == 0].mean())


def test_the_report_shows_the_curves_of_all_trials_and_what_differs_from_nulls(sweep: Sweep) -> None:
    study = read_sweep_data(sweep)
    found = {item.name: item for item in contents(study, [], pd.DataFrame()) if isinstance(item, Drawn)}
    assert "measures_z" in found
    assert found["figure_6A"].caption.startswith("Of all complete trials.")
    means = found["figure_6A"].data.set_index(["group", "by", "share"])["mean"]
    curves = study.pruning[(study.pruning["by"] == "length") & (study.pruning["share"] == 0.5)]
    for group, rows in curves.groupby("group"):
        expected = rows.groupby("trial")["accuracy"].mean().mean()
        assert means[group, "length", 0.5] == pytest.approx(expected)


def test_trained_networks_are_compared_with_nulls(sweep: Sweep) -> None:
    rows = sweep.arrow("topology").to_pylist()
    assert list(rows[0]) == ["trial", "replicate", "epoch", *MEASURES, *SHAPES, *NULL_MEASURES]
    for row in rows:
        compared = [name for name in NULL_MEASURES if row[name] is not None]
        assert all(isfinite(row[name]) for name in compared)
        assert row["clustering_p"] in (0.25, 0.5, 0.75, 1.0)
        assert row["input_moran_shell_p"] in (0.25, 0.5, 0.75, 1.0)


def test_networks_as_drawn_and_as_trained_are_compared_in_what_is_asked_for(
    small_spec: Callable[..., SweepSpec], tmp_path: Path
) -> None:
    spec = small_spec(
        search__trials=1,
        learner__epochs=1,
        record="{nulls: 5, compared: [clustering, input_moran], delay_graph: true}",
        objectives="[{metric: clustering_ratio, goal: max}]",
    )
    sweep = run(spec, tmp_path / "small", Told())
    topology = sweep.table("topology")
    assert topology.groupby("epoch")["clustering_ratio"].count().to_dict() == {0: REPLICATES, 1: REPLICATES}
    found = [name for name in topology if name in NULL_MEASURES]
    assert found == list(null_measures(["clustering", "input_moran"]))
    last = topology[topology["epoch"] == 1]["clustering_ratio"]
    assert sweep.table("trials")["clustering_ratio"][0] == pytest.approx(last.mean())
    graphs = sweep.table("delay_graph")
    assert graphs.groupby("epoch")["share"].count().to_dict() == {0: 19 * REPLICATES, 1: 19 * REPLICATES}
    shown = graphs[graphs["share"] == 0.7]
    for column, name in (
        ("binary_modularity", "modularity"),
        ("binary_clustering_ratio", "clustering_ratio"),
        ("binary_path_ratio", "efficiency_ratio"),
    ):
        assert topology[column].tolist() == shown[name].tolist()


def test_tuning_is_recorded_of_every_neuron(sweep: Sweep) -> None:
    neurons = sweep.table("neurons")
    places = np.stack(neurons[neurons["trial"] == 0]["position"].to_list())[:6]
    first = neurons[neurons["trial"] == 0][:6]
    assert first["radius"].to_numpy() == pytest.approx(np.linalg.norm(places - places.mean(0), axis=1))
    fired = neurons["rate"] > 0
    for name in ("preferred_time", "preferred_channel", "field_centroid", "field_width"):
        assert neurons[name].notna().eq(fired).all(), name
    assert neurons["preferred_time"].dropna().between(0, 20).all()
    assert neurons["input_centroid"].between(0, 63).all()


def test_a_delay_scale_that_is_learned_is_recorded_by_epoch(sweep: Sweep, told: Told) -> None:
    trials, epochs = sweep.table("trials"), sweep.table("epochs")
    given = trials.set_index("trial")["delay_scale"]
    assert given.between(5, 10).all() and "delay_scale_sem" not in trials
    assert len(epochs) == TRIALS * EPOCHS * REPLICATES
    assert (epochs["delay_scale"] != epochs["trial"].map(given)).all()
    assert epochs.groupby(["trial", "replicate"])["delay_scale"].nunique().eq(EPOCHS).all()
    for trial in range(TRIALS):
        last = epochs[(epochs["trial"] == trial) & (epochs["epoch"] == EPOCHS)].sort_values("replicate")
        mean, sem = told.epochs[trial, EPOCHS]["delay_scale"]
        assert mean == pytest.approx(last["delay_scale"].mean()) and sem is not None and sem > 0
        network = sweep.network(trial).log_delay_scale.exp().tolist()
        assert last["delay_scale"].tolist() == pytest.approx(network)
    assert read_sweep_data(sweep).epochs["delay_scale"].isin(given).all()  # what was given, for comparisons


def test_a_field_that_may_be_learned_has_its_column(small_spec: Callable[..., SweepSpec]) -> None:
    searched = "{learner.learn_delay_scale: {choice: [%s]}}"
    assert small_spec().changing == []
    assert small_spec(learner__learn_delay_scale="true").changing == ["delay_scale"]
    assert small_spec(space=searched % "true, false").changing == ["delay_scale"]
    assert small_spec(space=searched % "false").changing == []
