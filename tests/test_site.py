"""The pages of the site that are made of code, and the code that stands on its pages."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import code_pages
import h5py
import notebook_page
import numpy as np
import pyarrow as pa
import pytest
import typer
from typer.core import TyperGroup

from model import load_dataset
from model.topology.names import MEASURES
from service.cli import app
from service.config.json_schema import json_schema
from service.config.load import load
from service.record.record import Record
from service.record.schema import make_schemas

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
RECORDED = ROOT / "tests/fixtures/recorded_sweeps/finished"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def all_keys(schema: Any) -> set[str]:
    """The names of all keys anywhere in the schema of a sweep file."""
    if isinstance(schema, list):
        return set().union(*map(all_keys, schema))
    if not isinstance(schema, dict):
        return set()
    own = schema.get("properties", {})
    return set(own).union(*map(all_keys, [*schema.values(), *own.values()]))


def test_every_key_is_explained_and_listed() -> None:
    keys = all_keys(json_schema())
    assert {"hidden", "validation_group", "dimension_up", "resample", "goal", "choice", "gain"} <= keys
    explained, listed = (DOCS / "sweeps.md").read_text(), code_pages.keys_page()
    assert sorted(key for key in keys if not re.search(rf"\b{key}\b", explained)) == []
    domains = {"uniform", "log", "int", "choice", "when"}  # what is below a field of `space`
    assert sorted(key for key in keys - domains if f"| `{key}`" not in listed) == []


def test_the_list_of_keys_has_values_defaults_and_what_may_be_searched() -> None:
    lines = code_pages.keys_page().splitlines()
    assert "| `dimensions` S | a whole number of at least 1 | `2` | Dimensions of space, D. |" in lines
    assert any(line.startswith("| `seed` | a whole number of at least 0 | `0` |") for line in lines)
    assert any(line.startswith("| `name` | text, in quotes if need be | required |") for line in lines)
    assert not any("None" in line for line in lines)
    head = lines.index("## `search.evolution.moves`")
    assert lines.index("## `search.evolution`") < head < lines.index("## `objectives`")


def test_every_column_is_explained_and_listed() -> None:
    listed = code_pages.columns_page()
    explained = {name: (DOCS / f"{name}.md").read_text() for name in ("tables", "topology", "sweeps")}
    for table, schema in make_schemas(measure_names=MEASURES).items():
        section = listed.partition(f"\n## `{table}`\n")[2].partition("\n## ")[0]
        assert [name for name in schema.names if f"| `{name}` |" not in section] == [], table
        said = [(one.metadata or {})[b"description"].decode().replace("|", r"\|") for one in schema]
        assert [text for text in said if text not in section] == [], table
        measured = set(MEASURES) & set(schema.names)
        metrics = {name for name in schema.names if f"{name}_sem" in make_schemas()["trials"].names}
        metrics |= {f"{name}_sem" for name in metrics}
        own = [name for name in schema.names if name not in measured | metrics]
        assert [name for name in own if f"`{name}`" not in explained["tables"]] == [], table
        assert [name for name in measured if f"`{name}`" not in explained["topology"]] == []
    metrics = {name for name in make_schemas()["epochs"].names if name not in ("trial", "replicate", "epoch")}
    assert [name for name in metrics if f"`{name}`" not in explained["sweeps"]] == []


def test_every_command_is_listed_with_its_options() -> None:
    page = code_pages.commands_page()
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    assert re.findall(r"^## `(.*)`$", page, re.MULTILINE) == sorted(group.commands)
    for name, command in group.commands.items():
        section = page.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
        options = [option for one in command.params for option in one.opts if option.startswith("--")]
        assert [option for option in options if option not in section] == [], name


def test_every_command_is_explained_somewhere() -> None:
    text = "\n".join(path.read_text() for path in [ROOT / "README.md", *DOCS.glob("*.md")])
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    assert [name for name in group.commands if f"polychrony {name}" not in text] == []


def test_every_page_has_its_place_on_the_site() -> None:
    """The strict build says so, too, but only where mkdocs is."""
    places = (ROOT / "mkdocs.yml").read_text()
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert [page for page in pages if f": {page}\n" not in places] == []


def test_links_lead_to_files_of_the_repository() -> None:
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "deploy/README.md", ROOT / "CONTRIBUTING.md"]
    links = [
        (path, link)
        for path in pages
        for link in re.findall(r"\]\((?!\w+:|#)([^)\s#]+)", path.read_text())
        if not (path.parent / link).is_file()
    ]
    assert len(pages) > 20 and links == []


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The cells of the notebook, in a folder with the sweep that it reads."""
    shutil.copytree(RECORDED, tmp_path / "runs/quickstart")
    monkeypatch.chdir(tmp_path)
    cells: list[dict[str, Any]] = json.loads((DOCS / "notebook.ipynb").read_text())["cells"]
    return cells


