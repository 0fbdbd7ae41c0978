"""Every public name of the model called with wrong arguments; run as a script, with numba's test of bounds.

Faults must be told in words: by ValueError, TypeError or IndexError, and not by those of compiled code.
"""

import importlib
import inspect
import pkgutil
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import model
from model import Cohort, LearnerConfig, SpikeDataset
from model.analysis.evaluation import evaluate
from model.analysis.layers import layers_of
from model.analysis.lesions import NeuronSet, lesioned, lesions, neuron_sets
from model.analysis.pruning import pruning_curve
from model.analysis.recording import hidden_spikes
from model.analysis.snapshot import neurons_of, topology_of
from model.analysis.tuning import tuning_of
from model.augmentation import Augmentation, augment
from model.datasets import DataConfig, Ragged, Splits, load_dataset, load_splits
from model.exchange import PlainNetwork, Start, begin_with, read_checkpoint, read_start, start_fault
from model.export import Grid, bundle_of, export, quantized, resolutions
from model.kernels.simulate import backend_for, record, simulate
from model.moves import Step, apply_steps
from model.network.best import Best
from model.network.checkpoint import pack, unpack
from model.network.drawing import draw_weights, readout_scale, stream
from model.network.initialization import layers_to_scale, scale_inputs
from model.network.signs import keep_signs, kinds_of, signed
from model.topology import (
    centroid_and_width,
    channel_places,
    communities,
    delay_graphs,
    delay_histogram,
    effective_dimension,
    last_axis_share,
    measures,
    morans_i,
    preferred_channel,
    preferred_time,
    radius,
    receptive_fields,
    strongest_channel,
)
from model.topology.responses import Responses
from model.training.batch import run_batch
from model.training.optimizer import clip_gradients, crowding, make_optimizer, rate_factor
from model.training.order import draw_epoch, draws_in_epoch
from model.training.rate_cost import rate_cost, revive
from model.training.trainer import Trainer, with_duration
from model.training.wiring_cost import cost_in_loss, prune, shrink_weights

PLACES = ("", ".datasets", ".augmentation", ".topology", ".exchange", ".export", ".moves")
"""Packages that say what is public by `__all__`."""
ROOMS = ("analysis", "training", "network")
"""Packages all of whose functions and classes without an underscore are public."""
HELD = (
    "Output",
    "Moments",
    "CheckpointError",
    "DataError",
    "Adam",
    "Evaluation",
    "cross_entropy",
    "Neurons",
    "null_measures",
    "Draws",
    "draw_epoch",
    "draw_dropped",
    "NeuronSet",
    "Scores",
    "Lesion",
    "chance",
    "runs_of",
    "score",
    "MoveError",
    "Moved",
    "Bundle",
    "ExportError",
    "ForeignError",
    "Published",
    "Resolution",
    "Start",
    "read_out",
    "split_windows",
)
"""What comes out and is not made by those who use it, and what is of tensors alone, which torch checks."""


def public_names() -> set[str]:
    """Functions and classes that are public, by name."""
    found = set()
    for place in PLACES:
        package = importlib.import_module(f"model{place}")
        found |= {name for name in package.__all__ if callable(getattr(package, name))}
    for room in ROOMS:
        for info in pkgutil.iter_modules([f"{model.__path__[0]}/{room}"]):
            module = importlib.import_module(f"model.{room}.{info.name}")
            found |= {
                name
                for name, value in vars(module).items()
                if not name.startswith("_")
                and (inspect.isfunction(value) or inspect.isclass(value))
                and value.__module__ == module.__name__
            }
    return found - set(HELD)


def samples(count: int = 4) -> SpikeDataset:
    draw = np.random.default_rng(0)
    events = [(draw.uniform(0, 30, 9), draw.integers(0, 4, 9)) for _ in range(count)]
    return SpikeDataset.from_events(events, np.arange(count) % 3, 4, 3)


CONFIG = LearnerConfig(hidden=5, duration=30.0, epochs=1, wiring_cost=0.1, rate_cost=0.1, revival=0.1)
DATA, SQUARE, STREAM = samples(), np.ones((5, 5)), np.random.default_rng(1)
PARTS = Splits(DATA, DATA, None)


def net() -> Cohort:
    made = Cohort(CONFIG, 4, 3, [0])
    with torch.no_grad():
        made.w_in.mul_(30)
    return made


