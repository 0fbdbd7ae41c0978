"""Steps from bytes to bytes: what the optimiser forgets, what is recorded, what is refused."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from moved import SPLITS, WHERE, answers, trained
from safetensors.torch import load, save

from model import LearnerConfig
from model.moves import MOVES, MoveError, Step, apply_steps
from model.moves.fields import REFUSED, SETTABLE
from model.network.checkpoint import CheckpointError, unpack
from model.training.optimizer import make_optimizer
from model.training.trainer import Trainer

ROUTE = [
    Step("dimension_up"),
    Step("jitter", {"size": 1e-3}),
    Step("split", {"count": 2}),
    Step("remove", {"count": 1}),
    Step("dimension_down", {"limit_ms": 100.0}),
    Step("set", {"wiring_cost": 0.5, "learning_rate": 0.3, "relative_cost": True}),
]


@pytest.mark.parametrize("where", WHERE)
def test_a_route_is_repeated_from_its_record(where: dict[str, Any]) -> None:
    """The same bytes, twice and from what was recorded, through JSON and with another seed."""
    spatial = where["embedding"] in ("space", "fixed")
    route = ROUTE if spatial else [step for step in ROUTE if step.name in ("split", "remove", "set")]
    parent = trained(**where).checkpoint()
    moved = apply_steps(parent, route, 5)
    assert apply_steps(parent, route, 5) == moved
    told = json.loads(json.dumps([dataclasses.asdict(step) for step in moved.steps]))
    again = apply_steps(parent, [Step(**one) for one in told], 99)
    assert again == moved
    assert moved.config == unpack(moved.checkpoint)[0].config
    assert (moved.config.hidden, moved.config.wiring_cost) == (10, 0.5)
    child = Trainer.resume(moved.checkpoint, SPLITS)
    assert child.epoch == 1 and child.fault(child.run_epoch()) is None


def test_recorded_values_are_those_that_were_found() -> None:
    for step in apply_steps(trained().checkpoint(), ROUTE, 5).steps:
        assert set(MOVES[step.name].found) <= step.values.keys()


@pytest.mark.parametrize("where", WHERE)
def test_the_optimiser_forgets_what_changes_its_shape(where: dict[str, Any]) -> None:
    parent = trained(**where)
    checkpoint = parent.checkpoint()
    old = unpack(checkpoint)[2]
    assert old
    spatial = where["embedding"] in ("space", "fixed")
    steps = [Step("split", {"count": 1}), Step("remove", {"count": 1}), Step("set", {"wiring_cost": 0.1})]
    steps += [Step("dimension_up"), Step("jitter", {"size": 0.1})] if spatial else []
    places = {"positions", "input_positions"}
    wide = {"w_in", "w_rec", "w_out", "positions", "free_delays", "axonal_delays"}
    wide |= {"adaptation", "log_tau_adaptation", "log_tau_mem", "log_tau_syn"}
    changed = {"split": wide, "remove": wide, "dimension_up": places, "set": set(), "jitter": set()}
    for step in steps:
        new = unpack(apply_steps(checkpoint, [step], 0).checkpoint)[2]
        assert new.keys() == old.keys() - changed[step.name], step.name
        for name, state in new.items():
            assert all(torch.equal(value, state[key]) for key, value in old[name].items())
    back = [Step("split", {"count": 1}), Step("remove", {"count": 1})]
    assert unpack(apply_steps(checkpoint, back, 0).checkpoint)[2].keys() == old.keys() - wide


@pytest.mark.parametrize("where", WHERE)
def test_the_first_update_after_growth_is_no_longer_than_the_learning_rate(where: dict[str, Any]) -> None:
    """Of tensors that have grown; with the step count of its parent it would be longer."""
    parent = trained(**where)
    for state in parent.optimizer.state.values():
        state["step"].fill_(1000)
    spatial = where["embedding"] in ("space", "fixed")
    steps = [Step("split", {"count": 2})]
    steps += [Step("dimension_up"), Step("jitter", {"size": 1e-3})] if spatial else []
    moved = apply_steps(parent.checkpoint(), steps, 0)
    child = Trainer.resume(moved.checkpoint, SPLITS)
    before = {name: value.detach().clone() for name, value in child.net.named_parameters()}
    grown = [name for name in before if before[name].shape != parent.net.get_parameter(name).shape]
    found = child.optimizer.rates
    rates = {name: found[value] for name, value in child.net.named_parameters() if value in found}
    data = SPLITS.train
    child.splits = SPLITS._replace(train=data.subset(np.arange(8)))  # an epoch of one update
    child.run_epoch()
    moves = {name: (child.net.get_parameter(name) - before[name]).abs().max().item() for name in grown}
    assert {"w_in", "w_rec", "w_out"} <= moves.keys()
    for name in rates.keys() & moves.keys():
        assert 0 < moves[name] <= rates[name] * (1 + 1e-3), name


def test_a_child_has_the_learning_rates_of_its_own_configuration() -> None:
    step = Step("set", {"learning_rate": 0.7, "position_learning_rate": 0.5})
    moved = apply_steps(trained().checkpoint(), [step], 0)
    child = Trainer.resume(moved.checkpoint, SPLITS)
    rates = child.optimizer.rates
    assert rates[child.net.positions] == 0.5
    assert rates[child.net.b_out] == 0.7
    assert make_optimizer(child.net, SPLITS.train).rates == rates


@pytest.mark.parametrize("where", WHERE)
def test_setting_fields_of_training_changes_no_number(where: dict[str, Any]) -> None:
    parent = trained(**where).checkpoint()
    values = {
        "wiring_cost": 0.3,
        "target_rate": 7.0,
        "learning_rate": 0.01,
        "rate_cost": 0.1,
        "batch_size": 4,
    }
    moved = apply_steps(parent, [Step("set", values)], 0)
    assert {name: getattr(moved.config, name) for name in values} == values
    old, new = unpack(parent)[0].state_dict(), unpack(moved.checkpoint)[0].state_dict()
    assert all(torch.equal(old[name], new[name]) for name in old)
    data = SPLITS.validation
    assert torch.equal(answers(parent, data), answers(moved.checkpoint, data))


@pytest.mark.parametrize("learned", [False, True])
def test_another_delay_scale_stretches_delays(learned: bool) -> None:
    """Also those of networks that have learned a scale of their own, each from its own."""
    parent = trained(learn_delay_scale=learned).checkpoint()
    moved = apply_steps(parent, [Step("set", {"delay_scale": 7.5})], 0)
    old, new = unpack(parent)[0], unpack(moved.checkpoint)[0]
    floor = old.config.delay_floor
    torch.testing.assert_close(new.delays() - floor, 1.5 * (old.delays() - floor))
    assert torch.equal(old.positions, new.positions) and moved.config.delay_scale == 7.5
    if learned:
        scales = new.log_delay_scale.exp() / old.log_delay_scale.exp()
        assert scales.tolist() == pytest.approx([1.5, 1.5])
        assert not math.isclose(new.log_delay_scale[0].item(), new.log_delay_scale[1].item(), rel_tol=1e-6)


def test_every_field_can_be_set_or_says_why_not() -> None:
    names = [field.name for field in dataclasses.fields(LearnerConfig)]
    assert sorted([*SETTABLE, *REFUSED]) == sorted(names)
    parent = trained().checkpoint()
    for name, reason in REFUSED.items():
        with pytest.raises(MoveError, match=f"step 1, `set`: `{name}` can't be set: it {reason}"):
            apply_steps(parent, [Step("set", {name: 1})], 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"wiring_cots": 1.0}, "there is no such field; did you mean `wiring_cost`"),
        ({"wiring_cost": -1.0}, "`wiring_cost`: got -1.0, expected a number of at least 0"),
        ({"wiring_cost": "much"}, "`wiring_cost`: got 'much', expected a number of at least 0"),
        ({"cost_step": "gradient", "prune_zeros": True}, "`prune_zeros` needs true zeros"),
    ],
)
def test_values_that_are_not_legal_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(MoveError, match=message):
        apply_steps(trained().checkpoint(), [Step("set", values)], 0)


def test_the_best_epoch_and_patience_begin_at_birth() -> None:
    """What was reached by another configuration would end the child at once."""
    parent = trained(patience=1, keep="best")
    parent.run_epoch()
    child = Trainer.resume(apply_steps(parent.checkpoint(), [], 0).checkpoint, SPLITS)
    assert child.best.epochs == [2, 2] and child.best.costs == [math.inf] * 2 and not child.best.networks
    assert not child.finished
    child.run_epoch()
    assert child.best.epochs == [3, 3]


@pytest.mark.parametrize("harm", ["cut", "flipped", "foreign", "empty"])
def test_a_damaged_parent_is_told(harm: str) -> None:
    good = trained().checkpoint()
    flipped = bytearray(good)
    flipped[-100] ^= 1
    bad = {"cut": good[: len(good) // 2], "flipped": bytes(flipped), "foreign": b"PK\x03\x04" + bytes(99)}
    with pytest.raises(CheckpointError):
        apply_steps(bad.get(harm, b""), ROUTE, 0)


def test_a_checkpoint_of_an_earlier_version_has_the_ids_of_birth() -> None:
    """Networks, and the best of them, were written without."""
    trainer = trained(keep="best")
    good = trainer.checkpoint()
    length = int.from_bytes(good[:8], "little")
    header = json.loads(good[8 : 8 + length])["__metadata__"]
    tensors = {name: value for name, value in load(good).items() if "neuron_id" not in name}
    assert len(tensors) == len(load(good)) - 4
    old = save(tensors, {name: value for name, value in header.items() if name != "checksum"})
    net, _, _, best = unpack(old)
    assert net.neuron_id.tolist() == [list(range(9))] * 2 and net.next_neuron_id.tolist() == [9, 9]
    assert best.networks.keys() == net.state_dict().keys()
    assert apply_steps(old, ROUTE, 0).checkpoint == apply_steps(good, ROUTE, 0).checkpoint


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (3, {}, "`name`: got 3, expected text"),
        ("jitter", [], r"`values`: got \[\], expected values by name"),
        ("jitter", {"size": [1]}, r"'size' is \[1\], expected a number or text"),
        ("jitter", {"size": np.float64(1)}, "'size' is np.float64.* expected a number or text"),
        ("jitter", {"size": math.nan}, "`size` is nan, expected a finite number"),
    ],
)
def test_a_step_holds_what_json_can(name: Any, values: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Step(name, values)


def test_steps_that_make_no_sense_are_refused() -> None:
    parent = trained().checkpoint()
    with pytest.raises(MoveError, match="step 2, `jittr`: there is no such move; did you mean `jitter`"):
        apply_steps(parent, [Step("dimension_up"), Step("jittr")], 0)
    with pytest.raises(MoveError, match="`size` is missing"):
        apply_steps(parent, [Step("jitter")], 0)
    with pytest.raises(MoveError, match="expected a size above 0"):
        apply_steps(parent, [Step("jitter", {"size": 0})], 0)
    with pytest.raises(MoveError, match="`size`: it takes no values"):
        apply_steps(parent, [Step("dimension_up", {"size": 1})], 0)
    with pytest.raises(TypeError, match="`steps`: got 'jitter', expected a list of Step"):
        apply_steps(parent, "jitter", 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`seed`: got -1"):
        apply_steps(parent, [], -1)
