"""Search semantics on top of optuna: spaces, objectives, samplers, the study, early stopping."""

from search.objectives import Constraint, Objective, pareto_front
from search.samplers import SAMPLERS, make_sampler
from search.space import Choice, Domain, Field, Int, Log, Space, Uniform, Value
from search.stopping import RULES, Asha, NoStopping, StoppingRule, make_rule
from search.study import Search, Suggestion, journal_storage

__all__ = [
    "RULES",
    "SAMPLERS",
    "Asha",
    "Choice",
    "Constraint",
    "Domain",
    "Field",
    "Int",
    "Log",
    "NoStopping",
    "Objective",
    "Search",
    "Space",
    "StoppingRule",
    "Suggestion",
    "Uniform",
    "Value",
    "journal_storage",
    "make_rule",
    "make_sampler",
    "pareto_front",
]
