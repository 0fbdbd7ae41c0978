import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.datasets.split import stratified


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.floats(0, 1), st.integers(0, 99))
def test_every_class_gives_its_share_and_keeps_a_sample(classes: list[int], share: float, seed: int) -> None:
    labels = np.array(classes)
    count = round(share * len(labels))
    held_out, rest = stratified(labels, count, np.random.default_rng(seed))
    assert sorted([*held_out, *rest]) == list(range(len(labels)))
    assert held_out.tolist() == sorted(held_out)
    assert rest.tolist() == sorted(rest)
    bounded = False
    for one in set(classes):
        size, taken = classes.count(one), int((labels[held_out] == one).sum())
        quota = count * size / len(labels)
        if taken in (1, size - 1):  # at a bound: at least one, never the last
            bounded = True
        else:
            assert 1 <= taken <= size - 1
            assert abs(taken - quota) < 1
    assert bounded or len(held_out) == count


def test_proportions_are_exact_where_they_can_be() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    held_out, _ = stratified(labels, 16, np.random.default_rng(0))
    assert np.bincount(labels[held_out]).tolist() == [10, 5, 1]


def test_largest_remainders_fill_up_to_the_count() -> None:
    labels = np.repeat([0, 1, 2], [17, 18, 15])  # quotas of 3.4, 3.6 and 3.0
    held_out, _ = stratified(labels, 10, np.random.default_rng(0))
    assert np.bincount(labels[held_out]).tolist() == [3, 4, 3]


def test_every_sample_of_a_class_has_the_same_chance() -> None:
    labels = np.repeat([0, 1], [4, 8])
    rng = np.random.default_rng(0)
    drawn = np.zeros(12)
    for _ in range(4000):
        drawn[stratified(labels, 3, rng)[0]] += 1
    assert np.abs(drawn / 4000 - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 4000)
