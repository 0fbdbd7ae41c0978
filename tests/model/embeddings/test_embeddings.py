"""What every embedding must do, asked of each of them; and that all of them are known by name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from model import Cohort, LearnerConfig
from model.config import EMBEDDINGS as NAMES
from model.embeddings.base import Embedding
from model.embeddings.registry import EMBEDDINGS, embedding_of

NEURONS, NETWORKS = 7, 2
CONFIG = LearnerConfig(hidden=NEURONS, dimensions=3, delay_scale=8.0, min_delay=2.0)
LIKE = torch.zeros((NETWORKS, NEURONS, NEURONS), dtype=torch.float64)


def configured(name: Any, learn_delay_scale: bool = False) -> LearnerConfig:
    return replace(CONFIG, embedding=name, learn_delay_scale=learn_delay_scale)


def drawn(embedding: Embedding, neurons: int = NEURONS) -> dict[str, Tensor]:
    each = [embedding.draw(neurons, np.random.default_rng(seed)) for seed in range(NETWORKS)]
    return {name: torch.tensor(np.stack([one[name] for one in each])).requires_grad_() for name in each[0]}


def test_the_registry_has_every_name_that_a_configuration_may_give() -> None:
    assert tuple(EMBEDDINGS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_only_neurons_in_space_have_positions_and_a_scale_to_learn(name: str) -> None:
    embedding = embedding_of(configured(name))
    assert ("positions" in drawn(embedding)) == embedding.in_space
    if embedding.in_space:
        scaled = embedding_of(configured(name, learn_delay_scale=True))
        assert list(drawn(scaled)) == ["positions", "log_delay_scale"] and scaled.learns("log_delay_scale")
        found = scaled.delay_scale(drawn(scaled))
        assert isinstance(found, Tensor) and found.shape == (NETWORKS, 1, 1)
        torch.testing.assert_close(found, torch.full_like(found, 8.0))
    else:
        with pytest.raises(ValueError, match="`learn_delay_scale` needs neurons in space"):
            configured(name, learn_delay_scale=True)


@pytest.mark.parametrize("name", NAMES)
def test_delays_are_the_least_one_and_more_in_proportion_to_distances(name: str) -> None:
    embedding = embedding_of(configured(name))
    parameters = drawn(embedding)
    delays, distances = embedding.delays(parameters, LIKE), embedding.distances(parameters, LIKE)
    for found in (delays, distances):
        assert found.shape == LIKE.shape and found.dtype == LIKE.dtype
    torch.testing.assert_close(delays, 2.0 + 8.0 * distances)
    assert delays.min() >= 2.0


@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
def test_delays_begin_with_the_distribution_of_uniform_neurons(name: str) -> None:
    """At a mean distance of 1."""
    neurons = 500
    embedding = embedding_of(replace(configured(name), hidden=neurons))
    delays = embedding.delays(drawn(embedding, neurons), LIKE.new_zeros((NETWORKS, neurons, neurons)))
    beyond = (delays[:, ~torch.eye(neurons, dtype=torch.bool)] - 2.0) / 8.0
    assert beyond.mean().item() == pytest.approx(1.0, rel=0.05)
    assert beyond.std().item() == pytest.approx(0.377, rel=0.1)  # of two points in a cube, over their mean


def test_equal_delays_are_the_least_one() -> None:
    embedding = embedding_of(configured("none"))
    assert drawn(embedding) == {}
    assert (embedding.delays({}, LIKE) == 2.0).all() and (embedding.distances({}, LIKE) == 0.0).all()


@pytest.mark.parametrize("name", NAMES)
def test_delays_are_differentiable_by_what_is_learned(name: str) -> None:
    embedding = embedding_of(configured(name))
    parameters = drawn(embedding)
    delays = embedding.delays(parameters, LIKE)
    for parameter in parameters.values():
        (grad,) = torch.autograd.grad(delays[0].square().sum(), parameter, retain_graph=True)
        assert (grad[0] != 0).any() and (grad[1] == 0).all()  # of each network by its own alone


@pytest.mark.parametrize(("name", "learned"), [("space", True), ("fixed", False)])
def test_positions_are_learned_or_kept(name: str, learned: bool) -> None:
    net = Cohort(replace(configured(name), duration=40.0), 4, 3, [0, 1])
    assert net.embedding.learns("positions") == net.positions.requires_grad == learned


@pytest.mark.parametrize(("name", "columns"), [("free", NEURONS), ("axonal", 1)])
def test_a_delay_belongs_to_a_synapse_or_to_an_axon(name: str, columns: int) -> None:
    embedding = embedding_of(configured(name))
    (parameter,) = drawn(embedding).values()
    assert parameter.numel() == NETWORKS * NEURONS * columns
    delays = embedding.delays(drawn(embedding), LIKE)
    assert len(delays[0, 3].unique()) == columns


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_synapses_that_do_not_exist_are_absent(name: str) -> None:
    mask = torch.ones((NEURONS, NEURONS), dtype=torch.bool)
    mask[2] = False
    assert embedding_of(configured(name)).absent(mask) == (NEURONS if name == "free" else 0)


@pytest.mark.parametrize("name", NAMES)
def test_projection_brings_back_what_fell_below_the_least_delay_alone(name: str) -> None:
    embedding = embedding_of(configured(name))
    parameters = drawn(embedding)
    for parameter in parameters.values():
        parameter.data[:, 0] = -5.0
    before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    embedding.project(parameters)
    for key, parameter in parameters.items():
        low = 2.0 if embedding.learns(key) and not embedding.in_space else -torch.inf
        assert torch.equal(parameter.detach(), before[key].clamp(min=low))


@pytest.mark.parametrize("name", NAMES)
def test_a_step_moves_delays_as_far_as_one_of_positions(name: str) -> None:
    assert embedding_of(configured(name)).unit == (8.0 if name in ("free", "axonal") else 1.0)


def test_coincident_neurons_have_a_zero_gradient(lively_net: Callable[..., Cohort]) -> None:
    net = lively_net()
    with torch.no_grad():
        net.positions[:] = 0.25
    (net.delays() ** 3).sum().backward()
    assert net.positions.grad is not None and (net.positions.grad == 0).all()
