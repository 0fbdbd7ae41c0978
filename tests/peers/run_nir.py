"""Reads a network by `nir`, checks its types, and steps through the graph that it has read.

The interpreter here is the plainest there can be: every node by the equations in nir's own documentation, in
short steps. It stands for the simulators that read NIR, none of which has delays of a synapse in a recurrent loop.
"""

import json
import sys

import nir
import numpy as np


def run(graph: nir.NIRGraph, spikes: np.ndarray, dt: float) -> list[list[float]]:
    """Spikes of `hidden`: a pair of time (ms) and neuron each. `spikes` [steps, I] are counts; `dt` in seconds."""
    nodes = graph.nodes
    hidden, fired = nodes["hidden"], []
    current, potential = np.zeros_like(hidden.v_threshold), np.zeros_like(hidden.v_threshold)
    late = {name: np.rint(node.delay / dt).astype(int) for name, node in nodes.items() if name.endswith("delay")}
    rings = {name: np.zeros((steps.max() + 1, len(steps))) for name, steps in late.items()}
    ends = np.zeros(len(hidden.v_threshold))
    for k, row in enumerate(spikes):
        arriving = np.zeros_like(ends)
        if "input_weights" in nodes:
            arriving += nodes["input_weights"].weight @ row
        for name, steps in late.items():
            prefix = name.removesuffix("delay")
            ring, channels = rings[name], np.arange(len(steps))
            picked = nodes[f"{prefix}pick"].weight @ (row if prefix else ends)
            ring[(k + steps) % len(ring), channels] += picked
            arriving += nodes[f"{prefix}weigh"].weight @ ring[k % len(ring)]
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
