"""Every figure of the paper by its number: what it shows, what it needs, and what draws it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from service.report.items import Absent, Item, Plot, item
from service.report.paper import delays, graphs, inputs, measures, space
from service.report.paper.sources import Sources


class PaperFigure(NamedTuple):
    """One figure of the paper."""

    number: str
    title: str
    needs: str
    """What a sweep must have for it, in words."""
    draw: Callable[[Sources], Plot | str]
    """Returns the figure, or in words what is missing."""
    measures: tuple[str, ...] = ()
    """The measures of networks that it shows."""


_NETWORKS = "networks with positions (`embedding: space` or `fixed`) that are kept (`record.networks`)"
_GRAPHS = "`record: {delay_graph: true}`"
_AXIS = "a searched field, such as `learner.wiring_cost` or `learner.embedding`"


def _nulls(name: str) -> str:
    return f"`record: {{nulls: 50}}`, with `{name}` in `record.compared` if that is given, and {_AXIS}"


def _measure(number: str, title: str, name: str, of: str, needs: str) -> PaperFigure:
    """A figure of one column of `topology`, which is the measure `of` or is made of it."""
    draw = partial(measures.measure, name)
    return PaperFigure(number, title, needs, draw, (of,) if name == of else ())


FIGURES = (
    PaperFigure(
        "1E",
        "Positions over the epochs",
        f"{_NETWORKS}, are learned (`space`), and have two snapshots (`record.snapshots`)",
        space.epochs,
    ),
    PaperFigure(
        "2A",
        "Positions from input weights",
        f"networks with positions, nulls for what chance gives, and {_AXIS}",
        inputs.regression,
        ("input_position_r2", "input_position_r2_cv"),
    ),
    PaperFigure("2C", "Places of channels by input weights", _NETWORKS, inputs.by_weights),
    PaperFigure(
        "2D", "Places of channels by spikes", f"{_NETWORKS}, and the data of the sweep", inputs.by_spikes
    ),
    PaperFigure(
        "3",
        "Radius and preferred time",
        f"{_NETWORKS}, and the columns `radius` and `preferred_time` of `neurons`, which sweeps of earlier "
        "versions do not have",
        inputs.radius_and_time,
    ),
    PaperFigure("4A", "Networks in space", _NETWORKS, space.clouds),
    PaperFigure("4B", "Strength by delay", "networks that are kept (`record.networks`)", delays.strength),
    _measure("5A", "Modularity", "modularity", "modularity", _AXIS),
    _measure("5B", "Clustering against chance", "clustering_ratio", "clustering", _nulls("clustering")),
    _measure("5C", "Wiring efficiency", "wiring_efficiency", "wiring_efficiency", _AXIS),
    PaperFigure(
        "6A", "Accuracy as synapses are taken out",
        "`record: {pruning: true}`; else it is drawn of the very best when a sweep is over",
        graphs.pruning,
    ),
    PaperFigure("6B", "Delays", "networks that are kept (`record.networks`)", delays.histograms),
    PaperFigure("6C", "Modularity of the shortest delays", _GRAPHS, graphs.modularity),
    PaperFigure("6D", "Clustering of the shortest delays", _GRAPHS, graphs.clustering),
    PaperFigure(
        "7",
        "Accuracy against the number of parameters",
        "networks of several sizes, such as of several `learner.hidden` or `learner.embedding`",
        measures.size,
    ),
    PaperFigure("8", "Accuracy and sparsity", _AXIS, measures.performance),
    PaperFigure("9", "Path length of the shortest delays", _GRAPHS, graphs.efficiency),
    _measure(
        "10", "Path length against chance", "global_efficiency_ratio", "global_efficiency",
        _nulls("global_efficiency"),
    ),
    _measure("11", "Entropy of weights", "weight_entropy", "weight_entropy", _AXIS),
    _measure(
        "12", "Entropy of communicability", "communicability_entropy", "communicability_entropy", _AXIS
    ),
)  # fmt: skip

SHOWN = frozenset(name for figure in FIGURES for name in figure.measures)
"""Measures that a figure of the paper shows as they are."""


def paper_figures(sources: Sources) -> Iterator[Item]:
    """The figures of the paper in the order of their numbers, drawn one by one; files bear the number."""
    for figure in FIGURES:
        found = item(
            f"figure_{figure.number}", f"Figure {figure.number}: {figure.title}", figure.draw(sources)
        )
        yield (
            Absent(found.title, f"{found.why}; it needs {figure.needs}")
            if isinstance(found, Absent)
            else found
        )
