import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from known_sweep import write_known_sweep
from PIL import Image

from model.datasets import DataConfig
from service.errors import SweepError
from service.figures.cloud_html import alone
from service.report.pruned import pruning_curves
from service.report.trial_pictures import page, probes, stills
from service.results.sweep import Sweep

SPATIAL, FREE = 1, 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_known_sweep(tmp_path_factory.mktemp("runs") / "known", networks=(SPATIAL, FREE))


def _neurons(folder: Path, trial: int):  # type: ignore[no-untyped-def]
    return Sweep(folder).arrow("neurons", f"trial == {trial}")


def test_stills_of_every_trial(folder: Path) -> None:
    spatial = stills(folder, "known", SPATIAL, _neurons(folder, SPATIAL))()
    assert list(spatial) == ["positions.png", "delays.png"]
    assert list(stills(folder, "known", FREE, None)()) == ["delays.png"]
    assert stills(folder, "known", 3, None)() == {}  # it has no networks
    for name, path in spatial.items():
        assert path == folder / "pictures" / "000001" / name
        Image.open(io.BytesIO(path.read_bytes())).verify()


def test_what_was_drawn_is_not_drawn_again(folder: Path) -> None:
    stills(folder, "known", SPATIAL, _neurons(folder, SPATIAL))()
    kept = folder / "pictures" / "000001" / "positions.png"
    kept.write_bytes(b"drawn before")
    assert stills(folder, "known", SPATIAL, None)()["positions.png"].read_bytes() == b"drawn before"


def test_page_of_a_leading_trial(folder: Path) -> None:
    drawn = page(folder, "known", SPATIAL, _neurons(folder, SPATIAL))()
    assert list(drawn) == ["movement.gif", "positions.html", "connectivity.png"]
    frames = Image.open(io.BytesIO(drawn["movement.gif"].read_bytes()))
    assert frames.n_frames > 2  # type: ignore[attr-defined]
    first = np.asarray(frames.convert("RGB"))
    frames.seek(frames.n_frames - 1)  # type: ignore[attr-defined]
    assert (np.asarray(frames.convert("RGB")) != first).any(2).sum() > 50  # neurons have moved
    html = drawn["positions.html"].read_bytes()
    assert len(html) < 500_000 and b'src="../plotly.min.js"' in html
    assert (folder / "pictures" / "plotly.min.js").stat().st_size > 3_000_000
    whole = alone(html)
    assert len(whole) > 3_000_000 and b"src=" not in whole[: whole.index(b"<script>") + 9]
    assert list(page(folder, "known", FREE, _neurons(folder, FREE))()) == ["connectivity.png"]


def test_probes_show_networks_held_out_samples(folder: Path) -> None:
    data = DataConfig(name="digits")
    spatial = probes(folder, "known", SPATIAL, _neurons(folder, SPATIAL), data)()
    views = ["positions_module.png", "positions_channel.png", "positions_time.png"]
    assert list(spatial) == [*views, "raster.png", "pruning.png", "pruning.csv"]
    free = probes(folder, "known", FREE, _neurons(folder, FREE), data)()
    assert list(free) == ["raster.png", "pruning.png", "pruning.csv"]
    curves = pruning_curves(folder)
    assert curves.groupby(["trial", "by"])["replicate"].nunique().to_dict() == {
        (trial, by): 3 for trial in (SPATIAL, FREE) for by in ("length", "magnitude")
    }
    whole = curves[curves["share"] == 0].pivot(index=["trial", "replicate"], columns="by", values="accuracy")
    np.testing.assert_array_equal(whole["length"], whole["magnitude"])
    assert (whole["length"] * 128 % 1 == 0).all()  # shares of 128 samples
    pd.testing.assert_frame_equal(
        pd.read_csv(io.BytesIO(free["pruning.csv"].read_bytes())),
        curves[curves["trial"] == FREE].drop(columns="trial").reset_index(drop=True),
    )


def test_pruning_curves_beside_strays_and_damaged_ones(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    for name in ("000003", "000003 copy", ".hidden"):
        (pictures / name).mkdir(parents=True)
        (pictures / name / "pruning.csv").write_text("by,share,replicate,accuracy\nlength,0.5,0,0.25\n")
    (pictures / ".DS_Store").write_bytes(b"stray")
    assert pruning_curves(tmp_path)[["trial", "accuracy"]].to_numpy().tolist() == [[3, 0.25]]
    for content in (b"", b"by,share\n", b"\xff\xfe", b'"'):
        (pictures / "000003" / "pruning.csv").write_bytes(content)
        with pytest.raises(SweepError, match=r"000003/pruning\.csv: can't be read .*; remove it, and run"):
            pruning_curves(tmp_path)
