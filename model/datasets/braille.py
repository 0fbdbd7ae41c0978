"""Conversion of the Braille letters, read by a robot's fingertip, from a pickle to a file in the SHD layout.

    python -m model.datasets.braille IN.pkl OUT.h5

IN.pkl is one of data_braille_letters_th_{1,2,5,10}.pkl from https://zenodo.org/records/7050094; the number is
the change of pressure that makes a spike. OUT.h5 is to be braille.h5 in the folder of data sets, where
`{name: braille}` looks for it.

Source: Mueller-Cleve et al., Braille letter reading: A benchmark for spatio-temporal pattern recognition on
neuromorphic hardware, Front. Neurosci. 16:951164, 2022, doi:10.3389/fnins.2022.951164.
"""

import io
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from model.datasets.plain_pickle import read_plain_pickle
from model.datasets.ragged import DataError

LETTERS = ("Space", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
TAXELS = 12
KINDS = 2  # more pressure, less pressure


def convert(source: Path, target: Path) -> int:
    """Write the samples of the pickle `source` to `target`; returns how many.

    A sample has a `letter` and its `events`: for each of 12 taxels two lists of times (s), which become the
    channels `taxel` and `12 + taxel`. The class is the letter's place in Space, A, ..., Z.

    Raises DataError if the pickle holds anything but plain data, or other data than these.
    """
    letters, events = _columns(source, read_plain_pickle(source))
    samples = [_sample(f"{source}: sample {i}", sample) for i, sample in enumerate(events)]
    labels = [_label(f"{source}: sample {i}", letter) for i, letter in enumerate(letters)]
    try:
        with h5py.File(target, "w") as file:
            for key, column, dtype in (("spikes/times", 0, np.float32), ("spikes/units", 1, np.uint8)):
                ragged = file.create_dataset(key, len(samples), h5py.vlen_dtype(dtype))
                for i, sample in enumerate(samples):
                    ragged[i] = sample[column]
            file["labels"] = np.array(labels, np.uint8)
            file["extra/keys"] = np.array(LETTERS, "S")
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error}); give another place") from error
    return len(samples)


def _columns(source: Path, content: Any) -> tuple[list[Any], list[Any]]:
    """Letters and events, from a table or from a list of samples."""
    try:
        if isinstance(content, list):
            letters, events = [one["letter"] for one in content], [one["events"] for one in content]
        else:
            letters, events = list(content["letter"]), list(content["events"])
    except (TypeError, KeyError, IndexError) as error:
        cure = "give one of the files data_braille_letters_th_*.pkl"
        raise DataError(f"{source}: holds no samples with `letter` and `events`; {cure}") from error
    if not letters or len(letters) != len(events):
        raise DataError(f"{source}: {len(letters)} letters and {len(events)} events; fetch the file again")
    return letters, events


def _sample(place: str, events: Any) -> tuple[np.ndarray, np.ndarray]:
    """Times (s) and channels of one sample, in order of time."""
    try:
        lists = [np.asarray(times, dtype=np.float64) for kind in zip(*events, strict=True) for times in kind]
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{place}: `events` are not lists of times ({error}); fetch the file again"
        ) from error
    if len(lists) != TAXELS * KINDS or any(times.ndim != 1 for times in lists):
        fault = f"{len(lists)} lists, expected {KINDS} for each of {TAXELS} taxels"
        raise DataError(f"{place}: `events`: {fault}; fetch the file again")
    times = np.concatenate(lists)
    if not (np.isfinite(times) & (times >= 0)).all():
        raise DataError(f"{place}: a time is below 0 or not finite; fetch the file again")
    order = np.argsort(times, kind="stable")
    channels = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    return times[order], channels[order]


def _label(place: str, letter: Any) -> int:
    if not isinstance(letter, str) or letter not in LETTERS:
        raise DataError(f"{place}: `letter` is {letter!r}, expected Space or A to Z; fetch the file again")
    return LETTERS.index(letter)


def main(arguments: list[str]) -> None:
    """The command; exits with code 2 and a message if it cannot do its work."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m model.datasets.braille IN.pkl OUT.h5\n")
        sys.exit(2)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name may have what its encoding has not
        sys.stdout.reconfigure(errors="backslashreplace")
    source, target = map(Path, arguments)
    try:
        count = convert(source, target)
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    sys.stdout.write(f"{target}: {count} samples\n")


if __name__ == "__main__":
    main(sys.argv[1:])
