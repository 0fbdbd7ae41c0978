"""Which sampler, with which options, and which combinations make no sense."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field, StrictFloat, StrictInt, StrictStr
from pydantic.dataclasses import dataclass

from search.domains import Choice, Int
from search.objectives import Objective
from search.space import Space

SAMPLERS = ("random", "grid", "qmc", "tpe", "gp", "cmaes", "nsga2", "nsga3")
"""The names of all samplers."""
LEARNING = ("tpe", "gp", "cmaes", "nsga2", "nsga3")
"""The names of the samplers that learn from results, and so from earlier sweeps."""
TAKES = {
    "population": ("cmaes", "nsga2", "nsga3"),
    "crossover": ("nsga2", "nsga3"),
    "mutation": ("nsga2", "nsga3"),
    "startup": ("tpe", "gp"),
    "history": ("tpe", "gp"),
    "steps": ("grid",),
}
"""The samplers that take each option."""


CHECKED = ConfigDict(extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
"""How options are checked: there are no others, numbers are finite, and a JSON Schema has the docstrings.

Types are strict field by field: pydantic reads no dataclass that is strict as a whole from a mapping.
"""

Probability = Annotated[StrictFloat, Field(ge=0, le=1)]


@dataclass(frozen=True, config=CHECKED)
class SamplerOptions:
    """A sampler by name, with its options; None stands for the sampler's default.

    Raises pydantic's ValidationError, which is a ValueError, if an option is out of its range.
    """

    sampler: StrictStr = "tpe"
    """Name of the sampler, which suggests the configurations."""
    seed: Annotated[StrictInt, Field(ge=0)] = 0
    """Seed of all random numbers."""
    population: Annotated[StrictInt, Field(ge=2)] | None = None
    """Trials in a generation."""
    crossover: Probability | None = None
    """Probability that a child has two parents."""
    mutation: Probability | None = None
    """Probability that a child's field is drawn anew."""
    startup: Annotated[StrictInt, Field(ge=1)] | None = None
    """Trials drawn at random before the model is used."""
    history: Annotated[StrictInt, Field(ge=10)] | None = None
    """Trials that the model is made of at most."""
    steps: Annotated[StrictInt, Field(ge=2)] | None = None
    """Points along each continuous field."""


def unsuitable(
    options: SamplerOptions, space: Space, objectives: Sequence[Objective]
) -> list[tuple[str, str]]:
    """What does not go together: pairs of the option at fault, and the fault with its cure.

    Args:
        options: any.
        space: what is searched, with no condition on what is fixed.
        objectives: what for.
    """
    if options.sampler not in SAMPLERS:
        return [("sampler", f"got {options.sampler!r}, expected one of {', '.join(SAMPLERS)}")]
    found = [
        (option, f"goes with the samplers {', '.join(samplers)} only; leave it out")
        for option, samplers in TAKES.items()
        if getattr(options, option) is not None and options.sampler not in samplers
    ]
    found += [("sampler", fault) for fault in _unsuitable_space(options, space, objectives)]
    return found


def _unsuitable_space(options: SamplerOptions, space: Space, objectives: Sequence[Objective]) -> list[str]:
    continuous = [f.path for f in space.fields if not isinstance(f.domain, Choice | Int)]
    if options.sampler == "grid" and options.steps is None and continuous:
        return [
            f"grid needs points to try of `{continuous[0]}`, which is continuous; give `steps`, "
            "make it a choice, or use qmc"
        ]
    if options.sampler != "cmaes":
        return []
    return [
        *(
            f"cmaes needs fields with an order, and `{f.path}` is a choice; make it an int, or use tpe"
            for f in space.fields
            if isinstance(f.domain, Choice)
        ),
        *(
            f"cmaes searches all fields in every trial, and `{f.path}` has a condition; use tpe or nsga2"
            for f in space.fields
            if f.when
        ),
        *(["cmaes has nothing to search; use random"] if not space.fields else []),
        *(
            [f"cmaes follows a single objective, there are {len(objectives)}; use nsga2"]
            if len(objectives) > 1
            else []
        ),
    ]
