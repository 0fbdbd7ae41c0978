"""What would break a population is a fault, with its place, reason and cure."""

from pathlib import Path

import pytest

from model.config import LearnerConfig
from service.config.evolution import SETTABLE
from service.config.load import load
from service.config.sweep import dump
from service.errors import UserError

EVOLVING = """\
name: evolving
data: {name: digits}
learner: {schedule: constant, epochs: 10, replicates: 2}
space: {learner.wiring_cost: {log: [1e-3, 1.0]}}
search: {trials: 10, sampler: random, evolution: {population: 4, ready: 2}}
"""


@pytest.fixture
def evolving(tmp_path: Path) -> Path:
    file = tmp_path / "evolving.yaml"
    file.write_text(EVOLVING)
    return file


def test_a_population_is_written_back_as_it_was_read(evolving: Path, tmp_path: Path) -> None:
    spec = load(evolving, ["search.evolution.moves={split: 0.5}", "search.evolution.explore={perturb: 2}"])
    assert spec.search.evolution is not None and spec.search.evolution.moves.split == 0.5
    (tmp_path / "resolved.yaml").write_text(dump(spec))
    assert load(tmp_path / "resolved.yaml") == spec
    assert spec.planned == 10 and load(evolving, ["search.trials=100"]).planned == 4 * 5


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (["learner.schedule=cosine"], "learner.schedule: cosine takes the learning rates to zero"),
        (["learner={epochs: 10}"], "learner.schedule: cosine takes the learning rates to zero"),
        (["learner.patience=3"], "learner.patience: would end members by a course that is not theirs"),
        (["learner.keep=best"], "learner.keep: the best networks of a lineage may be of another size"),
        (["space={learner.epochs: {int: [5, 9]}}"], "space.learner.epochs: must be the same for all members"),
        (["space={learner.replicates: {int: [1, 2]}}"], "space.learner.replicates: must be the same"),
        (["stopping.rule=asha"], "stopping.rule: members are ended by comparison already"),
        (["search.evolution.ready=10"], "ready: got 10, expected less than the 10 epochs"),
        (["search.evolution.ready=0"], "ready: got 0, expected"),
        (["search.trials=3"], "population: got 4, and `search.trials` 3 are founders and children"),
        (["search.evolution.exploit=paired"], "exploit: paired compares replicates of the same seeds"),
        (["search.evolution.exploit=best"], "exploit: got 'best', expected one of truncation"),
        (["search.evolution.moves={split: 0.6, remove: 0.6}"], "moves: the probabilities add up to 1.2"),
        (["search.evolution.explore={resample: 2}"], "explore.resample: got 2, expected"),
        (["search.evolution.islands=2"], "islands: there is no such key"),
        (["search.evolution.generations=2"], "generations: got 2, expected"),
        (["search.evolution.inherit=nothing"], "inherit: goes with an archive or generations"),
        (["search.evolution.inherit=fields"], "inherit: got 'fields', expected one of networks, nothing"),
        (
            ["learner.embedding=free", "search.evolution.moves={dimension_up: 0.1}"],
            "moves.dimension_up: needs neurons in space, and `learner.embedding` may be free; set it to 0",
        ),
        (
            ["objectives=[{metric: modularity, goal: max}]"],
            "objectives.0.metric: `modularity` is measured when training is over",
        ),
        (
            [
                "learner.replicates=3",
                "search.evolution.exploit=paired",
                "objectives=[{metric: loss, goal: min}, {metric: rate, goal: min}]",
            ],
            "exploit: paired needs a single objective, got 2; use truncation or tournament",
        ),
    ],
)
def test_what_breaks_a_population_is_refused(evolving: Path, changes: list[str], fault: str) -> None:
    with pytest.raises(UserError) as raised:
        load(evolving, changes)
    assert fault in str(raised.value)


def test_silent_members_may_be_ended(evolving: Path) -> None:
    assert load(evolving, ["stopping.silent_after=2"]).stopping.silent_after == 2


def test_fields_that_may_change_are_fields() -> None:
    assert {path.removeprefix("learner.") for path in SETTABLE} <= vars(LearnerConfig()).keys()


def test_fields_that_may_change_are_those_that_networks_can_be_given() -> None:
    from model.moves.fields import SETTABLE as POSSIBLE

    assert {path.removeprefix("learner.") for path in SETTABLE} <= set(POSSIBLE)


GRID = "search.evolution.archive={measures: {modularity: [0, 0.6], wiring_length: [0, 300]}}"
GENERATIONS = ("search.sampler=nsga2", "search.evolution.generations=true")


