"""Measures of a trained network: its graph, its wiring, and how its function aligns with space.

Names are loaded when first used: most measures need libraries that take a second to load.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from model.topology.names import MEASURES, NULL_MEASURES

if TYPE_CHECKING:
    from model.topology.definitions import measures
    from model.topology.modularity import communities
    from model.topology.moran import morans_i
    from model.topology.responses import Responses, preferred_channel, preferred_time
    from model.topology.wiring import delay_histogram

__all__ = [
    "MEASURES",
    "NULL_MEASURES",
    "Responses",
    "communities",
    "delay_histogram",
    "measures",
    "morans_i",
    "preferred_channel",
    "preferred_time",
]

_HOMES = {
    "Responses": "responses",
    "communities": "modularity",
    "delay_histogram": "wiring",
    "measures": "definitions",
    "morans_i": "moran",
    "preferred_channel": "responses",
    "preferred_time": "responses",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"model.topology.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
