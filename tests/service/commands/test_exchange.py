"""`polychrony export` and `import` as a user types them: what they write, and what they say to a mistake."""

import csv
import json
from pathlib import Path

import networkx
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from model.network.checkpoint import unpack
from service.cli import app
from service.commands.export import export_network, read_grid
from service.commands.import_ import import_network
from service.config.load import load
from service.errors import UserError
from service.results.sweep import Sweep

RECORDED = Path(__file__).resolve().parents[2] / "fixtures" / "recorded_sweeps"


@pytest.fixture
def console() -> Console:
    return Console(record=True, width=120)


@pytest.mark.parametrize("format_", ["graphml", "npz", "sonata", "brian2", "nest"])
def test_a_trial_is_exported(format_: str, tmp_path: Path, console: Console) -> None:
    export_network("finished/0", RECORDED, format_, tmp_path / "out", console, replicate=1, samples=3)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert f"finished/0, replicate 1: {len(files)} file" in console.export_text()
    net = Sweep(RECORDED / "finished").network(0)
    if format_ == "graphml":
        graph = networkx.read_graphml(tmp_path / "out/network.graphml")
        weights = networkx.to_numpy_array(graph, [f"n{k}" for k in range(6)], dtype=np.float32)
        assert np.array_equal(weights, (net.w_rec * net.mask)[1].detach())
    if format_ == "brian2":
        with np.load(tmp_path / "out/samples.npz") as samples:
            assert len(samples["labels"]) == 3 and str(samples["simulator"]) == "brian2"
    if format_ == "sonata":
        assert json.loads((tmp_path / "out/learner.json").read_text())["hidden"] == 6


def test_the_accuracy_on_each_grid_is_told_and_written(tmp_path: Path, console: Console) -> None:
    grid = "bits=4/2,delay_step=5,max_delay=20"
    export_network("finished/0", RECORDED, "npz", tmp_path / "out", console, quantize=grid)
    with np.load(tmp_path / "out/network.npz") as file:
        assert len(np.unique(file["w_in"])) <= 15 and file["delays"].max() <= 20
        assert np.allclose(file["delays"] % 5, 0)
    with (tmp_path / "out/resolutions.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [row["bits"] for row in rows] == ["", "4", "2"]
    told = console.export_text()
    for row in rows:
        assert f"{float(row['accuracy']):.1%}" in told and f"{float(row['same_answers']):.1%}" in told
    assert float(rows[0]["same_answers"]) == 1.0 and "resolutions.csv" in [
        p.name for p in (tmp_path / "out").iterdir()
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("bits=x", "`bits`: got 'x', expected a whole number"),
        ("bits=2.5", "`bits`: got '2.5', expected a whole number"),
        ("bits=99", "`bits`: got 99, expected a whole number from 2 to 24"),
        ("delay_step=0", "`delay_step`: got 0.0, expected a number above 0"),
        ("delay_stp=1", "did you mean `delay_step`"),
        ("bits=4,bits=5", "`bits` is given twice"),
        ("max_delay=4/5", "`max_delay` has one value"),
        ("", "there is no such value of a grid"),
    ],
)
def test_a_wrong_grid_is_told(text: str, fault: str) -> None:
    with pytest.raises(UserError, match=fault):
        read_grid(text)


