import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.objectives import Constraint, Objective, costs, hypervolume, pareto_front, total_violation
from search.plateau import recent_gain

numbers = st.one_of(st.integers(-2, 2).map(float), st.sampled_from([math.nan, math.inf, -math.inf, -0.0]))


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[float]], list[str]]:
    goals = draw(st.lists(st.sampled_from(["min", "max"]), min_size=1, max_size=4))
    rows = draw(st.lists(st.lists(numbers, min_size=len(goals), max_size=len(goals)), max_size=12))
    return rows, goals


def naive_front(rows: list[list[float]], goals: list[str]) -> list[int]:
    def dominates(a: list[float], b: list[float]) -> bool:
        pairs = [(x, y) if goal == "min" else (y, x) for x, y, goal in zip(a, b, goals, strict=True)]
        return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)

    known = [i for i, row in enumerate(rows) if not any(map(math.isnan, row))]
    return [i for i in known if not any(dominates(rows[j], rows[i]) for j in known)]


@given(tables())
def test_front_is_that_of_the_definition(table: tuple[list[list[float]], list[str]]) -> None:
    rows, goals = table
    values = np.array(rows, dtype=float).reshape(len(rows), len(goals))
    assert pareto_front(values, goals).tolist() == naive_front(rows, goals)


def test_front_of_many_random_rows() -> None:
    values = np.random.default_rng(0).normal(size=(300, 3)).round(1)
    goals = ["min", "max", "min"]
    assert pareto_front(values, goals).tolist() == naive_front(values.tolist(), goals)


def test_front_of_one_objective_is_the_best_rows() -> None:
    assert pareto_front([[0.5], [0.9], [math.nan], [0.9]], ["max"]).tolist() == [1, 3]


@pytest.mark.parametrize(("values", "goals"), [([[1.0, 2.0]], ["min"]), ([1.0, 2.0], ["min", "min"])])
def test_front_refuses_a_wrong_shape(values: list[float], goals: list[str]) -> None:
    with pytest.raises(ValueError, match=r"`values`: got shape"):
        pareto_front(values, goals)


def test_goals_are_checked() -> None:
    with pytest.raises(ValueError, match=r"`goal`: got 'maximize', expected min or max"):
        pareto_front([[1.0]], ["maximize"])
    with pytest.raises(ValueError, match=r"`goal`: got 'up'"):
        Objective("accuracy", "up")  # type: ignore[arg-type]


def test_violation_is_the_distance_to_the_range() -> None:
    band = Constraint("rate", min=2.0, max=5.0)
    assert [band.violation(x) for x in (1.0, 2.0, 3.0, 5.0, 9.0)] == [1.0, 0.0, -1.0, 0.0, 4.0]
    assert Constraint("rate", min=2.0).violation(100.0) == -98.0
    assert Constraint("rate", max=5.0).violation(-100.0) == -105.0


@pytest.mark.parametrize(
    ("low", "high", "fault"),
    [
        (None, None, "got no bound"),
        (2.0, 1.0, "`min` is 2 and `max` 1"),
        (None, math.inf, "expected finite"),
        (math.nan, 1.0, "expected finite"),
    ],
)
def test_constraint_refuses_bad_bounds(low: float | None, high: float | None, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Constraint("rate", min=low, max=high)


def test_costs_are_all_to_be_made_small() -> None:
    metrics = {"accuracy": 0.75, "rate": 3.0}
    assert costs([Objective("rate", "min"), Objective("accuracy", "max")], metrics) == (3.0, -0.75)


def test_violations_add_up_and_slack_does_not_make_up_for_them() -> None:
    both = [Constraint("rate", min=1.0, max=5.0), Constraint("silent", max=0.25)]
    assert total_violation(both, {"rate": 3.0, "silent": 0.0}) == 0.0
    assert total_violation(both, {"rate": 7.0, "silent": 0.5}) == 2.25


points = st.lists(st.tuples(*[st.integers(0, 4).map(float)] * 3), max_size=8)


@given(points)
def test_hypervolume_is_the_number_of_dominated_unit_cells(table: list[tuple[float, ...]]) -> None:
    reference = (4.0, 4.0, 3.0)
    cells = list(itertools.product(range(4), range(4), range(3)))
    dominated = sum(any(all(x <= c for x, c in zip(p, cell, strict=True)) for p in table) for cell in cells)
    assert hypervolume(np.array(table).reshape(len(table), 3), reference) == pytest.approx(dominated)


@given(points, st.integers(1, 8))
def test_gain_is_the_recent_share_of_the_hypervolume(table: list[tuple[float, ...]], recent: int) -> None:
    gain = recent_gain(table, recent)
    if len(table) <= recent:
        assert gain == 1.0
        return
    reference = np.max(table, axis=0)
    now, before = hypervolume(table, reference), hypervolume(table[:-recent], reference)
    assert gain == (pytest.approx(1 - before / now) if now else 0.0)
    assert 0 <= gain <= 1
