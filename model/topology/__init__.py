"""Measures of a trained network: its communities and its wiring, against shuffled networks."""

from model.topology.measures import MEASURES, measures
from model.topology.modularity import communities

__all__ = ["MEASURES", "communities", "measures"]
