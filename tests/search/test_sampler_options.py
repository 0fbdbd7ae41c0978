"""Options of samplers, each by itself: their ranges."""

import dataclasses
import pickle
from typing import Any

import pytest

from search.samplers.options import TAKES, SamplerOptions


@pytest.mark.parametrize(
    ("option", "least"), [("population", 2), ("startup", 1), ("history", 10), ("steps", 2), ("seed", 0)]
)
def test_whole_numbers_begin_at_their_least(option: str, least: int) -> None:
    assert getattr(SamplerOptions(**{option: least}), option) == least  # type: ignore[arg-type]
    for illegal in (least - 1, float(least), True, str(least)):
        values: dict[str, Any] = {option: illegal}
        with pytest.raises(ValueError, match=option):
            SamplerOptions(**values)


@pytest.mark.parametrize("option", ["crossover", "mutation"])
def test_probabilities_are_from_0_to_1(option: str) -> None:
    for legal in (0, 0.5, 1.0, None):
        values: dict[str, Any] = {option: legal}
        assert getattr(SamplerOptions(**values), option) == legal
    for illegal in (-0.1, 1.5, float("nan"), True, "0.5"):
        values = {option: illegal}
        with pytest.raises(ValueError, match=option):
            SamplerOptions(**values)


def test_every_option_can_be_left_to_the_sampler() -> None:
    assert all(getattr(SamplerOptions(), option) is None for option in TAKES)


def test_options_are_values() -> None:
    options = SamplerOptions("tpe", startup=5)
    assert pickle.loads(pickle.dumps(options)) == options
    assert hash(dataclasses.replace(options, startup=5)) == hash(options)
    with pytest.raises(ValueError, match="startup"):
        dataclasses.replace(options, startup=0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.seed = 1  # type: ignore[misc]
