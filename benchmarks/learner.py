"""How fast the learner is: the pinned workload, forward and backward, in samples per second.

    python benchmarks/learner.py [--data FILE] [--threads 1] [--batch 128]

The workload: the first samples of a file in the SHD layout (700 channels), 128 hidden neurons, 2-D,
w_in ~ N(0.03, 0.01), w_rec ~ N(0, 0.02), x ~ U(-1, 1)^2, delay scale 30 ms, dt 1 ms, duration 1,000 ms,
float32. Without a file, Poisson spikes of about the same number stand in for the data.
"""

import argparse
import resource
import statistics
import time

import numpy as np
import torch

from model import Cohort, LearnerConfig, SpikeDataset

CHANNELS, DURATION, SPIKES = 700, 1000.0, 5500


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


def pinned_network(classes: int, threads: int) -> Cohort:
    """The network of the workload."""
    config = LearnerConfig(hidden=128, dimensions=2, delay_scale=30.0, dt=1.0, duration=DURATION)
    net = Cohort(config, CHANNELS, classes, [0], threads=threads)
    draw = np.random.default_rng(0)
    with torch.no_grad():
        for parameter, mean, spread in ((net.w_in, 0.03, 0.01), (net.w_rec, 0.0, 0.02)):
            parameter.copy_(torch.tensor(draw.normal(mean, spread, parameter.shape)))
        net.positions.copy_(torch.tensor(draw.uniform(-1, 1, net.positions.shape)))
    return net


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


def main() -> None:
    """Time the workload and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="a file in the SHD layout")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = read_data(options.data, options.batch)
    net = pinned_network(max(10, data.n_classes), options.threads)
    before = peak_memory()
    start = time.perf_counter()
    timed(net, data)
    print(f"first call, with compilation or its cache  {time.perf_counter() - start:8.2f} s")
    runs = [timed(net, data) for _ in range(options.repeats)]
    forward, backward = (statistics.median(run[k] for run in runs) for k in (0, 1))
    size = len(data)
    rates = sorted(size / (run[0] + run[1]) for run in runs)
    print(f"forward                                    {1e3 * forward / size:8.3f} ms a sample")
    print(f"backward                                   {1e3 * backward / size:8.3f} ms a sample")
    print(f"samples per second, median                 {size / (forward + backward):8.0f}")
    print(f"samples per second, least and most         {rates[0]:8.0f} {rates[-1]:.0f}")
    print(f"input spikes a sample                      {data.times.flat.size / size:8.0f}")
    print(f"hidden spikes a sample                     {runs[0][2]:8.0f}")
    print(f"peak memory                                {peak_memory():8.0f} MB")
    print(f"of which since the data were loaded        {peak_memory() - before:8.0f} MB")


if __name__ == "__main__":
    main()
