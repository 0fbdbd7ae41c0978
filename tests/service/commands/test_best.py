"""What sweeps have found: best, compare, show; and sweep files to start from: init, schema."""

import json
from pathlib import Path
from typing import Any

import pytest
from known_sweep import write_known_sweep
from rich.cells import cell_len
from typer.testing import CliRunner

from service import Sweep
from service.cli import app
from service.config.load import load, read_sweep
from service.config.templates import template
from service.errors import UserError


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    monkeypatch.chdir(tmp_path)
    return Sweep(write_known_sweep(tmp_path / "runs" / "known"))


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_best_is_the_front_the_best_by_the_first_objective_first(known: Sweep) -> None:
    front, best = known.front(), known.best()
    assert set(best["trial"]) == set(front["trial"]) and best["accuracy"].is_monotonic_decreasing
    rows = json.loads(said("best", "known", "--json"))
    assert [row["trial"] for row in rows] == best["trial"].tolist()
    assert rows[0]["accuracy"] == best["accuracy"][0] == front["accuracy"].max()


def test_extremes_name_the_trials_that_have_them(known: Sweep) -> None:
    front = known.front().set_index("trial")
    (one,) = json.loads(said("list", "--json"))
    assert one["best"]["accuracy"] == {"value": front["accuracy"].max(), "trial": front["accuracy"].idxmax()}
    shortest = {"value": front["wiring_length"].min(), "trial": front["wiring_length"].idxmin()}
    assert (
        one["best"]["wiring_length"]
        == json.loads(said("status", "known", "--json"))["best"]["wiring_length"]
        == shortest
    )
    assert f"(trial {shortest['trial']})" in said("list")


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_numbers_of_objectives_are_never_cut(known: Sweep, width: int, monkeypatch: Any) -> None:
    from rich.console import Console

    from service.commands.best import print_best

    console = Console(width=width, record=True)
    print_best(known, console, as_json=False)
    text = console.export_text()
    assert all(cell_len(line.rstrip()) <= width for line in text.splitlines())
    for value in known.best()["wiring_length"]:
        assert f"{value:.4g}" in text
    assert ("without room" in text) == (width < 80)


def test_table_by_columns_sorted_and_cut(known: Sweep) -> None:
    rows = json.loads(
        said(
            *[
                "table",
                "known",
                "trials",
                "--columns",
                "accuracy,trial",
                "--sort",
                "-accuracy",
                "--limit",
                "3",
                "--format",
                "json",
            ]
        )
    )
    expected = known.table("trials").nlargest(3, "accuracy")
    assert [row["trial"] for row in rows] == expected["trial"].tolist() and list(rows[0]) == [
        "accuracy",
        "trial",
    ]
    with pytest.raises(UserError, match=r"there is no such column; did you mean `accuracy`"):
        said("table", "known", "trials", "--sort", "acuracy")
    assert "no rows" in said("table", "known", "trials", "--where", "trial == 99")


def test_show_is_a_sweep_file_that_searches_nothing(known: Sweep, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(said("show", "known/4"))
    spec, row = load(file), known.table("trials").set_index("trial").loc[4]
    assert not spec.space.fields and spec.name == "known_4"
    assert (spec.learner.wiring_cost, spec.learner.dimensions) == (row["wiring_cost"], row["dimensions"])
    assert spec.learner.replicates == row["replicates"] and spec.data == known.spec.data


def test_compare_says_in_what_sweeps_differ(known: Sweep) -> None:
    other = write_known_sweep(Path(str(known.folder)).parent / "other")
    text = (other / "sweep.yaml").read_text()
    (other / "sweep.yaml").write_text(text.replace("hidden: 12", "hidden: 16").replace('"known"', '"other"'))
    shown = said("compare", "known", "other")
    assert "known -> other: 1 differences" in shown and "learner.hidden: 12 -> 16" in shown


def test_init_writes_a_template_that_loads_with_its_schema(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    said("init", "yin_yang", "--to", "mine/first.yaml")
    assert load(tmp_path / "mine" / "first.yaml").name == "yin_yang"
    first = (tmp_path / "mine" / "first.yaml").read_text().splitlines()[0]
    schema = tmp_path / "mine" / first.partition("$schema=")[2]
    assert json.loads(schema.read_text()) == json.loads(said("schema"))
    with pytest.raises(UserError, match=r"is there already"):
        said("init", "yin_yang", "--to", "mine/first.yaml")
    with pytest.raises(UserError, match=r"did you mean `quickstart`"):
        said("init", "quikstart")


def test_a_template_is_run_where_there_is_no_such_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(template(Path("quickstart"))).name == "quickstart"
    (tmp_path / "quickstart").write_text("name: mine\n")
    assert template(Path("quickstart")) == Path("quickstart")
    with pytest.raises(UserError, match=r"quikstart.yaml: file: .*did you mean `quickstart`"):
        said("run", "quikstart.yaml", "--dry-run")


def test_a_sweep_from_keys_and_values_is_the_one_of_a_file(sweep_file: Path) -> None:
    from ruamel.yaml import YAML

    values = YAML(typ="safe").load(sweep_file.read_text())
    values["space"]["learner.wiring_cost"]["log"] = [1e-4, 1e-1]
    assert read_sweep(values)[0] == load(sweep_file)
    with pytest.raises(UserError, match=r"did you mean `learner.hidden`"):
        read_sweep(values, ["hidden=64"])
    with pytest.raises(UserError, match=r"name: is missing"):
        read_sweep(None, ["data.name=digits"])


def test_version_and_short_help() -> None:
    assert said("--version").startswith("polychrony ")
    assert "--limit" in said("table", "-h")


def test_figures_show_what_the_tables_hold(known: Sweep) -> None:
    others, front = known.plot.front().data
    assert sorted(front.y) == sorted(known.front()["accuracy"])
    assert len(others.x) + len(front.x) == len(known.counted())
    assert len(known.plot.course("loss").data) == len(known.table("trials"))
    labels = [one.label for one in known.plot.parallel().data[0].dimensions]
    assert labels == [*known.searched, "accuracy", "wiring_length"]
    with pytest.raises(UserError, match=r"is no column"):
        known.plot.course("acuracy")
    assert repr(known) == f"Sweep({str(known.folder)!r})" and "<table" in known._repr_html_()
