"""The pruning curves of leading trials, as they lie beside their pictures in `pruning.csv`."""

from collections.abc import Mapping
from io import BytesIO

import pandas as pd

from model.analysis.pruning import SHARES
from service.errors import SweepError
from service.figures.cloud import Array
from service.storage.layout import pictures_of_all
from service.storage.paths import StoragePath, list_folder

COLUMNS = ["replicate", "by", "share", "accuracy"]


def pruning_csv(curves: Mapping[str, Array]) -> bytes:
    """A row a network, order and share, from the curves [K, R] of `pruning_curve` by order."""
    rows = [
        (replicate, by, share, accuracy)
        for by, curve in curves.items()
        for share, networks in zip(SHARES, curve.tolist(), strict=True)
        for replicate, accuracy in enumerate(networks)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).to_csv(index=False).encode()


def pruning_curves(folder: StoragePath) -> pd.DataFrame:
    """All `pruning.csv` in a sweep's folder, with `trial`; no rows if there are none.

    Raises SweepError, naming the file, if one is damaged.
    """
    # Other names are no trial's.
    trials = [one for one in list_folder(pictures_of_all(folder)) if one.name.isdecimal()]
    files = {int(one.name): one / "pruning.csv" for one in trials}
    parts = [_read(path, trial) for trial, path in files.items() if path.is_file()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _read(path: StoragePath, trial: int) -> pd.DataFrame:
    try:
        found = pd.read_csv(BytesIO(path.read_bytes()))
        if missing := set(COLUMNS).difference(found):
            raise ValueError(f"no column {sorted(missing)[0]}")
    except ValueError as error:  # those of pandas are such, too
        cure = "remove it, and run the sweep's command again to have it made anew"
        raise SweepError(f"{path}: can't be read ({error}); {cure}") from error
    return found.assign(trial=trial)