NET = net()
BORN = pack(NET, None, 0, Best.start(1))
SEEN, TUNING = evaluate(NET, DATA), tuning_of(NET, DATA)
PLAIN = PlainNetwork.of(NET, 0)
SETS = [[NeuronSet("band", 0, np.array([0, 2]))]]
EVENTS = {"labels": [0, 1], "n_channels": 4, "n_classes": 3, "groups": None}
FLAT = {"times": np.arange(4.0), "channels": np.arange(4), "lengths": np.array([1, 3]), **EVENTS}
OFFSETS = np.array([0, 2, 4])
Recipe = tuple[Callable[..., Any], dict[str, Any]]
RECIPES: dict[str, list[Recipe]] = {
    "Cohort": [
        (Cohort, {"config": CONFIG, "n_channels": 4, "n_classes": 3, "seeds": [0], "dtype": torch.float32,
                  "device": "cpu", "threads": 1}),
        (lambda data, samples, dropped: NET(data, samples, dropped),
         {"data": DATA, "samples": [[0, -1]], "dropped": torch.zeros(1, 2, 5, dtype=torch.bool)}),
    ],
    "LearnerConfig": [(LearnerConfig, {"hidden": 3, "dt": 1.0, "duration": 4.0, "min_delay": None})],
    "SpikeDataset": [
        (SpikeDataset, {"times": DATA.times, "channels": DATA.channels, "labels": DATA.labels, "groups": None,
                        "n_channels": 4, "n_classes": 3}),
        (SpikeDataset.from_events, {"events": [([1.0], [0]), ([], [])], **EVENTS}),
        (SpikeDataset.from_flat, FLAT),
        (SpikeDataset.from_hdf5, {"path": "nowhere.h5", "n_channels": None}),
        (DATA.subset, {"indices": [0, -1]}),
    ],
    "load_dataset": [(load_dataset, {"name": "digit", "validation": None, "seed": 0})],
    "load_splits": [(load_splits, {"config": DataConfig(path="nowhere.h5")})],
    "DataConfig": [(DataConfig, {"name": "digits", "path": None, "seed": 0})],
    "Ragged": [
        (Ragged, {"flat": np.arange(4), "offsets": OFFSETS}),
        (lambda index: DATA.times[index], {"index": 0}),
        (DATA.times.take, {"indices": [0, -1]}),
    ],
    "Splits": [(Splits, {"train": DATA, "validation": DATA, "test": None})],
    "Augmentation": [(Augmentation, {"shift": 1.0, "blend": 0.5, "jitter": 1.0})],
    "augment": [(augment, {"data": DATA, "samples": [0, -1], "seeds": [1, 2],
                           "augmentation": Augmentation(shift=1, blend=0.9, jitter=2.0, warp=1.0)})],
    "Responses": [(Responses.of, {"counts": np.ones((4, 5)), "labels": DATA.labels, "size": 5})],
    "communities": [(communities, {"w_rec": SQUARE, "seed": 0, "mask": None})],
    "delay_histogram": [(delay_histogram, {"w_rec": SQUARE, "delays": SQUARE, "bins": 4, "mask": None})],
    "measures": [(measures, {"w_rec": SQUARE, "distances": SQUARE, "positions": np.ones((5, 2)), "nulls": 0,
                             "w_in": None, "spikes": None, "labels": None, "seed": 0, "mask": None,
                             "fields": None, "times": None, "compared": ["modularity"]})],
    "morans_i": [(morans_i, {"values": np.arange(5.0), "positions": np.ones((5, 2))})],
    "DelayGraph": [(lambda delays: delay_graphs(delays)[0], {"delays": SQUARE})],
    "delay_graphs": [(delay_graphs, {"delays": SQUARE, "mask": None, "seed": 0})],
    "effective_dimension": [(effective_dimension, {"positions": np.ones((5, 2))})],
    "last_axis_share": [(last_axis_share, {"positions": np.ones((5, 2))})],
    "radius": [(radius, {"positions": np.ones((5, 2))})],
    "receptive_fields": [(receptive_fields, {"inputs": DATA, "hidden": DATA, "window": 5.0, "least": 1,
                                             "end": 9.0})],
    "strongest_channel": [(strongest_channel, {"fields": SQUARE})],
    "centroid_and_width": [(centroid_and_width, {"fields": SQUARE})],
    "channel_places": [(channel_places, {"fields": SQUARE, "positions": np.ones((5, 2))})],
    "Tuning": [(tuning_of, {"net": NET, "data": DATA})],
    "tuning_of": [(tuning_of, {"net": NET, "data": DATA})],
    "preferred_channel": [(preferred_channel, {"inputs": DATA, "hidden": DATA, "window": 5.0, "least": 1})],
    "preferred_time": [(preferred_time, {"hidden": DATA})],
    "evaluate": [(evaluate, {"net": NET, "data": DATA, "batch": 3})],
    "pruning_curve": [(pruning_curve, {"net": NET, "data": DATA, "by": "length", "shares": [0.0, 0.5]})],
    "lesioned": [(lesioned, {"net": NET, "gone": np.zeros((1, 5), bool)})],
    "lesions": [(lesions, {"net": NET, "data": DATA, "sets": SETS, "parts": (), "count": 2, "seed": 0})],
    "neuron_sets": [(neuron_sets, {"neurons": neurons_of(NET, SEEN, TUNING, 1), "n_channels": 4})],
    "hidden_spikes": [(hidden_spikes, {"net": NET, "data": DATA, "samples": [0, -1]})],
    "neurons_of": [(neurons_of, {"net": NET, "evaluation": SEEN, "tuning": TUNING, "epoch": 1})],
    "layers_of": [(layers_of, {"net": NET, "evaluation": SEEN, "tuning": TUNING})],
    "topology_of": [(topology_of, {"net": NET, "evaluation": SEEN, "tuning": TUNING, "nulls": 0,
                                     "compared": []})],
    "make_optimizer": [(make_optimizer, {"net": NET, "train": DATA})],
    "crowding": [(crowding, {"data": DATA, "window": 3.0})],
    "rate_factor": [(rate_factor, {"net": NET, "epochs": 0.5})],
    "clip_gradients": [(clip_gradients, {"net": NET})],
    "rate_cost": [(rate_cost, {"net": NET, "counts": torch.ones(1, 4, 5)})],
    "revive": [(revive, {"net": net(), "silent": torch.ones(1, 5, dtype=torch.bool)})],
    "with_duration": [(with_duration, {"config": LearnerConfig(), "train": DATA})],
    "Trainer": [
        (Trainer, {"config": CONFIG, "splits": PARTS, "seeds": [0], "threads": 1}),
        (Trainer.resume, {"checkpoint": pack(NET, None, 0, Best.start(1)), "splits": PARTS, "threads": 1}),
    ],
    "shrink_weights": [(shrink_weights, {"net": net(), "learning_rate": 0.1})],
    "cost_in_loss": [(cost_in_loss, {"net": NET})],
    "prune": [(prune, {"net": net(), "gone": torch.zeros(1, 5, 5, dtype=torch.bool)})],
    "scale_inputs": [(scale_inputs, {"net": net(), "data": DATA, "layers": [0]})],
    "layers_to_scale": [(layers_to_scale, {"config": CONFIG, "weights_given": False})],
    "kinds_of": [(kinds_of, {"layers": CONFIG.layers, "excitatory": 0.5})],
    "signed": [(signed, {"weights": np.ones((2, 2)), "excitatory": np.array([True, False])})],
    "keep_signs": [(keep_signs, {"w_rec": torch.ones(1, 2, 2), "excitatory": torch.ones(1, 2) > 0})],
    "draw_weights": [(draw_weights, {"config": CONFIG, "inputs": 4, "n_classes": 3, "seed": 0})],
    "stream": [(stream, {"seed": 0, "number": 1})],
    "readout_scale": [(readout_scale, {"config": CONFIG})],
    "Best": [(Best.from_plain, {"plain": Best.start(1).plain(), "networks": {}})],
    "run_batch": [(run_batch, {"net": NET, "data": DATA, "batch": draw_epoch(CONFIG, 4, [0], 0),
                               "dropped": torch.zeros(1, 4, 5, dtype=torch.bool)})],
    "draws_in_epoch": [(draws_in_epoch, {"config": CONFIG, "size": 4})],
    "pack": [(pack, {"net": NET, "moments": None, "epoch": 0, "best": Best.start(1)})],
    "unpack": [(unpack, {"data": pack(NET, None, 0, Best.start(1)), "threads": 1})],
    "simulate": [
        (simulate, {"connections": NET.connections(), "data": DATA, "samples": [[0, 1]], "config": CONFIG,
                    "threads": 1, "dropped": torch.zeros(1, 2, 5, dtype=torch.bool)}),
        (record, {"connections": NET.connections(), "data": DATA, "samples": [[0, 1]], "config": CONFIG,
                  "threads": 1}),
    ],
    "Step": [
        (Step, {"name": "jitter", "values": {"size": 0.1}}),
        *((lambda step=name, **values: apply_steps(BORN, [Step(step, values)], 0), legal) for name, legal in (
            ("dimension_down", {"limit_ms": 99.0}), ("jitter", {"size": 0.1, "seed": 1}),
            ("split", {"count": 1, "share": 0.7, "neurons": "[[0]]"}),
            ("remove", {"count": 1, "rates": "[[1, 0, 1, 1, 1]]"}), ("set", {"wiring_cost": 0.5}),
        )),
    ],
    "apply_steps": [(apply_steps, {"checkpoint": BORN, "steps": [Step("jitter", {"size": 0.1})], "seed": 0})],
    "PlainNetwork": [
        (PlainNetwork.of, {"net": NET, "replicate": 0}),
        (PLAIN.at_step, {"dt": 0.5}),
        (PLAIN.spikes, {"data": DATA}),
        (PLAIN.answers, {"data": DATA, "batch": 3}),
        (PLAIN.accuracy, {"data": DATA}),
    ],
    "read_checkpoint": [(read_checkpoint, {"folder": "nowhere", "epoch": None, "config": CONFIG})],
    "read_start": [(read_start, {"path": "nowhere.npz"})],
    "start_fault": [(start_fault, {"config": LearnerConfig(start="nowhere.npz")})],
    "begin_with": [(begin_with, {"net": net(), "start": Start("here", SQUARE, SQUARE > 0)})],
    "bundle_of": [(bundle_of, {"net": NET, "replicate": 0, "data": DATA, "samples": 2, "expand": False})],
    "export": [(export, {"bundle": bundle_of(NET, 0, DATA), "format": "npzz", "folder": "nowhere"})],
    "Grid": [(Grid, {"delay_step": 1.0, "max_delay": 9.0, "bits": 8})],
    "quantized": [(quantized, {"network": PLAIN, "grid": Grid(bits=3)})],
    "resolutions": [(resolutions, {"network": PLAIN, "data": DATA, "delay_steps": [1.0], "bits": [None],
                                   "max_delay": 4.0})],
    "backend_for": [(backend_for, {"device": "cpu", "threads": 1})],
}  # fmt: skip
WRONG: tuple[Any, ...] = (
    *(None, "x", "", b"[]", True, -1, 0, 99, -99, 2**70, 1.5, float("nan"), float("inf"), object(), {}),
    *([], [99], [-99], [None], [[0], [1, 2]], [[-1]], [[0, True]], [[0.0]], [["0"]]),
    *(np.array([0.5]), np.array([[99, -99]]), np.array(7), np.array(["a"]), np.array([2**63], np.uint64)),
    *(np.zeros((2, 2, 2)), np.full((5, 5), np.nan), np.arange(9)[::2], np.arange(4) + 0j),
    *(np.zeros(4, np.float16), np.array([0, 9, 4]), np.array([0, -1, 4])),
    *(samples(0), samples(1), LearnerConfig(hidden=5)),
    LearnerConfig(duration=30.0, dt=1e-9, pool_channels=3),
    *(torch.zeros(1, 2).half(), torch.zeros(2, device="meta"), torch.int8),
    NET.connections()._replace(w_rec=torch.zeros(1, 4, 4)),
)
CALLS = [
    (name, call, legal, changed)
    for name, calls in RECIPES.items()
    for call, legal in calls
    for changed in legal
]
INTERNAL = ("numba", "nopython", "NRT", "No matching definition", "NoneType' object", "has no attribute")
outcomes: Counter[str] = Counter()
faults: dict[str, str] = {}


