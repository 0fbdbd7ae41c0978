"""What is left of a population and of the leaders that are to have more seeds, by the record alone."""

from pathlib import Path
from typing import Any

import pytest

from service.config.load import load
from service.config.sweep import SweepSpec
from service.record.plan import MORE_SEEDS, replaced_reason
from service.results.left import Left, trials_left

SWEEP = """\
name: bred
data: {name: digits}
learner: {epochs: 4, schedule: constant, replicates: 2}
space: {learner.wiring_cost: {log: [1e-4, 1e-1]}}
search: {sampler: random, trials: 8, evolution: {population: 3, ready: 2}}
objectives: [{metric: loss, goal: min}]
replicates: {leaders: 4, trials: 2}
"""


@pytest.fixture
def spec(tmp_path: Path) -> SweepSpec:
    (tmp_path / "bred.yaml").write_text(SWEEP)
    return load(tmp_path / "bred.yaml")


def row(trial: int, loss: float, **more: Any) -> dict[str, Any]:
    known = {"trial": trial, "state": "complete", "reason": None, "parent": None, "move": None}
    return known | {"replaces": None, "duplicate_of": None, "replicates": 2, "loss": loss} | more


def test_leaders_wait_until_all_places_are_at_their_end(spec: SweepSpec) -> None:
    assert trials_left(spec, []) == Left(3, 2)
    replaced = row(0, 2.0, state="pruned", reason=replaced_reason(3))
    assert trials_left(spec, [replaced]) == Left(3, 2)
    child = row(3, 0.5, parent=1, move="perturb", replaces=0)
    members = [replaced, row(1, 0.6), child]
    assert trials_left(spec, members) == Left(1, 2)
    members.append(row(2, 0.7))
    assert trials_left(spec, members) == Left(0, 2)


def test_a_leader_that_was_run_again_takes_no_place(spec: SweepSpec) -> None:
    members = [row(0, 0.5), row(1, 0.6), row(2, 0.9)]
    again = [row(3, 0.55, parent=0, move=MORE_SEEDS, replicates=4)]
    assert trials_left(spec, members + again) == Left(0, 1)
    again.append(row(4, 0.65, parent=1, move=MORE_SEEDS, replicates=4))
    assert trials_left(spec, members + again) == Left(0, 0)
    # With its other seeds the second is worse than the third, which leads now.
    again[1]["loss"] = 1.0
    assert trials_left(spec, members + again) == Left(0, 1)
