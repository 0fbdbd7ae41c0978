"""What users of Ray Tune with Optuna suffer from: that it happens with Ray's own searcher, and not here.

Ray's searcher is driven as Tune drives it, without a Ray; ours as the controller drives it.
"""

import math
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import NSGAIISampler, RandomSampler
from optuna.trial import TrialState
from ray.tune.search.optuna import OptunaSearch

from search import Constraint, Field, Int, Objective, SamplerOptions, Search, Space, Uniform, make_rule

LINE = Space([Field("a.x", Uniform(0, 1))])
LOSS = (Objective("loss", "min"),)
TWO = (Objective("loss", "min"), Objective("rate", "min"))


def of_ray(**options: Any) -> Any:
    """Ray's searcher, for `x` from 0 to 1."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    asked: dict[str, Any] = {"metric": "loss", "mode": "min", "sampler": RandomSampler(seed=0)}
    return OptunaSearch(space={"x": FloatDistribution(0, 1)}, **(asked | options))


def states(study: optuna.Study) -> list[TrialState]:
    return [trial.state for trial in study.get_trials(deepcopy=False)]


def test_a_trial_stopped_early_is_told_pruned() -> None:
    theirs = of_ray()
    theirs.suggest("a")
    theirs.on_trial_result("a", {"loss": 0.7, "training_iteration": 1})
    # A scheduler of Tune has stopped it: Tune hands over its last result.
    theirs.on_trial_complete("a", {"loss": 0.7, "training_iteration": 1})
    assert states(theirs._ot_study) == [TrialState.COMPLETE]

    ours = Search(LINE, LOSS)
    ours.ask(0)
    ours.tell_pruned(0, 1, {"loss": 0.7})
    assert states(ours.study) == [TrialState.PRUNED]


def test_a_trial_that_is_not_finite_does_not_run_for_ever() -> None:
    theirs = of_ray()
    theirs.suggest("a")
    theirs.on_trial_complete("a", {"loss": math.nan, "training_iteration": 1})
    assert states(theirs._ot_study) == [TrialState.RUNNING]

    ours = Search(LINE, LOSS)
    ours.ask(0)
    ours.tell_complete(0, {"loss": math.nan})
    assert states(ours.study) == [TrialState.FAIL]


def test_constraints_reach_the_sampler() -> None:
    """The smaller the better, but `x0` must not fall below a half: does the sampler come to heed that?"""
    names = [f"x{n}" for n in range(5)]

    def kept(found: list[float]) -> float:
        return sum(x >= 0.5 for x in found[100:]) / 100

    space: dict[str, BaseDistribution] = {name: FloatDistribution(0, 1) for name in names}
    sampler = NSGAIISampler(population_size=10, seed=0)
    theirs: Any = OptunaSearch(space=space, metric="loss", mode="min", sampler=sampler)
    found = []
    for n in range(200):
        xs = theirs.suggest(str(n))
        # There is nowhere to hand over more than the objectives.
        result = {"loss": sum(xs.values()), "silent": xs["x0"], "training_iteration": 1}
        theirs.on_trial_complete(str(n), result)
        found.append(xs["x0"])
    assert kept(found) < 0.3

    ours = Search(
        Space(Field(f"a.{name}", Uniform(0, 1)) for name in names),
        LOSS,
        options=SamplerOptions(sampler="nsga2", population=10),
        constraints=[Constraint("silent", min=0.5)],
    )
    found = []
    for n in range(200):
        values: dict[str, Any] = ours.ask(n).values
        ours.tell_complete(n, {"loss": sum(values.values()), "silent": values["a.x0"]})
        found.append(values["a.x0"])
    assert kept(found) > 0.7


def test_trials_with_several_objectives_are_pruned() -> None:
    theirs = of_ray(metric=["loss", "rate"], mode=["min", "min"])
    theirs.suggest("a")
    theirs.on_trial_result("a", {"loss": 0.7, "rate": 1.0, "training_iteration": 1})
    theirs.on_trial_complete("a", {"loss": 0.7, "rate": 1.0, "training_iteration": 1})
    assert states(theirs._ot_study) == [TrialState.COMPLETE]

    ours, rule = Search(LINE, TWO), make_rule("pareto", TWO, max_epochs=9)
    for n in range(2):
        ours.ask(n)
    reasons = [rule.report(n, 1, {"loss": 0.1 + n, "rate": 1.0 + n}) for n in range(2)]
    assert reasons[0] is None and reasons[1] is not None
    ours.tell_pruned(1, 1, {"loss": 1.1, "rate": 2.0})
    assert states(ours.study) == [TrialState.RUNNING, TrialState.PRUNED]
    kept = ours.study.get_trials()[1].user_attrs["pruned"]
    assert kept == {"epoch": 1, "metrics": {"loss": 1.1, "rate": 2.0}}


def test_tpe_sees_no_more_trials_than_it_has_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a suggestion takes goes with the trials that are shown to the sampler."""
    shown: list[int] = []
    real = optuna.samplers.TPESampler._sample

    def counted(self: Any, study: optuna.Study, *arguments: Any) -> Any:
        shown.append(len(study._get_trials(deepcopy=False)))
        return real(self, study, *arguments)

    monkeypatch.setattr(optuna.samplers.TPESampler, "_sample", counted)
    theirs = of_ray(sampler=optuna.samplers.TPESampler(seed=0))
    for n in range(120):
        theirs.suggest(str(n))
        theirs.on_trial_complete(str(n), {"loss": n / 7 % 1, "training_iteration": 1})
    assert max(shown) >= 119
    shown.clear()
    ours = Search(LINE, LOSS, options=SamplerOptions(sampler="tpe", history=40))
    for n in range(120):
        ours.ask(n)
        ours.tell_complete(n, {"loss": n / 7 % 1})
    assert len(shown) == 110 and max(shown) <= 41


def test_a_warm_start_with_several_objectives_works() -> None:
    with pytest.raises(TypeError):
        of_ray(
            metric=["loss", "rate"],
            mode=["min", "min"],
            points_to_evaluate=[{"x": 0.25}],
            evaluated_rewards=[(0.5, 1.0)],
        )

    ours = Search(LINE, TWO)
    ours.warm_start({"early/0": ({"a.x": 0.25}, {"loss": 0.5, "rate": 1.0})})
    assert [trial.values for trial in ours.study.get_trials()] == [[0.5, 1.0]]
    assert ours.ask(0).trial == 0


def test_what_was_tried_is_not_tried_again() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space: dict[str, BaseDistribution] = {"x": IntDistribution(0, 1)}
    theirs: Any = OptunaSearch(space=space, metric="loss", mode="min", sampler=RandomSampler(seed=0))
    suggested = []
    for n in range(6):
        suggested.append(theirs.suggest(str(n))["x"])
        theirs.on_trial_complete(str(n), {"loss": 0.0, "training_iteration": 1})
    assert len(set(suggested)) < len(suggested)  # and each of them was to be trained

    ours = Search(Space([Field("a.x", Int(0, 1))]), LOSS, options=SamplerOptions(sampler="random"))
    trained = []
    for n in range(6):
        suggestion = ours.ask(n)
        if suggestion.duplicate_of is None:
            trained.append(suggestion.values["a.x"])
        ours.tell_complete(n, {"loss": 0.0})
    assert sorted(map(str, trained)) == ["0", "1"]
