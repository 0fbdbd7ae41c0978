"""What the script for other simulators does by itself: spikes paired, inputs apart, answers."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.export import Bundle, export, script

MakeBundle = Callable[..., Bundle]


@pytest.fixture
def folder(bundle: MakeBundle, tmp_path: Path) -> Path:
    export(bundle(), "brian2", tmp_path / "out")
    return tmp_path / "out"


def test_the_readout_of_the_script_gives_the_answers_of_the_network(bundle: MakeBundle, folder: Path) -> None:
    network, settings, samples = script.load(folder)
    hidden = script.parts(samples, "hidden")
    assert np.array_equal(script.answers(network, settings, hidden), samples["answers"])
    assert np.array_equal(samples["answers"], bundle().network.answers(bundle().samples))


def test_spikes_agree_with_themselves_and_with_nothing(folder: Path) -> None:
    hidden = script.parts(script.load(folder)[2], "hidden")
    count = sum(len(times) for times, _ in hidden)
    assert count > 50
    found = script.agreement(hidden, hidden, 0.1, 42.0)
    assert found == (count, 0, 0, 0.0, 0.0, 1.0)
    none = [(times[:0], units[:0]) for times, units in hidden]
    lost = script.agreement(hidden, none, 0.1, 42.0)
    late = sum(int((times >= 41.0).sum()) for times, _ in hidden)
    assert (lost.missing, lost.extra) == (count - late, 0) and np.isnan(lost.median)
    assert script.agreement(none, hidden, 0.1, 42.0).extra == count - late


def test_a_spike_less_and_a_shift_are_seen() -> None:
    ours = [(np.array([1.0, 5.0, 9.0]), np.array([0, 0, 1]))]
    theirs = [(np.array([5.2, 9.1]), np.array([0, 1]))]
    found = script.agreement(ours, theirs, 0.1, 42.0)
    assert (found.spikes, found.missing, found.extra) == (3, 1, 0)
    assert found.median == pytest.approx(0.15) and found.largest == pytest.approx(0.2)
    assert found.within == 0.5


def test_inputs_with_several_spikes_in_a_step_get_units_of_their_own() -> None:
    inputs = [
        (np.array([0.1, 0.1, 0.12, 3.0]), np.array([2, 2, 2, 2])),
        (np.array([0.1, 5.0]), np.array([1, 2])),
    ]
    steps, units, rows = script.apart(inputs, 0.1, 3)
    assert len(set(zip(steps.tolist(), units.tolist(), strict=True))) == len(steps) == 6
    found = sorted(zip(steps.tolist(), rows[units].tolist(), strict=True))
    assert found == sorted([(1, 2), (1, 2), (1, 2), (30, 2), (1, 4), (50, 5)])


def test_without_the_simulator_the_script_says_what_to_install(folder: Path) -> None:
    program = (
        "import sys, runpy; sys.modules['nest'] = None; sys.argv[1:] = ['--simulator', 'nest']; "
        "runpy.run_path('simulate.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "install brian2 or nest-simulator" in done.stderr
    assert "Traceback" not in done.stderr and not (folder / "compared.json").exists()


@pytest.mark.parametrize("wrong", [["--dt", "0"], ["--dt", "2"], ["--samples", "5"], ["--samples", "0"]])
def test_a_wrong_step_or_number_of_samples_is_told(folder: Path, wrong: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "simulate.py", *wrong], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "there are 4 samples" in done.stderr
