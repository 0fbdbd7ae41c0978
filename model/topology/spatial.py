"""Measures of what sits where: each is how far places and neurons match, see `model.topology.swaps.Match`."""

from collections.abc import Callable, Mapping

from model.arrays import Floats
from model.topology.fields import banded, centroid_and_width, channel_place_spread
from model.topology.mantel import mantel, radius_rank
from model.topology.moran import field_moran, moran
from model.topology.swaps import Match
from model.topology.trained import Trained

Features = Callable[[Trained], Floats | None]
Matching = Callable[[Floats, Floats], Match | None]


def _fields(trained: Trained) -> Floats | None:
    return trained.fields


def _bands(trained: Trained) -> Floats | None:
    return None if trained.fields is None else banded(trained.fields)


def _centroids(trained: Trained) -> Floats | None:
    return None if trained.fields is None else centroid_and_width(trained.fields)[0]


def _weights(trained: Trained) -> Floats | None:
    return trained.input_weights


def _weight_bands(trained: Trained) -> Floats | None:
    return None if (weights := trained.input_weights) is None else banded(weights)


def _weight_centroids(trained: Trained) -> Floats | None:
    return None if (weights := trained.input_weights) is None else centroid_and_width(weights)[0]


def _times(trained: Trained) -> Floats | None:
    return trained.times


def _rates(trained: Trained) -> Floats | None:
    return None if trained.responses is None else trained.responses.rate


def _selectivity(trained: Trained) -> Floats | None:
    return None if trained.responses is None else trained.responses.selectivity


def _classes(trained: Trained) -> Floats | None:
    return None if trained.responses is None else trained.responses.class_profile


def _samples(trained: Trained) -> Floats | None:
    return None if trained.responses is None else trained.responses.sample_profile


_DEFINITIONS: Mapping[str, tuple[Matching, Features]] = {
    "selectivity_moran": (moran, _selectivity),
    "field_moran": (field_moran, _bands),
    "field_space_mantel": (mantel, _bands),
    "centroid_moran": (moran, _centroids),
    "input_moran": (field_moran, _weight_bands),
    "input_space_mantel": (mantel, _weight_bands),
    "input_centroid_moran": (moran, _weight_centroids),
    "class_space_mantel": (mantel, _classes),
    "response_space_mantel": (mantel, _samples),
    "preferred_time_moran": (moran, _times),
    "rate_moran": (moran, _rates),
    "radius_time_correlation": (radius_rank, _times),
    "radius_rate_correlation": (radius_rank, _rates),
    "channel_place_spread": (channel_place_spread, _fields),
    "input_channel_place_spread": (channel_place_spread, _weights),
}
"""Every such measure: what is asked of the neurons' features, and which these are."""

SPATIAL = tuple(_DEFINITIONS)


def match(name: str, trained: Trained) -> Match | None:
    """The measure `name` of SPATIAL in a network; None where something that it needs is not known."""
    matching, features = _DEFINITIONS[name]
    found = features(trained)
    return None if found is None or trained.positions is None else matching(found, trained.positions)
