"""What networks lose with some of their neurons, on networks whose neurons are known to do something."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from naive_network import features_of

from model import Cohort, LearnerConfig, SpikeDataset
from model.analysis.evaluation import evaluate
from model.analysis.lesions import (
    RANDOM,
    NeuronSet,
    chance,
    lesioned,
    lesions,
    neuron_sets,
    runs_of,
    score,
)
from model.analysis.snapshot import neurons_of
from model.analysis.tuning import tuning_of

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
SAMPLES = 24


def two_modules() -> tuple[Cohort, SpikeDataset]:
    """Neurons 0 to 5 hear channels 0 and 1, 6 to 11 hear 2 and 3; each half tells its part of the pair.

    In a half one neuron in two answers the first channel, the others the second one. The halves lie apart,
    and have recurrent synapses within, which come too late to matter.
    """
    net = Cohort(LearnerConfig(hidden=12, duration=40.0, delay_scale=1.0), 4, 4, [5], dtype=torch.float64)
    with torch.no_grad():
        for value in (net.w_in, net.w_rec, net.w_out, net.b_out):
            value.zero_()
        for neuron in range(12):
            half, kind = neuron // 6, neuron % 2
            net.w_in[0, 2 * half + kind, neuron] = 12.0
            net.w_rec[0, neuron, 6 * half : 6 * half + 6] = 1e-3
            for label in range(4):
                net.w_out[0, neuron, label] = 1.0 if divmod(label, 2)[half] == kind else 0.0
            net.positions[0, neuron] = torch.tensor([100.0 * half + neuron % 3, neuron % 2])
    labels = np.arange(SAMPLES) % 4
    events = [([1.0, 16.0], [label // 2, 2 + label % 2]) for label in labels]
    return net, SpikeDataset.from_events(events, labels, 4, 4)


def test_modules_are_found_and_each_serves_the_part_that_it_was_built_for() -> None:
    net, data = two_modules()
    neurons = neurons_of(net, evaluate(net, data), tuning_of(net, data), 1)
    (sets,) = neuron_sets(neurons, 4)
    halves = [list(range(6)), list(range(6, 12))]
    assert sorted(one.members.tolist() for one in sets if one.kind == "module") == halves
    for gone in (one for one in sets if one.kind in ("cluster", "band")):  # no set reaches over both halves
        assert len(set(gone.members // 6)) == 1
    (found,) = lesions(net, data, [sets], (2, 2), count=50)
    for one in (one for one in found if one.gone.kind == "module"):
        part = int(one.gone.members[0]) // 6
        assert one.intact.accuracy == 1 and one.intact.by_part.tolist() == [1, 1]
        # Its part is always told as 0, which is right in half of the samples; the other part stays.
        assert one.without.accuracy == 0.5 and one.without.by_part[part] == 0.5
        assert one.without.by_part[1 - part] == 1
        assert one.without.by_class.tolist() == [1 - (divmod(c, 2)[part] == 1) for c in range(4)]
        assert one.without.spread(one.intact, "part") == 0.25
        random = [each.spread(one.intact, "part") for each in one.random]
        assert len(random) == 50 and max(random) <= 0.25 and chance(0.25, random)[2] > 1.5


def test_a_lesioned_neuron_is_one_that_is_not_there(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(), random_data()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    gone = np.array([[False, True, False, False, True], [True, False, False, False, False]])
    left = lesioned(net, gone)
    for r in range(2):
        here = torch.from_numpy(np.flatnonzero(~gone[r]))
        square = (here[:, None], here)
        for s in range(len(data)):
            features, _ = features_of(
                net.w_in[r][:, here],
                net.w_rec[r][square],
                net.delays()[r][square],
                net.mask[r][square],
                data.times[s],
                data.channels[s],
                net.config,
            )
            expected = features @ net.w_out[r][here] + net.b_out[r]
            logits = left(data, [[s], [s]]).logits[r, 0]
            torch.testing.assert_close(logits, expected, rtol=1e-8, atol=1e-8)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    with pytest.raises(ValueError, match=r"`gone`: got .*, expected true or false \[2, 5\]"):
        lesioned(net, gone[:1])


def test_random_sets_are_of_the_same_size_and_drawn_by_the_seed(
    lively_net: MakeNet, random_data: MakeData
) -> None:
    net, data = lively_net(), random_data(samples=12)
    sets = [
        [NeuronSet("module", 0, np.array([0, 2])), NeuronSet("band", 1, np.array([1, 3, 4]))],
        [NeuronSet("cluster", 0, np.array([3, 4]))],
    ]
    found = lesions(net, data, sets, count=3, seed=2)
    for r, own in enumerate(found):
        for one in own:
            size = len(one.gone.members)
            orders = [np.random.default_rng([2, net.seeds[r], k]).permutation(5) for k in range(3)]
            asked = [one.gone.members, *(order[:size] for order in orders)]
            for members, scores in zip(asked, (one.without, *one.random), strict=True):
                gone = np.zeros((2, 5), bool)
                gone[r, members] = True
                right = evaluate(lesioned(net, gone), data).correct[r]
                assert scores.accuracy == right.mean()
                by_class = [right[data.labels == c].mean() for c in range(3)]
                np.testing.assert_allclose(scores.by_class, by_class)
    assert runs_of(sets, 3) == 1 + 2 + 2 * 3
    assert runs_of([[]]) == 1 and lesions(net, data, [[], []], count=2) == [[], []]


def test_scores_and_chance_by_hand() -> None:
    found = score(np.array([0, 5, 5, 2]), np.array([0, 5, 4, 5]), 6, (2, 3))
    assert found.accuracy == 0.5 and found.by_part.tolist() == [0.75, 0.75]
    np.testing.assert_array_equal(found.by_class, [1, np.nan, np.nan, np.nan, 0, 0.5])
    mean, sd, z = chance(1.0, [0.0, 2.0, 4.0])
    assert (mean, sd, z) == (2.0, 2.0, -0.5)
    assert np.isnan(chance(1.0, [2.0, 2.0])[2])


def test_what_cannot_be_asked_is_refused(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(), random_data()
    with pytest.raises(ValueError, match=r"`sets`: got .*, expected 2 lists of sets, one a network"):
        lesions(net, data, [[]])
    with pytest.raises(ValueError, match=r"`parts`: got .*, expected numbers whose product is 3"):
        lesions(net, data, [[], []], (2, 2))
    with pytest.raises(ValueError, match="`count`: got 1, expected a whole number of at least 2"):
        lesions(net, data, [[], []], count=1)
    assert RANDOM == 20
