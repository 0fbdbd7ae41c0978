"""What every sampler must do, as a class of tests that each sampler inherits, and what some do besides."""

from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from search.objectives import Constraint, Objective
from search.samplers import make_sampler, seed_of
from search.space import Choice, Field, Int, Log, Space, Uniform, Value
from search.study import Search, Suggestion, journal_storage

SPACE = Space(
    [
        Field("learner.wiring_cost", Log(1e-7, 1e-3)),
        Field("learner.dimensions", Int(1, 4)),
        Field("learner.embedding", Choice(("space", "none"))),
        Field("learner.delay_scale", Uniform(2, 60), {"learner.embedding": "space"}),
        Field("learner.wiring_power", Choice((2,))),
    ]
)
ONE = (Objective("loss", "min"),)
TWO = (Objective("accuracy", "max"), Objective("wiring_length", "min"))
SILENT = (Constraint("silent", max=0.2),)


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


class SamplerContract:
    @pytest.fixture
    def sampler(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def population(self) -> int | None:
        return None

    @pytest.mark.parametrize("objectives", [ONE, TWO])
    def test_goes_on_as_if_never_closed(
        self, sampler: str, population: int | None, objectives: tuple[Objective, ...], tmp_path: Path
    ) -> None:
        def opened(storage: optuna.storages.BaseStorage) -> Search:
            return Search.open(
                storage,
                "s",
                SPACE,
                objectives,
                sampler=sampler,
                seed=5,
                population=population,
                constraints=SILENT,
            )

        steady = opened(InMemoryStorage())
        expected: list[Suggestion] = []
        got: list[Suggestion] = []
        for n in range(30):
            # A new process each time; three trials run side by side.
            resumed = opened(journal_storage(tmp_path / "study.journal"))
            assert resumed.running() == steady.running()
            for search, suggestions in ((steady, expected), (resumed, got)):
                suggestions.append(search.ask())
                if n >= 2:
                    settle(search, suggestions[n - 2])
        assert got == expected
        assert [s.trial for s in got] == list(range(30))

    @pytest.mark.parametrize("objectives", [ONE, TWO])
    def test_values_are_in_the_space_and_nothing_stays_running(
        self, sampler: str, population: int | None, objectives: tuple[Objective, ...]
    ) -> None:
        storage = InMemoryStorage()
        search = Search.open(
            storage, "s", SPACE, objectives, sampler=sampler, population=population, constraints=SILENT
        )
        for _ in range(40):
            suggestion = search.ask()
            values = suggestion.values
            assert {path: type(value) for path, value in values.items()} == {
                "learner.wiring_cost": float,
                "learner.dimensions": int,
                "learner.embedding": str,
                "learner.wiring_power": int,
            } | ({"learner.delay_scale": float} if values["learner.embedding"] == "space" else {})
            assert 1e-7 <= number(values["learner.wiring_cost"]) <= 1e-3
            assert 1 <= number(values["learner.dimensions"]) <= 4
            assert 2 <= number(values.get("learner.delay_scale", 2.0)) <= 60
            settle(search, suggestion)
        trials = optuna.load_study(study_name="s", storage=storage).get_trials()
        states = [t.state for t in trials if "trial" in t.user_attrs]
        assert states.count(TrialState.PRUNED) == 6
        assert states.count(TrialState.FAIL) == 5 + 3
        assert states.count(TrialState.COMPLETE) == 26
        assert not any(t.state == TrialState.RUNNING for t in trials)

    def test_depends_on_the_seed(self, sampler: str, population: int | None) -> None:
        def first(seed: int) -> list[Suggestion]:
            search = Search.open(
                InMemoryStorage(), "s", SPACE, ONE, sampler=sampler, seed=seed, population=population
            )
            return [search.ask() for _ in range(3)]

        assert first(0) == first(0)
        assert first(0) != first(1)
        assert len({str(s.values) for s in first(0)}) == 3

    def test_a_finished_small_space_is_answered_with_duplicates(
        self, sampler: str, population: int | None
    ) -> None:
        space = Space([Field("learner.dimensions", Choice((1, 2)))])
        search = Search.open(InMemoryStorage(), "s", space, ONE, sampler=sampler, population=population)
        seen: dict[Value, int] = {}
        for _ in range(12):
            suggestion = search.ask()
            value = suggestion.values["learner.dimensions"]
            assert suggestion.duplicate_of == seen.get(value)
            seen.setdefault(value, suggestion.trial)
            search.tell_complete(suggestion.trial, {"loss": number(value)})
        assert set(seen) == {1, 2}
        assert search.next_trial == 12


class TestRandom(SamplerContract):
    @pytest.fixture
    def sampler(self) -> str:
        return "random"


class TestTpe(SamplerContract):
    @pytest.fixture
    def sampler(self) -> str:
        return "tpe"


class TestNsga2(SamplerContract):
    @pytest.fixture
    def sampler(self) -> str:
        return "nsga2"

    @pytest.fixture
    def population(self) -> int | None:
        return 4

    def test_breeds_generations_of_the_population(self) -> None:
        storage = InMemoryStorage()
        search = Search.open(storage, "s", SPACE, TWO, sampler="nsga2", population=5)
        for _ in range(20):
            suggestion = search.ask()
            search.tell_complete(suggestion.trial, measured(suggestion.values))
        trials = optuna.load_study(study_name="s", storage=storage).get_trials()
        generations = [t.system_attrs["Nsga2:generation"] for t in trials if t.state == TrialState.COMPLETE]
        assert generations == [n // 5 for n in range(20)]


def late_values(sampler: str, population: int | None, constraints: tuple[Constraint, ...]) -> list[float]:
    """x0 of the last 40 of 160 trials in a search for the largest x0 + ... + x4, in [0, 1]^5."""
    space = Space([Field(f"a.x{i}", Uniform(0, 1)) for i in range(5)])
    goal = (Objective("sum", "max"),)
    search = Search.open(
        InMemoryStorage(), "s", space, goal, sampler=sampler, population=population, constraints=constraints
    )
    found = []
    for _ in range(160):
        suggestion = search.ask()
        xs = [number(suggestion.values[path]) for path in space.paths]
        search.tell_complete(suggestion.trial, {"sum": sum(xs), "x0": xs[0]})
        found.append(xs[0])
    return found[-40:]


@pytest.mark.parametrize(("sampler", "population"), [("tpe", None), ("nsga2", 10)])
def test_learns_from_values_and_heeds_constraints(sampler: str, population: int | None) -> None:
    free = np.array(late_values(sampler, population, ()))
    held = np.array(late_values(sampler, population, (Constraint("x0", max=0.3),)))
    assert free.mean() > 0.7  # 0.5 by chance
    assert np.mean(held <= 0.3) > 0.6  # 0.3 by chance


@pytest.mark.parametrize(
    ("name", "population", "fault"),
    [
        ("nsga4", None, "`sampler`: got 'nsga4', expected one of random, tpe, nsga2"),
        ("tpe", 8, "`population`: sampler tpe has none"),
        ("nsga2", 1, "`population`: got 1, expected at least 2"),
    ],
)
def test_refuses_what_does_not_suit(name: str, population: int | None, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        make_sampler(name, 0, SPACE, population)


def test_common_parameters_are_what_optuna_finds_in_the_history() -> None:
    storage = InMemoryStorage()
    search = Search.open(storage, "s", SPACE, ONE, sampler="random")
    for _ in range(20):
        search.tell_complete(search.ask().trial, {"loss": 0.0})
    trials = optuna.load_study(study_name="s", storage=storage).get_trials()
    found = optuna.search_space.intersection_search_space(trials)
    assert {name for name, d in found.items() if not d.single()} == set(SPACE.common())
    assert all(found[name] == d for name, d in SPACE.common().items())


def test_seeds_differ_by_search_and_by_suggestion() -> None:
    assert len({seed_of(seed, number) for seed in range(10) for number in range(100)}) == 1000
