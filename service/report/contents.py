"""What stands in a report: every figure with its data, or a word why it is not there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from model.topology import MEASURES
from service.figures.curves import draw_by_size, draw_course, draw_curves
from service.figures.front import draw_best_so_far, draw_front
from service.figures.importance import draw_importance
from service.figures.lesions import draw_lesions
from service.figures.networks import draw_clouds, draw_delay_histograms, draw_inputs
from service.figures.parallel import draw_parallel
from service.figures.pruning import draw_pruning_by_group
from service.report.exemplars import Exemplar, delay_shares, input_map, places
from service.report.importance import LEAST_TRIALS, importances
from service.report.intervals import along
from service.report.labels import label, short, spans_decades
from service.report.sweep_data import FEW, SweepData

INTERVALS = (
    "Bars: 95 % intervals (Student's t) over trials where a place has several, else over the replicates of "
    "its one trial; none where there are less than three."
)
COURSE = ("accuracy", "train_accuracy", "wiring_length", "sparsity", "rate", "silent")


@dataclass(frozen=True)
class Drawn:
    """A figure: its files are named `name`."""

    name: str
    title: str
    caption: str
    figure: Figure
    data: pd.DataFrame


@dataclass(frozen=True)
class Absent:
    """A figure that can't be drawn."""

    title: str
    why: str


Item = Drawn | Absent


def contents(sweep_data: SweepData, exemplars: Sequence[Exemplar], leading: pd.DataFrame) -> Iterator[Item]:
    """The figures in the order of the page, drawn one by one.

    Args:
        study: the sweep.
        exemplars: whose networks are shown.
        leading: pruning curves of leading trials, shown where those of all trials were not recorded.
    """
    yield from overview(sweep_data)
    yield _performance(sweep_data)
    yield _measures(sweep_data, "measures", "What the networks became", "")
    yield _measures(sweep_data, "measures_z", "The same against chance", "_z")
    yield _size(sweep_data)
    yield _pruning(sweep_data, leading)
    yield _lesions(sweep_data)
    yield from _clouds(exemplars)
    yield from _inputs(exemplars)
    yield _course(sweep_data)


def overview(sweep_data: SweepData) -> Iterator[Item]:
    """The figures on the search as a whole: front, importance, parallel coordinates."""
    yield _front(sweep_data)
    yield _importance(sweep_data)
    yield _parallel(sweep_data)


def _groups(sweep_data: SweepData) -> list[str]:
    return sorted(sweep_data.trials["group"].unique())


def _log(sweep_data: SweepData, columns: Sequence[str]) -> list[str]:
    """Columns that a logarithmic axis shows better."""
    numbers = [
        c
        for c in columns
        if pd.api.types.is_numeric_dtype(sweep_data.trials[c]) and sweep_data.trials[c].notna().any()
    ]
    return [c for c in numbers if spans_decades(sweep_data.trials[c].dropna().to_numpy(float))]


def _front(sweep_data: SweepData) -> Item:
    metrics = [objective.metric for objective in sweep_data.objectives]
    columns = ["trial", "group", *sweep_data.fields, *metrics, *(f"{metric}_sem" for metric in metrics)]
    data = sweep_data.trials[columns].assign(front=sweep_data.trials["trial"].isin(sweep_data.front))
    if len(metrics) == 1:
        figure = draw_best_so_far(sweep_data.trials, sweep_data.objectives[0], label)
        caption = "Each trial with its standard error over replicates, and the best so far."
        return Drawn("best", "Best so far", caption, figure, data)
    caption = (
        "Every complete trial; those within the constraints that no other beats in all objectives are in "
        "colour, with standard errors over replicates and their numbers."
    )
    figure = draw_front(
        sweep_data.trials, sweep_data.front, sweep_data.objectives, label, _log(sweep_data, metrics)
    )
    return Drawn("front", "Pareto front", caption, figure, data)


