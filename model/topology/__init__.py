"""Measures of a trained network: its graph, its wiring, and how its function aligns with space."""

from model.topology.measures import MEASURES, NULL_MEASURES, measures
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