@pytest.mark.parametrize(
    ("name", "options", "fault"),
    [
        ("finished", {}, "expected NAME/TRIAL"),
        ("finished/x", {}, "expected NAME/TRIAL"),
        ("finished/99", {}, "there is no such trial"),
        ("nothing/0", {}, "there is none here"),
        ("finished/0", {"replicate": 7}, "--replicate: got 7, expected one from 0 to 1"),
        ("finished/0", {"replicate": -1}, "--replicate: got -1"),
        ("finished/0", {"samples": 0}, "--samples: got 0"),
        ("finished/0", {"quantize": "delay_step=9,max_delay=5"}, "`max_delay`: got 5, expected at least"),
        ("finished/0", {"format": "nir"}, "no delay a synapse"),
        ("finished/0", {"format": "gml"}, "no such format"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(
    name: str, options: dict[str, object], fault: str, tmp_path: Path, console: Console
) -> None:
    asked = {"format": "npz", **options}
    with pytest.raises(UserError, match=fault):
        export_network(name, RECORDED, folder=tmp_path / "out", console=console, **asked)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def checkpoint(folder: Path) -> Path:
    """A checkpoint as the paper's code writes it: 4 neurons, 5 channels, 3 classes."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    for name, size in (("Conn_Pop0_Pop1-g", 20), ("Conn_Pop1_Pop1-g", 16), ("Conn_Pop1_Pop2-g", 12)):
        np.save(folder / f"40-{name}.npy", draw.normal(0, 1, size).astype(np.float32))
    for axis in range(2):
        np.save(folder / f"40-Pos{axis}.npy", draw.normal(0, 9, 4).astype(np.float32))
    return folder


def test_a_published_network_comes_in(tmp_path: Path, console: Console) -> None:
    import_network(checkpoint(tmp_path / "paper"), tmp_path / "net.safetensors", console, duration=500.0)
    net = unpack((tmp_path / "net.safetensors").read_bytes())[0]
    assert (net.config.hidden, net.n_channels, net.n_classes, net.config.duration) == (4, 5, 3, 500.0)
    told = " ".join(console.export_text().split())
    assert "epoch 40 of" in told and "4 self-connections" in told and "embedding space" in told


def test_a_faulty_checkpoint_is_told_and_nothing_is_written(tmp_path: Path, console: Console) -> None:
    folder, file = checkpoint(tmp_path / "paper"), tmp_path / "net.safetensors"
    with pytest.raises(UserError, match="--duration: `duration`: got -1"):
        import_network(folder, file, console, duration=-1.0)
    with pytest.raises(UserError, match=r"41-Conn_Pop1_Pop1-g.npy: there is no such file"):
        import_network(folder, file, console, epoch="41")
    np.save(folder / "40-Conn_Pop1_Pop1-g.npy", np.full(16, np.nan))
    with pytest.raises(UserError, match="16 of 16 numbers are not finite"):
        import_network(folder, file, console)
    assert not file.exists()
    file.write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        import_network(folder, file, console)
    assert file.read_text() == "mine"


def test_a_sweep_may_begin_with_a_network(sweep_file: Path) -> None:
    options = ["learner.start=start.npz"]
    with pytest.raises(
        UserError, match=r"learner.start: there is no file .*; give the path of a .npz or .json"
    ):
        load(sweep_file, options)
    np.savez(sweep_file.parent / "start.npz", delays=np.ones((5, 5)))
    with pytest.raises(UserError, match=r"learner.start: .*has 5 neurons, and `hidden` is 6"):
        load(sweep_file, options)
    np.savez(sweep_file.parent / "start.npz", delays=np.full((6, 6), 4.0))
    # Distances in 1 to 3 dimensions are searched, and each can have places by the delays.
    spec = load(sweep_file, options)
    assert spec.learner.start == str((sweep_file.parent / "start.npz").resolve())
    with pytest.raises(UserError, match="cannot be searched; set it in `learner`"):
        load(sweep_file, ["space.learner.start={choice: [a, b]}"])


def test_the_commands_are_those_of_the_command_line(tmp_path: Path) -> None:
    folder, file = checkpoint(tmp_path / "paper"), tmp_path / "net.safetensors"
    runner = CliRunner()
    done = runner.invoke(app, ["import", str(folder), "--to", str(file), "--epoch", "40"])
    assert done.exit_code == 0 and file.is_file(), done.output
    options = [
        "--format",
        "graphml",
        "--to",
        str(tmp_path / "out"),
        "--out",
        str(RECORDED),
        "--replicate",
        "1",
    ]
    done = runner.invoke(app, ["export", "finished/0", *options, "--quantize", "bits=8"])
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"network.graphml", "resolutions.csv"}
    assert runner.invoke(app, ["export", "finished/0", *options]).exception is not None  # it is there already