def _importance(sweep_data: SweepData) -> Item:
    title = "Importance of the searched fields"
    if not sweep_data.fields:
        return Absent(title, "no searched field differs between complete trials")
    if len(sweep_data.trials) < LEAST_TRIALS:
        return Absent(title, f"takes {LEAST_TRIALS} complete trials, there are {len(sweep_data.trials)}")
    data = importances(sweep_data.trials, sweep_data.fields, [o.metric for o in sweep_data.objectives])
    if data.empty:
        return Absent(title, "the objectives are the same in all trials")
    caption = (
        "By how much R² of a random forest falls, on trials it has not seen, when the values of a field are "
        "shuffled; bars: standard errors over five folds. In brackets: R² of the forest. Where it is near 0 "
        "or below (pale), the forest has learned nothing, and its bars mean nothing."
    )
    return Drawn("importance", title, caption, draw_importance(data, short), data)


def _parallel(sweep_data: SweepData) -> Item:
    if not sweep_data.fields:
        return Absent("Parallel coordinates", "no searched field differs between complete trials")
    metrics = [objective.metric for objective in sweep_data.objectives]
    columns = [*sweep_data.fields, *(metric for metric in metrics if metric not in sweep_data.fields)]
    figure = draw_parallel(
        sweep_data.trials,
        sweep_data.fields,
        sweep_data.objectives,
        sweep_data.front,
        label,
        _log(sweep_data, columns),
    )
    caption = (
        f"A line a trial, coloured by {short(metrics[0])}; the Pareto front is heavier. "
        "A trial without a field passes below its axis."
    )
    return Drawn("parallel", "Parallel coordinates", caption, figure, sweep_data.trials[["trial", *columns]])


def _performance(sweep_data: SweepData) -> Item:
    wanted = ("accuracy", "test_accuracy", "sparsity", "wiring_length", "rate")
    return _along(
        sweep_data, "performance", "Accuracy and sparsity", [name for name in wanted if sweep_data.has(name)]
    )


def _measures(sweep_data: SweepData, name: str, title: str, suffix: str) -> Item:
    known = [measure + suffix for measure in MEASURES if sweep_data.has(measure + suffix)]
    if not known:
        why = "no nulls were recorded" if suffix else "no measure has been recorded"
        return Absent(title, why)
    return _along(sweep_data, name, title, known)


def _along(sweep_data: SweepData, name: str, title: str, outcomes: Sequence[str]) -> Item:
    """Outcomes along the axis of the study."""
    if sweep_data.x is None:
        return Absent(
            title, "no searched number differs between complete trials, so there is no axis to draw along"
        )
    x = sweep_data.x
    means = along(sweep_data.networks, x, outcomes)
    values = np.unique(sweep_data.networks[x].dropna().to_numpy(float))
    ticks = values.tolist() if len(values) <= FEW else None
    points = sweep_data.networks.groupby(["group", "trial"], as_index=False)[[x, *outcomes]].mean()
    log = spans_decades(values)
    figure = draw_curves(means, points, x, outcomes, _groups(sweep_data), label, log, ticks)
    by = (
        f", by {' and '.join(short(field) for field in sweep_data.grouped_by)}"
        if sweep_data.grouped_by
        else ""
    )
    pooled = (
        ""
        if ticks is not None
        else " Each dot is a trial; lines join means over ranges with as many trials each."
    )
    return Drawn(name, f"{title} against {short(x)}", f"Means{by}. {INTERVALS}{pooled}", figure, means)


def _size(sweep_data: SweepData) -> Item:
    title = "Accuracy against the number of parameters"
    if sweep_data.trials["parameters"].nunique() < 2:
        return Absent(title, "all networks have the same number of parameters")
    outcomes = [name for name in ("accuracy", "test_accuracy") if sweep_data.has(name)]
    columns = ["trial", "group", "parameters", *outcomes, *(f"{name}_sem" for name in outcomes)]
    log = bool(_log(sweep_data, ["parameters"]))
    figure = draw_by_size(sweep_data.trials, "parameters", outcomes, _groups(sweep_data), label, log)
    caption = (
        "A dot a trial, with its standard error over replicates. Synapses that do not exist do not count."
    )
    return Drawn("parameters", title, caption, figure, sweep_data.trials[columns])


