"""What every sampler must do, as a class of tests that runs for each, and what some do besides."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from search import Search, Suggestion, samplers
from search.combinations import combinations
from search.domains import Choice, Domain, Int, Log, Uniform, Value
from search.objectives import Constraint, Objective
from search.samplers import SAMPLERS, SamplerOptions, unsuitable
from search.seeds import seed_of
from search.space import Field, Space

CONDITIONAL = Space(
    [
        Field("learner.wiring_cost", Log(1e-7, 1e-3)),
        Field("learner.dimensions", Int(1, 4)),
        Field("learner.embedding", Choice(("space", "none"))),
        Field("learner.delay_scale", Uniform(2, 60), {"learner.embedding": "space"}),
        Field("learner.wiring_power", Choice((2,))),
    ]
)
ORDERED = Space(
    [
        Field("learner.wiring_cost", Log(1e-7, 1e-3)),
        Field("learner.dimensions", Int(1, 4)),
        Field("learner.delay_scale", Uniform(2, 60)),
    ]
)
ONE = (Objective("loss", "min"),)
TWO = (Objective("accuracy", "max"), Objective("wiring_length", "min"))
SILENT = (Constraint("silent", max=0.25),)


@dataclass(frozen=True)
class Case:
    """A sampler, how it is used in the tests, and how many trials of it they can afford."""

    options: SamplerOptions
    trials: int = 30

    @property
    def space(self) -> Space:
        return ORDERED if self.options.sampler == "cmaes" else CONDITIONAL

    def search(
        self, objectives: Sequence[Objective] = ONE, seed: int = 5, space: Space | None = None
    ) -> Search:
        options = dataclasses.replace(self.options, seed=seed)
        return Search(space or self.space, objectives, options=options, constraints=SILENT)


CASES = {
    "random": Case(SamplerOptions(sampler="random")),
    "grid": Case(SamplerOptions(sampler="grid", steps=5)),
    "qmc": Case(SamplerOptions(sampler="qmc")),
    "tpe": Case(SamplerOptions(sampler="tpe", startup=5, history=12)),
    "gp": Case(SamplerOptions(sampler="gp", startup=3), trials=5),
    "cmaes": Case(SamplerOptions(sampler="cmaes", population=4)),
    "nsga2": Case(SamplerOptions(sampler="nsga2", population=4)),
    "nsga3": Case(SamplerOptions(sampler="nsga3", population=4)),
}


def number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value


def measured(values: dict[str, Value]) -> dict[str, float]:
    """Made-up metrics of a trial, smooth in its values."""
    cost = float(np.log10(number(values["learner.wiring_cost"])))
    scale = number(values.get("learner.delay_scale", 1.0))
    dimensions = number(values["learner.dimensions"])
    return {
        "loss": (cost + 5) ** 2 + (scale / 30 - 1) ** 2,
        "accuracy": -cost - dimensions,
        "wiring_length": scale / dimensions,
        "silent": 0.1 * dimensions,
    }


def settle(search: Search, suggestion: Suggestion) -> None:
    """Tell of the trial something that depends on its number and values only."""
    trial, metrics = suggestion.trial, measured(suggestion.values)
    if trial % 7 == 3:
        search.tell_pruned(trial, 2, metrics)
    elif trial % 7 == 5:
        search.tell_failed(trial, "out of memory")
    elif trial % 11 == 6:
        search.tell_complete(trial, {**metrics, "silent": float("nan")})
    else:
        search.tell_complete(trial, metrics)


def expected(trial: int) -> TrialState:
    """The state that `settle` tells of a trial."""
    if trial % 7 == 3:
        return TrialState.PRUNED
    return TrialState.FAIL if trial % 7 == 5 or trial % 11 == 6 else TrialState.COMPLETE


def stored(suggestion: Suggestion) -> Suggestion:
    """The suggestion as it comes back from a file."""
    return Suggestion(**json.loads(json.dumps(dataclasses.asdict(suggestion))))


def objectives_of(case: Case) -> list[tuple[Objective, ...]]:
    return [ONE] if case.options.sampler == "cmaes" else [ONE, TWO]


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
class TestEverySampler:
    def test_goes_on_as_if_never_closed(self, case: Case) -> None:
        """Rebuilt before every suggestion; three trials run side by side, and end in another order."""
        for objectives in objectives_of(case):
            steady = case.search(objectives)
            asked: list[Suggestion] = []
            ended: list[Suggestion] = []
            for n in range(case.trials):
                rebuilt = case.search(objectives)
                for suggestion in asked:
                    rebuilt.restore(stored(suggestion))
                for suggestion in ended:
                    settle(rebuilt, suggestion)
                assert rebuilt.running() == steady.running()
                asked.append(steady.ask(n))
                assert rebuilt.ask(n) == asked[-1]
                if n >= 2:
                    ended.append(steady.running()[n % 2])
                    settle(steady, ended[-1])

    def test_values_are_in_the_space_and_the_right_states_are_told(self, case: Case) -> None:
        for objectives in objectives_of(case):
            search = case.search(objectives)
            for n in range(case.trials):
                suggestion = search.ask(n)
                assert case.space.fits(suggestion.values)
                assert not suggestion.latent.keys() & suggestion.values.keys()
                settle(search, suggestion)
            trials = search.study.get_trials()
            skipped = [t for t in trials if t.user_attrs.get("reason", "").startswith("duplicate")]
            assert [t.state for t in trials if t not in skipped] == [expected(n) for n in range(case.trials)]
            assert all(t.state.is_finished() for t in trials)

    def test_depends_on_the_seed_alone(self, case: Case) -> None:
        def first(seed: int) -> list[Suggestion]:
            search = case.search(seed=seed)
            return [search.ask(n) for n in range(3)]

        assert first(0) == first(0)
        assert [s.values for s in first(0)] != [s.values for s in first(1)]
        assert len({str(s.values) for s in first(0)}) == 3

    def test_a_finished_small_space_is_answered_with_duplicates(self, case: Case) -> None:
        space = Space([Field("learner.dimensions", Int(1, 2))])
        search = case.search(space=space)
        seen: dict[Value, int] = {}
        for n in range(4):
            if search.exhausted:
                break
            suggestion = search.ask(n)
            value = suggestion.values["learner.dimensions"]
            assert suggestion.duplicate_of == seen.get(value)
            seen.setdefault(value, n)
            search.tell_complete(n, {"loss": number(value), "silent": 0.0})
        assert set(seen) == {1, 2}

    def test_a_space_without_a_choice_is_searched_once(self, case: Case) -> None:
        if case.options.sampler == "cmaes":
            pytest.skip("cmaes refuses it")
        search = case.search(space=Space([Field("learner.wiring_power", Choice((2,)))]))
        assert search.ask(0).values == {"learner.wiring_power": 2}
        assert case.search(space=Space([])).ask(0).values == {}

    def test_learns_from_earlier_searches(self, case: Case) -> None:
        """Samplers that learn differ for it, before anything was told; the others do not."""
        if case.options.sampler == "gp":
            case = dataclasses.replace(case, options=SamplerOptions(sampler="gp", startup=2))
        rng = np.random.default_rng(0)
        count = 40 if case.trials > 10 else 5
        drawn = [{f.path: f.domain.at(u) for f, u in case.space.draw(rng)} for _ in range(count)]
        values = [case.space.active(one) for one in drawn]
        sources = {f"early/{n}": (one, measured(one)) for n, one in enumerate(values)}

        def first(warm: bool) -> Suggestion:
            search = case.search()
            if warm:
                search.warm_start(sources)
            return search.ask(0)

        assert first(True) == first(True)
        learns = case.options.sampler in ("tpe", "gp", "cmaes", "nsga2", "nsga3")
        assert (first(True).values != first(False).values) == learns


def test_every_sampler_is_tested() -> None:
    assert set(CASES) == set(SAMPLERS)


def test_the_sampler_that_the_documentation_adds_passes_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).resolve().parents[2] / "docs/own-sampler.md"
    module = ModuleType("search.samplers.halton")
    exec(page.read_text().partition("```python\n")[2].partition("```")[0], module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(samplers._STRATEGIES, "halton", ("halton", "Halton"))
    monkeypatch.setattr(samplers.options, "SAMPLERS", (*SAMPLERS, "halton"))
    tests = [test for name, test in vars(TestEverySampler).items() if name.startswith("test_")]
    for test in tests:
        test(TestEverySampler(), Case(SamplerOptions(sampler="halton")))
    assert len(tests) >= 6


LINE = Space([Field(f"a.x{i}", Uniform(0, 1)) for i in range(5)])
SUM = (Objective("sum", "max"),)


def late_values(options: SamplerOptions, constraints: Sequence[Constraint], trials: int) -> list[float]:
    """x0 of the last quarter of the trials in a search for the largest x0 + ... + x4, in [0, 1]^5."""
    search = Search(LINE, SUM, options=options, constraints=constraints)
    found = []
    for n in range(trials):
        xs = [number(value) for value in search.ask(n).values.values()]
        search.tell_complete(n, {"sum": sum(xs), "x0": xs[0]})
        found.append(xs[0])
    return found[-trials // 4 :]


@pytest.mark.parametrize(
    ("options", "trials"),
    [
        (SamplerOptions(sampler="tpe"), 160),
        (SamplerOptions(sampler="tpe", history=60), 160),
        (SamplerOptions(sampler="cmaes"), 160),
        (SamplerOptions(sampler="nsga2", population=10), 160),
        (SamplerOptions(sampler="nsga3", population=10), 160),
        (SamplerOptions(sampler="gp", startup=3), 8),
    ],
    ids=lambda value: f"{value.sampler}-{value.history}" if isinstance(value, SamplerOptions) else "",
)
def test_learns_from_values_and_heeds_constraints(options: SamplerOptions, trials: int) -> None:
    free = np.array(late_values(options, (), trials))
    held = np.array(late_values(options, (Constraint("x0", max=0.3),), trials))
    assert free.mean() > 0.7  # 0.5 by chance
    assert np.mean(held <= 0.3) > 0.6  # 0.3 by chance


def test_the_grid_is_gone_through_once() -> None:
    points = list(combinations(CONDITIONAL, 3))
    assert len(points) == 3 * 4 * (3 + 1)
    search = Search(CONDITIONAL, ONE, options=SamplerOptions(sampler="grid", steps=3, seed=1))
    found: list[dict[str, Value]] = []
    while not search.exhausted:
        suggestion = search.ask(len(found))
        assert suggestion.duplicate_of is None
        search.tell_complete(len(found), {"loss": 0.0})
        found.append(suggestion.values)
    key = lambda values: json.dumps(values, sort_keys=True)  # noqa: E731
    assert sorted(found, key=key) == sorted(points, key=key)
    assert found != points


def test_quasi_random_points_fill_the_square_evenly() -> None:
    square = Space([Field("a.x", Uniform(0, 1)), Field("a.y", Uniform(0, 1))])
    search = Search(square, SUM, options=SamplerOptions(sampler="qmc"))
    points = np.array([[number(v) for v in search.ask(n).values.values()] for n in range(64)])
    cells = {(int(8 * x), int(8 * y)) for x, y in points}
    assert len(cells) == 64  # a Sobol sequence is a (0, 6, 2)-net, scrambled or not


def test_a_child_inherits_what_is_not_active() -> None:
    """Mutation and crossover switched off: children are copies of parents, inactive fields included."""
    options = SamplerOptions(sampler="nsga2", population=4, mutation=0.0, crossover=0.0)
    search = Search(CONDITIONAL, ONE, options=options)
    genes = []
    for n in range(20):
        suggestion = search.ask(n)
        genes.append(json.dumps({**suggestion.values, **suggestion.latent}, sort_keys=True))
        assert len(json.loads(genes[-1])) == 5
        search.tell_complete(n, measured(suggestion.values))
    assert set(genes[4:]) <= set(genes[:4])


def test_trials_that_come_late_belong_to_the_generation_that_is_open() -> None:
    options = SamplerOptions(sampler="nsga2", population=3)
    search = Search(CONDITIONAL, ONE, options=options)
    strategy = search._strategy
    asked = [search.ask(n) for n in range(5)]
    for suggestion, generation in zip(asked, [0, 0, 1, 1, 1], strict=True):
        search.tell_complete(suggestion.trial, measured(suggestion.values))
        assert strategy.generation == generation  # type: ignore[attr-defined]
    assert len(strategy.successors) == 2


@pytest.mark.parametrize(
    ("options", "space", "objectives", "fault"),
    [
        (SamplerOptions(sampler="nsga4"), ORDERED, ONE, "sampler: got 'nsga4', expected one of random, grid"),
        (
            SamplerOptions(sampler="tpe", population=8),
            ORDERED,
            ONE,
            "population: goes with the samplers cmaes, nsga",
        ),
        (
            SamplerOptions(sampler="random", history=50),
            ORDERED,
            ONE,
            "history: goes with the samplers tpe, gp only",
        ),
        (
            SamplerOptions(sampler="grid"),
            ORDERED,
            ONE,
            "sampler: grid needs points to try of `learner.wiring_cost`",
        ),
        (
            SamplerOptions(sampler="cmaes"),
            ORDERED,
            TWO,
            "sampler: cmaes follows a single objective, there are 2; use",
        ),
        (
            SamplerOptions(sampler="cmaes"),
            CONDITIONAL,
            ONE,
            "sampler: cmaes needs fields with an order, and `learner.",
        ),
        (SamplerOptions(sampler="cmaes"), Space([]), ONE, "sampler: cmaes has nothing to search; use random"),
    ],
)
def test_refuses_what_does_not_go_together(
    options: SamplerOptions, space: Space, objectives: Sequence[Objective], fault: str
) -> None:
    option, words = unsuitable(options, space, objectives)[0]
    assert f"{option}: {words}".startswith(fault)
    with pytest.raises(ValueError, match=f"`{option}`: "):
        Search(space, objectives, options=options)


def test_a_grid_too_large_is_refused() -> None:
    space = Space([Field(f"a.x{n}", Int(1, 20)) for n in range(4)])
    with pytest.raises(ValueError, match="more than 100,000 combinations"):
        Search(space, ONE, options=SamplerOptions(sampler="grid"))


def test_common_parameters_are_what_optuna_finds_in_the_history() -> None:
    search = Search(CONDITIONAL, ONE, options=SamplerOptions(sampler="random"))
    for n in range(20):
        search.ask(n)
        search.tell_complete(n, {"loss": 0.0})
    found = optuna.search_space.intersection_search_space(search.study.get_trials())
    assert {name for name, d in found.items() if not d.single()} == set(CONDITIONAL.common())
    assert all(found[name] == d for name, d in CONDITIONAL.common().items())


@pytest.mark.parametrize("domain", [Uniform(-1, 3), Log(1e-3, 10), Int(-2, 5)])
def test_shares_of_a_domain_go_there_and_back(domain: Uniform | Log | Int) -> None:
    assert [domain.at(u) for u in (0.0, 1.0)] == pytest.approx(list(domain.ends()))
    for u in np.linspace(0, 1, 33):
        value = domain.at(float(u))
        assert domain.has(value) and domain.at(domain.share(value)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("domain", [Int(1, 4), Choice(("a", "b", "c", "d"))])
def test_values_of_a_discrete_domain_have_equal_shares(domain: Domain) -> None:
    values = [domain.at((n + 0.5) / 100) for n in range(100)]
    assert {values.count(value) for value in values} == {25} and len(set(values)) == 4


def test_seeds_differ_by_search_and_by_suggestion() -> None:
    assert len({seed_of(seed, number) for seed in range(10) for number in range(100)}) == 1000
