"""Which sampler, with which options, and which combinations make no sense."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from search.domains import Choice, Int
from search.objectives import Objective
from search.space import Space

SAMPLERS = ("random", "grid", "qmc", "tpe", "gp", "cmaes", "nsga2", "nsga3")
"""The names of all samplers."""
LEARNING = ("tpe", "gp", "cmaes", "nsga2", "nsga3")
"""Those that learn from results, and so from earlier sweeps."""
TAKES = {
    "population": ("cmaes", "nsga2", "nsga3"),
    "crossover": ("nsga2", "nsga3"),
    "mutation": ("nsga2", "nsga3"),
    "startup": ("tpe", "gp"),
    "history": ("tpe", "gp"),
    "steps": ("grid",),
}
"""The samplers that take each option."""


class SamplerOptions(BaseModel):
    """A sampler by name, with its options; None stands for the sampler's default."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    sampler: str = "tpe"
    seed: int = Field(default=0, ge=0)
    """Of all random numbers."""
    population: int | None = None
    """Trials in a generation."""
    crossover: float | None = None
    """Probability that a child has two parents."""
    mutation: float | None = None
    """Probability that a child's field is drawn anew."""
    startup: int | None = None
    """Trials drawn at random before the model is used."""
    history: int | None = None
    """Trials that the model is made of at most."""
    steps: int | None = None
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
    found += [
        (option, f"got {value}, expected at least {least}")
        for option, least in {"population": 2, "startup": 1, "history": 10, "steps": 2}.items()
        if (value := getattr(options, option)) is not None and value < least
    ]
    found += [
        (option, f"got {value:g}, expected a probability from 0 to 1")
        for option in ("crossover", "mutation")
        if (value := getattr(options, option)) is not None and not 0 <= value <= 1
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
