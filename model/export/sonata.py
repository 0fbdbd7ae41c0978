"""A network in SONATA, the format of large neuron models: positions of nodes, weight and delay of each edge.

Source: Dai et al., "The SONATA data format for efficient description of large-scale network models", PLoS
Computational Biology 16, 2020, doi:10.1371/journal.pcbi.1007696, and its developer guide.
"""

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from model.arrays import Array, Ints
from model.export.bundle import Bundle
from model.export.graphs import neuron_columns

MAGIC, VERSION = 0x0A7A, (0, 1)
SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
NODES = {"hidden": 0, "inputs": 1, "readout": 2}
"""Populations of nodes, and their types."""


def write_sonata(bundle: Bundle, folder: Path) -> None:
    """Write the circuit, and for each sample a simulation with its input spikes and the hidden ones of here.

    `hidden` nodes have x, y, z and all that `neuron_columns` has; `inputs` are virtual; `readout` nodes, one
    a class, have a `bias`. What neurons have of their own is in `dynamics_params`, under NEST's names:
    `alpha_2` and `tau_2` of adaptive ones, and time constants as `C_m`, `tau_m`, `tau_1`, `tau_syn_ex` and
    `tau_syn_in`. Edges have `syn_weight` and `delay` (ms); those of the readout have no delay.
    """
    network = bundle.network
    _write_nodes(bundle, folder / "nodes.h5")
    pre, post = network.synapses
    source, target = np.nonzero(network.w_in)
    late = np.zeros_like(network.w_in) if network.input_delays is None else network.input_delays
    neuron, output = np.nonzero(network.w_out)
    with _new(folder / "edges.h5") as file:
        _write_edges(file, "inputs", "hidden", source, target, network.w_in, late)
        _write_edges(file, "hidden", "hidden", pre, post, network.w_rec, network.delays)
        _write_edges(file, "hidden", "readout", neuron, output, network.w_out, None)
    _write_types(bundle, folder)
    _write_config(folder / "circuit_config.json", _circuit())
    hidden = bundle.hidden
    times, inputs, ends = bundle.inputs
    for sample, (begin, end) in enumerate(pairwise(ends)):
        _write_spikes(folder / f"inputs/{sample:03d}.h5", "inputs", times[begin:end], inputs[begin:end])
        _write_spikes(
            folder / f"spikes/{sample:03d}.h5", "hidden", hidden.times[sample], hidden.channels[sample]
        )
        _write_config(folder / f"simulation_{sample:03d}.json", _simulation(bundle, sample))


def _write_nodes(bundle: Bundle, path: Path) -> None:
    network = bundle.network
    columns: dict[str, dict[str, Array]] = {
        "hidden": {name: column for name, column in neuron_columns(bundle).items() if name != "neuron"},
        "inputs": {"channel": np.arange(len(network.w_in)) * network.config.pool_channels},
        "readout": {"bias": network.b_out},
    }
    sizes = {"hidden": network.neurons, "inputs": len(network.w_in), "readout": len(network.b_out)}
    with _new(path) as file:
        for name, size in sizes.items():
            group = file.create_group(f"nodes/{name}")
            group["node_type_id"] = np.full(size, NODES[name], np.int64)
            group["node_id"] = np.arange(size, dtype=np.uint64)
            group["node_group_id"] = np.zeros(size, np.uint32)
            group["node_group_index"] = np.arange(size, dtype=np.uint64)
            for column, values in columns[name].items():
                group[f"0/{column}"] = values
        # What a node has under `dynamics_params` goes before the parameters of its type.
        for parameter, own in (
            *(("alpha_2", network.adaptation), ("tau_2", network.tau_adaptation)),
            *((parameter, network.tau_mem) for parameter in ("C_m", "tau_m", "tau_1")),
            *((parameter, network.tau_syn) for parameter in ("tau_syn_ex", "tau_syn_in")),
        ):
            if own is not None:
                file[f"nodes/hidden/0/dynamics_params/{parameter}"] = own


def _write_edges(
    file: h5py.File, source: str, target: str, pre: Ints, post: Ints, weights: Array, delays: Array | None
) -> None:
    """The edges `pre` to `post` [K] of one population, ascending by `pre`, with their indices."""
    group = file.create_group(f"edges/{source}_to_{target}")
    for end, nodes, ids in (("source", source, pre), ("target", target, post)):
        group[f"{end}_node_id"] = ids.astype(np.uint64)
        group[f"{end}_node_id"].attrs["node_population"] = nodes
    group["edge_type_id"] = np.full(len(pre), list(EDGES).index(f"{source}_to_{target}"), np.int64)
    group["edge_group_id"] = np.zeros(len(pre), np.uint32)
    group["edge_group_index"] = np.arange(len(pre), dtype=np.uint64)
    group["0/syn_weight"] = weights[pre, post]
    if delays is not None:
        group["0/delay"] = delays[pre, post]
    for name, ids, size in (
        ("source_to_target", pre, weights.shape[0]),
        ("target_to_source", post, weights.shape[1]),
    ):
        ranges, edges = _index(ids, size)
        group[f"indices/{name}/node_id_to_ranges"] = ranges
        group[f"indices/{name}/range_to_edge_id"] = edges