def _pruning(sweep_data: SweepData, leading: pd.DataFrame) -> Item:
    title = "Accuracy as synapses are taken out"
    known, whose = sweep_data.pruning, "Of all complete trials"
    if known.empty and len(leading):
        known = leading.merge(sweep_data.trials[["trial", "group"]], on="trial")
        trials = ", ".join(map(str, sorted(known["trial"].unique())))
        whose = f"Of the leading trials ({trials}), which are the best of the sweep, not a sample of it"
    if known.empty:
        why = (
            "pruning curves are recorded of all trials with `record: {pruning: true}`, and of the very best "
            "when a sweep is over; there are none"
        )
        return Absent(title, why)
    parts = [along(rows, "share", ["accuracy"], each=True).assign(by=by) for by, rows in known.groupby("by")]
    means = pd.concat(parts, ignore_index=True)
    figure = draw_pruning_by_group(means, _groups(sweep_data))
    return Drawn("pruning", title, f"{whose}. {INTERVALS}", figure, means)


def _lesions(sweep_data: SweepData) -> Item:
    title, known = "Accuracy without some of the neurons", sweep_data.lesions
    if known.empty:
        return Absent(title, "lesions are recorded with `record: {lesions: true}`; there are none")
    first = sweep_data.objectives[0]
    ranked = sweep_data.trials[sweep_data.trials["trial"].isin(known["trial"])].sort_values(
        first.metric, ascending=first.goal == "min"
    )
    trial = int(ranked["trial"].iloc[0])
    shown = known[(known["trial"] == trial) & (known["replicate"] == known["replicate"].min())]
    caption = (
        f"Trial {trial}, the best one with lesions, replicate {shown['replicate'].iloc[0]}; the table "
        "`lesions` has all. Sets of neurons, with their sizes, that share a place, a module or a band of "
        "channels; right: random sets of the same size. Dots: at least 3 standard deviations of the random "
        "sets from their mean."
    )
    return Drawn("lesions", title, caption, draw_lesions(shown, f"{sweep_data.name}, trial {trial}"), shown)


def _clouds(exemplars: Sequence[Exemplar]) -> Iterator[Item]:
    clouds = [one.cloud for one in exemplars if one.cloud is not None]
    chosen = "The best trial of each group, and the best at the ends of the axis; replicate 0."
    if clouds:
        caption = (
            f"{chosen} Colour and shape: preferred class; area: rate; lines: the strongest synapses, "
            "orange for w > 0 and purple for w < 0."
        )
        yield Drawn("clouds", "Networks in space", caption, draw_clouds(clouds), places(exemplars))
    else:
        yield Absent("Networks in space", "no trial with positions has its networks kept")
    title = "Delays"
    if exemplars:
        histograms = [(one.title, one.delays, one.strength) for one in exemplars]
        caption = f"{chosen} Dotted: means."
        yield Drawn("delays", title, caption, draw_delay_histograms(histograms), delay_shares(exemplars))
    else:
        yield Absent(title, "no networks are kept")


def _inputs(exemplars: Sequence[Exemplar]) -> Iterator[Item]:
    title = "Where inputs go"
    ranked = sorted(exemplars, key=lambda one: one.rank)
    shown = next((one for one in ranked if one.cloud is not None), None)
    if shown is None or shown.cloud is None:
        yield Absent(title, "no trial with positions has its networks kept")
        return
    bands, channel = input_map(shown.w_in)
    data = pd.DataFrame({"neuron": range(len(channel)), "preferred_channel": channel, **bands})
    caption = (
        f"Trial {shown.trial}, replicate 0. Mean input weight from each fifth of the channels, and the "
        "channel of the greatest weight (smoothed over one in twenty channels)."
    )
    yield Drawn("inputs", title, caption, draw_inputs(shown.cloud, bands, channel), data)


def _course(sweep_data: SweepData) -> Item:
    several = sweep_data.course.groupby("trial")["epoch"].nunique().max() > 1
    measured = [
        m for m in MEASURES if several and m in sweep_data.course and sweep_data.course[m].notna().any()
    ]
    recorded = [name for name in COURSE if sweep_data.epochs[name].notna().any()]
    parts = [
        along(sweep_data.epochs, "epoch", recorded, each=True),
        along(sweep_data.course, "epoch", measured, each=True),
    ]
    means = pd.concat([part for part in parts if len(part)], ignore_index=True)
    figure = draw_course(means, [*recorded, *measured], _groups(sweep_data), label)
    caption = (
        "Means over trials; bands: 95 % intervals over trials, or over replicates where there is one trial."
    )
    return Drawn("course", "In the course of training", caption, figure, means)
