"""What a sweep file says about evolution."""

from dataclasses import field
from typing import Annotated, Literal, get_args

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr
from pydantic.dataclasses import dataclass

from search.samplers.options import CHECKED, Probability

Exploit = Literal["truncation", "tournament", "paired"]
EXPLOITS: tuple[Exploit, ...] = get_args(Exploit)
"""The names of the ways to find who is replaced, and by a child of whom."""
Inherit = Literal["networks", "nothing"]


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


Range = Annotated[list[StrictFloat], Field(min_length=2, max_length=2)]
Cells = Annotated[StrictInt, Field(ge=1, le=100)]


@dataclass(frozen=True, config=CHECKED)
class ArchiveOptions:
    """A grid over two measures, each of whose cells keeps the best trial that falls into it."""

    measures: Annotated[dict[StrictStr, Range], Field(min_length=2, max_length=2)]
    """The two measures by name, each with its least and its largest value."""
    cells: Annotated[list[Cells], Field(min_length=2, max_length=2)] = field(default_factory=lambda: [8, 8])
    """Cells along the first measure and along the second."""
    offset: StrictFloat = 0.0
    """What an objective is counted from in the QD-score; of one that is made small, its negative."""
    remeasure: Annotated[StrictInt, Field(ge=0)] = 0
    """Networks with new seeds that measure each elite again in the end."""

    def __post_init__(self) -> None:
        for name, (low, high) in self.measures.items():
            if low >= high:
                raise ValueError(f"the range of `{name}` is [{low:g}, {high:g}]; give the lesser end first")


@dataclass(frozen=True, config=CHECKED)
class EvolutionOptions:
    """Trials that have children, which go on from their networks: members of a population that train together
    and make room if they fall behind, elites of an archive, or the best of a generation."""

    population: Annotated[StrictInt, Field(ge=2)] = 8
    """Members that train at the same time, whatever the number of workers; founders of an archive, or trials
    of a generation."""
    ready: Annotated[StrictInt, Field(ge=1)] = 5
    """Epochs between two points at which members are compared; of an archive or generations, those that a
    child trains for beyond its parent."""
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
    """Whether all members are compared at once, when all have come to the same epoch; of an archive or
    generations, whether as many trials as the population has are awaited before others are bred."""
    distortion: Annotated[StrictFloat, Field(gt=0)] = 1.0
    """Change of delays (ms, mean over synapses by weight) up to which a dimension may be taken away."""
    archive: ArchiveOptions | None = None
    """MAP-Elites: parents are the elites of an archive; None: they are not."""
    generations: StrictBool = False
    """Whether parents are those that the sampler, nsga2 or nsga3, selects for its next generation."""
    inherit: Inherit = "networks"
    """What a child has of its parent beside its fields: trained `networks`, or `nothing`."""

    @property
    def breeds(self) -> bool:
        """Whether trials are bred one by one, each trained to its end, in place of a population."""
        return self.archive is not None or self.generations

    @property
    def inherits(self) -> bool:
        """Whether children begin with their parents' networks."""
        return self.inherit == "networks"
