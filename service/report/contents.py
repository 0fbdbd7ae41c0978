"""What stands in a report: every figure with its data, or a word why it is not there."""

from collections.abc import Iterator, Sequence

import pandas as pd

from model.topology import MEASURES
from service.figures.curves import draw_bands
from service.figures.front import draw_best_so_far, draw_front
from service.figures.importance import draw_importance
from service.figures.lesions import draw_lesions
from service.figures.networks import draw_inputs
from service.figures.parallel import draw_parallel
from service.report.archive import archive_item
from service.report.exemplars import Exemplar, input_map
from service.report.importance import LEAST_TRIALS, importances
from service.report.intervals import ALL, LEAST, along, pooled_where_thin
from service.report.items import Absent, Drawn, Item, item
from service.report.labels import label, short
from service.report.lineages import evolution
from service.report.outcomes import draw_outcomes, groups_of, log_columns
from service.report.paper.registry import SHOWN, paper_figures
from service.report.paper.sources import Sources
from service.report.sweep_data import SweepData
from service.report.uncertainty import as_good_as_front, samples_of, total_errors

COURSE = ("accuracy", "train_accuracy", "wiring_length", "sparsity", "rate", "silent")


def contents(sweep_data: SweepData, exemplars: Sequence[Exemplar], leading: pd.DataFrame) -> Iterator[Item]:
    """The figures in the order of the page, drawn one by one.

    Args:
        sweep_data: the sweep.
        exemplars: whose networks are shown.
        leading: pruning curves of leading trials, shown where those of all trials were not recorded.
    """
    yield from overview(sweep_data)
    yield from paper_figures(Sources(sweep_data, exemplars, leading))
    others = [name for name in MEASURES if name not in SHOWN]
    yield _measures(sweep_data, "measures", "Other measures of the networks", others)
    yield _measures(sweep_data, "measures_z", "All measures against chance", [f"{m}_z" for m in MEASURES])
    yield _lesions(sweep_data)
    yield _inputs(exemplars)
    yield _course(sweep_data)


def overview(sweep_data: SweepData) -> Iterator[Item]:
    """The figures on the search as a whole: front, population, archive, importance, parallel coordinates."""
    yield _front(sweep_data)
    if sweep_data.evolved is not None:
        yield from evolution(sweep_data.evolved)
    if sweep_data.archive is not None:
        yield archive_item(sweep_data.archive, sweep_data.objectives[0].metric)
    yield _importance(sweep_data)
    yield _parallel(sweep_data)


def _front(sweep_data: SweepData) -> Item:
    metrics = [objective.metric for objective in sweep_data.objectives]
    columns = ["trial", "group", *sweep_data.fields, *metrics, *(f"{metric}_sem" for metric in metrics)]
    data = sweep_data.trials[columns].assign(front=sweep_data.trials["trial"].isin(sweep_data.front))
    if len(metrics) == 1:
        figure = draw_best_so_far(sweep_data.trials, sweep_data.objectives[0], label)
        caption = "Each trial with its standard error over replicates, and the best so far."
        return Drawn("best", "Best so far", caption, figure, data)
    samples, trials = samples_of(sweep_data.data), sweep_data.trials
    leading = trials[trials["trial"].isin(sweep_data.front)]
    alike = as_good_as_front(trials, leading, sweep_data.objectives, samples)
    errors = {f"{metric}_error": total_errors(trials, metric, samples) for metric in metrics}
    counts = [f"the {count} samples of {short(name)}" for name, count in samples.items() if name in metrics]
    caption = (
        "Every complete trial; those within the constraints that no other beats in all objectives are in "
        "colour, with their numbers and standard errors over "
        f"{' and '.join(['replicates', *counts])}. Hollow: trials that can't be told from the front."
    )
    figure = draw_front(
        trials.assign(**errors),
        sweep_data.front,
        sweep_data.objectives,
        label,
        log_columns(sweep_data, metrics),
        alike,
    )
    data = data.assign(**errors, like_front=data["trial"].isin(alike))
    return Drawn("front", "Pareto front", caption, figure, data)


def _importance(sweep_data: SweepData) -> Item:
    title = "Importance of the searched fields"
    if not sweep_data.fields:
        return Absent(title, "no searched field differs between complete trials")
    trials = sweep_data.trials[sweep_data.explained]
    if len(trials) < LEAST_TRIALS:
        return Absent(title, f"takes {LEAST_TRIALS} complete trials, there are {len(trials)}")
    data = importances(trials, sweep_data.fields, [o.metric for o in sweep_data.objectives])
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
        log_columns(sweep_data, columns),
    )
    caption = (
        f"A line a trial, coloured by {short(metrics[0])}; the Pareto front is heavier. "
        "A trial without a field passes below its axis."
    )
    return Drawn("parallel", "Parallel coordinates", caption, figure, sweep_data.trials[["trial", *columns]])


def _measures(sweep_data: SweepData, name: str, title: str, wanted: Sequence[str]) -> Item:
    known = [measure for measure in wanted if sweep_data.has(measure)]
    if not known:
        why = (
            "no nulls were recorded; `record: {nulls: 50}` does" if name.endswith("_z") else "there are none"
        )
        return Absent(title, why)
    return item(name, title, draw_outcomes(sweep_data, known))


def _lesions(sweep_data: SweepData) -> Item:
    title, known = "Accuracy without some of the neurons", sweep_data.lesions
    known = known[known["kind"] != "random"] if len(known) else known
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


def _inputs(exemplars: Sequence[Exemplar]) -> Item:
    title = "Where inputs go"
    ranked = sorted(exemplars, key=lambda one: one.rank)
    shown = next((one for one in ranked if one.cloud is not None), None)
    if shown is None or shown.cloud is None:
        return Absent(title, "no trial with positions has its networks kept")
    bands, channel = input_map(shown.w_in)
    data = pd.DataFrame({"neuron": range(len(channel)), "preferred_channel": channel, **bands})
    caption = (
        f"Trial {shown.trial}, replicate 0. Mean input weight from each fifth of the channels, and the "
        "channel of the greatest weight (smoothed over one in twenty channels)."
    )
    return Drawn("inputs", title, caption, draw_inputs(shown.cloud, bands, channel), data)


def _course(sweep_data: SweepData) -> Item:
    several = sweep_data.course.groupby("trial")["epoch"].nunique().max() > 1
    measured = [
        m for m in MEASURES if several and m in sweep_data.course and sweep_data.course[m].notna().any()
    ]
    recorded = [name for name in COURSE if sweep_data.epochs[name].notna().any()]
    epochs, course, groups = sweep_data.epochs, sweep_data.course, groups_of(sweep_data)
    if pooled_where_thin(sweep_data.networks, sweep_data.x) is not sweep_data.networks:
        epochs, course, groups = epochs.assign(group=ALL), course.assign(group=ALL), [ALL]
    parts = [along(epochs, "epoch", recorded, each=True), along(course, "epoch", measured, each=True)]
    means = pd.concat([part for part in parts if len(part)], ignore_index=True)
    figure = draw_bands(means, "epoch", [*recorded, *measured], groups, label)
    caption = (
        "Means over trials; bands: 95 % intervals (bootstrap) over trials, or over replicates where there is "
        f"one trial; none where there are less than {LEAST}."
    )
    return Drawn("course", "In the course of training", caption, figure, means)
