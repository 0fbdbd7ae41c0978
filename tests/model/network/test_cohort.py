"""A cohort: what it is given, and what it refuses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from model import Cohort, LearnerConfig, SpikeDataset
from model.analysis.evaluation import evaluate
from model.analysis.recording import hidden_spikes
from model.config import EMBEDDINGS, Embedding
from model.network.best import Best
from model.network.checkpoint import pack, unpack

CONFIG = LearnerConfig(hidden=6, duration=40.0)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_a_network_depends_on_its_own_seed_alone(embedding: Embedding) -> None:
    config = replace(CONFIG, embedding=embedding)
    together, alone = Cohort(config, 4, 3, [3, 8]), Cohort(config, 4, 3, [8])
    for name, value in alone.named_parameters():
        assert torch.equal(together.get_parameter(name)[1:], value), name
        assert value.is_contiguous()


def test_weights_are_the_same_whatever_the_embedding() -> None:
    nets = [Cohort(replace(CONFIG, embedding=embedding), 4, 3, [5]) for embedding in EMBEDDINGS]
    for name in ("w_in", "w_rec", "w_out", "b_out"):
        assert all(torch.equal(net.get_parameter(name), nets[0].get_parameter(name)) for net in nets)
    positions = [net.positions for net in nets if net.has_positions]
    assert len(positions) == 2 and torch.equal(*positions)


def test_learned_parameters_are_counted() -> None:
    """C = 4, N = 8, O = 3, D = 2."""
    weights = 4 * 8 + 8 * 7 + 8 * 3 + 3
    extra: dict[Embedding, int] = {"space": 16, "free": 56, "axonal": 8, "fixed": 0, "shuffled": 0, "none": 0}
    config = replace(CONFIG, hidden=8)
    for embedding, more in extra.items():
        found = Cohort(replace(config, embedding=embedding), 4, 3, [0]).learned_parameters
        assert found == weights + more
    both = replace(config, learn_delay_scale=True, input_embedding="line", learn_input_positions=True)
    assert Cohort(both, 4, 3, [0]).learned_parameters == weights + 16 + 1 + 8


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"seeds": []}, "`seeds`: got none"),
        ({"seeds": [0, -1]}, "`seeds`: got -1, expected a whole number of at least 0"),
        ({"seeds": ["3"]}, "`seeds`: got '3', expected a whole number"),
        ({"seeds": "3"}, "`seeds`: got '3', expected a whole number"),
        ({"seeds": [1.0]}, "`seeds`: got 1.0, expected a whole number"),
        ({"seeds": [True]}, "`seeds`: got True, expected a whole number"),
        ({"seeds": 3}, "`seeds`: got 3, expected whole numbers in a list"),
        ({"threads": 0}, "`threads`: got 0, expected a whole number of at least 1"),
        ({"dtype": torch.float16}, "`dtype`: got torch.float16, expected torch.float32 or torch.float64"),
        ({"device": "nowhere"}, "`device`: got nowhere, expected cpu"),
        ({"device": "meta"}, "`device`: got meta"),
    ],
)
def test_illegal_arguments_are_refused(arguments: dict[str, Any], fault: str) -> None:
    legal: dict[str, Any] = {"seeds": [0], "threads": 1, "dtype": torch.float32, "device": "cpu"}
    with pytest.raises(ValueError, match=fault):
        Cohort(CONFIG, 4, 3, **(legal | arguments))


def test_bad_arguments_are_named(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> None:
    net = lively_net()
    with pytest.raises(ValueError, match=r"`samples`: got shape \[3\]"):
        net(random_data(), [0, 1, 2])
    with pytest.raises(ValueError, match="`data` has 6 channels, the networks 4"):
        net(random_data(channels=6), [[0, 1, 2], [2, 0, 0]])
    with pytest.raises(ValueError, match="`duration` is not set"):
        Cohort(LearnerConfig(), 4, 3, [0])
    with pytest.raises(ValueError, match="`n_channels`: got 0, expected a whole number of at least 1"):
        Cohort(CONFIG, 0, 3, [0])
    with pytest.raises(TypeError, match="Cohort: `config`: got 'small', expected a LearnerConfig"):
        Cohort("small", 4, 3, [0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`data`: got 3, expected a SpikeDataset"):
        net(3, [[0], [0]])


def test_seeds_may_be_of_numpy_and_are_kept_as_pythons_own() -> None:
    net = Cohort(CONFIG, 4, 3, np.array([3, 8]))  # type: ignore[arg-type]
    assert net.seeds == (3, 8) and all(type(seed) is int for seed in net.seeds)
    assert unpack(pack(net, None, 0, Best()))[0].seeds == (3, 8)


def test_negative_samples_count_from_the_end(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> None:
    net, data = lively_net(), random_data()
    expected, found = net(data, [[0, 1, 2]] * 2), net(data, [[-3, -2, -1]] * 2)
    assert expected.counts.sum() > 10
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    (raster, _), (wanted, _) = hidden_spikes(net, data, [-1, 0]), hidden_spikes(net, data, [2, 0])
    assert raster.digest() == wanted.digest() and raster.times.flat.size > 5


@pytest.mark.parametrize("sample", [3, -4, 0.0, True, "0", None, 2**70])
def test_samples_that_are_not_there_are_refused(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset], sample: Any
) -> None:
    net, data = lively_net(), random_data()
    with pytest.raises(IndexError, match="`samples`"):
        net(data, [[0, sample], [0, 0]])
    with pytest.raises(IndexError, match="`samples`"):
        hidden_spikes(net, data, [0, sample])
    with pytest.raises(ValueError, match=r"`samples`: got shape \[1, 1\], expected \[S\]"):
        hidden_spikes(net, data, [[0]])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda net: net.half(), "`dtype`: got torch.float16, expected torch.float32 or torch.float64"),
        (lambda net: net.bfloat16(), "`dtype`: got torch.bfloat16, expected torch.float32 or torch.float64"),
        (lambda net: net.to("meta"), "`device`: got meta, expected cpu"),
        (lambda net: setattr(net, "mask", net.mask.double()), "`mask`: got .* expected .* of torch.bool"),
        (lambda net: setattr(net.w_rec, "data", net.w_rec.data.float()), "`w_rec`: got .* of torch.float32"),
        (lambda net: setattr(net.w_rec, "data", net.w_rec.data[:, :3, :3]), "`w_rec`: got .2, 3, 3."),
        (lambda net: setattr(net.w_in, "data", net.w_in.data[:, :3]), "4 channels, .*but `w_in` has 3"),
    ],
)
def test_networks_that_the_kernels_cannot_run_are_refused_in_words(
    lively_net: Callable[..., Cohort],
    random_data: Callable[..., SpikeDataset],
    change: Callable[[Cohort], Any],
    fault: str,
) -> None:
    net, data = lively_net(), random_data()
    change(net)
    for ask in (
        lambda: net(data, [[0], [0]]),
        lambda: evaluate(net, data),
        lambda: hidden_spikes(net, data, [0]),
    ):
        with pytest.raises(ValueError, match=fault):
            ask()


def test_a_compiled_network_does_as_the_plain_one(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> None:
    net, data = lively_net(), random_data()
    expected = net(data, [[0, 1], [2, 0]])
    wanted = torch.autograd.grad(expected.logits.sum(), [net.w_in, net.positions])
    compiled = torch.compile(net, backend="eager")  # no C++ compiler is needed
    found = compiled(data, [[0, 1], [2, 0]])
    assert torch.equal(found.logits, expected.logits) and expected.counts.sum() > 10
    for one, other in zip(
        torch.autograd.grad(found.logits.sum(), [net.w_in, net.positions]), wanted, strict=True
    ):
        assert torch.equal(one, other)
    for ask in (evaluate, lambda net, data: hidden_spikes(net, data, [0, 2])[0]):
        torch.compiler.reset()
        answer, plain = torch.compile(ask, backend="eager")(net, data), ask(net, data)
        for array in vars(plain).keys() & {"counts", "correct", "labels"}:
            np.testing.assert_array_equal(getattr(answer, array), getattr(plain, array))


@pytest.mark.parametrize("embedding", ["space", "fixed"])
def test_a_place_that_is_not_a_number_stays_none(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset], embedding: Embedding
) -> None:
    """It is told by whatever the neuron has a part in, and other networks are as they were."""
    net, data = lively_net(embedding=embedding), random_data()
    before = net(data, [[0], [0]])
    assert before.counts[0, 0, 4] > 0  # neuron 4 spikes, and so do others
    with torch.no_grad():
        net.positions[0, 4, 0] = torch.nan
    others = torch.arange(5) != 4
    assert net.distances()[0, 4, others].isnan().all() and net.delays()[0, others, 4].isnan().all()
    assert net.wiring_length()[0].isnan() and net.wiring_length()[1].isfinite()
    after = net(data, [[0], [0]])
    assert after.features[0, 0, others].isnan().all() and after.logits[0].isnan().all()
    assert torch.equal(after.logits[1], before.logits[1])


def test_second_derivatives_are_refused_in_words(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> None:
    """Also where the first one hangs on nothing but weights and positions, as that of a sum does."""
    for config in ({}, {"input_embedding": "line", "learn_input_positions": True}):
        net, data = lively_net(**config), random_data()
        features = net(data, [[0], [1]]).features
        first = torch.autograd.grad(features.sum(), net.positions, create_graph=True)[0]
        plain = torch.autograd.grad(net(data, [[0], [1]]).features.sum(), net.positions)[0]
        assert torch.equal(first, plain) and first.abs().sum() > 0
        with pytest.raises(NotImplementedError, match="exact first derivatives and no second ones"):
            first.square().sum().backward()
    weights = torch.ones(features.shape, dtype=torch.float64, requires_grad=True)
    first = torch.autograd.grad(
        (weights * net(data, [[0], [1]]).features).sum(), net.w_in, create_graph=True
    )[0]
    with pytest.raises(NotImplementedError, match="no second ones"):
        torch.autograd.grad(first.sum(), weights)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"hidden": 8}, "Cohort(8 neurons, in 2-D, replicates: 2)"),
        ({"hidden": [6, 3], "dimensions": 3}, "Cohort(6 + 3 neurons, in 3-D, replicates: 2)"),
        ({"hidden": 8, "embedding": "free"}, "Cohort(8 neurons, embedding free, replicates: 2)"),
    ],
)
def test_it_says_what_it_is(fields: dict[str, Any], expected: str) -> None:
    assert repr(Cohort(LearnerConfig(duration=20.0, **fields), 4, 2, seeds=[0, 1])) == expected
