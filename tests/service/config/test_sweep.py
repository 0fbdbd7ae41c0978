"""A legal sweep file: what is read, what is written back, and what a suggestion makes of it."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import LearnerConfig
from model.datasets.config import DataConfig
from search.domains import Choice, Int, Log, Uniform
from search.objectives import Constraint, Objective
from search.space import Field, Space
from service.config.load import load
from service.config.sections import (
    BudgetSpec,
    MlflowSpec,
    RecordSpec,
    ResourcesSpec,
    SearchSpec,
    StoppingSpec,
)
from service.config.sweep import HEADER, SweepSpec, data_for, dump, learner_for
from service.errors import UserError

EXAMPLE = """\
name: wiring
data: {name: digits}
learner: {hidden: 64, epochs: 20, replicates: 2, embedding: space, dt: 1.0}
space:
  learner.wiring_cost: {log: [1e-7, 1e-3]}
  learner.dimensions: {choice: [1, 2, 3, 4]}
  learner.delay_scale: {uniform: [2, 60], when: {learner.embedding: space}}
search: {sampler: nsga2, population: 8, trials: 24, seed: 0}
objectives: [{metric: accuracy, goal: max}, {metric: wiring_length, goal: min}]
constraints: [{metric: silent, max: 0.2}]
stopping: {rule: none, grace: 3}
resources: {cpus: 1, gpus: 0, concurrent: 2}
"""


Read = Callable[..., SweepSpec]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str, *options: str) -> SweepSpec:
        path = tmp_path / "sweep.yaml"
        path.write_text(text)
        return load(path, options)

    return read


def test_the_example_of_the_contract(read: Read) -> None:
    assert read(EXAMPLE) == SweepSpec(
        name="wiring",
        experiment="wiring",
        data=DataConfig(name="digits"),
        # What is always searched stands at an end of its domain, what is searched at times at its default.
        learner=LearnerConfig(hidden=64, epochs=20, replicates=2, wiring_cost=1e-7, dimensions=1),
        space=Space(
            [
                Field("learner.wiring_cost", Log(1e-7, 1e-3)),
                Field("learner.dimensions", Choice((1, 2, 3, 4))),
                Field("learner.delay_scale", Uniform(2.0, 60.0), {"learner.embedding": "space"}),
            ]
        ),
        search=SearchSpec(sampler="nsga2", population=8, trials=24, seed=0),
        objectives=(Objective("accuracy", "max"), Objective("wiring_length", "min")),
        constraints=(Constraint("silent", max=0.2),),
        stopping=StoppingSpec(rule="none", grace=3),
        budget=BudgetSpec(),
        replicates=None,
        resources=ResourcesSpec(concurrent=2),
        record=RecordSpec(),
        mlflow=MlflowSpec(),
    )


def test_what_is_not_given_has_a_default(read: Read) -> None:
    spec = read("name: a\ndata: {name: digits}\nlearner:\nspace:\nobjectives:\n")
    assert spec.learner == LearnerConfig()
    assert spec.space == Space([])
    assert spec.objectives == (Objective("accuracy", "max"),)
    assert (spec.search.sampler, spec.stopping.rule, spec.resources.retries) == ("tpe", "none", 2)
    assert spec.experiment == "a"


def test_overrides_are_applied(read: Read) -> None:
    options = ["learner.hidden=8", "search.trials=2", "space.learner.tau_mem={int: [6, 9]}", "experiment=b"]
    spec = read(EXAMPLE, *options)
    assert (spec.learner.hidden, spec.search.trials, spec.experiment) == (8, 2, "b")
    assert Field("learner.tau_mem", Int(6, 9)) in spec.space.fields
    assert len(spec.space.fields) == 4


def test_the_resolved_file_says_everything_and_reads_back(read: Read) -> None:
    spec = read(EXAMPLE)
    text = dump(spec)
    assert text.startswith(HEADER)
    assert read(text) == spec
    resolved = spec.resolved()
    assert "wiring_cost" not in resolved["learner"] and resolved["learner"]["tau_mem"] == 20.0
    assert resolved["space"]["learner.delay_scale"] == {
        "uniform": [2.0, 60.0],
        "when": {"learner.embedding": "space"},
    }
    assert resolved["data"] == {"name": "digits"}
    assert resolved["constraints"] == [{"metric": "silent", "min": None, "max": 0.2}]


def test_data_files_are_resolved_and_searched(read: Read, tmp_path: Path) -> None:
    name = "a file, with: odd {marks} # and 'quotes' " + "x " * 60 + ".h5"
    (tmp_path / name).touch()
    space = "{data.seed: {int: [0, 3]}, data.validation: {uniform: [0.1, 0.2], when: {data.seed: [1, 2]}}}"
    spec = read(f"name: a\ndata: {{path: {json.dumps(name)}}}\nspace: {space}\n")
    assert spec.data.path == str(tmp_path / name)
    assert spec.resolved()["data"] == {"path": str(tmp_path / name)}
    assert read(dump(spec)) == spec
    assert data_for(spec, {"data.seed": 3, "learner.dt": 2.0}) == DataConfig(path=spec.data.path, seed=3)
    assert data_for(spec, {"data.seed": 1, "data.validation": 0.2}).validation == 0.2


def test_data_files_that_cannot_be_named_or_are_links_to_nowhere(read: Read, tmp_path: Path) -> None:
    folder = tmp_path / "lat_\udce9"
    folder.mkdir()
    (folder / "a.h5").touch()
    (tmp_path / "link.h5").symlink_to(tmp_path / "gone.h5")
    (tmp_path / "latin.h5").symlink_to(folder / "a.h5")
    for path, fault in (
        ("latin.h5", r"lat_\\udce9/a\.h5 is no name in UTF-8"),
        ("link.h5", r"link\.h5 is a link to .*gone\.h5, where there is no file; mend the link"),
    ):
        with pytest.raises(UserError, match=rf"data\.path: .*{fault}"):
            read(f"name: a\ndata: {{path: {path}}}\n")


def test_the_unit_of_times_is_kept_as_it_was_given(read: Read, tmp_path: Path) -> None:
    (tmp_path / "a.h5").touch()
    spec = read("name: a\ndata: {path: a.h5, time_unit: us}\n")
    assert spec.data.time_unit == "us" and spec.resolved()["data"]["time_unit"] == "us"
    with pytest.raises(UserError, match=r"data\.time_unit: got 'min', expected one of s, ms, us or null"):
        read("name: a\ndata: {path: a.h5, time_unit: min}\n")
    with pytest.raises(UserError, match="`time_unit` goes with `path`; leave it out"):
        read("name: a\ndata: {name: shd, time_unit: ms}\n")


def test_a_suggestion_becomes_a_learner(read: Read) -> None:
    spec = read(EXAMPLE)
    learner = learner_for(spec, {"learner.wiring_cost": 0, "learner.dimensions": 3, "data.seed": 1})
    assert learner == replace(spec.learner, wiring_cost=0.0, dimensions=3)
    assert type(learner.wiring_cost) is float and type(learner.dimensions) is int
    with pytest.raises(ValueError, match="`dimensions`"):
        learner_for(spec, {"learner.dimensions": 0})


def test_fixed_values_are_those_of_all_paths_that_are_not_searched(read: Read) -> None:
    spec = read(EXAMPLE)
    assert spec.fixed["learner.hidden"] == 64 and spec.fixed["data.name"] == "digits"
    assert not set(spec.fixed) & set(spec.space.paths)
    assert spec.space.given(spec.fixed).paths == spec.space.paths


def test_a_legal_space_may_need_searched_fields_to_be_legal_at_all(read: Read) -> None:
    """`min_delay` fits no default `dt`, only the searched ones."""
    spec = read(
        "name: a\ndata: {name: digits}\nlearner: {min_delay: 0.5}\nspace: {learner.dt: {uniform: [0.1, 0.5]}}"
    )
    assert learner_for(spec, {"learner.dt": 0.5}).dt == 0.5


def test_a_condition_can_keep_contradictions_apart(read: Read) -> None:
    domains = "{learner.dt: {choice: [1, 2]}, learner.min_delay: {uniform: [1.5, 3]%s}}"
    text = f"name: a\ndata: {{name: digits}}\nspace: {domains}\n"
    with pytest.raises(UserError, match=r"3: space: .* `min_delay`: got 1.5, expected at least `dt` = 2"):
        read(text % "")
    spec = read(text % ", when: {learner.dt: 1}")
    assert spec.space.fields[1].when == {"learner.dt": 1.0}


def test_contradictions_are_found_in_large_spaces(read: Read) -> None:
    fields = [
        "recurrent_gain",
        "threshold",
        "initial_rate",
        "learning_rate",
        "position_learning_rate",
        "tau_mem_out",
    ]
    many = "".join(f"  learner.{name}: {{choice: [1, 2, 3, 4]}}\n" for name in fields)
    text = f"name: a\ndata: {{name: digits}}\nspace:\n{many}  learner.tau_syn_out: {{choice: [7, 8, %s]}}\n"
    read(text % 9)
    with pytest.raises(UserError, match="`tau_mem_out` and `tau_syn_out` are both 4"):
        read(text % 4)


def test_contradictions_are_found_among_many_options(read: Read) -> None:
    options = [*range(21, 1500), 5]
    with pytest.raises(UserError, match="`tau_mem` and `tau_syn` are both 5"):
        read(f"name: a\ndata: {{name: digits}}\nspace: {{learner.tau_mem: {{choice: {options}}}}}\n")


def test_the_hash_is_that_of_what_the_results_depend_on(read: Read) -> None:
    spec = read(EXAMPLE)
    assert spec.hash == read(EXAMPLE.replace("dt: 1.0", "dt: 1")).hash
    assert spec.hash == read(EXAMPLE, "search.trials=99", "resources.cpus=2", "resources.concurrent=7").hash
    assert spec.hash != read(EXAMPLE, "search.seed=1").hash
    assert spec.hash != read(EXAMPLE, "space.learner.wiring_cost.log.1=2e-3").hash
    plain = spec.resolved()
    del plain["resources"], plain["mlflow"], plain["budget"], plain["search"]["trials"]
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    assert spec.hash == hashlib.sha256(canonical.encode()).hexdigest()


reals = st.floats(1e-6, 1e6)
pairs = st.tuples(reals, reals).filter(lambda pair: pair[0] < pair[1]).map(list)
domains = st.one_of(
    st.fixed_dictionaries({"uniform": pairs}),
    st.fixed_dictionaries({"log": pairs}),
    st.fixed_dictionaries({"choice": st.lists(reals, min_size=1, max_size=4, unique=True)}),
)
FREE = ["delay_scale", "threshold", "initial_rate", "recurrent_gain", "learning_rate", "wiring_cost"]


@settings(deadline=None)
@given(
    space=st.dictionaries(st.sampled_from(FREE), domains),
    conditional=st.lists(st.sampled_from(["space", "fixed", "none"]), max_size=3, unique=True),
    learner=st.fixed_dictionaries(
        {},
        optional={
            "hidden": st.integers(1, 2**62),
            "position_learning_rate": reals,
            "duration": st.none() | st.integers(1, 9999),
        },
    ),
    name=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True).filter(lambda name: name != "mlartifacts"),
    constraints=st.lists(
        st.fixed_dictionaries({"metric": st.just("rate"), "max": st.floats(-9, 9)}), max_size=2
    ),
)
def test_any_legal_sweep_reads_back_as_itself(
    tmp_path_factory: pytest.TempPathFactory,
    space: dict[str, Any],
    conditional: list[str],
    learner: dict[str, Any],
    name: str,
    constraints: list[Any],
) -> None:
    sweep: dict[str, Any] = {
        "name": name,
        "data": {"name": "digits"},
        "learner": learner,
        "space": {f"learner.{key}": {**domain} for key, domain in space.items()},
        "constraints": constraints,
    }
    if conditional and space:
        sweep["space"][f"learner.{min(space)}"]["when"] = {"learner.embedding": conditional}
    path = tmp_path_factory.mktemp("round") / "sweep.yaml"
    path.write_text(json.dumps(sweep))  # JSON is YAML
    spec = load(path)
    assert spec.name == name
    path.write_text(dump(spec))
    again = load(path)
    assert again == spec and again.hash == spec.hash and again.resolved() == spec.resolved()


def test_reading_a_sweep_file_loads_nothing_heavy() -> None:
    heavy = ["torch", "ray", "mlflow", "pandas"]
    code = f"import sys, service.config.sweep; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
