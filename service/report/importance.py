"""Which fields an objective depends on, by a random forest."""

from collections.abc import Iterator, Sequence
from importlib import import_module

import numpy as np
import pandas as pd

from service.figures.cloud import Array
from service.report.sweep_data import is_number

LEAST_TRIALS = 20
FOLDS, TREES, REPEATS = 5, 100, 10
MOST_VALUES = 10_000_000
"""Numbers that a forest is asked about at once."""


def load_forests() -> None:
    """Load what `importances` needs, a second's work, where nobody waits for it."""
    for name in ("ensemble", "metrics", "model_selection"):
        import_module(f"sklearn.{name}")


def importances(trials: pd.DataFrame, fields: Sequence[str], objectives: Sequence[str]) -> pd.DataFrame:
    """Permutation importance of each field on trials that the forest has not seen.

    The importance is by how much R² falls when the field's values are shuffled among the trials of a
    fold that was left out (Breiman, Machine Learning 45, 2001, doi:10.1023/A:1010933404324). It tells what
    this forest uses: of two fields that go together, it may use either.

    Returns a row a field and objective: `objective`, `field`, `importance` and `error`, its mean and standard
    error over the folds, and `explained`, R² over all trials left out, which the rest hangs on. Empty with
    less than LEAST_TRIALS trials, and without the objectives that are the same in all of them.
    """
    rows = []
    features = _features(trials[list(fields)])
    for objective in objectives:
        known = trials[objective].notna().to_numpy()
        target = trials[objective].to_numpy(float)[known]
        if len(target) >= LEAST_TRIALS and np.ptp(target) > 0:
            losses, explained = _losses(features[known], target)
            errors = losses.std(0, ddof=1) / np.sqrt(FOLDS)
            rows += [
                {
                    "objective": objective,
                    "field": field,
                    "importance": loss,
                    "error": error,
                    "explained": explained,
                }
                for field, loss, error in zip(fields, losses.mean(0), errors, strict=True)
            ]
    return pd.DataFrame(rows, columns=["objective", "field", "importance", "error", "explained"])


def _losses(features: Array, target: Array) -> tuple[Array, float]:
    """Loss of R² by fold and field [FOLDS, F], and R² of all predictions."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.metrics import r2_score
    from sklearn.model_selection import KFold

    losses, predicted = [], np.empty_like(target)
    for fitted, left_out in KFold(FOLDS, shuffle=True, random_state=0).split(features):
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0)
        forest.fit(features[fitted], target[fitted])
        predicted[left_out] = forest.predict(features[left_out])
        answers = np.concatenate(
            [
                forest.predict(shuffled.reshape(-1, features.shape[1])).reshape(shuffled.shape[:3])
                for shuffled in _shuffled(features[left_out])
            ]
        )
        before = ((predicted[left_out] - target[left_out]) ** 2).mean()
        after = ((answers - target[left_out]) ** 2).mean((1, 2))
        # R² with the variance of all trials: that of one fold may be next to nothing.
        losses.append((after - before) / target.var())
    return np.array(losses), float(r2_score(target, predicted))


def _shuffled(features: Array) -> Iterator[Array]:
    """The features of n trials, with the values of one field after the other shuffled.

    Each array, [f, REPEATS, n, F], is of as many fields as there is room for: a forest takes as long to
    answer for one trial as for a thousand.
    """
    draw = np.random.default_rng(0)
    trials, fields = features.shape
    at_once = max(1, MOST_VALUES // (REPEATS * features.size))
    for first in range(0, fields, at_once):
        these = range(first, min(first + at_once, fields))
        found = np.broadcast_to(features, (len(these), REPEATS, trials, fields)).copy()
        for place, field in enumerate(these):
            for repeat in range(REPEATS):
                found[place, repeat, :, field] = draw.permutation(features[:, field])
        yield found


def _features(fields: pd.DataFrame) -> Array:
    """Numbers as they are, names as ranks, and what a trial does not have below all."""
    columns = []
    for name in fields:
        values = fields[name]
        numbers = (
            values.to_numpy(float) if is_number(values) else pd.factorize(values, sort=True)[0].astype(float)
        )
        lowest = np.nanmin(numbers) if np.isfinite(numbers).any() else 0.0
        columns.append(np.nan_to_num(numbers, nan=lowest - 1))
    return np.stack(columns, axis=1)
