import numpy as np
import pytest

from model.topology import effective_dimension, last_axis_share


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_a_round_cloud_has_all_its_dimensions(dimensions: int) -> None:
    cloud = np.random.default_rng(dimensions).normal(size=(20_000, dimensions))
    assert effective_dimension(cloud) == pytest.approx(dimensions, rel=0.01)
    assert last_axis_share(cloud) == pytest.approx(1 / dimensions, rel=0.05)


def test_the_effective_dimension_is_the_ratio_of_the_eigenvalues() -> None:
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(30, 4)) * [3.0, 1.0, 0.5, 0.1] + 7
    eigenvalues = np.linalg.eigvalsh(np.cov(cloud.T, bias=True))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert effective_dimension(cloud) == pytest.approx(expected, rel=1e-12)
    assert last_axis_share(cloud) == pytest.approx(cloud[:, 3].var() / cloud.var(0).sum(), rel=1e-12)
    turned = cloud @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    assert effective_dimension(1e-9 * turned) == pytest.approx(expected, rel=1e-6)
    assert last_axis_share(turned) != pytest.approx(last_axis_share(cloud), rel=0.1)


def test_a_thin_axis_is_no_dimension() -> None:
    """What a move to one more dimension makes: a label, until training has used it."""
    rng = np.random.default_rng(1)
    flat = rng.normal(size=(64, 2))
    grown = np.column_stack([flat, np.zeros(64)])
    assert effective_dimension(grown) == pytest.approx(effective_dimension(flat), rel=1e-12)
    assert last_axis_share(grown) == 0
    thin = np.column_stack([flat, 1e-3 * rng.normal(size=64)])
    assert 0 < last_axis_share(thin) < 2e-6
    assert effective_dimension(thin) == pytest.approx(effective_dimension(flat), rel=1e-4)


def test_neurons_in_one_place_have_no_dimension() -> None:
    assert np.isnan(effective_dimension(np.ones((5, 2)))) and np.isnan(last_axis_share(np.ones((5, 2))))
    assert effective_dimension(np.array([[1e200, 0.0], [-1e200, 0.0]])) == 1
    with pytest.raises(ValueError, match="expected a neuron and an axis"):
        effective_dimension(np.empty((0, 2)))
