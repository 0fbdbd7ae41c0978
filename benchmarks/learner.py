"""How fast the learner is: the pinned workload, forward and backward, in samples per second.

    python benchmarks/learner.py [--data FILE] [--threads 1] [--batch 128] [--peers] [--neurons] [--table]

The workload: the first samples of a file in the SHD layout (700 channels), 128 hidden neurons, 2-D,
w_in ~ N(0.03, 0.01), w_rec ~ N(0, 0.02), x ~ U(-1, 1)^2, delay scale 30 ms, dt 1 ms, duration 1,000 ms,
float32. Without a file, Poisson spikes of about the same number stand in for the data.
"""

import argparse
import resource
import statistics
import time
from dataclasses import replace

import numpy as np
import torch
from peers import PEERS, time_peer
from scaling import PINNED, make_network, varied_networks

from model import Cohort, SpikeDataset

CHANNELS, SPIKES = 700, 5500
PEER_BATCH, TABLE_BATCH = 32, 16


def read_data(path: str | None, samples: int) -> SpikeDataset:
    """The first samples of the file, or random ones that cost as much."""
    if path is not None:
        return SpikeDataset.from_hdf5(path, n_channels=CHANNELS).subset(slice(samples))
    draw = np.random.default_rng(0)
    counts = draw.poisson(SPIKES, samples)
    # Speech lasts about 0.4 s and fills the lower-pitched half of the channels.
    events = [
        (np.sort(draw.uniform(0, 420, n)).astype(np.float32), draw.integers(350, CHANNELS, n)) for n in counts
    ]
    return SpikeDataset.from_events(events, np.zeros(samples, int), CHANNELS, 10)


def timed(net: Cohort, data: SpikeDataset) -> tuple[float, float, float]:
    """Seconds forward and backward, and hidden spikes a sample."""
    samples = np.arange(len(data))[None]
    labels = torch.from_numpy(data.labels)
    start = time.perf_counter()
    out = net(data, samples)
    loss = torch.nn.functional.cross_entropy(out.logits[0], labels)
    middle = time.perf_counter()
    loss.backward()
    end = time.perf_counter()
    return middle - start, end - middle, out.counts.sum().item() / len(data)


def peak_memory() -> float:
    """The most memory this process has had (MB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def time_pinned(data: SpikeDataset, classes: int, threads: int, repeats: int) -> None:
    """Time the workload and print what was found."""
    net, size, before = make_network(PINNED, CHANNELS, classes, threads), len(data), peak_memory()
    start = time.perf_counter()
    timed(net, data)
    print(f"first call, with compilation or its cache  {time.perf_counter() - start:8.2f} s")
    runs = [timed(net, data) for _ in range(repeats)]
    forward, backward = (statistics.median(run[k] for run in runs) for k in (0, 1))
    rates = sorted(size / (run[0] + run[1]) for run in runs)
    print(f"forward                                    {1e3 * forward / size:8.3f} ms a sample")
    print(f"backward                                   {1e3 * backward / size:8.3f} ms a sample")
    print(f"samples per second, median                 {size / (forward + backward):8.0f}")
    print(f"samples per second, least and most         {rates[0]:8.0f} {rates[-1]:.0f}")
    print(f"input spikes a sample                      {data.times.flat.size / size:8.0f}")
    print(f"hidden spikes a sample                     {runs[0][2]:8.0f}")
    print(f"peak memory since the data were loaded     {peak_memory() - before:8.0f} MB")


def time_peers(data: SpikeDataset, classes: int, threads: int, repeats: int) -> None:
    """Time the learner and its peers in turns on the same samples, the best of the repeats."""
    nets = {name: make_network(PINNED, CHANNELS, classes, threads) for name in ("the learner", *PEERS)}
    seconds: dict[str, list[float]] = {name: [] for name in nets}
    spikes = {}
    for _ in range(repeats):
        for name, net in nets.items():
            net.zero_grad()
            if name in PEERS:
                spent, spikes[name] = time_peer(name, net, data)
            else:
                forward, backward, spikes[name] = timed(net, data)
                spent = (forward + backward) / len(data)
            seconds[name].append(spent)
    print(f"\n{'':32} samples/s  hidden spikes a sample")
    for name, spent_in in seconds.items():
        print(f"{name:32} {1 / min(spent_in):9.1f} {spikes[name]:10.0f}")


def time_neurons(data: SpikeDataset, classes: int, threads: int, repeats: int) -> None:
    """Time plain neurons and others in turns; adaptive ones with as many spikes, and as they start."""
    neurons = {
        "plain": PINNED,
        "adaptive, as many spikes": replace(PINNED, neuron="adaptive_lif", adaptation=1e-6),
        "adaptive": replace(PINNED, neuron="adaptive_lif"),
        "own time constants": replace(PINNED, learn_time_constants=True),
    }
    nets = {name: make_network(one, CHANNELS, classes, threads) for name, one in neurons.items()}
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in nets}
    for repeat in range(repeats + 1):
        for name, net in nets.items():
            found = timed(net, data)
            runs[name] += [found] if repeat else []  # the first one may compile
    print(f"\n{'':32} samples/s  hidden spikes a sample  time over that of plain ones, median of the turns")
    spent = {name: [run[0] + run[1] for run in own] for name, own in runs.items()}
    for name, own in spent.items():
        ratio = statistics.median(a / b for a, b in zip(own, spent["plain"], strict=True))
        rate = len(data) / statistics.median(own)
        print(f"{name:32} {rate:9.1f} {runs[name][0][2]:23.0f} {ratio:12.2f}")


def time_table(data: SpikeDataset, classes: int, repeats: int) -> None:
    """Print what each variation of the workload costs, in all and per hidden spike and synapse."""
    print(f"\n{'':16} samples/s  hidden spikes  synapses of each  ns a spike and synapse")
    for name, net in varied_networks(data, classes):
        timed(net, data)
        runs = [timed(net, data) for _ in range(repeats)]
        spent, spikes = min(run[0] + run[1] for run in runs) / len(data), runs[0][2]
        fan_out = net.mask.sum().item() / net.config.neurons
        cost = 1e9 * spent / max(1.0, spikes * fan_out)
        print(f"{name:16} {1 / spent:9.1f} {spikes:14.0f} {fan_out:17.1f} {cost:23.2f}")


def main() -> None:
    """Time what was asked for."""
    imported = peak_memory()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="a file in the SHD layout")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--peers", action="store_true", help="time peers beside the learner")
    parser.add_argument("--neurons", action="store_true", help="time other neurons beside plain ones")
    parser.add_argument("--table", action="store_true", help="vary the workload, one thing at a time")
    options = parser.parse_args()
    torch.set_num_threads(1)  # those of the kernels are ours, and torch's spin
    data = read_data(options.data, options.batch)
    classes = max(10, data.n_classes)
    time_pinned(data, classes, options.threads, options.repeats)
    print(f"peak memory above the imports              {peak_memory() - imported:8.0f} MB")
    if options.peers:
        time_peers(data.subset(slice(PEER_BATCH)), classes, options.threads, min(3, options.repeats))
    if options.neurons:
        time_neurons(data, classes, options.threads, options.repeats)
    if options.table:
        time_table(data.subset(slice(TABLE_BATCH)), classes, min(3, options.repeats))


if __name__ == "__main__":
    main()
