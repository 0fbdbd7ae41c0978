"""Run an exported network in Brian 2 or NEST, and compare its spikes and answers with those it came with.

This file stands beside `network.npz` and `samples.npz`, which have all that it needs, and knows nothing of
the program that wrote them: it wants numpy and the simulator.

    python simulate.py --simulator brian2 --dt 0.01

The neuron: tau_mem dV/dt = I - V and tau_syn dI/dt = -I; a spike that arrives adds its weight to I. Where V
reaches the threshold the neuron fires and V falls by the threshold; there is no refractory time. In
continuous time that is a reset to 0; a simulator finds V a little above, and what is above is kept. In
Brian 2 this is written down as it stands. In NEST `iaf_psc_exp` resets to 0 and loses what is above;
`mat2_psc_exp` never resets V and raises the threshold instead, by alpha_1 with each spike, which decays
with tau_1. With alpha_1 = the threshold and tau_1 = tau_mem that is the same neuron, but that it can fire
in every second step only. C_m = tau_mem makes weights (pA) those of here. The threshold of an adaptive neuron
rises with each spike: in Brian 2 by a trace more, in NEST by alpha_2 and tau_2 of the same model.

Both simulators round inputs and delays to their step, and tell a spike at the end of the step of the
crossing, half a step late in the mean. So half a step is taken off the times of spikes, and off recurrent
delays before they are rounded.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Sample = tuple[Array, Array]
"""Times (ms), and the inputs or the neurons that they are of, each [E]."""
OWN = ("adaptation", "tau_adaptation", "tau_mem", "tau_syn")
"""What a neuron has of its own [N]."""
WINDOW = 1.0
"""Spikes of one neuron that are farther apart (ms) are not the same spike."""


class Agreement(NamedTuple):
    """How the spikes of a simulator agree with those of a network. All times in ms."""

    spikes: int
    """Spikes of the network."""
    missing: int
    """Of them, those without one of the simulator within WINDOW."""
    extra: int
    """Spikes of the simulator without one of the network within WINDOW."""
    median: float
    """Median of the differences in time of the others."""
    largest: float
    within: float
    """Share of them within one step of the simulator."""


def load(folder: Path) -> tuple[dict[str, Array], dict[str, Any], dict[str, Array]]:
    """The network's arrays, with `OWN` of all neurons; its settings; the samples with its own spikes."""
    with np.load(folder / "network.npz", allow_pickle=False) as file:
        network = {name: file[name] for name in file.files}
    with np.load(folder / "samples.npz", allow_pickle=False) as file:
        samples = {name: file[name] for name in file.files}
    settings = json.loads(str(network["config"]))
    alike = [0.0, 1.0, settings["tau_mem"], settings["tau_syn"]]
    plain = dict(zip(OWN, np.outer(alike, np.ones(len(network["w_rec"]))), strict=True))
    return plain | network, settings, samples


def parts(samples: dict[str, Array], name: str) -> list[Sample]:
    """The spikes `name` of each sample."""
    ends, times, units = samples[f"{name}_ends"], samples[f"{name}_times"], samples[f"{name}_units"]
    return [(times[a:b], units[a:b]) for a, b in pairwise(ends)]


def end_of(settings: dict[str, Any]) -> float:
    """Length of a sample (ms)."""
    return float(settings["duration"])


def with_brian2(network: dict[str, Array], settings: dict[str, Any], inputs: list[Sample], dt: float) -> Any:
    """The hidden spikes of each sample in Brian 2, all samples side by side."""
    import brian2 as b2

    n, size = len(network["w_rec"]), len(inputs)
    b2.defaultclock.dt = dt * b2.ms
    hidden = b2.NeuronGroup(
        n * size,
        "dv/dt = (i_syn - v) / tau_mem : 1\ndi_syn/dt = -i_syn / tau_syn : 1\n"
        "da/dt = -a / tau_a : 1\nb : 1\ntau_a : second\ntau_mem : second\ntau_syn : second",
        threshold="v >= theta + b * a",
        reset="v -= theta; a += 1",
        method="exact",
        namespace={"theta": settings["threshold"]},
    )
    hidden.b = np.tile(network["adaptation"], size)
    for name, own in zip(("tau_a", "tau_mem", "tau_syn"), OWN[1:], strict=True):
        setattr(hidden, name, np.tile(network[own], size) * b2.ms)
    steps, units, rows = apart(inputs, dt, len(network["w_in"]))
    source = b2.SpikeGeneratorGroup(max(1, len(rows)), units, steps * dt * b2.ms)
    late = network.get("input_delays", np.zeros_like(network["w_in"]))
    sample, channel = np.divmod(rows, len(network["w_in"]))
    pre, post = np.nonzero(network["w_in"][channel])
    from_inputs = b2.Synapses(source, hidden, "w : 1", on_pre="i_syn_post += w")
    from_inputs.connect(i=pre, j=post + n * sample[pre])
    from_inputs.w = network["w_in"][channel[pre], post]
    from_inputs.delay = late[channel[pre], post] * b2.ms
    pre, post = np.nonzero(network["mask"] & (network["w_rec"] != 0))
    among = b2.Synapses(hidden, hidden, "w : 1", on_pre="i_syn_post += w")
    base = n * np.arange(size)[:, None]
    if len(pre):
        among.connect(i=(base + pre).ravel(), j=(base + post).ravel())
        among.w = np.tile(network["w_rec"][pre, post], size)
        among.delay = np.tile(to_steps(network["delays"][pre, post] - dt / 2, dt, 1), size) * b2.ms
    monitor = b2.SpikeMonitor(hidden)
    b2.Network(hidden, source, from_inputs, among, monitor).run(end_of(settings) * b2.ms)
    # A spike that crosses within the step after the clock's time is told by the clock, and one that arrives
    # acts from the end of its step on: the whole network is late by a step that no clock shows.
    return split(np.asarray(monitor.t / b2.ms) - dt / 2, np.asarray(monitor.i), n, size)


