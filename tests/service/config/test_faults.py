"""Planted faults: what is printed, on which line, and that all are found at once."""

# ruff: noqa: E501 (the table holds whole lines of output)

import copy
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from service.config.load import load
from service.errors import UserError

# One key a line, so that a planted line is the line of the fault.
BASE = """\
name: wiring
data: {name: digits}
learner: {hidden: 64, epochs: 20}
space: {learner.wiring_cost: {log: [1e-7, 1e-3]}}
search: {sampler: tpe, trials: 24}
objectives: [{metric: accuracy, goal: max}]
constraints: [{metric: silent, max: 0.2}]
stopping: {rule: asha, grace: 3}
resources: {cpus: 1, gpus: 0, concurrent: 2}
record: {synapses: true}
"""


def lines_for(folder: Path, text: str, *options: str) -> list[str]:
    path = folder / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        load(path, options)
    except UserError as error:
        return [line.replace(f"{path}:", "") for line in str(error).splitlines()]
    return []


def planted(section: str, text: str) -> str:
    """BASE with the line of `section` replaced, or added at the end."""
    lines = [line for line in BASE.splitlines() if not line.startswith(f"{section}:")]
    index = next(
        (i for i, line in enumerate(BASE.splitlines()) if line.startswith(f"{section}:")), len(lines)
    )
    return "\n".join([*lines[:index], f"{section}: {text}", *lines[index:]])


