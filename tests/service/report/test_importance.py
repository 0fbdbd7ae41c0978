import numpy as np
import pandas as pd
import pytest

from service.report.importance import importances


def _trials(n: int) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    trials = pd.DataFrame({"a": draw.uniform(size=n), "b": draw.uniform(size=n)})
    trials["kind"] = draw.choice(["x", "y", "z"], n)
    trials.loc[trials["kind"] == "x", "b"] = np.nan
    trials["y"] = 5 * trials["a"] + (trials["kind"] == "z") + 0.1 * draw.normal(size=n)
    return trials.assign(noise=draw.normal(size=n), equal=1.0)


def test_what_matters_comes_first_and_noise_explains_nothing() -> None:
    found = importances(_trials(80), ["a", "b", "kind"], ["y", "noise", "equal"])
    y, noise = (found[found["objective"] == name].set_index("field") for name in ("y", "noise"))
    assert y["importance"].idxmax() == "a"
    losses = y["importance"].to_dict()
    assert losses["kind"] > 3 * abs(losses["b"])
    assert y["explained"].iloc[0] > 0.8
    assert noise["explained"].iloc[0] < 0.1
    assert "equal" not in set(found["objective"])


def test_the_values_are_the_same_however_many_trials_a_forest_is_asked_about_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trials, asked = _trials(40), (["a", "b", "kind"], ["y"])
    at_once = importances(trials, *asked)
    monkeypatch.setattr("service.report.importance.MOST_VALUES", 1)
    pd.testing.assert_frame_equal(importances(trials, *asked), at_once)


def test_few_trials_tell_nothing() -> None:
    assert importances(_trials(19), ["a"], ["y"]).empty