def with_nest(network: dict[str, Array], settings: dict[str, Any], inputs: list[Sample], dt: float) -> Any:
    """The hidden spikes of each sample in NEST, one sample after the other."""
    import nest

    if hasattr(nest, "VerbosityLevel"):
        nest.verbosity = nest.VerbosityLevel.ERROR
    else:
        nest.set_verbosity("M_ERROR")
    found = []
    strength, tau, tau_mem, tau_syn = (network[name].astype(float).tolist() for name in OWN)
    same = {"E_L": 0.0, "V_m": 0.0, "C_m": tau_mem, "tau_m": tau_mem, "t_ref": dt}
    same |= {"tau_syn_ex": tau_syn, "tau_syn_in": tau_syn, "tau_1": tau_mem}
    same |= dict.fromkeys(("omega", "alpha_1"), settings["threshold"]) | {"alpha_2": strength, "tau_2": tau}
    late = network.get("input_delays", np.zeros_like(network["w_in"]))
    pre, post = np.nonzero(network["mask"] & (network["w_rec"] != 0))
    for times, channels in inputs:
        nest.ResetKernel()
        nest.resolution = dt
        hidden = nest.Create("mat2_psc_exp", len(network["w_rec"]), params=same)
        recorder = nest.Create("spike_recorder")
        nest.Connect(hidden, recorder)
        ids = np.array(hidden.tolist())
        if len(pre):
            weights = network["w_rec"][pre, post].astype(float)
            delays = to_steps(network["delays"][pre, post] - dt / 2, dt, 1)
            nest.Connect(ids[pre], ids[post], "one_to_one", {"weight": weights, "delay": delays})
        # No delay is shorter than a step: inputs come a step late, and so does all else.
        used = np.unique(channels)
        if len(used):
            sources = nest.Create("spike_generator", len(used))
            for source, channel in zip(sources, used, strict=True):
                own = np.maximum(to_steps(times[channels == channel], dt), dt)
                source.set(spike_times=np.sort(own), precise_times=False)
            syn = {
                "weight": network["w_in"][used].T.astype(float),
                "delay": to_steps(late[used].T + dt, dt, 1),
            }
            nest.Connect(sources, hidden, "all_to_all", syn)
        nest.Simulate(float(np.ceil(end_of(settings) / dt + 1) * dt))
        events = recorder.get("events")
        order = np.argsort(events["times"], kind="stable")
        found.append((events["times"][order] - 1.5 * dt, events["senders"][order] - ids[0]))
    return found


SIMULATORS: dict[str, Callable[..., list[Sample]]] = {"brian2": with_brian2, "nest": with_nest}


def to_steps(times: Array, dt: float, least: int = 0) -> Array:
    """Times (ms) rounded to whole steps, `least` of them at least."""
    steps: Array = np.maximum(np.rint(np.asarray(times, float) / dt), least) * dt
    return np.round(steps, 9)


def apart(inputs: list[Sample], dt: float, size: int) -> tuple[Array, Array, Array]:
    """The input spikes of all samples for units that fire at most once a step.

    An input that has several spikes in one step gets a unit for each of them. Returns the steps and units of
    all spikes, and of every unit sample * size + input.
    """
    spikes = [
        (np.rint(times / dt).astype(np.int64), s * size + units) for s, (times, units) in enumerate(inputs)
    ]
    steps, rows = (np.concatenate(column) for column in zip(*spikes, strict=True))
    order = np.lexsort((steps, rows))
    steps, rows = steps[order], rows[order]
    again = np.zeros(len(steps), np.int64)
    if len(steps):
        same = np.flatnonzero(
            np.diff(steps, prepend=-1).astype(bool) | np.diff(rows, prepend=-1).astype(bool)
        )
        again = np.arange(len(steps)) - np.repeat(same, np.diff(np.append(same, len(steps))))
    kinds, units = np.unique(np.stack([again, rows]), axis=1, return_inverse=True)
    return steps, units.ravel(), kinds[1]