FAULTS = [
    ("record", "{snapshots: 0}", "10: record.snapshots: got 0, expected a number from 1 on, or a list of epochs from 0 on"),
    ("record", "{snapshots: []}", "10: record.snapshots: got [], expected a number from 1 on, or a list of epochs from 0 on"),
    ("record", "{snapshots: [0, -1]}", "10: record.snapshots: got [0, -1], expected a number from 1 on, or a list of epochs from 0 on"),
    ("record", "{snapshots: [true]}", "10: record.snapshots: got [True], expected a number from 1 on, or a list of epochs from 0 on"),
    ("record", "{snapshots: true}", "10: record.snapshots: got True, expected a number from 1 on, or a list of epochs from 0 on"),
    ("record", "{snapshots: last}", "10: record.snapshots: got 'last', expected a number from 1 on, or a list of epochs from 0 on"),
    ("name", "", "1: name: is missing; give the sweep a name"),
    ("name", "a b", "1: name: got 'a b', expected 1 to 64 letters, digits, - and _"),
    ("name", "../up", "1: name: got '../up', expected 1 to 64 letters, digits, - and _"),
    ("name", "é", "1: name: got 'é', expected 1 to 64 letters, digits, - and _"),
    ("name", '"a\\n"', "1: name: got 'a\\n', expected 1 to 64 letters, digits, - and _"),
    ("name", "x" * 65, f"1: name: got '{'x' * 36}..., expected 1 to 64 letters, digits, - and _"),
    ("name", "12", "1: name: got 12, expected text, in quotes if need be"),
    ("name", "mlartifacts", "1: name: `mlartifacts` is taken by the service itself; choose another name"),
    ("experiment", "a/b", "11: experiment: got 'a/b', expected 1 to 64 letters, digits, - and _"),
    ("data", "", "2: data: is missing; give a data set such as {name: digits}"),
    ("data", "digits", "2: data: got 'digits', expected keys and values such as `name:`"),
    ("data", "{}", "2: data: give either `name` or `path`, and not both"),
    ("data", "{name: x}", "2: data.name: there is no data set `x`; use one of digits, yin_yang, spoken_digits, shd, ssc, ntidigits, smnist, braille, two_digits, or a file by `path`"),
    ("data", "{name: shd, validation_group: a}", "2: data.validation_group: got 'a', expected a whole number or null"),
    ("data", "{name: shd, validation_group: 1, seed: 1}", "2: data: `seed` has no meaning beside `validation_group`, which is held out as a whole; leave it out"),
    ("data", '{path: "\\ud800"}', "2: data.path: got '\\ud800', which is no text in UTF-8; choose another"),
    ("data", "{nam: digits}", "2: data.nam: there is no such field; did you mean `name`?"),
    ("data", "{name: digits, seed: 3}", "2: data: `seed` has no meaning for digits, whose splits are fixed; leave it out"),
    ("learner", "{hidden: 0, epochs: 9}", "3: learner.hidden: got 0, expected a whole number of at least 1, or a list of such, one a layer"),
    ("learner", "{hidden: 8.0, epochs: 9}", "3: learner.hidden: got 8.0, expected a whole number of at least 1, or a list of such, one a layer"),
    ("learner", "{dt: .nan}", "3: learner.dt: got nan, expected a number above 0"),
    ("learner", "{dt: true}", "3: learner.dt: got True, expected a number above 0"),
    ("learner", "{hiden: 3}", "3: learner.hiden: there is no such field; did you mean `hidden`?"),
    ("learner", "{embedding: [space]}", "3: learner.embedding: got ['space'], expected one of space, free, axonal, fixed, shuffled, none"),
    ("learner", "{dt: 2, min_delay: 1}", "3: learner: `min_delay`: got 1, expected at least `dt` = 2, so that no spike arrives within the step that sent it"),
    ("learner", "{dt: 2, duration: 5}", "3: learner: `duration`: got 5, expected a whole number of steps of `dt` = 2"),
    ("space", "{learner.dt: {choice: [1, 2]}, learner.duration: {choice: [4, 5]}}", "4: space: suggests what cannot be: `duration`: got 5, expected a whole number of steps of `dt` = 2"),
    ("learner", "{dt: 1e-300, duration: 1e300}", "3: learner: `duration`: got 1e+300, expected at most 2147483647 steps of `dt` = 1e-300; take a longer step"),
    ("learner", "[1]", "3: learner: got [1], expected keys and values such as `hidden:`"),
    ("learner", "{wiring_cost: 1}", "3: learner.wiring_cost: is searched under `space`, too; keep it in one of the two places"),
    ("space", "[a]", "4: space: got ['a'], expected paths and domains such as `learner.wiring_cost: {log: [1e-7, 1e-3]}`"),
    ("space", "{learner.dt: 1}", "4: space.learner.dt: got 1, expected a domain such as {uniform: [0, 1]}"),
    ("space", "{learner.dt: {}}", "4: space.learner.dt: got no domain, expected one of uniform, log, int, choice"),
    ("space", "{learner.dt: {log: [1, 2], uniform: [1, 2]}}", "4: space.learner.dt: got uniform and log, expected one of uniform, log, int, choice"),
    ("space", "{learner.dt: {unform: [1, 2]}}", "4: space.learner.dt.unform: there is no such key; did you mean `uniform`?"),
    ("space", "{learner.dtt: {log: [1, 2]}}", "4: space.learner.dtt: there is no such path; did you mean `learner.dt`?"),
    ("space", "{data.path: {choice: [a.h5]}}", "4: space.data.path: cannot be searched; set it in `data`"),
    ("space", "{learner.dt: {log: 3}}", "4: space.learner.dt.log: got 3, expected [low, high]"),
    ("space", "{learner.dt: {log: [1, 2, 3]}}", "4: space.learner.dt.log: got [1, 2, 3], expected [low, high]"),
    ("space", "{learner.dt: {log: [2, 1]}}", "4: space.learner.dt.log: got [2, 1], expected the low end below the high end"),
    ("space", "{learner.dt: {uniform: [0, 1]}}", "4: space.learner.dt.uniform: got 0, expected a number above 0"),
    ("space", "{learner.dt: {uniform: [1, .inf]}}", "4: space.learner.dt.uniform: got inf, expected a number above 0"),
    ("space", "{learner.min_delay: {uniform: [null, 2]}}", "4: space.learner.min_delay.uniform: got null, expected a number; null can only be an option of choice"),
    ("space", "{learner.wiring_cost: {log: [0, 1]}}", "4: space.learner.wiring_cost.log: got low 0, expected above 0; for ranges with 0 take `uniform`"),
    ("space", "{learner.replicates: {uniform: [8, 64]}}", "4: space.learner.replicates.uniform: `replicates` is a whole number; use int: [low, high] or choice"),
    ("space", "{learner.batch_size: {int: [0, 64]}}", "4: space.learner.batch_size.int: got 0, expected a whole number of at least 1"),
    ("space", "{learner.wiring_power: {int: [0, 2]}}", "4: space.learner.wiring_power.int: `wiring_power` is one of 0, 1, 2; use choice: [...]"),
    ("space", "{learner.wiring_power: {choice: [0, 3]}}", "4: space.learner.wiring_power.choice: got 3, expected one of 0, 1, 2"),
    ("space", "{learner.dt: {choice: []}}", "4: space.learner.dt.choice: got no options, expected at least one"),
    ("space", "{learner.dt: {choice: [1, 1.0]}}", "4: space.learner.dt.choice: got 1.0 more than once, give every option once"),
    ("space", "{learner.tau_mem: {log: [7, 9], when: [1]}}", "4: space.learner.tau_mem.when: got [1], expected paths and values such as learner.embedding: space"),
    ("space", "{learner.tau_mem: {log: [7, 9], when: {learner.embeding: none}}}", "4: space.learner.tau_mem.when.learner.embeding: there is no such path; did you mean `learner.embedding`?"),
    ("space", "{learner.tau_mem: {log: [7, 9], when: {learner.embedding: spce}}}", "4: space.learner.tau_mem.when.learner.embedding: got 'spce', expected one of space, free, axonal, fixed, shuffled, none"),
    ("space", "{learner.tau_mem: {log: [7, 9], when: {learner.embedding: []}}}", "4: space.learner.tau_mem.when.learner.embedding: got [], expected at least one value"),
    ("space", "{learner.embedding: {choice: [fixed, none]}, learner.tau_mem: {log: [7, 9], when: {learner.embedding: space}}}", "4: space.learner.tau_mem.when.learner.embedding: `learner.embedding` is never space in its own domain; name an option of its choice or int"),
    ("space", "{learner.dimensions: {int: [1, 2], when: {learner.replicates: 1}}, learner.replicates: {int: [1, 2], when: {learner.dimensions: 1}}}", "4: space: the conditions of learner.dimensions, learner.replicates go in a circle"),
    ("space", "{learner.dt: {choice: [1, 2]}, learner.min_delay: {uniform: [1.5, 3]}}", "4: space: suggests what cannot be: `min_delay`: got 1.5, expected at least `dt` = 2, so that no spike arrives within the step that sent it"),
    ("space", "{learner.tau_syn: {choice: [5, 20]}}", "4: space: suggests what cannot be: `tau_mem` and `tau_syn` are both 20; make them differ"),
    ("space", "{data.seed: {int: [0, 5]}}", "4: space: suggests what cannot be: `seed` has no meaning for digits, whose splits are fixed; leave it out"),
    ("search", "{sampler: cmaes, population: 1}", "5: search.population: got 1, expected a whole number of at least 2 or null"),
    ("search", "{sampler: grid}", "5: search.sampler: grid needs points to try of `learner.wiring_cost`, which is continuous; give `steps`, make it a choice, or use qmc"),
    ("search", "{sampler: grid, steps: 1}", "5: search.steps: got 1, expected a whole number of at least 2 or null"),
    ("search", "{sampler: grid, steps: 200000}", "5: search.sampler: the grid has more than 100,000 combinations; take fewer steps, or use qmc"),
    ("search", "{sampler: gp, startup: 0}", "5: search.startup: got 0, expected a whole number of at least 1 or null"),
    ("search", "{sampler: tpe, history: 5}", "5: search.history: got 5, expected a whole number of at least 10 or null"),
    ("search", "{sampler: nsga3, mutation: 2}", "5: search.mutation: got 2, expected a number of at least 0 and at most 1 or null"),
    ("search", "{sampler: random, startup: 3}", "5: search.startup: goes with the samplers tpe, gp only; leave it out"),
    ("search", "{sampler: qmc, warm_start: [early]}", "5: search.warm_start: qmc learns nothing; leave it out, or take tpe, gp, cmaes, nsga2, nsga3"),
    ("search", "{warm_start: early}", "5: search.warm_start: got 'early', expected a list of sweeps such as [early]"),
    ("search", "{warm_start: [3]}", "5: search.warm_start.0: got 3, expected text, in quotes if need be"),
    ("search", "{seed: true}", "5: search.seed: got True, expected a whole number of at least 0"),
    ("search", "{sampler: 3}", "5: search.sampler: got 3, expected one of random, grid, qmc, tpe, gp, cmaes, nsga2, nsga3"),
    ("search", "{sampler: nsga}", "5: search.sampler: there is no such sampler; did you mean `nsga2` or `nsga3`?"),
    ("search", "{trials: 0}", "5: search.trials: got 0, expected a whole number of at least 1"),
    ("search", "{trials: 5.0}", "5: search.trials: got 5.0, expected a whole number of at least 1"),
    ("search", "{seed: -1}", "5: search.seed: got -1, expected a whole number of at least 0"),
    ("search", "{population: 8}", "5: search.population: goes with the samplers cmaes, nsga2, nsga3 only; leave it out"),
    ("search", "{sampler: nsga2, population: 1}", "5: search.population: got 1, expected a whole number of at least 2 or null"),
    ("search", "{trails: 5}", "5: search.trails: there is no such key; did you mean `trials`?"),
    ("search", "tpe", "5: search: got 'tpe', expected keys and values; known are sampler, seed, population, crossover, mutation, startup, history, steps, trials, warm_start, evolution"),
    ("objectives", "[]", "6: objectives: got [], expected at least one"),
    ("objectives", "{metric: accuracy, goal: max}", "6: objectives: got {'metric': 'accuracy', 'goal': 'max'}, expected a list such as [{...}, {...}]"),
    ("objectives", "[{metric: acuracy, goal: max}]", "6: objectives.0.metric: there is no such metric; did you mean `accuracy`?"),
    ("objectives", "[{metric: test_acuracy, goal: max}]", "6: objectives.0.metric: there is no such metric; did you mean `accuracy`?"),
    ("objectives", "[{metric: loss, goal: low}]", "6: objectives.0.goal: got 'low', expected one of min, max"),
    ("objectives", "[{metric: loss}]", "6: objectives.0.goal: is missing; give one of min, max"),
    ("objectives", "[{metric: test_accuracy, goal: max}]", "6: objectives.0.metric: `test_accuracy` is measured when all is over and must not guide it; use `accuracy`"),
    ("objectives", "[{metric: loss, goal: min}, {metric: loss, goal: max}]", "6: objectives: `loss` is given more than once; keep one"),
    ("constraints", "[{metric: silent}]", "7: constraints.0: got no bound, give `min`, `max` or both"),
    ("constraints", "[{metric: silent, min: 1, max: 0}]", "7: constraints.0: `min` is 1 and `max` 0, expected `min` to be at most `max`"),
    ("constraints", "[{metric: silent, max: .inf}]", "7: constraints.0.max: got inf, expected a finite number or null"),
    ("constraints", "[{metric: silent, max: low}]", "7: constraints.0.max: got 'low', expected a finite number or null"),
    ("stopping", "{rule: parto}", "8: stopping.rule: there is no such rule; did you mean `pareto`?"),
    ("stopping", "{silent_after: 0}", "8: stopping.silent_after: got 0, expected a whole number of at least 1 or null"),
    ("budget", "{hours: 0}", "11: budget.hours: got 0, expected a number above 0 or null"),
    ("budget", "{cpu_hour: 1}", "11: budget.cpu_hour: there is no such key; did you mean `cpu_hours`?"),
    ("budget", "{plateau: {gain: 0.1}}", "11: budget.plateau.trials: is missing; give a whole number of at least 1"),
    ("budget", "{plateau: {trials: 9, gain: 1}}", "11: budget.plateau.gain: got 1, expected a number of at least 0 and below 1"),
    ("budget", "{plateau: {trial: 9, trials: 9}}", "11: budget.plateau.trial: there is no such key; did you mean `trials`?"),
    ("replicates", "{start: 2}", "11: replicates.leaders: is missing; give a whole number of at least 2"),
    ("replicates", "{start: 3, leaders: 3}", "11: replicates.leaders: got 3, expected more than the 3 that every trial has"),
    ("budget", "{plateau: 3}", "11: budget.plateau: got 3, expected keys and values; known are trials, gain"),
    ("record", "{nulls: 20000}", "10: record.nulls: got 20000, expected a whole number of at least 0 and at most 10000"),
    ("record", "{nulls: 9, compared: [clusterin]}", "10: record.compared.0: there is no such measure; did you mean `clustering`?"),
    ("record", "{compared: [clustering]}", "10: record.compared: compares with no nulls; set `record.nulls`, say to 50"),
    ("constraints", "[{metric: modularity_z, min: 2}]", "7: constraints.0.metric: `modularity_z` is not recorded; set `record.nulls`"),
    ("replicates", "8", "11: replicates: got 8, expected keys and values; known are start, leaders, trials"),
    ("resources", "{time_limit: 0}", "9: resources.time_limit: got 0, expected a number above 0 or null"),
    ("resources", "{memory_limit: lots}", "9: resources.memory_limit: got 'lots', expected a number above 0 or null"),
    ("stopping", "{rule: asha, grace: 20}", "8: stopping.grace: got 20, expected less than the 20 epochs of a trial"),
    ("stopping", "{rule: asha, reduction: 1}", "8: stopping.reduction: got 1, expected a whole number of at least 2"),
    ("resources", "{gpus: 0.5}", "9: resources.gpus: got 0.5, but there is no GPU kernel in this version; use 0"),
    ("resources", "{cpus: 0}", "9: resources.cpus: got 0, expected a whole number of at least 1"),
    ("resources", "{concurrent: 0}", "9: resources.concurrent: got 0, expected a whole number of at least 1 or null"),
    ("resources", "{retries: -1}", "9: resources.retries: got -1, expected a whole number of at least 0"),
    ("record", "{synapses: yes}", "10: record.synapses: got 'yes', expected true or false"),
    ("serach", "{}", "11: serach: there is no such key; did you mean `search`?"),
]  # fmt: skip


