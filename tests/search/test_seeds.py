"""Seeds: different for all that is to be different, and the same as ever."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.seeds import seed_of


def test_seeds_differ_by_search_and_by_suggestion() -> None:
    assert len({seed_of(seed, number) for seed in range(10) for number in range(100)}) == 1000


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=4))
def test_a_seed_is_the_first_word_of_numpys_sequence(entropy: list[int]) -> None:
    words = np.random.SeedSequence(tuple(entropy)).generate_state(2)
    assert seed_of(*entropy) == int(words[0])


def test_seeds_of_recorded_sweeps_stay() -> None:
    assert [seed_of(0, 0), seed_of(5, 17), seed_of(seed_of(3, 2), 1)] == [2968811710, 2481524307, 2033761491]