def split(times: Array, neurons: Array, n: int, size: int) -> list[Sample]:
    """Spikes of neurons that are numbered through all samples, sample by sample."""
    return [(times[neurons // n == s], neurons[neurons // n == s] % n) for s in range(size)]


def agreement(ours: list[Sample], theirs: list[Sample], dt: float, end: float) -> Agreement:
    """Pair the spikes of each neuron, in order, and tell how far apart they are.

    The last step before the end of a sample does not count: which side a spike falls on there is rounding.
    """
    apart_by, missing, extra, count = [np.empty(0)], 0, 0, 0
    for (own, at), (found, where) in zip(ours, theirs, strict=True):
        for neuron in np.unique(np.concatenate([at, where])):
            a, b = np.sort(own[at == neuron]), np.sort(found[where == neuron])
            paired = pairs(a, b)
            lone_a, lone_b = np.delete(a, paired[0]), np.delete(b, paired[1])
            missing += int((lone_a < end - WINDOW).sum())
            extra += int((lone_b < end - WINDOW).sum())
            count += len(a)
            apart_by.append(np.abs(a[paired[0]] - b[paired[1]]))
    away = np.concatenate(apart_by)
    if not len(away):
        return Agreement(count, missing, extra, np.nan, np.nan, np.nan)
    near = float((away <= dt * (1 + 1e-6)).mean())
    return Agreement(count, missing, extra, float(np.median(away)), float(away.max()), near)


def pairs(a: Array, b: Array) -> tuple[list[int], list[int]]:
    """Indices of the ascending times `a` and `b` that go together, in order, none farther than WINDOW."""
    found: tuple[list[int], list[int]] = ([], [])
    k = m = 0
    while k < len(a) and m < len(b):
        if abs(a[k] - b[m]) <= WINDOW:
            found[0].append(k)
            found[1].append(m)
            k, m = k + 1, m + 1
        elif a[k] < b[m]:
            k += 1
        else:
            m += 1
    return found


def answers(network: dict[str, Array], settings: dict[str, Any], spikes: list[Sample]) -> Array:
    """The class that the readout gives to each sample [S].

    It is a leaky integrator of each neuron's spikes, averaged over the sample of length T with the weight
    exp(-t/T), then a linear layer: a spike at t counts K(t) = (1/T) integral_t^T exp(-u/T) kappa(u - t) du.
    """
    taus = [settings[f"{name}_out"] or settings[name] for name in ("tau_mem", "tau_syn")]
    end, gain = end_of(settings), taus[1] / (taus[0] - taus[1])
    found = []
    for times, neurons in spikes:
        rates = [1 / end + 1 / tau for tau in taus]
        slow, fast = (-np.expm1(-rate * np.maximum(end - times, 0)) / rate for rate in rates)
        kernel = gain / end * np.exp(-times / end) * (slow - fast)
        features = np.bincount(neurons, kernel, len(network["w_rec"]))
        found.append((features @ network["w_out"] + network["b_out"]).argmax())
    return np.array(found)


def main(arguments: list[str] | None = None) -> int:
    """Simulate and compare; the results are printed, and written to `compared.json` and `spikes.npz`."""
    folder = Path(__file__).resolve().parent
    network, settings, samples = load(folder)
    parser = argparse.ArgumentParser(description="Run the network in a simulator and compare its spikes.")
    parser.add_argument("--simulator", choices=list(SIMULATORS), default=str(samples["simulator"]))
    parser.add_argument("--dt", type=float, default=0.01, help="the simulator's step (ms)")
    parser.add_argument("--samples", type=int, default=len(samples["labels"]), help="only the first so many")
    given = parser.parse_args(arguments)
    if not 0 < given.dt <= settings["dt"] or not 1 <= given.samples <= len(samples["labels"]):
        parser.error(f"--dt goes up to {settings['dt']}, and there are {len(samples['labels'])} samples")
    started = time.perf_counter()
    inputs = parts(samples, "input")[: given.samples]
    try:
        found = SIMULATORS[given.simulator](network, settings, inputs, given.dt)
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{error}; install brian2 or nest-simulator, or choose another --simulator\n")
        return 2
    seconds = time.perf_counter() - started
    labels, told = samples["labels"][: given.samples], answers(network, settings, found)
    result: dict[str, Any] = {"simulator": given.simulator, "dt": given.dt, "samples": given.samples}
    for name in ("fine", "hidden"):
        ours = parts(samples, name)[: given.samples]
        own_step = float(samples[f"{name}_step"])
        compared = agreement(ours, found, given.dt, end_of(settings))
        own = answers(network, settings, ours)
        block = {"accuracy": float((own == labels).mean()), "same answers": float((own == told).mean())}
        result[f"against steps of {own_step:g} ms"] = compared._asdict() | block
    result["accuracy"] = float((told == labels).mean())
    result["seconds"] = round(seconds, 1)
    text = json.dumps(result, indent=2)
    (folder / "compared.json").write_text(text + "\n")
    ends = np.cumsum([0, *(len(times) for times, _ in found)])
    times, units = (np.concatenate(column) for column in zip(*found, strict=True))
    np.savez_compressed(folder / "spikes.npz", times=times, units=units, ends=ends, answers=told)
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
