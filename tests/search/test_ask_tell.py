"""Ask and tell: states, duplicates, and a search rebuilt from what was kept of it."""

import math

import pytest
from optuna.trial import FrozenTrial, TrialState

from search.ask_tell import TRIES, Search
from search.domains import Choice, Uniform
from search.objectives import Constraint, Objective
from search.samplers import SamplerOptions
from search.space import Field, Space
from search.suggestion import Suggestion

ONE = (Objective("loss", "min"),)
TWO = (Objective("accuracy", "max"), Objective("wiring_length", "min"))
BAND = Constraint("rate", min=1.0, max=5.0)
WIDE = Space([Field("a.x", Uniform(0, 1))])
NARROW = Space([Field("a.x", Choice((1,)))])


def opened(
    space: Space = WIDE,
    objectives: tuple[Objective, ...] = ONE,
    constraints: tuple[Constraint, ...] = (),
) -> Search:
    return Search(space, objectives, options=SamplerOptions(sampler="random"), constraints=constraints)


def told(search: Search) -> list[FrozenTrial]:
    return search.study.get_trials()


def test_trials_are_running_until_they_are_told() -> None:
    search = opened()
    asked = [search.ask(n) for n in range(4)]
    assert [s.trial for s in asked] == [s.number for s in asked] == [0, 1, 2, 3]
    search.tell_complete(2, {"loss": 1.0})
    search.tell_pruned(0, 3, {"loss": 2.0})
    search.tell_failed(3, "weights of replicate 1 are not finite")
    assert search.running() == [asked[1]]
    with pytest.raises(AssertionError, match="trial 2 was told before"):
        search.tell_complete(2, {"loss": 1.0})
    with pytest.raises(AssertionError, match="never asked"):
        search.tell_failed(4, "?")
    with pytest.raises(AssertionError, match="trial 1 runs already"):
        search.ask(1)


def test_a_duplicate_is_passed_over_nine_times_and_then_handed_out() -> None:
    search = opened(NARROW)
    assert search.ask(0) == Suggestion(0, {"a.x": 1}, None, {}, 0)
    assert search.ask(1) == Suggestion(1, {"a.x": 1}, None, {}, 1), "running is not done"
    search.tell_failed(0, "out of memory")
    assert search.ask(2) == Suggestion(2, {"a.x": 1}, None, {}, 2), "failed is not done"
    search.tell_complete(1, {"loss": 1.0})
    assert search.ask(3) == Suggestion(3, {"a.x": 1}, 1, {}, 2 + TRIES)
    skipped = [t for t in told(search) if t.user_attrs.get("reason") == "duplicate of trial 1"]
    assert len(skipped) == TRIES - 1
    assert {t.state for t in skipped} == {TrialState.FAIL}


def test_what_was_pruned_is_done() -> None:
    search = opened(NARROW)
    search.ask(0)
    search.tell_pruned(0, 1, {"loss": 1.0})
    assert search.ask(1).duplicate_of == 0


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"loss": math.nan, "rate": 2.0}, "`loss` is nan"),
        ({"loss": -math.inf, "rate": 2.0}, "`loss` is -inf"),
        ({"rate": 2.0}, "`loss` is missing"),
        ({"loss": 1.0, "rate": math.nan}, "`rate` is nan"),
        ({"loss": 1.0}, "`rate` is missing"),
    ],
)
def test_what_is_not_finite_is_told_failed(metrics: dict[str, float], reason: str) -> None:
    search = opened(constraints=(BAND,))
    search.ask(0)
    assert search.fault(metrics) == reason
    search.tell_complete(0, metrics)
    assert search.running() == []
    (trial,) = told(search)
    assert (trial.state, trial.user_attrs["reason"]) == (TrialState.FAIL, reason)


def test_complete_trials_keep_values_and_violations() -> None:
    search = opened(objectives=TWO, constraints=(BAND, Constraint("silent", max=0.5)))
    search.ask(0)
    metrics = {"accuracy": 0.5, "wiring_length": 7.0, "rate": 9.0, "silent": 0.25, "seconds": 3.0}
    assert search.fault(metrics) is None
    search.tell_complete(0, metrics)
    (trial,) = told(search)
    assert (trial.state, trial.values) == (TrialState.COMPLETE, [0.5, 7.0])
    assert trial.constraints == {"0 rate": 4.0, "1 silent": -0.25}
    assert [d.name for d in search.study.directions] == ["MAXIMIZE", "MINIMIZE"]


def test_pruned_with_one_objective_keeps_the_last_value() -> None:
    search = opened(constraints=(BAND,))
    for n in range(2):
        search.ask(n)
    search.tell_pruned(0, 3, {"loss": 2.0, "rate": 0.5})
    search.tell_pruned(1, 4, {"loss": math.nan})
    kept, lost = told(search)
    assert (kept.state, kept.value, kept.intermediate_values) == (TrialState.PRUNED, 2.0, {3: 2.0})
    assert kept.constraints == {"0 rate": 0.5}
    assert (lost.state, lost.value, lost.constraints) == (TrialState.PRUNED, None, {})


def test_pruned_with_two_objectives_keeps_the_values_beside() -> None:
    search = opened(objectives=TWO)
    search.ask(0)
    search.tell_pruned(0, 3, {"accuracy": 0.5, "wiring_length": 7.0})
    (trial,) = told(search)
    assert (trial.state, trial.values) == (TrialState.PRUNED, None)
    assert trial.user_attrs["pruned"] == {"epoch": 3, "metrics": {"accuracy": 0.5, "wiring_length": 7.0}}


def test_a_search_is_rebuilt_from_its_suggestions() -> None:
    search, rebuilt = opened(), opened()
    asked = [search.ask(n) for n in (0, 1, 5)]  # numbers are the caller's
    for suggestion in asked:
        rebuilt.restore(suggestion)
    assert rebuilt.running() == asked
    for one in (search, rebuilt):
        one.tell_complete(5, {"loss": 1.0})
    assert rebuilt.ask(6) == search.ask(6)
    assert [t.params for t in told(rebuilt)] == [t.params for t in told(search)]


def test_values_that_only_the_sampler_needs_are_made_up_if_they_were_lost() -> None:
    space = Space([Field("a.on", Choice((True, False))), Field("a.x", Uniform(0, 1), {"a.on": True})])
    search = Search(space, ONE, options=SamplerOptions(sampler="nsga2", population=2))
    for n in range(2):
        search.restore(Suggestion(n, {"a.on": False}, number=n))
        search.tell_complete(n, {"loss": float(n)})
    child = search.ask(2)
    assert {**child.values, **child.latent}.keys() == {"a.on", "a.x"}


def test_conditions_on_what_is_fixed_are_settled() -> None:
    space = Space(
        [Field("a.x", Uniform(0, 1), {"a.kind": "big"}), Field("a.y", Uniform(0, 1), {"a.x": 1})][:1]
    )
    for kind, paths in (("big", ["a.x"]), ("small", [])):
        search = Search(space, ONE, options=SamplerOptions(sampler="random"), fixed={"a.kind": kind})
        assert list(search.ask(0).values) == paths


def test_objectives_are_needed() -> None:
    with pytest.raises(ValueError, match="`objectives`: got none"):
        opened(objectives=())
