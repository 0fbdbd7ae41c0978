"""Folders for what is kept between processes, where neither the installation nor the home can be written."""

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import pytest
from bare import ROOT, read_only, run_bare

from model.caches import can_be_written, kernels_folder, private_folder, spare_home

NET = """
from model import Cohort, LearnerConfig, SpikeDataset
data = SpikeDataset.from_events([([1.0, 2.0], [0, 1])], [0], n_channels=2, n_classes=2)
net = Cohort(LearnerConfig(hidden=2, duration=10.0), 2, 2, seeds=[0])
net(data, [[0]]).logits.sum().backward()
import model.topology.leiden
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_kernels_of_two_images_do_not_share_a_folder(temporary: Path) -> None:
    one, other = kernels_folder(b"of one image"), kernels_folder(b"of another")
    assert one is not None and other is not None and one != other
    assert one.parent == other.parent == private_folder() and kernels_folder(b"of one image") == one


def test_the_folder_is_the_users_alone(temporary: Path) -> None:
    old = os.umask(0)
    try:
        folder = private_folder()
    finally:
        os.umask(old)
    assert folder == temporary / f"polychrony-{os.geteuid()}" and folder == private_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_others_may_have_prepared_is_not_used(temporary: Path) -> None:
    place = temporary / f"polychrony-{os.geteuid()}"
    (temporary / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(temporary / "elsewhere")
    assert private_folder() is None
    place.unlink()
    place.touch()
    assert private_folder() is None
    place.unlink()
    place.mkdir()
    place.chmod(0o770)
    assert private_folder() is None
    place.chmod(0o700)
    assert private_folder() == place
    place.chmod(0o2700)  # where the folder above hands down its group, as volumes of Kubernetes' do
    assert private_folder() == place


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_not_used(temporary: Path) -> None:
    place = temporary / f"polychrony-{os.geteuid()}"
    place.mkdir(mode=0o700)
    os.chown(place, 65534, 65534)
    assert private_folder() is None


def test_a_folder_can_be_written_if_it_is_there_or_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert can_be_written(tmp_path) and can_be_written(tmp_path / "a" / "b") and list(tmp_path.iterdir())
    assert not can_be_written(tmp_path / "file" / "a") and not can_be_written(Path("/dev/null/a"))


def test_matplotlib_keeps_to_its_own_folders_where_it_can(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.setenv("HOME", str(temporary / "home"))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    spare_home()
    assert "MPLCONFIGDIR" not in os.environ
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    spare_home()
    assert os.environ["MPLCONFIGDIR"] == str(temporary / f"polychrony-{os.geteuid()}" / "matplotlib")
    monkeypatch.setenv("MPLCONFIGDIR", "/dev/null/fonts")
    spare_home()
    assert os.environ["MPLCONFIGDIR"] == str(temporary / f"polychrony-{os.geteuid()}" / "matplotlib")


def test_a_home_that_nobody_knows_is_made_up(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("MPLCONFIGDIR", str(temporary))
    monkeypatch.setenv("HOME", "")
    monkeypatch.setattr(Path, "home", unknown)
    spare_home()
    assert os.environ["HOME"] == str(temporary / f"polychrony-{os.geteuid()}")


def test_networks_run_where_neither_the_installation_nor_the_home_can_be_written(tmp_path: Path) -> None:
    """They are compiled once, into a folder of the user's own, and nothing is said of it."""
    shutil.copytree(ROOT / "model", tmp_path / "code" / "model", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("home", "temporary", "work"):
        (tmp_path / name).mkdir()
    environment = {
        "PYTHONPATH": str(read_only(tmp_path / "code")),
        "HOME": str(read_only(tmp_path / "home")),
        "TMPDIR": str(tmp_path / "temporary"),
    }
    for _ in range(2):
        done = run_bare([sys.executable, "-c", NET], tmp_path / "work", environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    [own] = (tmp_path / "temporary").iterdir()
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    kept = {one.name.partition("-")[0] for one in own.iterdir()}
    assert kept == {"kernels", "matplotlib"} and list(own.rglob("*.nbc"))
    assert list((tmp_path / "work").iterdir()) == []
