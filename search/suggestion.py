"""What a search suggests."""

from dataclasses import dataclass, field

from search.domains import Value


@dataclass(frozen=True)
class Suggestion:
    """Values to be tried, by path, as trial number `trial`.

    With `duplicate_of`, they are those of that trial, which is done, and nothing better could be found: take
    over its results instead of running it.
    """

    trial: int
    values: dict[str, Value]
    duplicate_of: int | None = None
    latent: dict[str, Value] = field(default_factory=dict)
    """Values of fields that are not active, which a sampler may need again."""
    number: int = 0
    """How many had been asked for before it, duplicates that were passed over included."""