def test_an_archive_is_written_back_as_it_was_read(evolving: Path, tmp_path: Path) -> None:
    spec = load(evolving, [GRID, "search.evolution.inherit=nothing"])
    assert spec.search.evolution is not None and spec.search.evolution.archive is not None
    assert spec.search.evolution.archive.cells == [8, 8]
    assert list(spec.search.evolution.archive.measures.items()) == [
        ("modularity", [0.0, 0.6]),
        ("wiring_length", [0.0, 300.0]),
    ]
    assert spec.measures == ["modularity"] and spec.planned == 10 and not spec.open_ended
    (tmp_path / "resolved.yaml").write_text(dump(spec))
    assert load(tmp_path / "resolved.yaml") == spec


def test_what_goes_with_an_archive_or_generations(evolving: Path) -> None:
    load(evolving, [GRID, "objectives=[{metric: global_efficiency, goal: max}]", "search.evolution.ready=12"])
    load(evolving, [GRID, "search.evolution.inherit=nothing", "learner.schedule=cosine"])
    nulls = "search.evolution.archive.measures={modularity_z: [0, 9], rate: [0, 5]}"
    load(evolving, [GRID, nulls, "record.nulls=5"])
    spec = load(evolving, GENERATIONS)
    assert spec.search.population is None and spec.search.suggesting.population == 4


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ([GRID, "search.evolution.archive.cells=[8]"], "cells: got [8], expected"),
        ([GRID, "search.evolution.archive.cells=[8, 0]"], "cells.1: got 0, expected"),
        (
            [GRID, "search.evolution.archive.measures={rate: [0, 1]}"],
            "archive.measures: got {'rate': [0, 1]}",
        ),
        (
            [GRID, "search.evolution.archive.measures={rate: [1, 0], loss: [0, 1]}"],
            "archive: the range of `rate` is [1, 0]; give the lesser end first",
        ),
        (
            [GRID, "search.evolution.archive.measures.modularity=0.5"],
            "measures.modularity: got 0.5, expected",
        ),
        (
            [GRID, "search.evolution.archive.measures={modulariti: [0, 1], rate: [0, 5]}"],
            "measures.modulariti: there is no such measure; did you mean `modularity`?",
        ),
        (
            [GRID, "search.evolution.archive.measures={test_accuracy: [0, 1], rate: [0, 5]}"],
            "measures.test_accuracy: is measured when all is over and must not guide the search",
        ),
        (
            [GRID, "search.evolution.archive.measures={modularity_z: [0, 9], rate: [0, 5]}"],
            "measures.modularity_z: `modularity_z` is not recorded; set `record.nulls`",
        ),
        (
            [
                GRID,
                "search.evolution.archive.measures={accuracy: [0, 1], rate: [0, 5]}",
                "data={path: train.h5, validation: 0}",
            ],
            "measures.accuracy: `accuracy` is measured on validation samples, and `data.validation` is 0",
        ),
        (
            [GRID, "objectives=[{metric: loss, goal: min}, {metric: rate, goal: min}]"],
            "archive: an elite is the best of its cell by a single objective, got 2; keep one",
        ),
        ([GRID, "search.evolution.exploit=tournament"], "exploit: compares members that train together"),
        ([GRID, "search.evolution.grace=3"], "grace: compares members that train together"),
        (
            [GRID, *GENERATIONS],
            "generations: parents are either those of a generation or the elites of an archive",
        ),
        (["search.evolution.generations=true"], "sampler: random selects no parents for a generation; take"),
        ([*GENERATIONS, "search.population=6"], "search.population: is `evolution.population` where"),
        ([*GENERATIONS, "search.mutation=0.5"], "search.mutation: is `evolution.explore.resample` where"),
        (
            [*GENERATIONS, "search.evolution.inherit=nothing", "search.evolution.moves={split: 0.1}"],
            "moves: changes trained networks, and children inherit none; leave it out",
        ),
        ([GRID, "replicates={leaders: 3}"], "replicates: leading trials are the elites here; leave it out"),
        ([GRID, "learner.schedule=cosine"], "learner.schedule: cosine takes the learning rates to zero"),
        ([GRID, "stopping.rule=asha"], "stopping.rule: members are ended by comparison already"),
    ],
)
def test_what_breaks_breeding_is_refused(evolving: Path, changes: list[str], fault: str) -> None:
    with pytest.raises(UserError) as raised:
        load(evolving, changes)
    assert fault in str(raised.value)
