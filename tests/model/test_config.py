"""The configuration and its checked fields."""

import copy
import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

from model import LearnerConfig
from model.config import EMBEDDINGS
from model.fields import describe, field_fault, fields_of


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
        ("dt", True, "a number above 0"),
        ("dt", np.True_, "a number above 0"),
        ("patience", np.int64(3), "a whole number of at least 1 or null"),
        ("duration", -1.0, "a number above 0 or null"),
        ("embedding", "torus", "one of space, free, axonal, fixed, shuffled, none"),
        ("wiring_power", 3, "one of 0, 1, 2"),
        ("wiring_power", True, "one of 0, 1, 2"),
        ("wiring_power", 1.0, "one of 0, 1, 2"),
        ("augment_drop", 2, "a number of at least 0 and at most 1"),
        ("patience", 0, "a whole number of at least 1 or null"),
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
        ({"w_in_mean": 0.03}, "`w_in_sd` is missing beside `w_in_mean`; give both or neither"),
        ({"w_in_sd": 0.01}, "`w_in_mean` is missing beside `w_in_sd`"),
        ({"w_rec_sd": 0.02, "recurrent_gain": 0.3}, "`w_rec_sd` and `recurrent_gain` both say one thing"),
        ({"augment_blend_adds": True}, "`augment_blend_adds` has nothing to add; set `augment_blend`"),
        ({"cost_step": "gradient", "cost_on": "positions"}, "`cost_step` is how the cost acts on weights"),
        ({"cost_step": "gradient", "prune_zeros": True}, "`prune_zeros` needs true zeros"),
        ({"min_delay": 0}, "`min_delay`: got 0, expected at least one step, `dt`: no spike can arrive"),
        ({"autapses": True}, "`autapses`: got true, expected false: a self-connection without delay is but"),
    ],
)
def test_contradictions_are_named(values: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        LearnerConfig(**values)


def test_duration_must_be_whole_steps() -> None:
    assert LearnerConfig(dt=0.3, duration=3.0).steps == 10
    with pytest.raises(ValueError, match="whole number of steps"):
        _ = LearnerConfig(dt=0.3, duration=1.0).steps


def test_every_field_says_what_is_legal() -> None:
    for field in dataclasses.fields(LearnerConfig):
        assert "another value" not in describe(LearnerConfig, field.name)
        assert field_fault(LearnerConfig, field.name, field.default) is None


def test_every_field_is_described_for_a_schema() -> None:
    assert all(info.description for info in fields_of(LearnerConfig).values())


def test_values_by_position_and_unknown_names_are_named_as_well() -> None:
    with pytest.raises(ValueError, match=r"^LearnerConfig: `dimensions`: got 0, expected a whole number"):
        LearnerConfig(8, 0)
    unknown: dict[str, Any] = {"hiden": 8, "epochs": 0}
    with pytest.raises(ValueError, match="`hiden`: there is no such field; did you mean `hidden`") as error:
        LearnerConfig(**unknown)
    assert "`epochs`: got 0" in str(error.value)
    assert type(error.value) is ValueError
    with pytest.raises(TypeError):
        LearnerConfig(8, hidden=8)  # type: ignore[misc]


def test_whole_numbers_become_real_where_a_field_is() -> None:
    config = LearnerConfig(dt=1, duration=40)
    assert (type(config.dt), type(config.duration), type(config.hidden)) == (float, float, int)


def test_a_configuration_is_a_value() -> None:
    config = LearnerConfig(hidden=8, duration=40.0)
    for same in (
        dataclasses.replace(LearnerConfig(), hidden=8, duration=40.0),
        LearnerConfig(**dataclasses.asdict(config)),
        pickle.loads(pickle.dumps(config)),
        copy.deepcopy(config),
    ):
        assert same == config and hash(same) == hash(config)
    assert config != LearnerConfig(hidden=8)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.hidden = 9  # type: ignore[misc]
    with pytest.raises(ValueError, match=r"^LearnerConfig: `hidden`: got 0"):
        dataclasses.replace(config, hidden=0)
