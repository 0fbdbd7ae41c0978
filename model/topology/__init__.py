"""Measures of a trained network: its graph, its wiring, and how its function aligns with space.

Names are loaded when first used: most measures need libraries that take a second to load.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from model.topology.names import MEASURES, NULL_MEASURES, SHAPES, null_measures

if TYPE_CHECKING:
    from model.topology.definitions import measures
    from model.topology.delay_graph import DelayGraph, delay_graphs
    from model.topology.fields import (
        centroid_and_width,
        channel_places,
        preferred_channel,
        receptive_fields,
        strongest_channel,
    )
    from model.topology.modularity import communities
    from model.topology.moran import morans_i
    from model.topology.responses import Responses, preferred_time
    from model.topology.shape import effective_dimension, last_axis_share
    from model.topology.swaps import radius
    from model.topology.wiring import delay_histogram

__all__ = [
    "MEASURES",
    "NULL_MEASURES",
    "SHAPES",
    "DelayGraph",
    "Responses",
    "centroid_and_width",
    "channel_places",
    "communities",
    "delay_graphs",
    "delay_histogram",
    "effective_dimension",
    "last_axis_share",
    "measures",
    "morans_i",
    "null_measures",
    "preferred_channel",
    "preferred_time",
    "radius",
    "receptive_fields",
    "strongest_channel",
]

_HOMES = {
    "DelayGraph": "delay_graph",
    "Responses": "responses",
    "centroid_and_width": "fields",
    "channel_places": "fields",
    "communities": "modularity",
    "delay_graphs": "delay_graph",
    "delay_histogram": "wiring",
    "effective_dimension": "shape",
    "last_axis_share": "shape",
    "measures": "definitions",
    "morans_i": "moran",
    "preferred_channel": "fields",
    "preferred_time": "responses",
    "radius": "swaps",
    "receptive_fields": "fields",
    "strongest_channel": "fields",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"model.topology.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