def test_the_base_has_no_fault(tmp_path: Path) -> None:
    assert lines_for(tmp_path, BASE) == []


@pytest.mark.parametrize(("section", "text", "expected"), FAULTS, ids=[fault for _, _, fault in FAULTS])
def test_one_planted_fault_is_one_line(tmp_path: Path, section: str, text: str, expected: str) -> None:
    assert lines_for(tmp_path, planted(section, text)) == [expected]


def test_sections_that_do_not_go_together(tmp_path: Path) -> None:
    two = planted("objectives", "[{metric: loss, goal: min}, {metric: rate, goal: min}]")
    assert lines_for(tmp_path, two) == ["8: stopping.rule: asha needs a single objective, got 2; use pareto"]
    short = planted("space", "{learner.epochs: {int: [2, 3]}}").replace(", epochs: 20", "")
    assert lines_for(tmp_path, short) == [
        "8: stopping.grace: got 3, expected less than the 3 epochs of a trial"
    ]
    assert lines_for(tmp_path, short.replace("[2, 3]", "[2, 4]")) == []
    assert lines_for(tmp_path, two.replace("rule: asha", "rule: none")) == []
    measure = planted("objectives", "[{metric: modularity, goal: max}]")
    assert lines_for(tmp_path, measure) == [
        "8: stopping.rule: `modularity` is measured when training is over, and asha decides before; use none"
    ]
    assert lines_for(tmp_path, measure, "stopping={rule: none}") == []
    against_nulls = (
        planted("objectives", "[{metric: field_moran_shell_z, goal: max}]"),
        "stopping={rule: none}",
    )
    assert lines_for(tmp_path, *against_nulls, "record={nulls: 20}") == []
    assert lines_for(tmp_path, *against_nulls, "record={nulls: 20, compared: [clustering]}") == [
        "6: objectives.0.metric: `field_moran_shell_z` is not recorded; name its measure in `record.compared`"
    ]
    bounded = planted("constraints", "[{metric: modularity, min: 0.1}]")
    assert lines_for(tmp_path, bounded) == []
    assert lines_for(tmp_path, bounded, "stopping={rule: pareto}") == [
        "--set stopping={rule: pareto}: stopping.rule: `modularity` is measured when training is over, and pareto "
        "decides before; use none"
    ]


