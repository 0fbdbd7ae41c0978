from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from known_sweep import write_known_sweep

from model.datasets import DataConfig
from search import Objective
from service.report.conclusions import conclusions
from service.report.effects import find_effects
from service.report.sweep_data import read_sweep_data
from service.report.uncertainty import as_good_as_front, samples_of, total_errors
from service.results.sweep import Sweep


def _trials(values: list[tuple[float, float]]) -> pd.DataFrame:
    rows = [{"trial": 10 + k, "accuracy": a, "wiring_length": w} for k, (a, w) in enumerate(values)]
    return pd.DataFrame(rows).assign(accuracy_sem=0.01, wiring_length_sem=1.0)


def test_errors_are_over_seeds_and_samples() -> None:
    """As often as a network with true accuracy 0.8 is shown 100 samples, so wide is what it scores."""
    draw = np.random.default_rng(0)
    scored = draw.binomial(100, 0.8, size=20_000) / 100
    one = pd.DataFrame({"accuracy": [0.8], "accuracy_sem": [np.nan]})
    assert total_errors(one, "accuracy", {"accuracy": 100})[0] == pytest.approx(scored.std(), rel=0.03)
    both = total_errors(one.assign(accuracy_sem=0.03), "accuracy", {"accuracy": 100})[0]
    assert both == pytest.approx(0.05)  # 3-4-5
    assert np.isnan(total_errors(one, "accuracy", {})[0])


def test_what_can_not_be_told_from_the_front() -> None:
    objectives = [Objective("accuracy", "max"), Objective("wiring_length", "min")]
    trials = _trials([(0.80, 50.0), (0.79, 51.0), (0.79, 90.0), (0.60, 50.5)])
    assert as_good_as_front(trials, trials.head(1), objectives, {"accuracy": 200}) == [11]
    assert as_good_as_front(trials, trials.head(0), objectives, {}) == []


def test_samples_are_those_of_the_splits() -> None:
    assert samples_of(DataConfig(name="spoken_digits")) == {"accuracy": 200, "test_accuracy": 300}
    assert samples_of(DataConfig(path="/nowhere/train.h5")) == {}


def test_a_sentence_an_objective_and_on_the_choice(tmp_path: Path) -> None:
    data = read_sweep_data(Sweep(write_known_sweep(tmp_path / "known")))
    effects = find_effects(data.networks, data.fields, ["accuracy", "wiring_length"], data.grouped_by)
    lost = {2: 0.12, 5: 0.15}
    curves = [
        {
            "trial": trial,
            "by": by,
            "share": share,
            "replicate": r,
            "accuracy": 0.8 - share * lost[trial],
        }
        for trial in lost
        for by in ("length", "magnitude")
        for share in (0.0, 0.5, 1.0)
        for r in (0, 1)
    ]
    first, second, front, choice, recurrence = conclusions(
        data, effects, {"accuracy": 300}, pd.DataFrame(curves)
    )
    assert "the 2 leading trials loses 12.0 to 15.0 points" in recurrence
    best = data.trials.sort_values("accuracy").iloc[-1]
    assert first.startswith("Validation accuracy runs from") and f"of trial {best['trial']}" in first
    assert f"the best is {best['accuracy']:.4g} ± " in first and "3 seeds and 300 samples" in first
    assert "Clear: it falls with wiring cost" in second and "samples" not in second
    assert f"{len(data.front)} trial" in front
    # Test accuracy is the same in all of them but for noise, so validation can't tell it.
    assert "replicates.leaders" in choice and "over 16 trials" in choice.lower()
