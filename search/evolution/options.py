"""What a sweep file says about evolution."""

from dataclasses import field
from typing import Annotated, Literal, get_args

from pydantic import Field, StrictBool, StrictFloat, StrictInt
from pydantic.dataclasses import dataclass

from search.samplers.options import CHECKED, Probability

Exploit = Literal["truncation", "tournament", "paired"]
EXPLOITS: tuple[Exploit, ...] = get_args(Exploit)
"""The names of the ways to find who is replaced, and by a child of whom."""


@dataclass(frozen=True, config=CHECKED)
class ExploreOptions:
    """How the searched fields of a child differ from its parent's."""

    perturb: Annotated[StrictFloat, Field(ge=1, le=10)] = 1.2
    """Factor by which a number is multiplied or divided; 1: it stays."""
    resample: Probability = 0.25
    """Probability that a field is drawn anew from its domain instead."""


@dataclass(frozen=True, config=CHECKED)
class MoveOptions:
    """Probabilities that a child is born by a change of its parent's structure instead of its fields."""

    dimension_up: Probability = 0.0
    """Probability of one more dimension of space."""
    dimension_down: Probability = 0.0
    """Probability of one dimension less."""
    split: Probability = 0.0
    """Probability of more neurons, by splitting some."""
    remove: Probability = 0.0
    """Probability of fewer neurons."""

    def __post_init__(self) -> None:
        total = sum(vars(self)[name] for name in STRUCTURAL)
        if total > 1 + 1e-9:
            raise ValueError(f"the probabilities add up to {total:g}, expected 1 at most; make them smaller")


STRUCTURAL = ("dimension_up", "dimension_down", "split", "remove")
"""The moves that change a network's structure."""


@dataclass(frozen=True, config=CHECKED)
class EvolutionOptions:
    """A population that trains together: members that fall behind make room for children of better ones."""

    population: Annotated[StrictInt, Field(ge=2)] = 8
    """Members that train at the same time, whatever the number of workers."""
    ready: Annotated[StrictInt, Field(ge=1)] = 5
    """Epochs between two points at which members are compared."""
    exploit: Exploit = "truncation"
    """Who is replaced: the lower quarter, by children of the upper one (`truncation`); whoever is worse than
    another, drawn at random (`tournament`); or only if it is so significantly, over replicates (`paired`)."""
    explore: ExploreOptions = field(default_factory=ExploreOptions)
    """How a child's searched fields differ from its parent's."""
    moves: MoveOptions = field(default_factory=MoveOptions)
    """Probabilities of changes of structure."""
    grace: Annotated[StrictInt, Field(ge=0)] = 1
    """Comparisons that a child survives whatever comes out."""
    synchronous: StrictBool = False
    """Whether all members are compared at once, when all have come to the same epoch."""
    distortion: Annotated[StrictFloat, Field(gt=0)] = 1.0
    """Change of delays (ms, mean over synapses by weight) up to which a dimension may be taken away."""
