"""All combinations of values, once each."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from search.domains import Choice, Domain, Int, Value
from search.samplers.fixed import Given
from search.samplers.options import SamplerOptions
from search.samplers.strategy import Strategy
from search.space import Space

MOST = 100_000
"""Combinations in a grid at most."""


class Grid(Strategy):
    """Goes through the grid in an order that the seed shuffles, so that its first part covers it evenly.

    A continuous field has `steps` points, from end to end. Combinations that differ in fields which are not
    active are one.
    """

    def __init__(self, options: SamplerOptions, space: Space) -> None:
        super().__init__(options, space)
        points = list(grid(space, options.steps or 0))
        order = np.random.default_rng(options.seed).permutation(len(points))
        self._points = [points[n] for n in order]
        self.size = len(points)

    def sampler(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """See `Strategy`."""
        return Given(self.space, self._points[number % len(self._points)])


def grid(space: Space, steps: int) -> Iterator[dict[str, Value]]:
    """All combinations of values, by path; raises ValueError if they are more than `MOST`.

    >>> from search.domains import Int, Uniform
    >>> from search.space import Field
    >>> space = Space([Field("a.x", Uniform(0, 1), {"a.n": 2}), Field("a.n", Int(1, 2))])
    >>> list(grid(space, 3))
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
