"""What networks can do and what became of them, against what was searched: figures 5, 7, 8 and 10 to 12."""

from service.figures.curves import draw_by_size
from service.report.items import Plot
from service.report.labels import label
from service.report.outcomes import draw_outcomes, groups_of, log_columns
from service.report.paper.sources import Sources

LEAST_RATIO = 1.1
"""Of the most to the fewest parameters: below it their number explains nothing."""


def measure(name: str, sources: Sources) -> Plot | str:
    """Figures 5 and 10 to 12: one measure of the networks along the axis."""
    if not sources.sweep_data.has(name):
        return "it was not recorded"
    return draw_outcomes(sources.sweep_data, [name])


def performance(sources: Sources) -> Plot | str:
    """Figure 8: accuracy and sparsity, with wiring length and rate."""
    wanted = ("accuracy", "test_accuracy", "sparsity", "wiring_length", "rate")
    return draw_outcomes(sources.sweep_data, [name for name in wanted if sources.sweep_data.has(name)])


def size(sources: Sources) -> Plot | str:
    """Figure 7: accuracy against the number of parameters."""
    data = sources.sweep_data
    least, most = data.trials["parameters"].min(), data.trials["parameters"].max()
    if not most >= LEAST_RATIO * least:  # nothing known counts as well
        return f"all networks have nearly the same number of parameters ({least:,.0f} to {most:,.0f})"
    outcomes = [name for name in ("accuracy", "test_accuracy") if data.has(name)]
    if not outcomes:
        return "no accuracy on held-out samples was recorded"
    columns = ["trial", "group", "parameters", *outcomes, *(f"{name}_sem" for name in outcomes)]
    log = bool(log_columns(data, ["parameters"]))
    figure = draw_by_size(data.trials, "parameters", outcomes, groups_of(data), label, log)
    caption = (
        "A dot a trial, with its standard error over replicates. Synapses that do not exist do not "
        "count; input and output weights do, which the paper leaves out."
    )
    return Plot(figure, data.trials[columns], caption)