def kinds(cells: list[dict[str, Any]]) -> list[list[str]]:
    return [[kind for one in cell.get("outputs", ()) for kind in one["data"]] for cell in cells]


def test_the_notebook_runs_and_shows_what_it_is_kept_with(notebook: list[dict[str, Any]]) -> None:
    kept = kinds(notebook)
    notebook_page.run(notebook)
    assert kinds(notebook) == kept
    assert sum(map(len, kept)) > 8
    assert "2" in notebook[1]["outputs"][0]["data"]["text/html"]  # the trial on its front


def test_the_page_of_the_notebook_has_its_figures(notebook: list[dict[str, Any]]) -> None:
    page = notebook_page.page(notebook)
    figures = sum(notebook_page.PLOTLY in kind for kind in kinds(notebook))
    assert page.count("Plotly.newPlot") == figures >= 4
    assert page.count(notebook_page.SCRIPT) == 1
    assert "https://cdn" not in page
    for block in re.findall(r'<div class="shown">(.*?)\n\n', page, re.DOTALL):
        assert block.endswith("</div>")  # a blank line would have ended the HTML


def test_a_cell_shows_its_last_expression(tmp_path: Path) -> None:
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "source": ["# A title"]},
        {"cell_type": "code", "source": ["a = 2\n", "a"], "outputs": [], "execution_count": None},
        {"cell_type": "code", "source": ["b = a + 1"], "outputs": [], "execution_count": None},
        {"cell_type": "code", "source": ["b"], "outputs": [], "execution_count": None},
    ]
    notebook_page.run(cells)
    assert [[one["data"] for one in cell.get("outputs", ())] for cell in cells] == [
        [],
        [{"text/plain": "2"}],
        [],
        [{"text/plain": "3"}],
    ]
    assert '```python\nb\n```\n\n<div class="shown"><pre>3</pre></div>' in notebook_page.page(cells)


def test_the_page_on_own_data_writes_files_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks("own-data.md", "python"):
        exec(block, names)
    assert capsys.readouterr().out.split() == ["180", "20", "100", "20", "2"]
    with h5py.File("train.h5") as file:
        first = file["spikes/times"][0][np.isin(file["spikes/units"][0], range(10))]
        assert file["labels"][0] == 0 and first.max() < 0.02  # channels 0 to 9 of class 0 are early
    train = load_dataset(path="train.h5", test="test.h5").train
    assert len(train.times.flat) == 180 * 20
    (tmp_path / "bursts.yaml").write_text(blocks("own-data.md", "yaml")[0])
    assert load(tmp_path / "bursts.yaml").name == "bursts"


def test_the_tutorial_compares_networks_pair_by_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "question.yaml").write_text(blocks("tutorial.md", "yaml")[0])
    spec = load(tmp_path / "question.yaml")
    kinds, replicates = ("space", "none"), spec.learner.replicates
    assert spec.space.domain("learner.embedding").ends() == kinds
    rng = np.random.default_rng(0)
    accuracy = rng.random((2, replicates))
    folder = tmp_path / "runs/question"
    with Record.open(folder, make_schemas({"embedding": pa.string()})) as record:
        keys = [(t, r, e) for t in (0, 1) for r in range(replicates) for e in (1, 2)]
        for t, r, e in keys:
            value = accuracy[t, r] if e == 2 else 0.0
            record.append("epochs", [{"trial": t, "replicate": r, "epoch": e, "accuracy": value}])
        rows = [{"trial": t, "state": "complete", "embedding": kind} for t, kind in enumerate(kinds)]
        record.append("trials", rows)
    (folder / "sweep.yaml").write_text(blocks("tutorial.md", "yaml")[0])
    monkeypatch.chdir(tmp_path)
    exec(blocks("tutorial.md", "python")[0], {})
    numbers = [float(one) for one in re.findall(r"[-+][0-9.]+", capsys.readouterr().out)]
    gains = accuracy[0] - accuracy[1]
    half = 2.2622 * gains.std(ddof=1) / np.sqrt(10)  # Student's t with 9 degrees of freedom, 97.5 %
    expected = [gains.mean(), gains.mean() - half, gains.mean() + half]
    np.testing.assert_allclose(numbers[:3], expected, atol=1e-4)
