import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from model.arrays import Floats
from model.topology.inputs import PENALTIES, Inputs, input_position_r2, input_position_r2_cv


def draw(channels: int, size: int, seed: int, noise: float = 1.0) -> tuple[Floats, Floats]:
    """Input weights that depend on place, and positions."""
    rng = np.random.default_rng(seed)
    positions = rng.normal(size=(size, 2))
    return rng.normal(size=(channels, 2)) @ positions.T + noise * rng.normal(size=(channels, size)), positions


def fitted(features: Floats, positions: Floats, others: list[int], one: int, penalty: float) -> Floats:
    """Squared error at neuron `one` of a regression on `others`."""
    model = Ridge(alpha=penalty).fit(features[others], positions[others])
    return np.asarray(((model.predict(features[[one]]) - positions[one]) ** 2).sum())


def naive_cv(w_in: Floats, positions: Floats) -> float:
    """Nested leaving-out by fitting every regression anew."""
    features, n = w_in.T, len(positions)
    centred = features - features.mean(0)
    penalties = PENALTIES * np.trace(centred @ centred.T) / n
    error = total = 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i]
        within = [
            sum(float(fitted(features, positions, [k for k in others if k != j], j, one)) for j in others)
            for one in penalties
        ]
        error += float(fitted(features, positions, others, i, penalties[int(np.argmin(within))]))
        total += float(((positions[i] - positions[others].mean(0)) ** 2).sum())
    return 1 - error / total


@pytest.mark.parametrize(("channels", "size"), [(3, 20), (40, 15)])
def test_in_sample_it_is_the_published_regression(channels: int, size: int) -> None:
    w_in, positions = draw(channels, size, 0)
    predicted = Ridge(alpha=1.0).fit(w_in.T, positions).predict(w_in.T)
    expected = r2_score(positions, predicted, multioutput="variance_weighted")
    assert input_position_r2(Inputs(w_in), positions) == pytest.approx(expected, abs=1e-10)
    line = positions[:, :1]
    assert input_position_r2(Inputs(w_in), line) == pytest.approx(
        Ridge(alpha=1.0).fit(w_in.T, line).score(w_in.T, line), abs=1e-10
    )


@pytest.mark.parametrize(
    ("channels", "size", "noise", "seed"), [(2, 9, 0.3, 0), (20, 8, 3.0, 1), (3, 10, 1.0, 2)]
)
def test_cross_validated_it_is_that_of_regressions_fitted_anew(
    channels: int, size: int, noise: float, seed: int
) -> None:
    w_in, positions = draw(channels, size, seed, noise)
    assert input_position_r2_cv(Inputs(w_in), positions) == pytest.approx(naive_cv(w_in, positions), abs=1e-8)


def test_noise_is_fitted_in_sample_and_found_out_by_cross_validation() -> None:
    rng = np.random.default_rng(0)
    inputs, positions = Inputs(rng.normal(size=(300, 60))), rng.normal(size=(60, 2))
    assert input_position_r2(inputs, positions) > 0.99
    assert abs(input_position_r2_cv(inputs, positions)) < 0.1


def test_weights_that_tell_the_place_are_found() -> None:
    w_in, positions = draw(30, 50, 0, noise=0.1)
    assert input_position_r2_cv(Inputs(w_in), positions) > 0.99


def test_equal_inputs_tell_nothing() -> None:
    positions = np.random.default_rng(0).random((6, 2))
    assert input_position_r2(Inputs(np.ones((4, 6))), positions) == pytest.approx(0, abs=1e-12)
    assert input_position_r2_cv(Inputs(np.ones((4, 6))), positions) == pytest.approx(0, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(4, 12), st.integers(0, 100), st.sampled_from([1e-6, 1.0, 1e6]))
def test_the_scales_of_weights_and_space_do_not_matter_to_cross_validation(
    channels: int, size: int, seed: int, scale: float
) -> None:
    w_in, positions = draw(channels, size, seed)
    value = input_position_r2_cv(Inputs(w_in), positions)
    assert value <= 1
    assert input_position_r2_cv(Inputs(scale * w_in), positions) == pytest.approx(value, abs=1e-6)
    assert input_position_r2_cv(Inputs(w_in), positions / scale) == pytest.approx(value, abs=1e-6)
    assert 0 <= input_position_r2(Inputs(w_in), positions) <= 1


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_few_neurons_have_no_value(size: int) -> None:
    w_in, positions = draw(5, size, 0)
    assert math.isnan(input_position_r2_cv(Inputs(w_in), positions))
    assert math.isnan(input_position_r2(Inputs(w_in), positions)) == (size < 2)


def test_neurons_in_one_place_have_no_value() -> None:
    inputs = Inputs(np.random.default_rng(0).random((5, 8)))
    for place in (0.0, 0.1, 1e6):
        positions = np.full((8, 2), place)
        assert math.isnan(input_position_r2(inputs, positions))
        assert math.isnan(input_position_r2_cv(inputs, positions))
