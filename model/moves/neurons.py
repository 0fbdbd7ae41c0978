"""Moves that change how many neurons there are in a layer: splitting and removing."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.arrays import Floats, Ints
from model.border import whole
from model.layers import Layers, sizes_of
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
    "log_tau_mem": (1,),
    "log_tau_syn": (1,),
    "mask": (1, 2),
    "neuron_id": (1,),
    "excitatory": (1,),
}
"""Which axes of a tensor are neurons; of the others none is."""
SHARE = 0.7


def split(net: Cohort, values: Values) -> Outcome:
    """Turn `count` neurons of a layer of each network into two each, which share what goes out.

    The function stays: a twin has the same place, the same incoming weights and delays, and so the same
    spikes. The first one, in the old place, keeps `share` of the outgoing weights, to neurons and to the
    readout, the second one, behind all others of its layer, gets the rest. A synapse between twins is there
    where there are any within the layer, with weight 0; of self-connections there are none. Which neurons are
    split stands in `neurons`; else it is those of `layer` used most.
    """
    number, own = _layer_of(net, values)
    count = count_of(values, own.stop - own.start)
    share = real(values, "share", SHARE)
    if not 0 < share < 1:
        raise MoveError(f"`share`: got {share:g}, expected a number above 0 and below 1")
    parents = torch.from_numpy(_chosen(net, values, count, own, most=True))
    before, after = torch.arange(own.stop), torch.arange(own.stop, net.config.neurons)
    each = net.replicates, -1
    places = torch.cat([before.expand(each), parents, after.expand(each)], 1)
    fields = _resized(net, number, count)
    grown = _taken(net, places, replace(net.config, **fields).layers)
    new = slice(own.stop, own.stop + count)
    part = torch.ones(*places.shape, 1, dtype=net.w_rec.dtype)
    part.scatter_(1, parents[..., None], share)
    part[:, new] = 1 - share
    grown["w_rec"] *= part
    grown["w_out"] *= part[:, part.shape[1] - grown["w_out"].shape[1] :]
    first, second = parents, torch.arange(new.start, new.stop).expand_as(parents)
    rows = torch.arange(net.replicates)[:, None]
    for pre, post in ((first, second), (second, first)):
        grown["w_rec"][rows, pre, post] = 0
        grown["mask"][rows, pre, post] = net.config.recurrent
    grown["neuron_id"][:, new] = net.next_neuron_id[:, None] + torch.arange(count)
    grown["next_neuron_id"] = net.next_neuron_id + count
    return Outcome(bred(net, grown, **fields), {"share": share, "neurons": as_json(parents)})


def remove(net: Cohort, values: Values) -> Outcome:
    """Take `count` neurons out of a layer of each network: `neurons`, else those of `layer` used least.

    The function stays if they are silent, and only then.
    """
    n = net.config.neurons
    number, own = _layer_of(net, values)
    size = own.stop - own.start
    if size == 1:
        where = "" if n == 1 else f" in layer {number}"
        raise MoveError(f"there is 1 neuron{where}, and at least 1 must stay")
    count = count_of(values, size - 1)
    gone = _chosen(net, values, count, own, most=False)
    stays = np.ones((net.replicates, n), bool)
    np.put_along_axis(stays, gone, False, 1)
    places = torch.from_numpy(stays.nonzero()[1].reshape(net.replicates, n - count))
    fields = _resized(net, number, -count)
    left = _taken(net, places, replace(net.config, **fields).layers)
    return Outcome(bred(net, left, **fields), {"neurons": as_json(gone)})


def _layer_of(net: Cohort, values: Values) -> tuple[int, slice]:
    """The layer that a move is about, and its neurons: `layer`, else that of one named in `neurons`."""
    members = net.layers.members
    if "layer" in values:
        try:
            number = whole(values["layer"], "`layer`", 0, len(members) - 1)
        except ValueError as error:
            raise MoveError(str(error)) from None
    elif len(members) == 1:
        number = 0
    elif "neurons" in values:
        named = listed(values, "neurons", net, count_of(values, net.config.neurons))
        first = 0 if named is None else int(named.min())
        number = next((k for k, own in enumerate(members) if first < own.stop), 0)
    else:
        raise MoveError(f"there are {len(members)} layers; say which `layer` is meant, from 0")
    return number, members[number]


def _resized(net: Cohort, number: int, change: int) -> dict[str, Any]:
    """The field `hidden` when layer `number` has `change` neurons more."""
    sizes = list(net.layers.sizes)
    sizes[number] += change
    return {"hidden": sizes_of(sizes)}


def _taken(net: Cohort, places: Tensor, layers: Layers) -> dict[str, Tensor]:
    """Every tensor that has an axis of neurons, those at `places` [R, N] of each network, in `layers`."""
    of = {"w_in": places[:, : layers.hearing], "w_out": places[:, layers.heard] - net.layers.heard.start}
    found = {}
    for name, axes in AXES.items():
        if (value := net.state_dict().get(name)) is None:
            continue
        for axis in axes:
            chosen = zip(value, of.get(name, places), strict=True)
            value = torch.stack([own.index_select(axis - 1, at) for own, at in chosen])
        found[name] = value
    return found


def _chosen(net: Cohort, values: Values, count: int, own: slice, most: bool) -> Ints:
    """The `count` neurons of each network named in `neurons`, or used most or least of `own`, [R, count]."""
    if (named := listed(values, "neurons", net, count)) is not None:
        legal = (named == np.floor(named)) & (named >= own.start) & (named < own.stop)
        if not legal.all() or any(len(set(each)) < count for each in named.tolist()):
            of = "" if len(net.layers.sizes) == 1 else " of one layer"
            raise MoveError(f"`neurons`: expected different neurons{of} from {own.start} to {own.stop - 1}")
        return named.astype(np.int64)
    rates = listed(values, "rates", net, net.config.neurons)
    if rates is not None and (rates < 0).any():
        raise MoveError("`rates`: expected spikes a sample, of at least 0")
    use = _use(net, rates)[:, own]
    found: Ints = np.argsort(-use if most else use, axis=1, kind="stable")[:, :count] + own.start
    return found


@torch.no_grad()
def _use(net: Cohort, rates: Floats | None) -> Floats:
    """How much each neuron acts on others and on the readout [R, N]: |w| going out, times its rate if known.

    Recurrent weights and the readout's have different units; both are relative to their network's mean.
    """
    use = torch.zeros(net.replicates, net.config.neurons, dtype=torch.float64)
    for weights, senders in ((net.w_rec * net.mask, slice(None)), (net.w_out, net.layers.heard)):
        out = weights.double().abs().sum(2)
        use[:, senders] += out / out.mean(1, keepdim=True).clamp(min=torch.finfo(torch.float64).tiny)
    found = use.numpy()
    return found if rates is None else found * rates
