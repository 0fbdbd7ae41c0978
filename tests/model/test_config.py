"""The configuration and its checked fields."""

import dataclasses
from typing import Any

import pytest

from model import LearnerConfig
from model.config import EMBEDDINGS
from model.fields import describe, field_fault


def test_defaults_are_legal() -> None:
    assert LearnerConfig().embedding in EMBEDDINGS


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("hidden", 0, "a whole number of at least 1"),
        ("hidden", 3.0, "a whole number of at least 1"),
        ("hidden", True, "a whole number of at least 1"),
        ("dt", 0.0, "a number above 0"),
        ("dt", float("nan"), "a number above 0"),
        ("dt", "1", "a number above 0"),
        ("duration", -1.0, "a number above 0 or null"),
        ("embedding", "torus", "one of space, free, axonal, fixed, none"),
        ("wiring_power", 3, "one of 0, 1, 2"),
        ("wiring_power", True, "one of 0, 1, 2"),
    ],
)
def test_illegal_values_are_named_with_what_is_legal(field: str, value: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=f"`{field}`: got .*, expected {fault}"):
        LearnerConfig(**{field: value})


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"`hidden`.*`tau_mem`.*`epochs`"):
        LearnerConfig(hidden=0, tau_mem=-1.0, epochs=0)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"dt": 2.0, "min_delay": 1.0}, "`min_delay`: got 1, expected at least `dt` = 2"),
        ({"tau_mem": 5.0, "tau_syn": 5.0}, "`tau_mem` and `tau_syn` are both 5; make them differ"),
        ({"tau_mem": 5.0, "tau_syn": 5.001}, "`tau_mem` and `tau_syn` are 5 and 5.001; make them differ"),
        ({"dt": 1.0, "tau_syn": 0.01}, "`tau_mem` and `tau_syn`: got 0.01, expected at least"),
        ({"tau_syn_out": 20.0}, "`tau_mem_out` and `tau_syn_out` are both 20"),
    ],
)
def test_contradictions_are_named(values: dict[str, float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        LearnerConfig(**values)  # type: ignore[arg-type]


def test_duration_must_be_whole_steps() -> None:
    assert LearnerConfig(dt=0.3, duration=3.0).steps == 10
    with pytest.raises(ValueError, match="whole number of steps"):
        _ = LearnerConfig(dt=0.3, duration=1.0).steps


def test_every_field_says_what_is_legal() -> None:
    for field in dataclasses.fields(LearnerConfig):
        assert "another value" not in describe(LearnerConfig, field.name)
        assert field_fault(LearnerConfig, field.name, field.default) is None
