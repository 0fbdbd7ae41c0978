from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.objectives import Objective
from search.stopping import Asha, NoStopping, make_rule

ACCURACY = Objective("accuracy", "max")
LOSS = Objective("loss", "min")

Report = tuple[int, int, float]  # trial, epoch, value


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
    assert rule.report(0, 1, 0.50) is None  # the first is the best
    assert rule.report(1, 1, 0.40) == "asha: accuracy 0.4 at epoch 1 is not the best of 2 trials"
    assert rule.report(2, 1, 0.60) is None
    assert rule.report(0, 2, 0.10) is None  # no rung at 2
    assert rule.report(0, 3, 0.55) is None  # the first at 3
    assert rule.report(2, 3, 0.54) == "asha: accuracy 0.54 at epoch 3 is not the best of 2 trials"
    for trial, value in [(3, 0.2), (4, 0.1)]:
        assert rule.report(trial, 1, value) is not None
    # Six at epoch 1, of which two go on: 0.6 and 0.55.
    assert rule.report(5, 1, 0.55) is None
    # Seven: still two.
    reason = rule.report(6, 1, 0.52)
    assert reason == "asha: accuracy 0.52 at epoch 1 is not among the best third of 7 trials"
    assert rule.report(0, 9, 0.9) is None
    assert rule.report(5, 20, 0.0) is None  # done anyway


@given(logs(), st.integers(2, 4), st.integers(1, 3), st.integers(1, 30))
def test_decides_as_the_definition_says(
    log: list[Report], reduction: int, grace: int, max_epochs: int
) -> None:
    rule = Asha(LOSS, grace=grace, reduction=reduction, max_epochs=max_epochs)
    mirrored = Asha(ACCURACY, grace=grace, reduction=reduction, max_epochs=max_epochs)
    for i, (trial, epoch, value) in enumerate(log):
        stops = naive_decision(log[: i + 1], reduction, grace, max_epochs)
        assert (rule.report(trial, epoch, value) is not None) == stops
        assert (mirrored.report(trial, epoch, -value) is not None) == stops


@given(logs(), st.randoms(use_true_random=False), st.integers(1, 9), st.integers(0, 9))
def test_replay_in_any_order_of_trials_gives_the_same_rule(
    log: list[Report], random: Random, epoch: int, value: int
) -> None:
    live, replayed = (Asha(LOSS, max_epochs=10, reduction=2) for _ in range(2))
    reasons = [live.report(*report) for report in log]
    trials = sorted({trial for trial, _, _ in log})
    random.shuffle(trials)
    for trial in trials:
        for report in log:
            if report[0] == trial:
                replayed.report(*report)
    # A report told again is decided again: the last one of all as it was.
    assert replayed.report(*log[-1]) == reasons[-1]
    assert replayed.report(99, epoch, value) == live.report(99, epoch, value)


def test_a_missed_rung_is_made_up_for() -> None:
    rule = Asha(LOSS, max_epochs=100)
    assert rule.report(0, 1, 0.1) is None
    assert rule.report(1, 4, 0.2) is None  # first at rung 3, second at rung 1: the higher one decides
    assert rule.report(2, 1, 0.15) is not None  # second of three at rung 1


def test_nothing_stops_before_grace_or_without_a_rule() -> None:
    rule = Asha(LOSS, grace=4, max_epochs=100)
    assert rule.report(0, 4, 0.0) is None
    assert [rule.report(1, epoch, 9.0) is None for epoch in (1, 2, 3, 4)] == [True, True, True, False]
    assert NoStopping().report(0, 1, 0.0) is None


def test_rules_by_name() -> None:
    assert isinstance(make_rule("none", [LOSS, ACCURACY], max_epochs=5), NoStopping)
    rule = make_rule("asha", [LOSS], grace=2, reduction=2, max_epochs=5)
    assert rule.report(0, 2, 0.1) is None
    assert rule.report(1, 2, 0.2) is not None


@pytest.mark.parametrize(
    ("name", "objectives", "grace", "reduction", "fault"),
    [
        ("asha", [LOSS, ACCURACY], 1, 3, "asha needs one objective, there are 2"),
        ("halving", [LOSS], 1, 3, "`rule`: got 'halving', expected one of none, asha"),
        ("asha", [LOSS], 0, 3, "`grace`: got 0"),
        ("asha", [LOSS], 1, 1, "`reduction`: got 1"),
    ],
)
def test_rules_refuse_what_does_not_suit(
    name: str, objectives: list[Objective], grace: int, reduction: int, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        make_rule(name, objectives, grace=grace, reduction=reduction, max_epochs=9)