def test_replicates_stand_in_one_place(tmp_path: Path) -> None:
    more = planted("replicates", "{start: 2, leaders: 8}")
    path = tmp_path / "sweep.yaml"
    path.write_text(more)
    spec = load(path)
    assert (spec.learner.replicates, spec.replicates and spec.replicates.leaders) == (2, 8)
    assert lines_for(tmp_path, more, "learner.replicates=2") == []
    assert lines_for(tmp_path, more, "learner.replicates=3") == [
        "11: replicates.start: is 2, and `learner.replicates` 3; keep one of them"
    ]
    assert lines_for(tmp_path, more, "space.learner.replicates.int=[1, 3]") == [
        "11: replicates: is searched under `space`; leaders can't have more of them then, drop one of the two"
    ]


def test_samplers_that_do_not_suit(tmp_path: Path) -> None:
    cmaes = planted("search", "{sampler: cmaes}")
    assert lines_for(tmp_path, cmaes) == []
    assert lines_for(tmp_path, cmaes, "space.learner.dimensions.choice=[1, 2]", "stopping.rule=none") == [
        "5: search.sampler: cmaes needs fields with an order, and `learner.dimensions` is a choice; "
        "make it an int, or use tpe"
    ]
    # A condition on what is set is none.
    scale = "space.learner.delay_scale={uniform: [2, 60], when: {learner.embedding: space}}"
    assert lines_for(tmp_path, cmaes, scale) == []
    two = ["objectives=[{metric: loss, goal: min}, {metric: rate, goal: min}]", "stopping.rule=pareto"]
    assert lines_for(tmp_path, cmaes, *two) == [
        "5: search.sampler: cmaes follows a single objective, there are 2; use nsga2"
    ]


