"""Search semantics on top of optuna: spaces, objectives, samplers, ask and tell, early stopping.

Names are loaded when first used: reading what a sweep searches for need not load any sampler.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.ask_tell import Search
    from search.domains import Choice, Domain, Int, Log, Uniform, Value
    from search.objectives import Constraint, Objective, hypervolume, pareto_front
    from search.plateau import recent_gain
    from search.samplers import SAMPLERS, SamplerOptions, make_strategy, unsuitable
    from search.space import Field, Space
    from search.stopping import RULES, StoppingRule, make_rule
    from search.suggestion import Suggestion

__all__ = [
    "RULES",
    "SAMPLERS",
    "Choice",
    "Constraint",
    "Domain",
    "Field",
    "Int",
    "Log",
    "Objective",
    "SamplerOptions",
    "Search",
    "Space",
    "StoppingRule",
    "Suggestion",
    "Uniform",
    "Value",
    "hypervolume",
    "make_rule",
    "make_strategy",
    "pareto_front",
    "recent_gain",
    "unsuitable",
]

_HOMES = {
    "ask_tell": ("Search",),
    "domains": ("Choice", "Domain", "Int", "Log", "Uniform", "Value"),
    "objectives": ("Constraint", "Objective", "hypervolume", "pareto_front"),
    "plateau": ("recent_gain",),
    "samplers": ("SAMPLERS", "SamplerOptions", "make_strategy", "unsuitable"),
    "space": ("Field", "Space"),
    "suggestion": ("Suggestion",),
    "stopping": ("RULES", "StoppingRule", "make_rule"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"search.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
