"""Reads a circuit by libsonata and by Blue Brain SNAP, and tells as JSON what is there."""

import json
import sys

import bluepysnap
import libsonata

circuit, simulation, spikes = sys.argv[1:]
config = libsonata.CircuitConfig.from_file(circuit)
edges = config.edge_population("hidden_to_hidden")
everything = edges.select_all()
nodes = config.node_population("hidden")
found = {
    "populations": sorted(config.node_populations | config.edge_populations),
    "source": edges.source_nodes(everything).tolist(),
    "target": edges.target_nodes(everything).tolist(),
    "weight": edges.get_attribute("syn_weight", everything).tolist(),
    "delay": edges.get_attribute("delay", everything).tolist(),
    "into_2": edges.afferent_edges([2]).flatten().tolist(),
    "x": nodes.get_attribute("x", nodes.select_all()).tolist(),
    "spikes": [list(one) for one in libsonata.SpikeReader(spikes)["hidden"].get()],
    "step": libsonata.SimulationConfig.from_file(simulation).run.dt,
    "y": bluepysnap.Circuit(circuit).nodes["hidden"].get(properties="y").tolist(),
}
sys.stdout.write(json.dumps(found))
