"""Names of the measures of a trained network. Whoever needs only these loads no library for graphs."""

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
)
"""Names of the measures."""
SUFFIXES = ("ratio", "z", "p")
"""What is found of each against null networks."""
NULL_MEASURES: tuple[str, ...] = tuple(f"{name}_{suffix}" for name in MEASURES for suffix in SUFFIXES)
"""Names of what is found against nulls."""
