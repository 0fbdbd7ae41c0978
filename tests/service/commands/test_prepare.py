"""What `run` looks at before it writes anything, and once more when no other can."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from service.commands.run import conduct, prepare
from service.config.load import load, read_sweep
from service.config.sweep import dump
from service.control.controller import SweepController
from service.errors import UserError
from service.storage.lock import sweep_lock


def nothing(controller: SweepController) -> None:
    raise AssertionError("nothing is to be run")


def test_a_sweep_of_that_name_that_was_begun_meanwhile_stays(
    tmp_path: Path, sweep_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that start at once both see no sweep of that name; the second must see the first's in the end."""
    other = load(sweep_file, ["search.seed=9"])

    @contextmanager
    def after_another(folder: Path) -> Iterator[Path]:
        with sweep_lock(folder) as held:
            assert isinstance(held, Path)
            (held / "sweep.yaml").write_text(dump(other))
            yield held

    monkeypatch.setattr("service.commands.run.sweep_lock", after_another)
    with pytest.raises(UserError, match="there is another sweep called `small`"):
        conduct(*read_sweep(sweep_file), tmp_path / "runs", Console(), nothing)
    assert load(tmp_path / "runs" / "small" / "sweep.yaml") == other


def test_sources_of_a_sweep_whose_plan_does_not_have_them_are_found_again(
    tmp_path: Path, sweep_file: Path
) -> None:
    """It was killed after it was written down, and before its plan was."""
    sweep_file.write_text(sweep_file.read_text().replace("{sampler: random,", "{warm_start: [late],"))
    spec, document = read_sweep(sweep_file)
    folder = tmp_path / "runs" / "small"
    folder.mkdir(parents=True)
    (folder / "sweep.yaml").write_text(dump(spec))
    for plan, found in (("", False), ('{"elapsed":1.0}\n', False), ('{"sources":[]}\n', True)):
        (folder / "plan.jsonl").write_text(plan)
        if found:
            assert prepare(spec, document, folder) == []
        else:
            with pytest.raises(UserError, match="`late` can't be read"):
                prepare(spec, document, folder)
