"""Moves that change how many neurons there are: splitting and removing."""

import numpy as np
import torch
from torch import Tensor

from model.arrays import Floats, Ints
from model.moves.breeding import bred
from model.moves.step import MoveError, Outcome, Values, as_json, count_of, listed, real
from model.network.cohort import Cohort

AXES: dict[str, tuple[int, ...]] = {
    "w_in": (2,),
    "w_rec": (1, 2),
    "w_out": (1,),
    "positions": (1,),
    "free_delays": (1, 2),
    "shuffled_delays": (1, 2),
    "axonal_delays": (1,),
    "adaptation": (1,),
    "log_tau_adaptation": (1,),
    "mask": (1, 2),
    "neuron_id": (1,),
}
"""Which axes of a tensor are neurons; of the others none is."""
SHARE = 0.7


def split(net: Cohort, values: Values) -> Outcome:
    """Turn `count` neurons of each network into two each, which share what goes out: the function stays.

    A twin has the same place, the same incoming weights and delays, and so the same spikes. The first one, in
    the old place, keeps `share` of the outgoing weights, recurrent and to the readout, the second one, behind
    all others, gets the rest. A synapse between twins is there, as between any two neurons, with weight 0; of
    self-connections there are none. Which neurons are split stands in `neurons`; else it is those used most.
    """
    n = net.config.hidden
    count = count_of(values, n)
    share = real(values, "share", SHARE)
    if not 0 < share < 1:
        raise MoveError(f"`share`: got {share:g}, expected a number above 0 and below 1")
    parents = torch.from_numpy(_chosen(net, values, count, most=True))
    places = torch.cat([torch.arange(n).expand(net.replicates, n), parents], 1)
    grown = _taken(net, places)
    part = torch.ones(net.replicates, n + count, 1, dtype=net.w_rec.dtype)
    part.scatter_(1, parents[..., None], share)
    part[:, n:] = 1 - share
    grown["w_rec"] *= part
    grown["w_out"] *= part
    first, second = parents, torch.arange(n, n + count).expand_as(parents)
    rows = torch.arange(net.replicates)[:, None]
    for pre, post in ((first, second), (second, first)):
        grown["w_rec"][rows, pre, post] = 0
        grown["mask"][rows, pre, post] = True
    grown["neuron_id"][:, n:] = net.next_neuron_id[:, None] + torch.arange(count)
    grown["next_neuron_id"] = net.next_neuron_id + count
    return Outcome(bred(net, grown, hidden=n + count), {"share": share, "neurons": as_json(parents)})


def remove(net: Cohort, values: Values) -> Outcome:
    """Take `count` neurons out of each network: those in `neurons`, else those used least.

    The function stays if they are silent, and only then.
    """
    n = net.config.hidden
    if n == 1:
        raise MoveError("there is 1 neuron, and at least 1 must stay")
    count = count_of(values, n - 1)
    gone = _chosen(net, values, count, most=False)
    stays = np.ones((net.replicates, n), bool)
    np.put_along_axis(stays, gone, False, 1)
    places = torch.from_numpy(stays.nonzero()[1].reshape(net.replicates, n - count))
    return Outcome(bred(net, _taken(net, places), hidden=n - count), {"neurons": as_json(gone)})


def _taken(net: Cohort, places: Tensor) -> dict[str, Tensor]:
    """Every tensor that has an axis of neurons, those at `places` [R, M] of each network."""
    found = {}
    for name, axes in AXES.items():
        if (value := net.state_dict().get(name)) is None:
            continue
        for axis in axes:
            value = torch.stack(
                [own.index_select(axis - 1, at) for own, at in zip(value, places, strict=True)]
            )
        found[name] = value
    return found


def _chosen(net: Cohort, values: Values, count: int, most: bool) -> Ints:
    """The `count` neurons of each network named in `neurons`, or else used most or least, [R, count]."""
    if (named := listed(values, "neurons", net, count)) is not None:
        legal = (named == np.floor(named)) & (named >= 0) & (named < net.config.hidden)
        if not legal.all() or any(len(set(own)) < count for own in named.tolist()):
            raise MoveError(f"`neurons`: expected different neurons from 0 to {net.config.hidden - 1}")
        return named.astype(np.int64)
    rates = listed(values, "rates", net, net.config.hidden)
    if rates is not None and (rates < 0).any():
        raise MoveError("`rates`: expected spikes a sample, of at least 0")
    use = _use(net, rates)
    return np.argsort(-use if most else use, axis=1, kind="stable")[:, :count]


@torch.no_grad()
def _use(net: Cohort, rates: Floats | None) -> Floats:
    """How much each neuron acts on others and on the readout [R, N]: |w| going out, times its rate if known.

    Recurrent weights and the readout's have different units; both are relative to their network's mean.
    """
    use = torch.zeros(net.replicates, net.config.hidden, dtype=torch.float64)
    for weights in (net.w_rec * net.mask, net.w_out):
        out = weights.double().abs().sum(2)
        use += out / out.mean(1, keepdim=True).clamp(min=torch.finfo(torch.float64).tiny)
    found = use.numpy()
    return found if rates is None else found * rates
