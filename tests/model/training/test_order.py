"""Which samples an epoch has: all of them once, and the blends that are added."""

import numpy as np

from model import LearnerConfig, SpikeDataset
from model.augmentation import Augmentation, augment
from model.datasets import Splits
from model.training.order import draw_epoch
from model.training.trainer import Trainer

ADDS = LearnerConfig(augment_blend=0.937, augment_blend_adds=True)


def test_an_epoch_has_every_sample_once() -> None:
    draws = draw_epoch(LearnerConfig(augment_blend=0.5), 50, [3, 8], 4)
    assert draws.blended is None
    for samples, seeds in zip(draws.samples, draws.seeds, strict=True):
        assert sorted(samples) == list(range(50)) and len(set(seeds)) == 1
    assert draws.samples[0].tolist() != draws.samples[1].tolist()
    assert draw_epoch(LearnerConfig(), 50, [8], 4).samples.tolist() == [draws.samples[1].tolist()]


def test_blends_are_added_to_it_and_are_spread_over_it() -> None:
    """As published: 7,644 blends beside 8,156 samples."""
    draws = draw_epoch(ADDS, 8156, [3], 0)
    assert draws.blended is not None
    (samples, seeds, blended) = (column[0] for column in (draws.samples, draws.seeds, draws.blended))
    assert (len(samples), blended.sum()) == (15_798, 7642)
    assert sorted(samples[~blended]) == list(range(8156)) and len(set(seeds[~blended])) == 1
    assert len(set(seeds[blended])) == 7642
    assert abs(blended[:7899].mean() - blended.mean()) < 0.02
    times = np.bincount(samples[blended], minlength=8156)
    assert times.max() > 1 and abs(times.var() / times.mean() - 1) < 0.1  # with replacement: about Poisson


def test_another_epoch_has_other_blends_in_another_order() -> None:
    one, other = (draw_epoch(ADDS, 50, [3], epoch) for epoch in (0, 1))
    assert one.samples.tolist() != other.samples.tolist()
    assert set(one.seeds.flat).isdisjoint(other.seeds.flat)


def test_exactly_the_draws_that_are_blends_are_blended() -> None:
    """Samples of one class at times of their own: a blend has spikes moved away from them."""
    data = SpikeDataset.from_events(
        [(np.full(30, 10.0 * k), np.zeros(30, int)) for k in range(4)], [0] * 4, 1, 1
    )
    samples, blended = np.array([0, 1, 2, 3, 0, 1, 2, 3]), np.array([False] * 4 + [True] * 4)
    times, _ = augment(data, samples, np.arange(8), Augmentation(blend=0.1), blended)
    for n, sample in enumerate(samples):
        untouched = np.array_equal(times[n], data.times[sample])
        assert untouched != blended[n]


def test_training_goes_over_the_blends_as_well() -> None:
    draw = np.random.default_rng(0)
    events = [(np.sort(draw.uniform(0, 20, 12)), draw.integers(0, 6, 12)) for _ in range(20)]
    data = SpikeDataset.from_events(events, np.arange(20) % 2, 6, 2)
    config = LearnerConfig(
        hidden=6, duration=30.0, batch_size=8, epochs=2, augment_blend=0.5, augment_blend_adds=True
    )
    trainer = Trainer(config, Splits(data, data, None), [0])
    trainer.run_epoch()
    steps = {int(state["step"]) for state in trainer.optimizer.state.values()}
    assert steps == {4}  # 30 samples in batches of 8
