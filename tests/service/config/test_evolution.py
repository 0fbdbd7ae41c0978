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
        (["search.evolution.generations=2"], "generations: there is no such key"),
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