MANY = """\
name: my sweep
experiment: 7
data:
  name: digits
  validtion: 0.2
learner:
  hidden: 0
  dt: fast
  epochs: 5
space:
  learner.wiring_cost:
    log: [0, 1]
  learner.delay_scale: {uniform: [2, 60],
    when: {learner.embedding: spce}}
  learner.hidden: {int: [8, 16]}
search:
  sampler: tpe
  population: 8
  trials: none
objectives:
  - metric: accuracy
    goal: up
  - {metric: lss, goal: min}
constraints:
  - metric: silent
stopping: {rule: asha,
           grace: 1.5}
resources: {gpus: 1}
record:
  synapses: 1
search: {}
extra: 1
"""


def test_all_faults_of_all_sections_at_once_by_line(tmp_path: Path) -> None:
    lines = lines_for(tmp_path, MANY, "learner.dt=0", "space.learner.dt.uniform=[1, 2]", "nonsense")
    assert [line[: line.index(": ", line.index(": ") + 2)] for line in lines] == [
        "1: name",
        "2: experiment",
        "5: data.validtion",
        "7: learner.hidden",
        "7: learner.hidden",
        "12: space.learner.wiring_cost.log",
        "14: space.learner.delay_scale.when.learner.embedding",
        "19: search.trials",
        "22: objectives.0.goal",
        "23: objectives.1.metric",
        "25: constraints.0",
        "27: stopping.grace",
        "28: resources.gpus",
        "30: record.synapses",
        "31: search",
        "32: extra",
        "--set learner.dt=0: learner.dt",
        "--set learner.dt=0: learner.dt",
        "--set nonsense: nonsense",
    ]


