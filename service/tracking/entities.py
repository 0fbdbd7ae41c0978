"""What is known of a trial, as MLflow has it: parameters, tags and data sets."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.datasets import DataConfig

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

ORIGIN = (
    *("config_hash", "code_version", "environment", "node", "cpu", "data_digest", "dropped_spikes"),
    *("parent", "move", "birth_epoch", "generation", "replaces"),
)
"""Columns of `trials` that are tags of a trial, too."""
LONGEST_DIGEST = 36


def params_of(values: Mapping[str, Any]) -> list[Any]:
    """Fields of a configuration, by name."""
    from mlflow.entities import Param

    return [Param(key, _text(value)) for key, value in values.items()]


def tags_of(origin: Mapping[str, Any]) -> list[Any]:
    """Under what a trial was run: those of its columns ORIGIN that are known."""
    from mlflow.entities import RunTag

    known = {key: origin[key] for key in ORIGIN if origin.get(key) is not None}
    return [RunTag(f"polychrony.{key}", _text(value)) for key, value in known.items()]


def dataset_of(data: DataConfig, digest: str) -> "DatasetInput":
    """The data of a trial; MLflow has room for the first digits of the digest, and the profile for all."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source: Mapping[str, Any]
    if data.path is not None:
        name, kind, source = Path(data.path).name, "local", {"uri": data.path}
    else:
        name, kind = str(data.name), "code"
        source = {"tags": {"mlflow.source.name": f"model.load_dataset({name!r})"}}
    profile = json.dumps({"sha256": digest})
    dataset = Dataset(name, digest[:LONGEST_DIGEST], kind, json.dumps(source), profile=profile)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _text(value: Any) -> str:
    """A value as it would stand in a sweep file."""
    return value if isinstance(value, str) else json.dumps(value)
