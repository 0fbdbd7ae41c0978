"""What the runs of `benchmarks.evolution` have found: tables for docs/evolution.md, and a picture.

    python -m benchmarks.evolution_tables [--seeds N ...] [--out FOLDER] [--picture PICTURE]

The winner of a run is the finished network with the least loss on validation; its accuracy is told on
test. Differences are paired by seed. Intervals are of the mean over seeds at 95 %, by a bootstrap that is
widened for few seeds (`mean_interval`; of less than five there are none). A difference is in bold where
its interval excludes 0. Hypervolumes are shares of the box between no error and no wiring and a reference
that is fixed here: the error of guessing, and a wiring in ms.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.claims import show
from benchmarks.evolution import COST, TASKS, finished
from model.topology import effective_dimension
from search.objectives import hypervolume, pareto_front
from service import Sweep
from service.figures.style import COLOURS, FAINT, INK, MUTED, new_figure, plain, png, titled
from service.report.intervals import mean_interval

NAMES = {
    "evolution": "evolution",
    "rarer": "evolution, compared half as often",
    "selection": "selection without mutation",
    "mutation": "mutation without inheritance",
    "higher": "evolution of founders at D + 1, no moves",
    "random": "random search",
    "upward": "evolution, a dimension up wherever there is one",
    "annealed": "random search, cosine",
    "asha": "TPE with ASHA",
    "fixed": "one network, a chosen configuration",
    "front": "evolution, two objectives",
    "front_tpe": "TPE, two objectives",
}
"""The arms, in the order of the tables."""
GUESSING = {"yin_yang": 2 / 3, "spoken_digits": 0.9}
"""Error of guessing."""
WIRING = {"yin_yang": 1e3, "spoken_digits": 5e4}
"""Sum of |w| times delay that is worth nothing (ms)."""
OUTCOMES = {
    "best": "best loss so far",
    "test": "test accuracy of the winner (%)",
    "volume": "hypervolume, validation (%)",
    "test_volume": "hypervolume, test (%)",
}
DIGITS = {"best": 3, "test": 1, "volume": 1, "test_volume": 1}
EVOLVED = ("evolution", "rarer", "upward", "front")
"""Arms in which members are born with one dimension more."""
SLOW = 0.01
"""Learning rate of positions below which a cloud hardly changes in so few epochs (units of space)."""


@dataclass(frozen=True)
class Run:
    """What came of a run."""

    arm: str
    seed: int
    outcome: dict[str, float]
    """By the names in `OUTCOMES`."""
    course: np.ndarray
    """Least loss so far, after each epoch of the budget [epochs]."""
    cost: dict[str, float]
    trials: int
    complete: int


def read_run(home: Path, task: str, arm: str, seed: int) -> Run:
    """What came of the run in the folder `home`."""
    sweep = Sweep(home)
    trials, epochs = sweep.table("trials"), sweep.table("epochs")
    course = np.minimum.accumulate(epochs.loc[epochs["train_loss"].notna(), "loss"].to_numpy())
    done = trials[trials["state"] == "complete"]
    winner = done.sort_values("loss").iloc[0]
    outcome = {"best": float(course[-1]), "test": 100 * float(winner["test_accuracy"])}
    outcome |= volumes(done, task)
    return Run(
        arm,
        seed,
        outcome,
        course,
        json.loads((home / COST).read_text()),
        epochs["trial"].nunique(),
        len(done),
    )


def volumes(done: pd.DataFrame, task: str) -> dict[str, float]:
    """Hypervolume (%) of error and wiring (ms) of finished networks; on test, of those on the front."""
    wiring = done["wiring_length"].to_numpy() * TASKS[task].learner["delay_scale"]
    seen = np.column_stack([1 - done["accuracy"], wiring])
    front = pareto_front(seen, ["min", "min"])
    unseen = np.column_stack([1 - done["test_accuracy"], wiring])[front]
    reference = np.array([GUESSING[task], WIRING[task]])
    volume, unseen_volume = (100 * hypervolume(p, reference) / reference.prod() for p in (seen, unseen))
    return {"volume": volume, "test_volume": unseen_volume}


def read_runs(out: Path, task: str, seeds: Sequence[int]) -> dict[str, dict[int, Run]]:
    """The finished runs of a task with these seeds by arm and seed, in the order of the tables."""
    found: dict[str, dict[int, Run]] = {}
    for arm in NAMES:
        homes = {seed: out / f"{task}-{arm}-{seed}" for seed in seeds}
        runs = {seed: read_run(home, task, arm, seed) for seed, home in homes.items() if finished(home)}
        if runs:
            found[arm] = runs
    return found


def mean_text(values: Sequence[float], digits: int, sign: str = "") -> str:
    """Mean with its interval, if there is one; with the sign + it is of differences, in bold if not about 0.

    >>> mean_text([2.0, 2.1, 2.2, 2.1, 2.1], 1, "+"), mean_text([1.0, 2.0, 3.0], 1)
    ('**+2.1 (+2.0 to +2.2)**', '2.0')
    """
    low, high = mean_interval(np.array(values))
    text = f"{np.mean(values):{sign}.{digits}f}"
    if not np.isnan(low):
        text += f" ({low:{sign}.{digits}f} to {high:{sign}.{digits}f})"
    return f"**{text}**" if sign and (low > 0 or high < 0) else text


def differences(one: dict[int, Run], other: dict[int, Run], name: str) -> list[float]:
    """Of an outcome, by seed, for the seeds that both arms have."""
    return [one[seed].outcome[name] - other[seed].outcome[name] for seed in one if seed in other]


def outcomes(runs: dict[str, dict[int, Run]]) -> pd.DataFrame:
    """What came of each arm."""
    rows = {}
    for arm, by_seed in runs.items():
        each = list(by_seed.values())
        rows[NAMES[arm]] = {
            "seeds": str(len(each)),
            **{
                said: mean_text([one.outcome[name] for one in each], DIGITS[name])
                for name, said in OUTCOMES.items()
            },
            "trials, finished": f"{np.mean([one.trials for one in each]):.1f}, "
            f"{np.mean([one.complete for one in each]):.1f}",
            "epochs": f"{np.mean([one.cost['epochs'] for one in each]):.0f}",
            "CPU s": f"{np.mean([one.cost['cpu_seconds'] for one in each]):.1f}",
        }
    return pd.DataFrame(rows).T


def compared(runs: dict[str, dict[int, Run]], arm: str) -> pd.DataFrame:
    """An arm less each other."""
    rows = {
        NAMES[other]: {
            "pairs": str(len(differences(runs[arm], by_seed, "best"))),
            **{
                said: mean_text(differences(runs[arm], by_seed, name), DIGITS[name], "+")
                for name, said in OUTCOMES.items()
            },
        }
        for other, by_seed in runs.items()
        if other != arm
    }
    return pd.DataFrame(rows).T


def dimensions(out: Path, task: str, seeds: Sequence[int]) -> pd.DataFrame:
    """Effective dimension of members born with a dimension more, and of founders with as many from the start.

    A row a network and epoch at which it was looked at: `kind`, `label` (its dimensions), `since` (epochs
    since its birth; 0: as it was born, with its parent's positions), `effective`.
    """
    rows: list[dict[str, Any]] = []
    for arm in EVOLVED:
        for seed in seeds:
            home = out / f"{task}-{arm}-{seed}"
            if finished(home):
                rows += _dimensions_of(Sweep(home))
    return pd.DataFrame(rows, columns=["kind", "label", "since", "effective"])


def _dimensions_of(sweep: Sweep) -> list[dict[str, Any]]:
    neurons = sweep.table("neurons")
    clouds: dict[tuple[int, int], list[list[float]]] = {}
    for trial, epoch, position in neurons[["trial", "epoch", "position"]].itertuples(index=False):
        clouds.setdefault((trial, epoch), []).append(position)
    effective = {key: effective_dimension(np.array(cloud)) for key, cloud in clouds.items()}
    rows: list[dict[str, Any]] = []
    for one in sweep.table("trials").to_dict("records"):
        born = pd.notna(one["parent"])
        if born and one["move"] != "dimension_up":
            continue
        first = int(one["birth_epoch"]) if born else 0
        pace = "below" if one["position_learning_rate"] < SLOW else "from"
        kind = f"born so, position rate {pace} {SLOW}" if born else "founder"
        begun = {"kind": kind, "label": int(one["dimensions"])}
        own = {epoch - first: value for (n, epoch), value in effective.items() if n == one["trial"]}
        if born:
            own[0] = effective[int(one["parent"]), first]
        rows += [{**begun, "since": since, "effective": value} for since, value in own.items()]
    return rows


def dimension_table(found: pd.DataFrame) -> pd.DataFrame:
    """Mean effective dimension by label and epochs since birth, with the number of networks."""
    rows: dict[str, dict[str, str]] = {}
    for (label, kind), group in found[found["label"] > 1].groupby(["label", "kind"]):
        rows[f"{label}, {kind}"] = {
            f"after {since} epochs": f"{cell['effective'].mean():.2f} ({len(cell)})"
            for since, cell in group.groupby("since")
        }
    return pd.DataFrame(rows).sort_index().T.fillna("")


def draw(tasks: dict[str, dict[str, dict[int, Run]]]) -> bytes:
    """Best so far by epochs, and what evolution gains on test over each other arm, as PNG."""
    figure = new_figure(11, 4.6 * len(tasks))
    panels = figure.subplots(len(tasks), 2, squeeze=False)
    for (task, runs), (course, gain) in zip(tasks.items(), panels, strict=True):
        _draw_courses(course, runs)
        titled(course, f"{task}: best loss so far", 10)
        _draw_gains(gain, runs)
        titled(gain, "test accuracy of evolution's winner less that of", 10)
    return png(figure)


def _draw_courses(axes: Any, runs: dict[str, dict[int, Run]]) -> None:
    shown = [arm for arm in runs if arm not in ("upward", "front", "front_tpe", "annealed")]
    for arm, colour in zip(shown, (INK, *COLOURS, MUTED), strict=False):
        courses = np.array([one.course for one in runs[arm].values()])
        x = np.arange(1, courses.shape[1] + 1)
        axes.plot(x, courses.mean(0), color=colour, lw=2.2 if arm == "evolution" else 1.2, label=NAMES[arm])
        if arm == "evolution":
            low, high = zip(*map(mean_interval, courses.T), strict=True)
            axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_yscale("log")
    axes.set_xlabel("epochs of all networks")
    axes.set_ylabel("loss on validation")
    axes.legend(frameon=False, fontsize=7, labelcolor=INK)
    plain(axes)


def _draw_gains(axes: Any, runs: dict[str, dict[int, Run]]) -> None:
    others = [arm for arm in runs if arm != "evolution"]
    axes.axvline(0, color=FAINT)
    for place, arm in enumerate(reversed(others)):
        values = differences(runs["evolution"], runs[arm], "test")
        axes.plot(values, [place] * len(values), "o", color=FAINT, ms=4)
        axes.plot(mean_interval(np.array(values)), [place, place], color=COLOURS[0], lw=2)
        axes.plot(np.mean(values), place, "o", color=COLOURS[0])
    axes.set_yticks(range(len(others)), [NAMES[arm] for arm in reversed(others)])
    axes.set_xlabel("points; the interval of the mean, and each seed")
    plain(axes)


def main() -> None:
    """Print the tables, and draw the picture where one is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=range(max(one.seeds for one in TASKS.values()))
    )
    parser.add_argument("--out", type=Path, default=Path("runs/evolution"))
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    tasks = {task: runs for task in TASKS if "evolution" in (runs := read_runs(asked.out, task, asked.seeds))}
    for task, runs in tasks.items():
        print(f"\n## {task}")
        show(outcomes(runs), "arm")
        show(compared(runs, "evolution"), "evolution less")
        if "random" in runs:
            show(compared(runs, "random"), "random search less")
        show(dimension_table(dimensions(asked.out, task, asked.seeds)), "effective dimension")
    if asked.picture:
        asked.picture.write_bytes(draw(tasks))


if __name__ == "__main__":
    main()
