"""Names of the measures of a trained network. Whoever needs only these loads no library for graphs."""

from collections.abc import Iterable

MEASURES: tuple[str, ...] = (
    "modularity",
    "clustering",
    "global_efficiency",
    "global_efficiency_binary",
    "small_world_propensity",
    "wiring_efficiency",
    "inhibition_reach",
    "weight_entropy",
    "communicability_entropy",
    "input_position_r2",
    "input_position_r2_cv",
    "selectivity",
    "selectivity_moran",
    "module_space_ami",
    "module_class_ami",
    "space_class_ami",
    "field_moran",
    "field_space_mantel",
    "centroid_moran",
    "input_moran",
    "input_space_mantel",
    "input_centroid_moran",
    "class_space_mantel",
    "response_space_mantel",
    "preferred_time_moran",
    "rate_moran",
    "radius_time_correlation",
    "radius_rate_correlation",
    "channel_place_spread",
    "input_channel_place_spread",
)
"""Names of the measures."""
SHAPES: tuple[str, ...] = ("effective_dimension", "last_axis_share")
"""Names of what is said of positions alone; chance in weights or places leaves it: it has no null."""
WITHIN_SHELLS = frozenset(
    {
        "selectivity_moran",
        "field_moran",
        "field_space_mantel",
        "centroid_moran",
        "input_moran",
        "input_space_mantel",
        "input_centroid_moran",
        "class_space_mantel",
        "response_space_mantel",
        "preferred_time_moran",
        "rate_moran",
        "channel_place_spread",
        "input_channel_place_spread",
    }
)
"""Those that are compared with neurons swapped within shells of equal radius as well."""
SUFFIXES = ("ratio", "z", "p")
"""What is found of each against null networks."""
SHELL_SUFFIXES = ("z", "p")
"""What is found of those WITHIN_SHELLS beyond that, after `_shell`."""


def null_measures(names: Iterable[str] = MEASURES) -> tuple[str, ...]:
    """Names of what is found of the measures `names` against nulls.

    >>> null_measures(["clustering"])
    ('clustering_ratio', 'clustering_z', 'clustering_p')
    >>> null_measures(["preferred_time_moran"])[2:]
    ('preferred_time_moran_p', 'preferred_time_moran_shell_z', 'preferred_time_moran_shell_p')
    """
    found: list[str] = []
    for name in names:
        found += [f"{name}_{suffix}" for suffix in SUFFIXES]
        found += [f"{name}_shell_{suffix}" for suffix in SHELL_SUFFIXES if name in WITHIN_SHELLS]
    return tuple(found)


NULL_MEASURES = null_measures()
"""Names of what is found against nulls, of all measures."""
