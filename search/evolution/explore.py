"""How a child differs from its parent: one change of structure, or other values of the searched fields."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any

import numpy as np

from search.domains import Choice, Domain, Int, Log, Uniform, Value
from search.evolution.options import STRUCTURAL, EvolutionOptions
from search.space import Space

DIMENSIONS, HIDDEN = "learner.dimensions", "learner.hidden"
JITTER = 1e-3
"""Size of a random shift of positions where nothing else would tell child from parent (units of space)."""
SHARE = 0.1
"""Share of the neurons that a move adds or takes away, unless a choice names other numbers."""

Structure = Mapping[str, int | tuple[int, ...]]
"""Dimensions and neurons of a network by path; of several layers the size of each."""
StepRecord = dict[str, Any]
"""A step of a move, `name` and `values`, as JSON has it."""


@dataclass(frozen=True)
class Change:
    """What makes a child of a parent's network."""

    move: str
    """`perturb`, `resample` (at least a field is drawn anew), `copy`, or a change of structure by name."""
    values: dict[str, Value]
    """The child's values of the searched fields, by path."""
    structure: dict[str, int | tuple[int, ...]]
    """The child's dimensions and neurons, by path, as far as they are not searched."""
    steps: list[StepRecord]
    """What is done to the network, in order."""


def explore(
    space: Space,
    values: Mapping[str, Value],
    structure: Structure,
    options: EvolutionOptions,
    settable: Collection[str],
    rng: np.random.Generator,
    other: Mapping[str, Value] | None = None,
) -> Change:
    """A change of a parent, drawn at random.

    A change of structure that would leave the domain of its field is none; then fields are changed instead.

    Args:
        space: the searched fields, with no condition on what is fixed.
        values: the parent's, by path.
        structure: the parent's `learner.dimensions` and `learner.hidden`.
        options: probabilities and factors.
        settable: paths of the fields that a trained network may be given other values of.
        rng: all that is random.
        other: the values of a second parent; fields are changed from what a crossover gives.
    """
    drawn = rng.random()
    for name in STRUCTURAL:
        probability = vars(options.moves)[name]
        if drawn < probability:
            change = _restructured(name, space, values, structure, options.distortion, rng)
            if change is not None:
                return change
            break
        drawn -= probability
    start = values if other is None else crossed(space, values, other, settable, rng)
    return _other_fields(space, values, start, structure, options, settable, rng)


def crossed(
    space: Space,
    values: Mapping[str, Value],
    other: Mapping[str, Value],
    settable: Collection[str],
    rng: np.random.Generator,
) -> dict[str, Value]:
    """The fields of two parents mixed: each of the `settable` ones is that of either, with equal probability.

    Uniform crossover, Syswerda 1989. The others are the first parent's, whose networks the child inherits.
    What only one of the two has is taken from it.
    """
    mixed = dict(values)
    for path in space.paths:
        if path in settable and path in other and (path not in values or rng.random() < 0.5):
            mixed[path] = other[path]
    return space.active(mixed)


def _restructured(
    move: str,
    space: Space,
    values: Mapping[str, Value],
    structure: Structure,
    distortion: float,
    rng: np.random.Generator,
) -> Change | None:
    path, up = (DIMENSIONS if move.startswith("dimension") else HIDDEN), move in ("dimension_up", "split")
    domain = space.domain(path) if path in space.paths else None
    before = structure[path]
    if isinstance(before, tuple) and domain is not None:
        return None  # no other layers are among the options but by chance
    sizes = before if isinstance(before, tuple) else (before,)
    layer = int(rng.integers(len(sizes))) if len(sizes) > 1 else 0
    now = sizes[layer]
    wanted = _next_size(domain, now, up) if path == HIDDEN else now + (1 if up else -1)
    if wanted < 1 or wanted == now or (domain is not None and not domain.has(wanted)):
        return None
    steps: list[StepRecord] = [{"name": move, "values": {}}]
    if path == HIDDEN:
        steps[0]["values"] = {"count": abs(wanted - now), **({"layer": layer} if len(sizes) > 1 else {})}
    elif up:  # a coordinate that is zero everywhere has no gradient
        steps.append({"name": "jitter", "values": {"size": JITTER}})
    else:
        steps[0]["values"] = {"limit_ms": distortion}
    after = (*sizes[:layer], wanted, *sizes[layer + 1 :])
    changed = {**structure, path: after if len(after) > 1 else wanted}
    searched = {**values, **({path: wanted} if domain is not None else {})}
    return Change(move, searched, _unsearched(changed, space), steps)


