"""Delays and weights on a grid: rounded, within range, and no farther off than half a step."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import Cohort, LearnerConfig, SpikeDataset
from model.exchange import PlainNetwork
from model.export import Bundle, Grid, quantized, resolutions

NETWORK = PlainNetwork.of(Cohort(LearnerConfig(hidden=12, duration=40.0, dt=1.0), 4, 3, [1]), 0)


@settings(deadline=None)
@given(step=st.floats(0.3, 9), bits=st.integers(2, 12), greatest=st.floats(10, 90))
def test_all_values_are_on_the_grid(step: float, bits: int, greatest: float) -> None:
    found = quantized(NETWORK, Grid(step, greatest, bits))
    delays = found.delays[NETWORK.mask]
    multiples = delays / step
    assert np.allclose(multiples, np.rint(multiples), atol=1e-4)
    assert delays.max() <= greatest * (1 + 1e-6) and delays.min() >= 1 - 1e-6
    for name in ("w_in", "w_rec", "w_out"):
        values = getattr(found, name) / np.abs(getattr(NETWORK, name)).max() * (2 ** (bits - 1) - 1)
        assert np.allclose(values, np.rint(values), atol=1e-2)
        assert len(np.unique(getattr(found, name))) <= 2**bits - 1
        assert np.abs(getattr(found, name)).max() == pytest.approx(np.abs(getattr(NETWORK, name)).max())


def test_what_is_rounded_is_off_by_half_a_step_at_most_and_not_to_one_side() -> None:
    found = quantized(NETWORK, Grid(delay_step=2.0))
    off = (found.delays - NETWORK.delays)[NETWORK.mask]
    assert np.abs(off).max() <= 1 + 1e-5
    assert abs(off.mean()) < 0.25  # cutting off would have 1 here
    assert np.array_equal(found.w_rec, NETWORK.w_rec)


def test_without_a_grid_nothing_changes() -> None:
    found = quantized(NETWORK, Grid())
    for name, value in NETWORK.as_arrays().items():
        assert np.array_equal(found.as_arrays()[name], value), name


def test_inputs_that_arrive_at_once_still_do(bundle: Callable[..., Bundle]) -> None:
    network = bundle(input_embedding="line").network
    assert network.input_delays is not None
    early = replace(network, input_delays=np.full_like(network.input_delays, 0.2))
    found = quantized(early, Grid(delay_step=1.0)).input_delays
    assert found is not None and (found == 0).all()


def test_the_table_has_each_grid_and_begins_with_the_network_itself(
    bundle: Callable[..., Bundle], random_data: Callable[..., SpikeDataset]
) -> None:
    network, data = bundle().network, random_data(samples=9)
    found = resolutions(network, data, (None, 4.0), (None, 2), max_delay=6.0)
    grids = [(one.grid.delay_step, one.grid.bits) for one in found]
    assert grids == [(None, None), (None, 2), (4, None), (4, 2)]
    whole = resolutions(network, data, (None,), (None,))[0]
    assert (whole.accuracy, whole.agreement) == (network.accuracy(data), 1.0)
    for one in found:
        answers = quantized(network, one.grid).answers(data)
        assert one.accuracy == float((answers == data.labels).mean())
        assert one.agreement == float((answers == network.answers(data)).mean())


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"bits": 1}, "`bits`: got 1, expected a whole number from 2 to 24"),
        ({"bits": 2.0}, "`bits`: got 2.0"),
        ({"delay_step": 0}, "`delay_step`: got 0, expected a number above 0"),
        ({"delay_step": float("nan")}, "`delay_step`: got nan"),
        ({"delay_step": 4.0, "max_delay": 3.0}, "`max_delay`: got 3, expected at least `delay_step`"),
    ],
)
def test_what_is_no_grid_is_told(values: dict[str, float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Grid(**values)  # type: ignore[arg-type]
