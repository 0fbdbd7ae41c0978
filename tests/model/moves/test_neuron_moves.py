"""Moves that split and remove neurons: what they keep, which neurons they take, and their ids."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from moved import SPLITS, WHERE, answers, as_double, grazes, trained

from model.moves import MoveError, Step, apply_steps
from model.moves.neurons import AXES
from model.network.checkpoint import unpack
from model.training.trainer import Trainer

DATA = SPLITS.validation


@pytest.mark.parametrize("where", WHERE)
def test_every_tensor_with_an_axis_of_neurons_is_known(where: dict[str, Any]) -> None:
    """Found by its length, which nothing else has."""
    net = trained(**where, hidden=11).net
    for name, value in net.state_dict().items():
        assert AXES.get(name, ()) == tuple(k for k, size in enumerate(value.shape) if size == 11), name


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("share", [0.5, 0.7])
def test_split_neurons_answer_as_one(where: dict[str, Any], share: float) -> None:
    """Neighbours are split together, and what lies between them is shared right, too."""
    parent = as_double(trained(**where).checkpoint())
    assert not grazes(parent, DATA)
    before = answers(parent, DATA)
    for count in (1, 4, 9):
        moved = apply_steps(parent, [Step("split", {"count": count, "share": share})], 0)
        assert moved.config.hidden == 9 + count
        torch.testing.assert_close(answers(moved.checkpoint, DATA), before, rtol=0, atol=1e-12)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_any_neurons_split_by_any_share_answer_as_one(data: st.DataObject) -> None:
    parent = as_double(trained().checkpoint())
    assume(not grazes(parent, DATA))
    chosen = [data.draw(st.lists(st.integers(0, 8), min_size=3, max_size=3, unique=True)) for _ in range(2)]
    share = data.draw(st.floats(0.01, 0.99))
    values: dict[str, int | float | str] = {"count": 3, "share": share, "neurons": json.dumps(chosen)}
    moved = apply_steps(parent, [Step("split", values)], 0)
    torch.testing.assert_close(answers(moved.checkpoint, DATA), answers(parent, DATA), rtol=0, atol=1e-12)
    net = unpack(moved.checkpoint)[0]
    for r, own in enumerate(chosen):
        for k, first in enumerate(own):
            second = 9 + k
            assert torch.equal(net.positions[r, first], net.positions[r, second])
            assert net.mask[r, first, second] and net.mask[r, second, first]
            assert net.w_rec[r, first, second] == net.w_rec[r, second, first] == 0
        assert not net.mask[r].diagonal().any()


def test_what_a_split_does_not_keep() -> None:
    """Only the logits: with a twin there is another mean rate, and more wiring, of incoming synapses."""
    trainer = trained()
    child = unpack(apply_steps(trainer.checkpoint(), [Step("split", {"count": 9})], 0).checkpoint)[0]
    assert (child.wiring_length() > 1.5 * trainer.net.wiring_length()).all()


def silenced() -> tuple[Trainer, np.ndarray]:
    """Networks three of whose neurons never spike, and the rates [R, N] of all."""
    trainer = trained()
    with torch.no_grad():
        for r, quiet in enumerate(([0, 4, 8], [1, 2, 7])):
            trainer.net.w_in[r][:, quiet] = -1.0
            trainer.net.w_rec[r][:, quiet] = -1.0
    with torch.no_grad():
        shown = np.tile(np.arange(len(DATA)), (2, 1))
        rates = trainer.net(DATA, shown).counts.mean(1).double().numpy()
    assert ((rates == 0).sum(1) >= 3).all() and (rates > 0).any(1).all()
    return trainer, rates


def test_neurons_that_are_silent_are_not_missed() -> None:
    """Spikes and features to the bit; the readout adds up fewer numbers, and may round otherwise."""
    trainer, rates = silenced()
    step = Step("remove", {"count": 3, "rates": json.dumps(rates.tolist())})
    moved = apply_steps(trainer.checkpoint(), [step], 0)
    gone = np.array(json.loads(str(moved.steps[0].values["neurons"])))
    assert (np.take_along_axis(rates, gone, 1) == 0).all()
    child = unpack(moved.checkpoint)[0]
    shown = np.tile(np.arange(len(DATA)), (2, 1))
    with torch.no_grad():
        before, after = trainer.net(DATA, shown), child(DATA, shown)
    for r in range(2):
        stays = np.setdiff1d(np.arange(9), gone[r])
        assert torch.equal(after.features[r], before.features[r][:, stays])
        assert torch.equal(after.counts[r], before.counts[r][:, stays])
        assert child.neuron_id[r].tolist() == stays.tolist()
    torch.testing.assert_close(after.logits, before.logits, rtol=0, atol=1e-6)


@pytest.mark.parametrize("where", WHERE)
def test_a_split_can_be_undone(where: dict[str, Any]) -> None:
    """Twins removed, the networks are those before but for the shares of what went out."""
    parent = trained(**where).checkpoint()
    undo = Step("remove", {"count": 2, "neurons": "[[9, 10], [9, 10]]"})
    split = Step("split", {"count": 2, "share": 0.5, "neurons": "[[1, 6], [0, 8]]"})
    old, new = (
        unpack(one)[0].state_dict() for one in (parent, apply_steps(parent, [split, undo], 0).checkpoint)
    )
    for name in old.keys() - {"w_rec", "w_out", "next_neuron_id"}:
        assert torch.equal(old[name], new[name]), name
    for r, own in enumerate(([1, 6], [0, 8])):
        part = torch.ones(9, 1)
        part[own] = 0.5
        assert torch.equal(new["w_out"][r], old["w_out"][r] * part)


def test_the_most_used_are_split_and_the_least_used_removed() -> None:
    """By |w| going out, relative to the network's mean, times the rate where it is known."""
    trainer = trained()
    net, rates = trainer.net, np.random.default_rng(0).uniform(0, 5, (2, 9))
    for told in (None, rates):
        use = np.zeros((2, 9))
        for r in range(2):
            for i in range(9):
                out = sum(abs(net.w_rec[r, i, j].item()) for j in range(9) if net.mask[r, i, j])
                read = net.w_out[r, i].abs().sum().item()
                mean_out = (net.w_rec[r].abs() * net.mask[r]).sum().item() / 9
                use[r, i] = out / mean_out + read / (net.w_out[r].abs().sum().item() / 9)
        use = use if told is None else use * told
        values: dict[str, int | float | str] = {"count": 3}
        values |= {} if told is None else {"rates": json.dumps(told.tolist())}
        for name, order in (("split", np.argsort(-use, 1)), ("remove", np.argsort(use, 1))):
            step = apply_steps(trainer.checkpoint(), [Step(name, values)], 0).steps[0]
            assert json.loads(str(step.values["neurons"])) == order[:, :3].tolist()


