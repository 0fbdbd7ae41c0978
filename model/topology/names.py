"""Names of the measures of a trained network. Whoever needs only these loads no library for graphs."""

from collections.abc import Iterable

MEASURES: tuple[str, ...] = (
    "modularity",
    "clustering",
    "global_efficiency",
    "global_efficiency_binary",
    "small_world_propensity",
    "wiring_efficiency",
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
    "field_mantel",
    "field_centroid_moran",
    "input_moran",
    "input_mantel",
    "input_centroid_moran",
    "class_mantel",
    "response_mantel",
    "time_moran",
    "rate_moran",
    "radius_time",
    "radius_rate",
    "channel_spread",
    "input_channel_spread",
)
"""Names of the measures."""
WITHIN_SHELLS = frozenset(
    {
        "selectivity_moran",
        "field_moran",
        "field_mantel",
        "field_centroid_moran",
        "input_moran",
        "input_mantel",
        "input_centroid_moran",
        "class_mantel",
        "response_mantel",
        "time_moran",
        "rate_moran",
        "channel_spread",
        "input_channel_spread",
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
    >>> null_measures(["time_moran"])[2:]
    ('time_moran_p', 'time_moran_shell_z', 'time_moran_shell_p')
    """
    found: list[str] = []
    for name in names:
        found += [f"{name}_{suffix}" for suffix in SUFFIXES]
        found += [f"{name}_shell_{suffix}" for suffix in SHELL_SUFFIXES if name in WITHIN_SHELLS]
    return tuple(found)


NULL_MEASURES = null_measures()
"""Names of what is found against nulls, of all measures."""
