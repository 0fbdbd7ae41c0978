"""A small network that fires a lot, with samples, as an export takes them."""

from collections.abc import Callable
from typing import Any

import pytest

from model import Cohort, SpikeDataset
from model.export import Bundle, bundle_of


@pytest.fixture
def bundle(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> Callable[..., Bundle]:
    """Replicate 1 of a lively cohort, with four samples."""

    def make(expand: bool = False, **config: Any) -> Bundle:
        return bundle_of(lively_net(**config), 1, random_data(samples=4), 4, expand)

    return make
