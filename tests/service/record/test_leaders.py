"""Which trials count, and which lead: one answer for tables, reports and MLflow."""

from typing import Any

import pytest

from search import Constraint, Objective
from service.record.leaders import (
    MOST_SHOWN,
    PROBED,
    counted_trials,
    duplicate_of,
    front_trials,
    leaders,
    shown_trials,
)
from service.record.plan import MORE_SEEDS

OBJECTIVES = (Objective("accuracy", "max"), Objective("wiring_length", "min"))
CONSTRAINTS = (Constraint("silent", max=0.2),)


def row(trial: int, accuracy: float, length: float = 1.0, silent: float = 0.0, **more: Any) -> dict[str, Any]:
    known = {"trial": trial, "state": "complete", "reason": None, "parent": None, "move": None}
    return known | {"accuracy": accuracy, "wiring_length": length, "silent": silent} | more


def numbers(rows: list[Any]) -> list[int]:
    return [one["trial"] for one in rows]


def test_a_leader_with_more_seeds_stands_for_its_parent_and_a_duplicate_for_nothing() -> None:
    rows = [
        row(0, 0.9),
        row(1, 0.5, reason="duplicate of trial 0", duplicate_of=0),
        row(2, 0.5, reason="duplicate of trial 0"),  # of a version without the column
        row(3, 0.6, parent=0, move=MORE_SEEDS),
        row(4, 0.99, state="pruned"),
        row(5, 0.4, parent=3, move="dimension_up"),  # a child of another kind leaves its parent as it is
    ]
    assert numbers(counted_trials(rows)) == [3, 5]
    assert [duplicate_of(one) for one in rows] == [None, 0, 0, None, None, None]


def test_more_seeds_that_came_to_nothing_leave_the_leader_as_it_was() -> None:
    rows = [row(0, 0.9), row(1, 0.1, state="failed", parent=0, move=MORE_SEEDS)]
    assert numbers(counted_trials(rows)) == [0]


def test_the_front_holds_the_constraints_and_what_is_not_known_is_not_on_it() -> None:
    rows = [
        row(0, 0.9, 5.0),
        row(1, 0.8, 3.0),
        row(2, 0.8, 4.0),
        row(3, 0.95, 2.0, silent=0.5),
        row(4, float("nan"), 0.0),
    ]
    assert numbers(front_trials(rows, OBJECTIVES, CONSTRAINTS)) == [0, 1]
    assert numbers(leaders(rows, OBJECTIVES, CONSTRAINTS, 9)) == [0, 1, 2, 3]
    assert front_trials([], OBJECTIVES, CONSTRAINTS) == []


@pytest.mark.parametrize("count", [3, MOST_SHOWN - 5, MOST_SHOWN + 5])
def test_what_is_shown_begins_with_the_front_and_has_the_best(count: int) -> None:
    rows = [row(trial, trial / 100, float(trial)) for trial in range(count)]  # all of them on the front
    rows += [row(count + trial, 0.0, 50.0 + trial) for trial in range(3)]
    shown = shown_trials(rows, OBJECTIVES, CONSTRAINTS)
    front = list(reversed(range(count)))[:MOST_SHOWN]
    assert shown[: len(front)] == front
    assert len(shown) == min(MOST_SHOWN, max(count, PROBED))