def test_ids_are_never_used_twice() -> None:
    """Not even that of a neuron which was the last, and is gone."""
    split, last = Step("split", {"count": 1}), Step("remove", {"count": 1, "neurons": "[[9], [9]]"})
    moved = apply_steps(trained().checkpoint(), [split, last, split, split], 0)
    net = unpack(moved.checkpoint)[0]
    assert net.neuron_id.tolist() == [[*range(9), 10, 11]] * 2
    assert net.neuron_id.dtype == torch.int64 and net.next_neuron_id.tolist() == [12, 12]
    child = Trainer.resume(moved.checkpoint, SPLITS)
    child.run_epoch()
    assert unpack(child.networks())[0].neuron_id.tolist() == net.neuron_id.tolist()


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_unequal_shares_break_the_symmetry(share: float) -> None:
    """Twins of equal shares stay twins under training, but for rounding; others drift apart."""
    parent = trained(embedding="space", learning_rate=0.2)
    step = Step("split", {"count": 1, "share": share, "neurons": "[[2], [3]]"})
    child = Trainer.resume(apply_steps(parent.checkpoint(), [step], 0).checkpoint, SPLITS)
    for _ in range(3):
        child.run_epoch()
    apart = max(
        (child.net.w_in[r, :, first] - child.net.w_in[r, :, 9]).abs().max().item()
        for r, first in ((0, 2), (1, 3))
    )
    size = child.net.w_in.abs().mean().item()
    assert apart < 1e-5 * size if share == 0.5 else apart > 1e-3 * size


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("split", {}, "`count`: got None, expected a whole number from 1 to 9"),
        ("split", {"count": 10}, "`count`: got 10, expected a whole number from 1 to 9"),
        ("split", {"count": 1, "share": 1.0}, "`share`: got 1, expected a number above 0 and below 1"),
        ("split", {"count": 1, "share": "x"}, "`share`: got 'x', expected a number"),
        (
            "split",
            {"count": 2, "neurons": "[[1, 1], [0, 1]]"},
            "`neurons`: expected different neurons from 0 to 8",
        ),
        ("split", {"count": 1, "neurons": "[[9], [0]]"}, "`neurons`: expected different neurons from 0 to 8"),
        ("split", {"count": 1, "neurons": "[[0]]"}, "`neurons`: .* expected 2 lists of 1 numbers as JSON"),
        ("split", {"count": 1, "neurons": "["}, "`neurons`: .* expected 2 lists of 1 numbers as JSON"),
        ("remove", {"count": 9}, "`count`: got 9, expected a whole number from 1 to 8"),
        ("remove", {"count": 1, "rates": "[[1], [2]]"}, "`rates`: .* expected 2 lists of 9 numbers as JSON"),
        ("remove", {"count": 1, "number": 1}, "there is no such value"),
    ],
)
def test_what_cannot_be_done_is_refused(name: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(MoveError, match=f"step 1, `{name}`: {message}"):
        apply_steps(trained().checkpoint(), [Step(name, values)], 0)


def test_the_last_neuron_stays() -> None:
    with pytest.raises(MoveError, match="there is 1 neuron, and at least 1 must stay"):
        apply_steps(trained(hidden=1).checkpoint(), [Step("remove", {"count": 1})], 0)


LAYERS: list[dict[str, Any]] = [{}, {"recurrent": False}, {"inputs_to": "all", "readout_from": "all"}]


@pytest.mark.parametrize("where", LAYERS)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_neurons_split_within_their_layer_answer_as_one(where: dict[str, Any], layer: int) -> None:
    parent = as_double(trained(**where, hidden=(4, 3, 5), input_embedding="line").checkpoint())
    assert not grazes(parent, DATA)
    before, sizes = answers(parent, DATA), [4, 3, 5]
    moved = apply_steps(parent, [Step("split", {"count": 2, "layer": layer})], 0)
    sizes[layer] += 2
    assert moved.config.hidden == tuple(sizes)
    torch.testing.assert_close(answers(moved.checkpoint, DATA), before, rtol=0, atol=1e-12)
    child = unpack(moved.checkpoint)[0]
    assert not (child.mask[0].numpy() & ~child.layers.synapses).any()
    assert child.neuron_id[0, child.layers.members[layer]][-2:].tolist() == [12, 13]
    again = apply_steps(parent, moved.steps, 9)  # what was found names the layer
    assert again.checkpoint == moved.checkpoint
    twins = json.dumps(np.tile(np.arange(2) + child.layers.members[layer].stop - 2, (2, 1)).tolist())
    back = apply_steps(moved.checkpoint, [Step("remove", {"count": 2, "neurons": twins})], 0)
    left = unpack(back.checkpoint)[0]
    assert torch.equal(left.positions, unpack(parent)[0].positions)
    assert torch.equal(left.w_in, unpack(parent)[0].w_in)


def test_moves_of_layers_that_cannot_be_are_refused_in_words() -> None:
    parent = trained(hidden=(4, 1)).checkpoint()
    refused: list[tuple[dict[str, int | float | str], str]] = [
        ({"count": 1}, "there are 2 layers; say which `layer` is meant, from 0"),
        ({"count": 1, "layer": 2}, "`layer`: got 2, expected a whole number from 0 to 1"),
        ({"count": 1, "layer": 1}, "there is 1 neuron in layer 1, and at least 1 must stay"),
        ({"count": 2, "neurons": "[[3, 4], [3, 4]]"}, "expected different neurons of one layer from 0 to 3"),
    ]
    for values, words in refused:
        with pytest.raises(MoveError, match=words):
            apply_steps(parent, [Step("remove", values)], 0)
