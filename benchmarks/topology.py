"""What the topology measures cost, each beside bctpy or networkx where these have it.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/topology.py [--large]

On a dense network of 128 neurons; with --large on one of 1,000 at a density of 10 %, without the others.
Clustering by networkx takes some 20 s.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import bct
import networkx as nx
import numpy as np

from model import SpikeDataset
from model.topology import MEASURES, delay_graphs, measures, receptive_fields
from model.topology.definitions import value_of
from model.topology.network import Network
from model.topology.spatial import SPATIAL
from model.topology.trained import Trained

CHANNELS, SAMPLES, CLASSES = 700, 500, 10
GIVEN = ("positions", "w_in", "spikes", "labels", "fields", "times")


def draw(size: int, density: float) -> dict[str, Any]:
    """A network whose weights fall with distance, with inputs, and spikes of SAMPLES samples."""
    rng = np.random.default_rng(0)
    x = rng.random((size, 2))
    distances = np.linalg.norm(x[:, None] - x, axis=-1)
    weights = rng.normal(size=(size, size)) * np.exp(-3 * distances)
    labels, preferred = rng.integers(CLASSES, size=SAMPLES), rng.integers(CLASSES, size=size)
    return {
        "w_rec": weights * (rng.random((size, size)) < density),
        "distances": distances,
        "positions": x,
        "w_in": rng.normal(size=(CHANNELS, 2)) @ x.T + rng.normal(size=(CHANNELS, size)),
        "spikes": rng.poisson(3 + 5 * np.equal.outer(labels, preferred)),
        "labels": labels,
        "fields": rng.random((size, CHANNELS)) + x[:, :1],
        "times": rng.random(size),
    }


def seconds(work: Callable[[], Any], runs: int) -> float:
    """The least duration of `runs`."""
    durations = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return min(durations)


def others(strengths: Any) -> dict[str, list[tuple[str, Callable[[], Any]]]]:
    """The same measures by other libraries, on relative strengths."""
    graph = nx.from_numpy_array(strengths, create_using=nx.DiGraph)
    lengths = nx.from_numpy_array(
        np.divide(1, strengths, out=np.zeros_like(strengths), where=strengths > 0), create_using=nx.DiGraph
    )
    return {
        "modularity": [
            ("networkx", lambda: nx.community.louvain_communities(graph, seed=0)),
            ("bctpy", lambda: bct.modularity_louvain_dir(strengths, seed=0)),
        ],
        "clustering": [
            ("networkx", lambda: nx.average_clustering(graph, weight="weight")),
            ("bctpy", lambda: bct.clustering_coef_wd(strengths)),
        ],
        "global_efficiency": [
            ("networkx", lambda: dict(nx.all_pairs_dijkstra_path_length(lengths))),
            ("bctpy", lambda: bct.efficiency_wei(strengths)),
        ],
        "global_efficiency_binary": [
            ("networkx", lambda: dict(nx.all_pairs_shortest_path_length(graph))),
            ("bctpy", lambda: bct.efficiency_bin(strengths)),
        ],
    }


def fresh(given: dict[str, Any]) -> Trained:
    """A network that remembers nothing of an earlier measure."""
    network = Network.of(given["w_rec"], given["distances"])
    return Trained.of(network, *(given[name] for name in GIVEN))


def shown(samples: int, channels: int, spikes: float) -> SpikeDataset:
    """Random spikes in samples of a second."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(spikes, samples)
    events = [(np.sort(rng.uniform(0, 1000, n)), rng.integers(channels, size=n)) for n in counts]
    return SpikeDataset.from_events(events, np.zeros(samples, int), channels, 1)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--large", action="store_true", help="1,000 neurons at a density of 10 %%")
    large: bool = parser.parse_args().large
    size, density, runs = (1000, 0.1, 1) if large else (128, 1.0, 5)
    given = draw(size, density)
    measures(**draw(8, 1.0), nulls=1)  # imports what is imported late
    beside = {} if large else others(Network.of(given["w_rec"], given["distances"]).relative)
    print(f"{size} neurons, density {density:.0%}: ms, ours the least of {runs}")
    for name in MEASURES:
        own = min(seconds(partial(value_of, name, fresh(given)), 1) for _ in range(runs))
        rivals = [f"{peer} {seconds(work, 1) * 1e3:.1f}" for peer, work in beside.get(name, [])]
        print(f"  {name:26}{own * 1e3:8.1f}   {'   '.join(rivals)}")
    print(f"all, without nulls {seconds(partial(measures, **given, nulls=0), runs):6.2f} s")
    if not large:
        print(f"all, with 50 nulls {seconds(partial(measures, **given, nulls=50), 2):6.2f} s")
        tuning = partial(measures, **given, nulls=200, compared=SPATIAL)
        print(f"with 200 nulls, of tuning alone {seconds(tuning, 2):6.2f} s")
        inputs, hidden = shown(SAMPLES, CHANNELS, 8000), shown(SAMPLES, size, 10 * size)
        took = seconds(partial(receptive_fields, inputs, hidden), 3)
        print(f"receptive fields {took:6.2f} s: {SAMPLES} samples of {CHANNELS} channels, 8,000 spikes each")
        print(f"graphs of the shortest delays {seconds(partial(delay_graphs, given['distances']), 2):6.2f} s")


if __name__ == "__main__":
    main()
