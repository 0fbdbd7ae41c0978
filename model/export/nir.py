"""A network in NIR, the intermediate representation of neuromorphic hardware, as far as that can hold it.

NIR has no synapse with a delay of its own: its delay node has one a channel. So a network whose neurons each
have one delay (`axonal`, `none`) is held exactly, and another is refused, unless it is asked for in expanded
form: each synapse becomes a channel of its own, that picks its neuron's spikes, delays them and weighs them.
That is exact, too, but grows with the square of the neurons.

The neuron is the same: where V reaches the threshold it falls by the threshold, which is a reset to 0.

Source: Pedersen et al., "Neuromorphic intermediate representation", Nature Communications 15, 2024,
doi:10.1038/s41467-024-52259-9. Written in the layout of version 1 of its package, whose units are seconds.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from model.arrays import Array
from model.exchange.plain import PlainNetwork
from model.export.bundle import Bundle
from model.export.errors import ExportError

VERSION = "1.0"
MOST_NUMBERS = 2**27
"""Numbers that the matrices of an expanded network may have: half a gigabyte of them."""
Node = dict[str, Any]


def write_nir(bundle: Bundle, folder: Path) -> None:
    """Write `network.nir`.

    The graph: `input` (spikes of the I inputs) to `hidden` (CubaLIF), which is recurrent through `delay` and
    `weights`, or expanded through `pick`, `delay` and `weigh`; then `readout` (CubaLI, a leaky integrator a
    neuron) and `output_weights` (Affine, a class each) to `output`. The average of the readout over the
    sample, weighted by exp(-t/T), is no node of NIR's and is left to its reader.

    Raises ExportError if the neurons adapt, which none of NIR's do, if synapses of a neuron have several
    delays and `bundle.expand` is not set, or if the network is too large for it.
    """
    network = bundle.network
    if network.adaptation is not None:
        raise ExportError(
            "NIR has no neuron whose threshold adapts, and leaving that out would be another network; take "
            "brian2, nest or sonata"
        )
    if not bundle.expand and not all(_by_neuron(delays, weights) for delays, weights in _late(network)):
        raise ExportError(
            f"NIR has no delay a synapse, and this network has {len(network.synapses[0])} with one each; add "
            "--expand to have each of them as a channel of its own; or take brian2, nest or sonata"
        )
    numbers = sum(
        int((weights != 0).sum()) * sum(weights.shape)
        for delays, weights in _late(network)
        if not _by_neuron(delays, weights)
    )
    if numbers > MOST_NUMBERS:
        raise ExportError(
            f"expanded it would have matrices of {numbers:.2g} numbers, more than {MOST_NUMBERS:.2g}; prune "
            "the network (learner.wiring_cost), or use sonata"
        )
    nodes, edges = graph_of(network)
    with h5py.File(folder / "network.nir", "w") as file:
        file["version"] = VERSION
        _write(file.create_group("node"), {"type": "NIRGraph", "nodes": nodes, "edges": edges})


def graph_of(network: PlainNetwork) -> tuple[dict[str, Node], list[tuple[str, str]]]:
    """The nodes of a network by name, and its edges; expanded where it must be. Times are in seconds."""
    config, n = network.config, network.neurons
    own = network.tau_mem, network.tau_syn
    taus = [a if b is None else b for a, b in zip((config.tau_mem, config.tau_syn), own, strict=True)]
    tau_out, syn_out = config.readout_taus
    nodes: dict[str, Node] = {
        "input": {"type": "Input", "shape": np.array([len(network.w_in)])},
        "hidden": _neurons("CubaLIF", n, *taus)
        | {"v_threshold": np.full(n, config.threshold), "v_reset": np.zeros(n)},
        "readout": _neurons("CubaLI", n, tau_out, syn_out),
        "output_weights": {"type": "Affine", "weight": network.w_out.T, "bias": network.b_out},
        "output": {"type": "Output", "shape": np.array([network.w_out.shape[1]])},
    }
    edges = [("hidden", "readout"), ("readout", "output_weights"), ("output_weights", "output")]
    if network.input_delays is None:
        nodes["input_weights"] = {"type": "Linear", "weight": network.w_in.T}
        edges += [("input", "input_weights"), ("input_weights", "hidden")]
    for source, (delays, weights) in zip(("hidden", "input"), _late(network), strict=False):
        if weights.any():
            edges += _connect(nodes, source, delays, weights)
    return nodes, edges


def _late(network: PlainNetwork) -> list[tuple[Array, Array]]:
    """Delays (ms) and weights, from rows to columns: among neurons and, where they are late, of inputs."""
    found = [(network.delays, network.w_rec * network.mask)]
    if network.input_delays is not None:
        found.append((network.input_delays, network.w_in))
    return found


def _by_neuron(delays: Array, weights: Array) -> bool:
    """Whether all synapses of each row have one delay."""
    late = np.where(weights != 0, delays, np.nan)
    rows = [row[~np.isnan(row)] for row in late]
    return all(len(np.unique(row)) <= 1 for row in rows)


def _connect(nodes: dict[str, Node], source: str, delays: Array, weights: Array) -> list[tuple[str, str]]:
    """Add what leads from `source` to `hidden`; returns the edges through it."""
    prefix = "" if source == "hidden" else "input_"
    if _by_neuron(delays, weights):
        each = np.where(weights != 0, delays, 0).max(1)
        nodes[f"{prefix}delay"] = {"type": "Delay", "delay": each / 1000}
        nodes[f"{prefix}weights"] = {"type": "Linear", "weight": weights.T}
        way = [source, f"{prefix}delay", f"{prefix}weights", "hidden"]
        return list(pairwise(way))
    pre, post = np.nonzero(weights)
    channels = np.arange(len(pre))
    pick = np.zeros((len(pre), weights.shape[0]), np.float32)
    pick[channels, pre] = 1
    weigh = np.zeros((weights.shape[1], len(pre)), weights.dtype)
    weigh[post, channels] = weights[pre, post]
    nodes[f"{prefix}pick"] = {"type": "Linear", "weight": pick}
    nodes[f"{prefix}delay"] = {"type": "Delay", "delay": delays[pre, post] / 1000}
    nodes[f"{prefix}weigh"] = {"type": "Linear", "weight": weigh}
    way = [source, f"{prefix}pick", f"{prefix}delay", f"{prefix}weigh", "hidden"]
    return list(pairwise(way))


def _neurons(kind: str, n: int, tau_mem: Array | float, tau_syn: Array | float) -> Node:
    """N neurons whose current jumps by a weight with each spike; time constants (ms) of each [N], or of all.

    NIR's current is tau_syn dI/dt = -I + w_in S, in which an impulse S adds w_in / tau_syn: so w_in is
    tau_syn.
    """
    return {
        "type": kind,
        "tau_mem": np.full(n, np.divide(tau_mem, 1000)),
        "tau_syn": np.full(n, np.divide(tau_syn, 1000)),
        "r": np.ones(n),
        "v_leak": np.zeros(n),
        "w_in": np.full(n, np.divide(tau_syn, 1000)),
    }


def _write(group: h5py.Group, content: Node) -> None:
    for name, value in content.items():
        if isinstance(value, dict):
            inner = group.create_group(name)
            for key, node in value.items():
                _write(inner.create_group(key), node)
        elif name == "edges":
            group.create_dataset(name, data=value, dtype=h5py.string_dtype())
        elif isinstance(value, np.ndarray):
            group.create_dataset(name, data=value, compression="gzip")
        else:
            group.create_dataset(name, data=value, dtype=h5py.string_dtype())
