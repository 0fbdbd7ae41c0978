"""All combinations of the values of a space."""

from collections.abc import Iterator, Mapping

from search.domains import Choice, Domain, Int, Value
from search.space import Space

MOST = 100_000
"""Combinations in a grid at most."""


def combinations(space: Space, steps: int) -> Iterator[dict[str, Value]]:
    """All combinations of values, by path; raises ValueError if they are more than `MOST`.

    >>> from search.domains import Int, Uniform
    >>> from search.space import Field
    >>> space = Space([Field("a.x", Uniform(0, 1), {"a.n": 2}), Field("a.n", Int(1, 2))])
    >>> list(combinations(space, 3))
    [{'a.n': 1}, {'a.n': 2, 'a.x': 0.0}, {'a.n': 2, 'a.x': 0.5}, {'a.n': 2, 'a.x': 1.0}]
    """
    for counted, combination in enumerate(_combinations(space, steps, {}, 0)):
        if counted == MOST:
            raise ValueError(
                f"`sampler`: the grid has more than {MOST:,} combinations; take fewer steps, or use qmc"
            )
        yield combination


def _combinations(
    space: Space, steps: int, chosen: Mapping[str, Value], depth: int
) -> Iterator[dict[str, Value]]:
    """`chosen` with all combinations of the fields from `depth` on."""
    if depth == len(space.fields):
        yield dict(chosen)
        return
    field = space.fields[depth]
    if not field.active(chosen):
        yield from _combinations(space, steps, chosen, depth + 1)
        return
    for value in _points(field.domain, steps):
        yield from _combinations(space, steps, {**chosen, field.path: value}, depth + 1)


def _points(domain: Domain, steps: int) -> list[Value]:
    if isinstance(domain, Choice):
        return list(domain.options)
    if isinstance(domain, Int):
        return list(range(domain.low, domain.high + 1))
    return [domain.at(n / (steps - 1)) for n in range(steps)]
