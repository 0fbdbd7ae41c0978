"""A network as a graph: GraphML for networkx, igraph and Gephi, and plain arrays and tables."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from model.arrays import Array
from model.export.bundle import Bundle

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
AXES = ("x", "y", "z")
OWN = ("adaptation", "tau_adaptation", "tau_mem", "tau_syn")
"""What neurons may have of their own."""
TYPES = {"i": "long", "f": "double"}


def neuron_columns(bundle: Bundle) -> dict[str, Array]:
    """What is known of each neuron [N] by name: `neuron`, its place, `Bundle.columns`, and its own constants.

    A place of up to three dimensions is x, y and z. Beyond that x, y and z are the first three principal
    components of the positions, and all coordinates follow as `position_0`, `position_1` ...
    """
    network = bundle.network
    found: dict[str, Array] = {"neuron": np.arange(network.neurons)}
    if network.positions is not None:
        found |= dict(zip(AXES, places(network.positions).T, strict=False))
        if network.positions.shape[1] > len(AXES):
            found |= {f"position_{k}": column for k, column in enumerate(network.positions.T)}
    own = {name: getattr(network, name) for name in OWN}
    return found | bundle.columns | {name: each for name, each in own.items() if each is not None}


def places(positions: Array) -> Array:
    """Positions [N, D] in at most three dimensions: themselves, or else their principal components [N, 3].

    >>> places(np.eye(5)).shape
    (5, 3)
    """
    if positions.shape[1] <= len(AXES):
        return positions
    centred = positions - positions.mean(0)
    axes: Array = np.linalg.svd(centred.astype(np.float64), full_matrices=False)[2]
    # The sign of a component is free: its largest coefficient is positive.
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    components: Array = (centred @ (axes * np.sign(largest))[: len(AXES)].T).astype(positions.dtype)
    if components.shape[1] < len(AXES):  # fewer neurons than dimensions
        components = np.pad(components, ((0, 0), (0, len(AXES) - components.shape[1])))
    return components


def synapse_columns(bundle: Bundle) -> dict[str, Array]:
    """The synapses that are not 0, K of them: `pre`, `post`, `weight` and `delay` (ms), each [K]."""
    network = bundle.network
    pre, post = network.synapses
    return {
        "pre": pre,
        "post": post,
        "weight": network.w_rec[pre, post],
        "delay": network.delays[pre, post],
    }


def write_graphml(bundle: Bundle, folder: Path) -> None:
    """Write `network.graphml`: a directed graph, weights and delays on its edges, tuning on its nodes."""
    ElementTree.register_namespace("", NAMESPACE)
    root = ElementTree.Element(f"{{{NAMESPACE}}}graphml")
    nodes, edges = neuron_columns(bundle), synapse_columns(bundle)
    told = {name: edges[name] for name in ("weight", "delay")}
    for kind, columns in (("node", nodes), ("edge", told)):
        for name, column in columns.items():
            _element(
                root,
                "key",
                {
                    "id": f"{kind}_{name}",
                    "for": kind,
                    "attr.name": name,
                    "attr.type": TYPES[column.dtype.kind],
                },
            )
    graph = _element(root, "graph", {"id": "network", "edgedefault": "directed"})
    for n, values in enumerate(_rows(nodes)):
        _data(_element(graph, "node", {"id": f"n{n}"}), "node", nodes, values)
    ends = zip(edges["pre"].tolist(), edges["post"].tolist(), strict=True)
    for (pre, post), values in zip(ends, _rows(told), strict=True):
        _data(_element(graph, "edge", {"source": f"n{pre}", "target": f"n{post}"}), "edge", told, values)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(folder / "network.graphml", encoding="utf-8", xml_declaration=True)


def write_arrays(bundle: Bundle, folder: Path) -> None:
    """Write `network.npz`, all arrays of the network, and `neurons.csv` and `synapses.csv`."""
    write_network(bundle, folder)
    for name, columns in (("neurons", neuron_columns(bundle)), ("synapses", synapse_columns(bundle))):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(columns)
            table.writerows(_rows(columns))


def write_network(bundle: Bundle, folder: Path) -> None:
    """Write `network.npz`: arrays under the names of `PlainNetwork`, and the neurons' columns."""
    arrays: dict[str, Any] = bundle.network.as_arrays() | bundle.columns
    np.savez_compressed(folder / "network.npz", **arrays)


def _rows(columns: dict[str, Array]) -> Iterable[tuple[Any, ...]]:
    """Row by row, as Python's numbers: float32 in the fewest digits that give it back."""
    return zip(*(_plain(column) for column in columns.values()), strict=True)


def _plain(column: Array) -> Sequence[Any]:
    if column.dtype == np.float32:
        return [float(str(value)) for value in column]
    found: list[Any] = column.tolist()
    return found


def _data(element: ElementTree.Element, kind: str, names: Iterable[str], values: Iterable[Any]) -> None:
    for name, value in zip(names, values, strict=True):
        if value == value:  # NaN, of a silent neuron, is left out: not every reader knows it
            _element(element, "data", {"key": f"{kind}_{name}"}).text = repr(value)


def _element(parent: ElementTree.Element, tag: str, attributes: dict[str, str]) -> ElementTree.Element:
    return ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{tag}", attributes)
