"""The recurrent part of a network in SONATA: weights, delays and places of one population of neurons."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from model.arrays import Array, Floats
from model.exchange.arrays import ForeignError, real

AXES = ("x", "y", "z")


def read_sonata(path: Path) -> dict[str, Array]:
    """`delays`, `w_rec` and `mask` [N, N], and where nodes have places `positions` [N, D], of a circuit.

    `path` is the circuit's configuration (JSON). The one population of edges from a population of nodes to
    itself is read: its `syn_weight` and `delay` (ms). Positions are x, y and z as far as they are there, or
    `position_0` and so on, if there are such columns.

    Raises ForeignError if a file is missing or not SONATA, there is no such population of edges or several,
    a column is missing, or a pair of nodes has several edges.
    """
    circuit = _config(path)
    try:
        name, edges = _recurrent(circuit, path)
        with h5py.File(edges, "r") as file:
            found = _read_edges(file[f"edges/{name}"], f"{edges}: edges/{name}")
        nodes, size, positions = _nodes(circuit, path, found["population"])
    except (KeyError, TypeError, OSError, AttributeError) as error:
        raise ForeignError(f"{path}: can't be read as a circuit of SONATA ({error})") from error
    pre, post = found["source"], found["target"]
    if len(pre) and max(pre.max(), post.max()) >= size:
        raise ForeignError(
            f"{edges}: edges/{name}: names node {max(pre.max(), post.max())}, {nodes} has {size}"
        )
    if len(np.unique(pre * size + post)) != len(pre):
        raise ForeignError(
            f"{edges}: edges/{name}: has several edges from one node to another; join them into one"
        )
    read: dict[str, Array] = {"mask": np.zeros((size, size), bool)}
    read["mask"][pre, post] = True
    for key, column in (("delays", found["delay"]), ("w_rec", found["syn_weight"])):
        read[key] = np.zeros((size, size))
        read[key][pre, post] = column
    return read if positions is None else read | {"positions": positions}


def _config(path: Path) -> Any:
    """The configuration, with the variables of its manifest filled in."""
    try:
        text = path.read_text()
        manifest = json.loads(text).get("manifest", {})
        for _ in manifest:  # a variable may stand on another
            for variable, value in manifest.items():
                text = text.replace(variable, value)
        return json.loads(text)
    except FileNotFoundError:
        raise ForeignError(f"{path}: there is no such file") from None
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ForeignError(f"{path}: can't be read as a circuit of SONATA ({error})") from error


def _recurrent(circuit: Any, path: Path) -> tuple[str, Path]:
    """The population of edges from nodes to themselves, and its file."""
    found = []
    for one in circuit["networks"]["edges"]:
        place = path.parent / one["edges_file"]
        with h5py.File(place, "r") as file:
            for name, group in file["edges"].items():
                ends = [
                    _text(group[f"{end}_node_id"].attrs["node_population"]) for end in ("source", "target")
                ]
                if ends[0] == ends[1]:
                    found.append((name, place))
    if len(found) != 1:
        names = ", ".join(name for name, _ in found) or "none"
        raise ForeignError(
            f"{path}: expected one population of edges among neurons of one kind, found {names}"
        )
    return found[0]


def _read_edges(group: h5py.Group, where: str) -> dict[str, Any]:
    missing = [name for name in ("syn_weight", "delay") if f"0/{name}" not in group]
    if missing:
        raise ForeignError(f"{where}: has no column `{missing[0]}` in group 0; give each edge one")
    if len(group["edge_group_id"]) and group["edge_group_id"][()].any():
        raise ForeignError(f"{where}: has several groups of edges; write them into one")
    index = group["edge_group_index"][()]
    columns: dict[str, Floats] = {
        name: real(group[f"0/{name}"][()], f"{where}: {name}")[index] for name in ("syn_weight", "delay")
    }
    ends = {end: group[f"{end}_node_id"][()].astype(np.int64) for end in ("source", "target")}
    return columns | ends | {"population": _text(group["source_node_id"].attrs["node_population"])}


def _nodes(circuit: Any, path: Path, population: str) -> tuple[Path, int, Floats | None]:
    """The file with the nodes of a population, how many they are, and where, ascending by number."""
    for one in circuit["networks"]["nodes"]:
        place = path.parent / one["nodes_file"]
        with h5py.File(place, "r") as file:
            if population not in file["nodes"]:
                continue
            group = file[f"nodes/{population}"]
            size = len(group["node_type_id"])
            columns = list(group["0"]) if "0" in group else []
            own = [f"position_{k}" for k in range(len(columns)) if f"position_{k}" in columns]
            axes = own or [axis for axis in AXES if axis in columns]
            values = [real(group[f"0/{axis}"][()], f"{place}: {axis}") for axis in axes]
            order = group["node_group_index"][()] if "node_group_index" in group else np.arange(size)
            return place, size, np.stack(values, 1)[order] if values else None
    raise ForeignError(f"{path}: there is no file with the nodes of population `{population}`")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
