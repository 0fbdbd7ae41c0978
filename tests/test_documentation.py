"""What the documents say holds: examples run, keys are all there, packages keep to what they may know."""

import dataclasses
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import h5py
import numpy as np
import pytest

from model import LearnerConfig
from model.fields import fields_of
from search import RULES, SAMPLERS
from service.config.load import load
from service.config.metrics import METRICS
from service.config.read_section import KEYS
from service.config.sections import (
    BudgetSpec,
    MlflowSpec,
    PlateauSpec,
    RecordSpec,
    ReplicatesSpec,
    ResourcesSpec,
    SearchSpec,
    StoppingSpec,
)

ROOT = Path(__file__).resolve().parents[1]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_sweep_of_the_readme_is_legal(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "train.h5", "w") as file:
        file["labels"] = np.zeros(2, np.uint16)
    (tmp_path / "test.h5").write_bytes((tmp_path / "train.h5").read_bytes())
    (tmp_path / "wiring.yaml").write_text(blocks("yaml")[0])
    assert load(tmp_path / "wiring.yaml").search.trials == 40


def test_the_sweeps_that_are_shipped_are_legal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("train", "test", "shd_train", "shd_test", "fsdd_train", "fsdd_test"):
        (tmp_path / f"{name}.h5").touch()
    monkeypatch.chdir(tmp_path)
    for path in sorted((ROOT / "sweeps").glob("*.yaml")):
        assert load(path).name == path.stem


def test_the_python_of_the_readme_runs() -> None:
    code = next(block for block in blocks("python") if "Cohort" in block)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["out"].logits.shape == (2, 3, 10)  # type: ignore[attr-defined]


def test_every_key_and_metric_is_documented() -> None:
    text = (ROOT / "docs/sweeps.md").read_text()
    fields = [field.name for field in dataclasses.fields(LearnerConfig)]
    sections: list[type] = [SearchSpec, StoppingSpec, BudgetSpec, PlateauSpec]
    sections += [ReplicatesSpec, ResourcesSpec, RecordSpec, MlflowSpec]
    keys = [key for section in sections for key in fields_of(section)]
    names = [*KEYS, *fields, *keys, *METRICS, *SAMPLERS, *RULES]
    missing = [name for name in names if not re.search(rf"\b{name}\b", text)]
    assert missing == []


def test_no_other_distribution_claims_our_names() -> None:
    found = packages_distributions()
    for name in ("model", "search", "service"):
        assert set(found.get(name, [])) <= {"polychrony"}, found[name]