EDGES = {
    "inputs_to_hidden": "nest:static_synapse",
    "hidden_to_hidden": "nest:static_synapse",
    "hidden_to_readout": "NULL",
}
"""Populations of edges in the order of their types, and what NEST makes of them."""


def _index(ids: Ints, size: int) -> tuple[Ints, Ints]:
    """Where the edges of each of `size` nodes are: ranges of each node [size, 2], edges of each range [R, 2].

    `ids` [K] is the node of each edge; a range is a run of edges of one node.

    >>> ranges, edges = _index(np.array([1, 1, 0, 1]), 3)
    >>> ranges.tolist(), edges.tolist()
    ([[0, 1], [1, 3], [3, 3]], [[2, 3], [0, 2], [3, 4]])
    """
    order = np.argsort(ids, kind="stable").astype(np.int64)
    owner = ids[order]
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(order) != 1) | (np.diff(owner) != 0)
    starts = np.flatnonzero(first)
    lengths = np.diff(np.append(starts, len(order)))
    edges = np.stack([order[starts], order[starts] + lengths], 1)
    bounds = np.searchsorted(owner[starts], np.arange(size + 1))
    return np.stack([bounds[:-1], bounds[1:]], 1).astype(np.int64), edges.astype(np.int64)


def _write_types(bundle: Bundle, folder: Path) -> None:
    """The types of nodes and edges, the neuron's parameters as NEST names them, and our own settings."""
    config = bundle.network.config
    nodes = "\n".join(
        [
            "node_type_id model_type model_template dynamics_params",
            f"{NODES['hidden']} point_neuron nest:mat2_psc_exp hidden.json",
            f"{NODES['inputs']} virtual NULL NULL",
            f"{NODES['readout']} virtual NULL NULL",
        ]
    )
    (folder / "node_types.csv").write_text(nodes + "\n")
    edges = [f"{number} {template}" for number, template in enumerate(EDGES.values())]
    (folder / "edge_types.csv").write_text("\n".join(["edge_type_id model_template", *edges, ""]))
    # The neuron of here in NEST; see the script of `--format nest` for why it is this model.
    same = {"E_L": 0.0, "V_m": 0.0, "C_m": config.tau_mem, "tau_m": config.tau_mem, "omega": config.threshold}
    same |= {"tau_syn_ex": config.tau_syn, "tau_syn_in": config.tau_syn, "alpha_1": config.threshold}
    same |= {"tau_1": config.tau_mem, "alpha_2": 0.0, "t_ref": bundle.fine_step}
    (folder / "components").mkdir()
    _write_config(folder / "components/hidden.json", same)
    _write_config(folder / "learner.json", asdict(config) | {"n_channels": bundle.network.n_channels})


def _circuit() -> dict[str, Any]:
    types = {"nodes": "node_types.csv", "edges": "edge_types.csv"}
    return {
        "version": 2.4,
        "manifest": {"$BASE_DIR": "."},
        "components": {"point_neuron_models_dir": "$BASE_DIR/components"},
        "networks": {
            "nodes": [
                {
                    "nodes_file": "$BASE_DIR/nodes.h5",
                    "node_types_file": f"$BASE_DIR/{types['nodes']}",
                    "populations": {
                        name: {"type": "point_neuron" if name == "hidden" else "virtual"} for name in NODES
                    },
                }
            ],
            "edges": [
                {
                    "edges_file": "$BASE_DIR/edges.h5",
                    "edge_types_file": f"$BASE_DIR/{types['edges']}",
                    "populations": {name: {"type": "chemical"} for name in EDGES},
                }
            ],
        },
    }


def _simulation(bundle: Bundle, sample: int) -> dict[str, Any]:
    config = bundle.network.config
    return {
        "version": 2.4,
        "manifest": {"$BASE_DIR": ".", "$OUTPUT_DIR": f"output_{sample:03d}"},
        "network": "$BASE_DIR/circuit_config.json",
        "run": {"tstop": config.steps * config.dt, "dt": bundle.fine_step, "random_seed": 0},
        "conditions": {},
        "output": {"output_dir": "$OUTPUT_DIR", "spikes_file": "spikes.h5"},
        "inputs": {
            "sample": {
                "module": "synapse_replay",
                "input_type": "spikes",
                "delay": 0.0,
                "duration": config.steps * config.dt,
                "spike_file": f"$BASE_DIR/inputs/{sample:03d}.h5",
                "input_file": f"$BASE_DIR/inputs/{sample:03d}.h5",
                "node_set": "inputs",
                "source": "inputs",
            }
        },
    }


def _write_spikes(path: Path, population: str, times: Array, nodes: Array) -> None:
    path.parent.mkdir(exist_ok=True)
    order = np.argsort(times, kind="stable")
    with _new(path) as file:
        group = file.create_group(f"spikes/{population}")
        group.attrs.create("sorting", 2, dtype=SORTING)
        group["timestamps"] = times[order].astype(np.float64)
        group["timestamps"].attrs["units"] = "ms"
        group["node_ids"] = nodes[order].astype(np.uint64)


def _new(path: Path) -> h5py.File:
    file = h5py.File(path, "w")
    file.attrs["magic"], file.attrs["version"] = np.uint32(MAGIC), np.array(VERSION, np.uint32)
    return file


def _write_config(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