def test_checks_across_sections_run_for_those_that_are_legal(tmp_path: Path) -> None:
    text = planted("search", "{sampler: tpe, population: 4}").replace("name: wiring", "name: a b")
    text = text.replace("goal: max}]", "goal: max}, {metric: loss, goal: min}]")
    assert lines_for(tmp_path, text) == [
        "1: name: got 'a b', expected 1 to 64 letters, digits, - and _",
        "5: search.population: goes with the samplers cmaes, nsga2, nsga3 only; leave it out",
        "8: stopping.rule: asha needs a single objective, got 2; use pareto",
    ]


def test_files_are_looked_for_beside_the_sweep_file_and_then_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, working = tmp_path / "beside", tmp_path / "working"
    for folder in (beside, working):
        folder.mkdir()
        (folder / "both.h5").touch()
    (working / "test.h5").touch()
    monkeypatch.chdir(working)
    path = beside / "sweep.yaml"
    path.write_text(planted("data", "{path: both.h5, test: test.h5}"))
    data = load(path).data
    assert (data.path, data.test) == (str(beside / "both.h5"), str(working / "test.h5"))

    for missing in ("none.h5", ".", "x" * 5000, '"nul\\0"'):
        lines = lines_for(beside, planted("data", f"{{path: {missing}, test: test.h5}}"))
        assert len(lines) == 1 and lines[0].startswith("2: data.path: there is no file ")
    assert lines_for(beside, planted("data", "{path: none.h5}")) == [
        f"2: data.path: there is no file {beside}/none.h5 or {working}/none.h5; give the path of an HDF5 file"
    ]