def _next_size(domain: Domain | None, now: int, up: bool) -> int:
    """The next larger or smaller number of neurons."""
    if isinstance(domain, Choice):
        sizes = [one for one in domain.options if isinstance(one, int) and (one > now if up else one < now)]
        return (min(sizes) if up else max(sizes)) if sizes else now
    step = max(1, round(SHARE * now))
    wanted = now + step if up else now - step
    return min(max(wanted, domain.low), domain.high) if isinstance(domain, Int) else wanted


def _other_fields(
    space: Space,
    values: Mapping[str, Value],
    start: Mapping[str, Value],
    structure: Structure,
    options: EvolutionOptions,
    settable: Collection[str],
    rng: np.random.Generator,
) -> Change:
    """Other values of the searched fields than the parent's `values`, each found from `start`."""
    changed: dict[str, Value] = {}
    resampled = False
    for field in space.fields:
        known = field.path in start
        if not field.active(changed):
            continue
        if field.path not in settable:
            if known:
                changed[field.path] = start[field.path]
        elif not known or rng.random() < options.explore.resample:
            resampled = resampled or known
            changed[field.path] = field.domain.at(float(rng.random()))
        else:
            changed[field.path] = perturbed(field.domain, start[field.path], options.explore.perturb, rng)
    new = {path: value for path, value in changed.items() if path not in values or values[path] != value}
    if not new:  # it would train as its parent does, to the digit
        jitter = {"name": "jitter", "values": {"size": JITTER}}
        return Change("copy", changed, _unsearched(structure, space), [jitter])
    named = {path.rpartition(".")[2]: value for path, value in new.items()}
    move = "resample" if resampled else "perturb"
    return Change(move, changed, _unsearched(structure, space), [{"name": "set", "values": named}])


def perturbed(domain: Domain, value: Any, factor: float, rng: np.random.Generator) -> Value:
    """A value near `value` in the domain: times or over `factor`, and never beyond the domain's ends.

    Whole numbers move by one at least, a choice to another option. At an end of the domain the way is back.
    A number that a factor can't move, 0, moves by the share of the domain that the factor adds to 1. With a
    factor of 1 all stay.
    """
    up = bool(rng.random() < 0.5)
    if factor == 1:
        return value  # type: ignore[no-any-return]
    if isinstance(domain, Choice):
        others = [one for one in domain.options if one != value or type(one) is not type(value)]
        return others[rng.integers(len(others))] if others else value
    found = _moved(domain, value, factor, up)
    return _moved(domain, value, factor, not up) if _same(found, value) else found


def _moved(domain: Uniform | Log | Int, value: float, factor: float, up: bool) -> float | int:
    size = (domain.high - domain.low) * (factor - 1) if value == 0 else abs(value) * (factor - 1)
    if isinstance(domain, Int):
        steps = max(1, round(size))
        return int(min(max(value + steps if up else value - steps, domain.low), domain.high))
    if value == 0:
        wanted = size if up else -size
    else:
        wanted = value * factor if up == (value > 0) else value / factor
    return float(min(max(wanted, domain.low), domain.high))


def _same(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=1e-12)


def _unsearched(structure: Structure, space: Space) -> dict[str, int | tuple[int, ...]]:
    return {path: value for path, value in structure.items() if path not in space.paths}
