"""A cohort: what it is given, and what it refuses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from model import Cohort, LearnerConfig, SpikeDataset
from model.config import EMBEDDINGS, Embedding

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
        ({"threads": 0}, "`threads`: got 0, expected at least 1"),
        ({"dtype": torch.float16}, "`dtype`: got torch.float16"),
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
