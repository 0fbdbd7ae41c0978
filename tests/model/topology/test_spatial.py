"""Whether measures of what sits where find tuning that is there, and none where there is none."""

from typing import Any

import numpy as np
import pytest
from digraphs import distances_between
from scipy import stats

from model.arrays import Floats
from model.topology import measures

SIZE, CHANNELS = 128, 140
FOUND_BY = ("input_moran", "input_space_mantel", "input_centroid_moran")


def weights(rng: np.random.Generator, smooth: int) -> Floats:
    """Random weights [N, C] of deviation 1, correlated over so many channels."""
    noise = rng.normal(size=(SIZE, CHANNELS + smooth - 1))
    return np.array([np.convolve(row, np.ones(smooth) / np.sqrt(smooth), "valid") for row in noise])


def look(positions: Floats, nulls: int = 99, seed: int = 0, **given: Any) -> dict[str, float]:
    distances, zero = distances_between(positions), np.zeros((SIZE, SIZE))
    return measures(zero, distances, positions, nulls=nulls, seed=seed, **given)


@pytest.mark.parametrize("seed", range(3))
def test_half_a_standard_deviation_of_tuning_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions = rng.random((SIZE, 2))
    tuned = np.exp(-0.5 * ((np.arange(CHANNELS) / CHANNELS - positions[:, :1]) / 0.1) ** 2)
    found = look(positions, w_in=(weights(rng, 1) + 0.5 * tuned).T)
    for name in FOUND_BY:
        assert found[f"{name}_z"] > 5, name
        assert found[f"{name}_shell_z"] > 5, name
        assert found[f"{name}_p"] == found[f"{name}_shell_p"] == 1 / 100
    positive = look(positions, w_in=(3 + weights(rng, 1) + 0.5 * tuned).T)
    assert positive["input_channel_place_spread_z"] > 3
    by_spikes = look(positions, fields=3 + weights(rng, 1) + 0.5 * tuned)
    for name in ("field_moran", "field_space_mantel"):
        assert by_spikes[f"{name}_z"] > 5, name


@pytest.mark.parametrize("seed", range(3))
def test_the_strongest_finds_it_where_weights_are_smooth_too(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions = rng.random((SIZE, 2))
    tuned = np.exp(-0.5 * ((np.arange(CHANNELS) / CHANNELS - positions[:, :1]) / 0.1) ** 2)
    found = look(positions, w_in=(weights(rng, 3) + 0.5 * tuned).T)
    z = {name: found[f"{name}_z"] for name in (*FOUND_BY, "input_position_r2_cv")}
    assert max(z.values()) > 5, z


@pytest.mark.parametrize("smooth", [1, 20])
def test_random_places_give_any_p_as_often(smooth: int) -> None:
    """However smooth the weights are, and so the trajectory of the channels' places."""
    rng = np.random.default_rng(smooth)
    found: dict[str, list[float]] = {}
    for seed in range(40):
        values = look(rng.normal(size=(SIZE, 2)), 19, seed, w_in=3 + weights(rng, smooth).T)
        for name in (*FOUND_BY, "input_channel_place_spread"):
            for kind in ("p", "shell_p"):
                found.setdefault(f"{name}_{kind}", []).append(values[f"{name}_{kind}"])
    for name, p in found.items():
        counts = np.histogram(p, bins=[0, 0.2525, 0.5025, 0.7525, 1.0])[0]
        assert stats.chisquare(counts).pvalue > 1e-3, name


def test_what_goes_with_the_radius_alone_is_not_found_within_shells() -> None:
    rng = np.random.default_rng(0)
    positions = rng.normal(size=(SIZE, 2))
    away = np.linalg.norm(positions - positions.mean(0), axis=1)
    times = away + 0.3 * rng.normal(size=SIZE)
    labels = np.arange(60) % 3
    found = look(positions, times=times, spikes=rng.poisson(4 * np.exp(-away), (60, SIZE)), labels=labels)
    assert found["radius_time_correlation"] > 0.7 and found["radius_time_correlation_z"] > 5
    assert found["radius_rate_correlation"] < -0.9 and found["radius_rate_correlation_p"] == 1
    assert found["preferred_time_moran_z"] > 5 and abs(found["preferred_time_moran_shell_z"]) < 2.5
    assert found["rate_moran_z"] > 5 and abs(found["rate_moran_shell_z"]) < 2.5


def test_classes_and_samples_that_depend_on_place_are_found() -> None:
    rng = np.random.default_rng(0)
    positions, labels = rng.random((SIZE, 2)), np.arange(60) % 4
    preferred = (2 * (positions[:, 0] > 0.5) + (positions[:, 1] > 0.5)).astype(int)
    found = look(positions, spikes=rng.poisson(2 + np.equal.outer(labels, preferred)), labels=labels)
    for name in ("class_space_mantel", "response_space_mantel"):
        assert found[f"{name}_z"] > 5 and found[f"{name}_shell_z"] > 5
    assert abs(found["rate_moran_z"]) < 4  # where a neuron sits says which class, not how much
    assert abs(found["selectivity_moran_z"]) < 4
