"""Ids and kinds of neurons in the table `neurons`, which tables of earlier versions do not have."""

import shutil
from pathlib import Path

from moved import SPLITS, trained

from model.moves import Step, apply_steps
from model.training.trainer import Trainer
from service.results.sweep import Sweep
from service.worker.tables import neuron_rows, trained_neurons

RECORDED = Path(__file__).resolve().parents[2] / "fixtures" / "recorded_sweeps"


def test_ids_stand_beside_places() -> None:
    steps = [Step("remove", {"count": 1, "neurons": "[[4], [0]]"}), Step("split", {"count": 1})]
    child = Trainer.resume(apply_steps(trained().checkpoint(), steps, 0).checkpoint, SPLITS)
    rows = neuron_rows(3, trained_neurons(child))
    assert rows["neuron"].to_pylist() == [*range(9)] * 2
    assert rows["neuron_id"].to_pylist() == [0, 1, 2, 3, 5, 6, 7, 8, 9, *range(1, 10)]


def test_kinds_stand_beside_neurons() -> None:
    assert neuron_rows(3, trained_neurons(trained()))["excitatory"].null_count == 18
    rows = neuron_rows(3, trained_neurons(trained(excitatory=0.5)))
    assert rows["excitatory"].to_pylist() == [True] * 4 + [False] * 5 + [True] * 4 + [False] * 5


def test_tables_of_earlier_versions_are_read(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(RECORDED / "finished", tmp_path / "finished"))
    rows = Sweep(folder).arrow("neurons")
    assert len(rows) > 0
    assert "neuron_id" not in rows.column_names or rows["neuron_id"].null_count == len(rows)