def paths_of(tree: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All places of a tree of mappings and lists."""
    yield where
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, inside in items:
        yield from paths_of(inside, (*where, key))


VALID = YAML(typ="safe", pure=True).load(BASE.replace("}}", "}, learner.dt: {choice: [1, 2]}}"))
PLACES = [where for where in paths_of(VALID) if where]
NUMBERS = [True, 0, -1, 1, 3, 2**62, 1.5, -0.0, 1e308, float("nan"), float("inf")]
TEXTS = ["", "space", "accuracy", "asha", "learner.dt", "nsga2", "\0", "a\nb"]
TREES = [[], {}, [1, 2], [[1], [2]], [None], {"choice": [1]}, {"metric": "loss"}]
JUNK = st.sampled_from([None, *NUMBERS, *TEXTS, *TREES])


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), JUNK, st.sampled_from(["set", "drop", "rename"])), max_size=3)
)
def test_a_mutated_file_is_a_user_error_or_a_sweep(
    tmp_path_factory: pytest.TempPathFactory, mutations: list[Any]
) -> None:
    tree = copy.deepcopy(VALID)
    for where, junk, action in mutations:
        inside = tree
        try:
            for key in where[:-1]:
                inside = inside[key]
            if action == "drop":
                del inside[where[-1]]
            elif action == "rename" and isinstance(inside, dict):
                inside[str(junk)] = inside.pop(where[-1])
            else:
                inside[where[-1]] = junk
        except (KeyError, IndexError, TypeError):
            continue
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(tree, stream)
    path = tmp_path_factory.mktemp("mutated") / "sweep.yaml"
    path.write_text(stream.getvalue(), encoding="utf-8")
    try:
        spec = load(path)
    except UserError as error:
        last = len(stream.getvalue().splitlines())
        assert error.faults
        for fault in error.faults:
            assert 1 <= int(fault.place.rpartition(":")[2]) <= last
            assert str(fault).isprintable()
    else:
        assert spec.hash


def test_faults_of_reading_do_not_hide_those_of_checking(tmp_path: Path) -> None:
    text = BASE.replace("name: wiring", "1: wiring") + "constraints: []\nrecord: !x 1\n"
    lines = lines_for(tmp_path, text.replace("{log: [1e-7, 1e-3]}", "{log: [1e-7, &a 1e-3], when: *a}"))
    assert lines == [
        "1: file: a key is not text; put it in quotes, or write merged keys out",
        "1: name: is missing; give the sweep a name",
        "4: space.learner.wiring_cost.log.1: has the anchor `&a`; leave it out and write values out",
        "4: space.learner.wiring_cost.when: repeats an earlier value by `*`; write the value out",
        "11: constraints: is given twice, first on line 7; keep one",
        "12: record: is given twice, first on line 10; keep one",
    ]
