"""A sweep that learns from earlier ones."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from trials import MakeSpec, last_report, run_shortly, trials_of

from service.commands.run import conduct
from service.config.load import read_sweep
from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.errors import UserError
from service.results.warm_start import find_sources


class TestWarmStart:
    def earlier(self, folder: Path, spec: SweepSpec) -> None:
        with closing(SweepController(spec, folder / "early")) as controller:
            run_shortly(controller, lambda task: 1 / (1 + task.learner.wiring_cost))
        (folder / "early" / "sweep.yaml").write_text(dump(spec))

    def test_takes_what_fits(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        self.earlier(tmp_path, small_spec(search__trials=8))
        narrower = {"space": "{learner.wiring_cost: {log: [1e-4, 1e-2]}}", "search": "{warm_start: [early]}"}
        later = small_spec(**narrower, learner__dimensions=2)
        known = trials_of(tmp_path / "early")
        fits = known[known["wiring_cost"] <= 1e-2]
        assert 0 < len(fits) < 8
        found = find_sources(later, tmp_path)
        assert [source.name for source in found] == [f"early/{trial}" for trial in fits["trial"]]
        assert [source.metrics["accuracy"] for source in found] == fits["accuracy"].tolist()
        assert {tuple(source.values) for source in found} == {("learner.wiring_cost",)}

    def test_is_found_once_and_kept(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        self.earlier(tmp_path, small_spec(search__trials=12))
        spec = small_spec(search="{sampler: tpe, trials: 3, warm_start: [early]}")
        cold = small_spec(search="{sampler: tpe, trials: 3}")
        asked: list[Any] = []
        for sources in (find_sources(spec, tmp_path), []):
            with closing(SweepController(spec, tmp_path / "later", sources=sources)) as controller:
                assert len(controller.queue._search.study.trials) == 12 + len(asked)
                task = controller.next_task()
                assert task is not None
                controller.take(last_report(task, 0.5))
                asked.append(task.learner)
        with closing(SweepController(cold, tmp_path / "cold")) as controller:
            assert run_shortly(controller, lambda _: 0.5)[0].learner != asked[0]
        assert trials_of(tmp_path / "later")["trial"].tolist() == [0, 1]

    def test_what_cannot_be_used_is_said(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        self.earlier(tmp_path, small_spec(search__trials=2))
        with pytest.raises(ValueError, match=r"`late` can't be read .* sweeps there: early"):
            find_sources(small_spec(search="{warm_start: [late]}"), tmp_path)
        other = small_spec(search="{warm_start: [early]}", objectives="[{metric: rate, goal: min}]")
        with pytest.raises(ValueError, match="`early` has 2 trials, and none is complete, no child"):
            find_sources(other, tmp_path)

    def test_a_sweep_that_is_not_there_is_a_fault_with_its_line(
        self, tmp_path: Path, sweep_file: Path, small_spec: MakeSpec
    ) -> None:
        text = sweep_file.read_text().replace("{sampler: random,", "{warm_start: [late],")
        sweep_file.write_text(text)
        line = 1 + text[: text.index("search:")].count("\n")
        runs = tmp_path / "runs"

        def execute(controller: SweepController) -> None:
            raise AssertionError("nothing is to be run")

        with pytest.raises(UserError) as raised:
            conduct(*read_sweep(sweep_file), runs, Console(), execute)
        assert str(raised.value).startswith(f"{sweep_file}:{line}: search.warm_start: `late` can't be read")
        assert not runs.exists()
