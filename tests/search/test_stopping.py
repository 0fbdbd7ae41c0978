"""Stopping rules: each beside its definition, and what all have in common."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.objectives import Constraint, Objective
from search.ranking import Result
from search.stopping import RULES, Asha, Median, NoStopping, StoppingRule, make_rule
from search.stopping.hyperband import Hyperband
from search.stopping.pareto import Pareto, rank_of

ACCURACY = Objective("accuracy", "max")
LOSS = Objective("loss", "min")

Report = tuple[int, int, float]  # trial, epoch, value


def told(rule: StoppingRule, trial: int, epoch: int, value: float) -> str | None:
    """Report `value` as what is to be made small, or large."""
    return rule.report(trial, epoch, {"loss": value, "accuracy": value})


def naive_decision(log: list[Report], reduction: int, grace: int, max_epochs: int) -> bool:
    """Whether the last report of `log` stops its trial, of minimised values, straight from the definition."""
    trial, epoch, value = log[-1]
    if epoch >= max_epochs:
        return False
    rungs = [grace * reduction**k for k in range(10) if grace * reduction**k < max_epochs]
    before = [e for t, e, _ in log[:-1] if t == trial]
    new = [rung for rung in rungs if rung <= epoch and all(e < rung for e in before)]
    if not new:
        return False
    first: dict[int, float] = {}
    for t, e, v in log:
        if e >= new[-1]:
            first.setdefault(t, v)
    cutoff = sorted(first.values())[max(1, len(first) // reduction) - 1]
    return value > cutoff


@st.composite
def logs(draw: st.DrawFn) -> list[Report]:
    """Reports of interleaved trials, each at rising epochs, some epochs left out."""
    reports = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3), st.integers(0, 9)), min_size=1))
    reached: dict[int, int] = {}
    log = []
    for trial, step, value in reports:
        reached[trial] = reached.get(trial, 0) + step
        log.append((trial, reached[trial], float(value)))
    return log


def test_hand_computed_example() -> None:
    rule = Asha(ACCURACY, grace=1, reduction=3, max_epochs=20)
    assert told(rule, 0, 1, 0.50) is None  # the first is the best
    assert told(rule, 1, 1, 0.40) == "asha: accuracy 0.4 at epoch 1 is not the best of 2 trials"
    assert told(rule, 2, 1, 0.60) is None
    assert told(rule, 0, 2, 0.10) is None  # no rung at 2
    assert told(rule, 0, 3, 0.55) is None  # the first at 3
    assert told(rule, 2, 3, 0.54) == "asha: accuracy 0.54 at epoch 3 is not the best of 2 trials"
    for trial, value in [(3, 0.2), (4, 0.1)]:
        assert told(rule, trial, 1, value) is not None
    # Six at epoch 1, of which two go on: 0.6 and 0.55.
    assert told(rule, 5, 1, 0.55) is None
    # Seven: still two.
    reason = told(rule, 6, 1, 0.52)
    assert reason == "asha: accuracy 0.52 at epoch 1 is not among the best third of 7 trials"
    assert told(rule, 0, 9, 0.9) is None
    assert told(rule, 5, 20, 0.0) is None  # done anyway


@given(logs(), st.integers(2, 4), st.integers(1, 3), st.integers(1, 30))
def test_decides_as_the_definition_says(
    log: list[Report], reduction: int, grace: int, max_epochs: int
) -> None:
    rule = Asha(LOSS, grace=grace, reduction=reduction, max_epochs=max_epochs)
    mirrored = Asha(ACCURACY, grace=grace, reduction=reduction, max_epochs=max_epochs)
    for i, (trial, epoch, value) in enumerate(log):
        stops = naive_decision(log[: i + 1], reduction, grace, max_epochs)
        assert (told(rule, trial, epoch, value) is not None) == stops
        assert (told(mirrored, trial, epoch, -value) is not None) == stops


@given(logs(), st.randoms(use_true_random=False), st.integers(1, 9), st.integers(0, 9))
def test_replay_in_any_order_of_trials_gives_the_same_rule(
    log: list[Report], random: Random, epoch: int, value: int
) -> None:
    live, replayed = (Asha(LOSS, max_epochs=10, reduction=2) for _ in range(2))
    reasons = [told(live, *report) for report in log]
    trials = sorted({trial for trial, _, _ in log})
    random.shuffle(trials)
    for trial in trials:
        for report in log:
            if report[0] == trial:
                told(replayed, *report)
    # A report told again is decided again: the last one of all as it was.
    assert told(replayed, *log[-1]) == reasons[-1]
    assert told(replayed, 99, epoch, value) == told(live, 99, epoch, value)


def test_a_missed_rung_is_made_up_for() -> None:
    rule = Asha(LOSS, max_epochs=100)
    assert told(rule, 0, 1, 0.1) is None
    assert told(rule, 1, 4, 0.2) is None  # first at rung 3, second at rung 1: the higher one decides
    assert told(rule, 2, 1, 0.15) is not None  # second of three at rung 1


def test_nothing_stops_before_grace_or_without_a_rule() -> None:
    rule = Asha(LOSS, grace=4, max_epochs=100)
    assert told(rule, 0, 4, 0.0) is None
    assert [told(rule, 1, epoch, 9.0) is None for epoch in (1, 2, 3, 4)] == [True, True, True, False]
    assert told(NoStopping(), 0, 1, 0.0) is None


@pytest.mark.parametrize("name", RULES)
class TestEveryRule:
    def made(self, name: str, max_epochs: int = 9) -> StoppingRule:
        return make_rule(name, [LOSS], grace=2, reduction=2, max_epochs=max_epochs)

    def test_the_best_goes_on_and_the_worst_stops(self, name: str) -> None:
        rule = self.made(name)
        reasons: dict[int, str | None] = {}
        for epoch in range(1, 9):
            for trial in range(12):
                if reasons.get(trial) is None:
                    reasons[trial] = told(rule, trial, epoch, trial / epoch)
        assert reasons[0] is None
        assert (reasons[11] is None) == (name == "none")
        for reason in filter(None, reasons.values()):
            assert (reason.startswith(f"{name}") and " at epoch " in reason) or " by epoch " in reason
            assert reason.endswith(" trials") or " trials, " in reason

    def test_nothing_stops_before_grace_or_at_the_end(self, name: str) -> None:
        rule = self.made(name, max_epochs=4)
        for trial in range(20):
            assert told(rule, trial, 1, float(trial)) is None
        for trial in range(20):
            assert told(rule, trial, 4, float(trial)) is None

    @given(log=logs(), random=st.randoms(use_true_random=False))
    def test_told_again_trial_by_trial_it_decides_as_before(
        self, name: str, log: list[Report], random: Random
    ) -> None:
        live, replayed = self.made(name), self.made(name)
        for report in log:
            told(live, *report)
        trials = sorted({trial for trial, _, _ in log})
        random.shuffle(trials)
        for trial in trials:
            for report in log:
                if report[0] == trial:
                    told(replayed, *report)
        for trial in range(90, 96):
            for epoch in (2, 4, 8):
                assert told(live, trial, epoch, 4.5) == told(replayed, trial, epoch, 4.5)


def naive_median(log: list[Report], grace: int, max_epochs: int) -> bool:
    """Whether the last report of `log` stops its trial, of minimised values, straight from the definition."""
    trial, epoch, _ = log[-1]
    others = {t for t, e, _ in log[:-1] if t != trial and e == epoch}
    means = [np.mean([v for t, e, v in log if t == other and e <= epoch]) for other in others]
    best = min(v for t, _, v in log if t == trial)
    return grace <= epoch < max_epochs and len(means) >= 5 and bool(best > np.median(means))


@given(logs(), st.integers(1, 3), st.integers(2, 12))
def test_median_decides_as_the_definition_says(log: list[Report], grace: int, max_epochs: int) -> None:
    rule = Median(LOSS, grace=grace, max_epochs=max_epochs)
    mirrored = Median(ACCURACY, grace=grace, max_epochs=max_epochs)
    for i, (trial, epoch, value) in enumerate(log):
        stops = naive_median(log[: i + 1], grace, max_epochs)
        assert (told(rule, trial, epoch, value) is not None) == stops
        assert (told(mirrored, trial, epoch, -value) is not None) == stops


def test_median_says_the_values_as_they_are() -> None:
    rule = Median(ACCURACY, max_epochs=9)
    for trial in range(5):
        assert told(rule, trial, 1, 0.5) is None
    assert told(rule, 5, 1, 0.25) == (
        "median: the best accuracy by epoch 1, 0.25, is worse than the median of 5 trials, 0.5"
    )


def test_hyperband_shares_trials_among_its_brackets() -> None:
    rule = Hyperband(LOSS, grace=1, reduction=3, max_epochs=27)
    brackets = [rule.bracket(trial) for trial in range(1000)]
    shares = np.bincount(brackets) / 1000
    expected = np.array([27, 12, 6])  # ceil(4/4 27), ceil(4/3 9), ceil(4/2 3)
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.01)
    assert sorted(set(brackets[:9])) == [0, 1, 2]
    later = brackets.index(2)
    others = [n for n in range(1000) if brackets[n] == 2][1:9]
    assert all(told(rule, n, 8, 0.0) is None for n in others)
    assert told(rule, later, 8, 9.0) is None  # its first rung is at 9
    assert told(rule, later, 9, 9.0) is None  # alone there: the first report past a rung counts


def test_hyperband_is_asha_within_a_bracket() -> None:
    rule = Hyperband(LOSS, grace=1, reduction=3, max_epochs=9)
    rng = np.random.default_rng(0)
    alone = [Asha(LOSS, grace=grace, reduction=3, max_epochs=9) for grace in (1, 3)]
    for trial in range(100):
        for epoch in range(1, 9):
            value = float(rng.random())
            got = told(rule, trial, epoch, value)
            assert (got is None) == (told(alone[rule.bracket(trial)], trial, epoch, value) is None)


def naive_rank_of(one: Result, all_: list[Result]) -> tuple[int, int]:
    """Rank and how many have a lower one, from the definition of constrained domination."""

    def dominates(a: Result, b: Result) -> bool:
        if a.violation > 0 or b.violation > 0:
            return a.violation < b.violation
        return a.costs != b.costs and all(x <= y for x, y in zip(a.costs, b.costs, strict=True))

    left, rank, lower = list(all_), 0, 0
    while True:
        front = [a for a in left if not any(dominates(b, a) for b in left)]
        if one in front:
            return rank, lower
        left = [a for a in left if a not in front]
        rank, lower = rank + 1, lower + len(front)


results = st.builds(
    Result,
    st.sampled_from([0.0, 0.0, 0.5, 1.0]),
    st.tuples(st.integers(0, 3).map(float), st.integers(0, 3).map(float)),
)


@given(st.lists(results, min_size=1, max_size=12))
def test_ranks_are_those_of_the_definition(all_: list[Result]) -> None:
    for n, one in enumerate(all_):
        rank, better = rank_of(n, dict(enumerate(all_)))
        naive_rank, lower = naive_rank_of(one, all_)
        same = sum(naive_rank_of(other, all_)[0] == naive_rank for other in all_)
        assert rank == naive_rank
        assert lower <= better < lower + same


TWO = [ACCURACY, Objective("wiring_length", "min")]
SILENT = [Constraint("silent", max=0.2)]


def test_pareto_stops_what_is_dominated() -> None:
    rule = Pareto(TWO, SILENT, grace=1, reduction=3, max_epochs=20)

    def report(trial: int, accuracy: float, length: float, silent: float = 0.0) -> str | None:
        return rule.report(trial, 1, {"accuracy": accuracy, "wiring_length": length, "silent": silent})

    assert report(0, 0.9, 10.0) is None
    assert report(1, 0.5, 1.0) is None  # shorter
    assert report(2, 0.8, 11.0) == "pareto: rank 1 at epoch 1 is not the best of 3 trials"
    assert report(3, 0.95, 12.0) is None  # on the front, which is larger than a third
    assert report(4, 0.99, 0.5, silent=0.3) == (
        "pareto: out of its constraints by 0.1 at epoch 1 is not the best of 5 trials"
    )
    # The three of the front are better, and of nine trials three go on.
    for trial in range(5, 8):
        assert report(trial, 0.1 * trial - 0.3, 20.0 + trial) is not None
    assert report(8, 0.85, 11.0) is not None


def test_pareto_prefers_room_within_a_rank() -> None:
    """Nine trials, three go on; one of rank 0, three of rank 1, of which those at the ends have more room."""
    for middle, goes_on in ((False, True), (True, False)):
        rule = Pareto([LOSS, ACCURACY], grace=1, reduction=3, max_epochs=20)
        rank_1 = [(1.0, -2.0), (2.0, -1.0), (1.5, -1.5)]
        last = rank_1.pop(2 if middle else 0)
        others = [(0.0, -0.0), *rank_1, *[(5.0 + n, -9.0) for n in range(5)]]
        for trial, (loss, accuracy) in enumerate(others):
            rule.report(trial, 1, {"loss": loss, "accuracy": accuracy})
        got = rule.report(8 + 1, 1, {"loss": last[0], "accuracy": last[1]})
        assert (got is None) == goes_on, got


def test_the_least_violation_goes_on_while_no_trial_holds_the_constraints() -> None:
    rule = Pareto(TWO, SILENT, max_epochs=20)
    for trial, silent in enumerate((0.5, 0.4, 0.6, 0.3)):
        reason = rule.report(trial, 1, {"accuracy": 0.1, "wiring_length": 1.0, "silent": silent})
        assert (reason is None) == (silent < 0.5 or trial == 0)


@pytest.mark.parametrize(
    ("name", "objectives", "grace", "reduction", "fault"),
    [
        ("asha", [LOSS, ACCURACY], 1, 3, "asha needs one objective, there are 2; use pareto"),
        ("halving", [LOSS], 1, 3, "`rule`: got 'halving', expected one of none, asha, median"),
        ("median", [LOSS, ACCURACY], 1, 3, "median needs one objective"),
        ("median", [LOSS], 0, 3, "`grace`: got 0"),
        ("hyperband", [LOSS], 0, 3, "`grace`: got 0"),
        ("hyperband", [LOSS], 1, 1, "`reduction`: got 1"),
        ("pareto", [LOSS], 1, 1, "`reduction`: got 1"),
        ("asha", [LOSS], 0, 3, "`grace`: got 0"),
        ("asha", [LOSS], 1, 1, "`reduction`: got 1"),
    ],
)
def test_rules_refuse_what_does_not_suit(
    name: str, objectives: list[Objective], grace: int, reduction: int, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        make_rule(name, objectives, grace=grace, reduction=reduction, max_epochs=9)