@settings(max_examples=int(sys.argv[1]) if len(sys.argv) > 1 else 1500, deadline=None, derandomize=True)
@given(st.sampled_from(range(len(CALLS))), st.sampled_from(range(len(WRONG))))
def fuzz(which: int, wrong: int) -> None:
    name, call, legal, changed = CALLS[which]
    outcome = "returned"
    try:
        call(**(legal | {changed: WRONG[wrong]}))
    except (ValueError, TypeError, IndexError) as error:
        outcome = type(error).__name__
        if not str(error) or any(word in str(error) for word in INTERNAL):
            faults[f"{name}({changed}={WRONG[wrong]!r:.40})"] = f"{outcome}: {error!s:.150}"
    except Exception as error:
        outcome = type(error).__name__
        faults[f"{name}({changed}={WRONG[wrong]!r:.40})"] = f"{outcome}: {error!s:.150}"
    outcomes[outcome] += 1


if __name__ == "__main__":
    if missing := public_names() - RECIPES.keys():
        sys.exit(f"public, but never called with wrong arguments here: {', '.join(sorted(missing))}")
    warnings.simplefilter("ignore")
    fuzz()
    told = [f"{place} -> {fault}" for place, fault in faults.items()]
    sys.stdout.write("\n".join([f"{sum(outcomes.values())} calls {dict(outcomes)}", *told, ""]))
    sys.exit(bool(faults))
