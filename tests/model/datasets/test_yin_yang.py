import numpy as np
import pytest

from model.datasets.load import load_dataset
from model.datasets.yin_yang import SEEDS, SIZES, class_of, load_yin_yang, sample


def by_the_curve(x: float, y: float) -> int:
    """The class, from the S-shaped curve between the bodies as a function of x."""
    dots = [(x - centre) ** 2 + (y - 0.5) ** 2 < 0.1**2 for centre in (0.25, 0.75)]
    bulge = np.sqrt(0.25**2 - (x - (0.25 if x < 0.5 else 0.75)) ** 2)
    return 2 if any(dots) else int(y > (0.5 - bulge if x < 0.5 else 0.5 + bulge))


@pytest.mark.parametrize(("size", "seed"), list(zip(SIZES, SEEDS, strict=True)))
def test_classes_are_those_of_the_geometry_and_balanced(size: int, seed: int) -> None:
    points, labels = sample(size, seed)
    assert ((points - 0.5) ** 2).sum(1).max() <= 0.25
    assert labels.tolist() == [by_the_curve(x, y) for x, y in points]
    assert np.abs(np.bincount(labels) - size / 3).max() < 4 * np.sqrt(size * 2 / 9)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((0.5, 0.9), 1),
        ((0.5, 0.1), 0),
        ((0.25, 0.5), 2),
        ((0.75, 0.5), 2),
        ((0.02, 0.5), 1),
        ((0.98, 0.5), 0),
    ],
)
def test_landmarks(point: tuple[float, float], expected: int) -> None:
    assert class_of(*point) == expected


def test_outside_of_the_disc_there_is_no_class() -> None:
    assert class_of(0.1, 0.1) is None


def test_points_are_uniform_in_their_class() -> None:
    """Turning the disc by half a turn swaps the bodies, and each dot has half of its class."""
    points, labels = sample(6000, 0)
    top, bottom, dots = (points[labels == one] for one in (1, 0, 2))
    assert np.abs(top.mean(0) + bottom.mean(0) - 1).max() < 4 * np.sqrt(2 * 0.25**2 / 2000)
    assert abs((dots[:, 0] > 0.5).mean() - 0.5) < 4 * 0.5 / np.sqrt(2000)
    centred = np.abs(dots - 0.5) - [0.25, 0]
    assert ((centred**2).sum(1) < 0.1**2 / 2).mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(2000))


def test_each_channel_spikes_once_with_the_value_as_latency() -> None:
    train, validation, test = load_yin_yang()
    for part, size, seed in zip((train, validation, test), SIZES, SEEDS, strict=True):
        points, labels = sample(size, seed)
        assert (len(part), part.n_channels, part.n_classes) == (size, 5, 3)
        assert part.labels.tolist() == labels.tolist()
        times = np.full((size, 5), np.nan)
        times[np.repeat(np.arange(size), part.times.lengths), part.channels.flat] = part.times.flat
        assert part.times.lengths.tolist() == [5] * size
        expected = 30 * np.column_stack([points, 1 - points, np.zeros(size)])
        np.testing.assert_allclose(times, expected, rtol=0, atol=2e-6)


def test_the_points_never_change() -> None:
    """Results can be compared only while everyone has the same points."""
    parts = load_dataset("yin_yang")
    assert [part.digest()[:12] for part in parts if part is not None] == [
        "a289c66b5b0a",
        "1cb33728c593",
        "f242459f2cd2",
    ]
