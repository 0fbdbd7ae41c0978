"""Reads a network by `nir`, checks its types, and steps through the graph that it has read.

The interpreter here is the plainest there can be: every node by the equations in nir's own documentation, in
short steps. It stands for simulators that read NIR: of those, few know its delay node.
"""

import json
import sys

import nir
import numpy as np


def run(graph: nir.NIRGraph, spikes: np.ndarray, dt: float) -> list[list[float]]:
    """Spikes of `hidden`, each a time (ms) and a neuron; `spikes` [steps, I] are counts, `dt` in s."""
    nodes = graph.nodes
    hidden, fired = nodes["hidden"], []
    current, potential = np.zeros_like(hidden.v_threshold), np.zeros_like(hidden.v_threshold)
    delays = {name: node.delay for name, node in nodes.items() if name.endswith("delay")}
    late = {name: np.rint(each / dt).astype(int) for name, each in delays.items()}
    rings = {name: np.zeros((steps.max() + 1, len(steps))) for name, steps in late.items()}
    ends = np.zeros(len(hidden.v_threshold))
    for k, row in enumerate(spikes):
        arriving = np.zeros_like(ends)
        if "input_weights" in nodes:
            arriving += nodes["input_weights"].weight @ row
        for name, steps in late.items():
            prefix = name.removesuffix("delay")
            ring, channels = rings[name], np.arange(len(steps))
            sent = row if prefix else ends
            if f"{prefix}pick" in nodes:
                sent = nodes[f"{prefix}pick"].weight @ sent
            ring[(k + steps) % len(ring), channels] += sent
            weights = nodes[f"{prefix}weigh" if f"{prefix}pick" in nodes else f"{prefix}weights"].weight
            arriving += weights @ ring[k % len(ring)]
            ring[k % len(ring)] = 0
        # An impulse adds w_in / tau_syn to the current; then both decay exactly over the step.
        current = current + hidden.w_in * arriving / hidden.tau_syn
        slow, fast = np.exp(-dt / hidden.tau_mem), np.exp(-dt / hidden.tau_syn)
        gain = hidden.tau_syn / (hidden.tau_mem - hidden.tau_syn)
        potential = potential * slow + hidden.r * current * gain * (slow - fast)
        current = current * fast
        spiking = potential > hidden.v_threshold
        fired += [[k * dt * 1000, int(n)] for n in np.flatnonzero(spiking)]
        potential = np.where(spiking, hidden.v_reset, potential)
        ends = spiking.astype(float)
    return fired


path, inputs, step = sys.argv[1], np.load(sys.argv[2]), float(sys.argv[3])
network = nir.read(path)
kinds = {name: type(node).__name__ for name, node in network.nodes.items()}
sys.stdout.write(json.dumps({"kinds": kinds, "spikes": run(network, inputs, step / 1000)}))
