"""Search semantics on top of optuna: spaces, objectives, samplers, ask and tell, early stopping."""

from search.ask_tell import Search, Suggestion
from search.domains import Choice, Domain, Int, Log, Uniform, Value
from search.objectives import Constraint, Objective, hypervolume, pareto_front
from search.plateau import recent_gain
from search.samplers import SAMPLERS, SamplerOptions, make_strategy, unsuitable
from search.space import Field, Space
from search.stopping import RULES, StoppingRule, make_rule

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
