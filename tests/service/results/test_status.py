"""A sweep that a budget has ended is finished, though it has fewer trials than were asked for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from service import Sweep
from service.commands.listing import print_list, trials_text
from service.record.record import Record
from service.record.schema import make_schemas
from service.results.status import SweepStatus, status_of

Make = Callable[..., Sweep]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A sweep of ten trials, with this budget, so many finished ones, and what was begun beside these."""

    def write(budget: str, losses: list[float], begun: int = 0, more: str = "", **row: Any) -> Sweep:
        folder = tmp_path / "runs" / "small"
        folder.mkdir(parents=True)
        (folder / "sweep.yaml").write_text(
            "name: small\ndata: {name: digits}\nsearch: {trials: 10}\n"
            "objectives: [{metric: loss, goal: min}]\n"
            f"budget: {budget}\n{more}"
        )
        suggested = [
            {"suggestion": {"trial": n, "values": {}}, "parent": None, "move": None, "replicates": None}
            for n in range(len(losses) + begun)
        ]
        lines = [*suggested, {"elapsed": 1800.0}]
        (folder / "plan.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        with Record.open(folder, make_schemas()) as record:
            rows = [
                {"trial": n, "state": "complete", "loss": loss, "cpu_seconds": 900.0, "replicates": 1, **row}
                for n, loss in enumerate(losses)
            ]
            record.append("trials", rows)
        return Sweep(folder)

    return write


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ("{hours: 0.5}", "hours 0.5 of 0.5; raise `budget.hours` to go on"),
        ("{cpu_hours: 1.0}", "cpu_hours 1 of 1"),
        ("{gigabytes: 0.000001}", "gigabytes"),
        ("{plateau: {trials: 2, gain: 0.01}}", "the last 2 trials have added 0.00%"),
    ],
)
def test_a_budget_ends_a_sweep(budget: str, said: str, make: Make, tmp_path: Path) -> None:
    one = status_of(make(budget, [0.5, 0.4, 0.9, 0.8]))
    assert (
        one.state == "finished" and one.exhausted_budget is not None and one.exhausted_budget.startswith(said)
    )
    console = Console(width=200, record=True)
    print_list(tmp_path / "runs", console)
    text = console.export_text()
    assert "finished" in text and "small has stopped: " in text


@pytest.mark.parametrize(
    "budget", ["{}", "{hours: 0.6}", "{cpu_hours: 1.1}", "{plateau: {trials: 2, gain: 0.01}, hours: 9.0}"]
)
def test_what_is_left_of_a_budget_can_be_used(budget: str, make: Make) -> None:
    one = status_of(make(budget, [0.5, 0.4, 0.3, 0.2]))
    assert (one.state, one.exhausted_budget) == ("unfinished", None)


def test_trials_that_were_cut_short_are_still_to_be_run(make: Make) -> None:
    assert status_of(make("{hours: 0.5}", [0.5], begun=1)).state == "unfinished"


def test_all_trials_are_finished_whatever_the_budget(make: Make) -> None:
    one = status_of(make("{hours: 0.5}", [0.5] * 10))
    assert (one.state, one.exhausted_budget) == ("finished", None)


def test_a_budget_that_cannot_be_read_is_damage(make: Make) -> None:
    one = status_of(make("{hours: many}", [0.5]))
    assert (
        one.state == "damaged"
        and one.fault is not None
        and "budget.hours: got 'many', expected a number above 0 or null" in one.fault
    )


LEADERS = "replicates: {leaders: 3, trials: 2}\n"


def test_leaders_that_are_yet_to_have_more_seeds_are_left(make: Make) -> None:
    sweep = make("{}", [0.1, 0.2, *[0.9] * 8], more=LEADERS)
    assert status_of(sweep).state == "unfinished"
    again = {"state": "complete", "loss": 0.15, "move": "more seeds", "replicates": 3}
    with Record.open(sweep.folder, make_schemas()) as record:
        record.append("trials", [{"trial": 10, "parent": 0, **again}])
    assert status_of(sweep).state == "unfinished"
    with Record.open(sweep.folder, make_schemas()) as record:
        record.append("trials", [{"trial": 11, "parent": 1, **again, "state": "failed"}])
    assert status_of(sweep).state == "finished"


def test_leaders_with_enough_seeds_wait_for_none(make: Make) -> None:
    assert status_of(make("{}", [0.5] * 10, more=LEADERS, replicates=3)).state == "finished"


def test_a_plateau_ends_the_suggestions_but_not_the_leaders(make: Make) -> None:
    plateau = "{plateau: {trials: 2, gain: 0.01}}"
    losses = [0.5, 0.4, 0.9, 0.8]
    assert status_of(make(plateau, losses, more=LEADERS)).state == "unfinished"


def test_time_that_is_up_ends_leaders_too(make: Make) -> None:
    assert status_of(make("{hours: 0.5}", [0.5, 0.4], more=LEADERS)).state == "finished"


@pytest.mark.parametrize(
    ("count", "said"), [(3, "3 complete of 4"), (4, "4 complete of 4"), (6, "6 complete")]
)
def test_trials_run_again_are_not_counted_as_more_than_all(count: int, said: str) -> None:
    assert trials_text(SweepStatus("a", "finished", {"complete": count}, 4, {}, 0.0)) == said
