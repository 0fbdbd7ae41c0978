"""The MLflow UI as a person sees it: Debian's chromium reads and clicks the pages of a tiny sweep."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import mlflow
import pytest
from browser import browser
from hang import HANG_SECONDS, await_that

from service.config.load import load
from service.tracking.location import embedded_store
from service.tracking.ui import addresses, ui_command
from service.tracking.view import MlflowView

BROWSER = shutil.which("chromium-headless-shell") or shutil.which("chromium")
if BROWSER is None:
    pytest.skip("no chromium here: apt-get install chromium-headless-shell", allow_module_level=True)

TRIALS = 3
"""Patience with a machine under load; it takes some 5 s to start, and 3 s a page."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a logged sweep."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        runs = tmp_path_factory.mktemp("runs")
        (runs / "seen").mkdir()
        asked = runs / "seen/sweep.yaml"
        searched = "space: {learner.wiring_cost: {log: [0.001, 1.0]}}"
        asked.write_text(f"name: seen\ndata: {{name: digits}}\n{searched}\n")
        view = MlflowView.open(runs, load(asked), runs / "seen")
        for trial in range(TRIALS):
            metrics = {"accuracy": (0.5 + trial / 64, None)}
            view.trial_started(trial, {"wiring_cost": 0.125})
            view.trial_finished(trial, "complete", None, 1, metrics, lambda: {"positions.png": b"png"})
        view.add_to_sweep(lambda: {"tables/trials.csv": b"trial,wiring_cost\n41,0.0625\n"})
        view.close("complete")
    return runs


@pytest.fixture(scope="module")
def server(runs: Path) -> Iterator[str]:
    """Where `polychrony ui` serves it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command, environment = ui_command(runs, port)
    log = (runs / "ui.log").open("wb")
    process = subprocess.Popen(
        command, env=environment, stdout=log, stderr=log, cwd=runs, start_new_session=True
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}/#/experiments/{_experiment(runs)}/runs"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(HANG_SECONDS)
        log.close()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert process.poll() is None, f"the server has ended with exit code {process.poll()}"
        try:
            with urllib.request.urlopen(url, timeout=HANG_SECONDS):
                return True
        except OSError:
            return False

    await_that(answers, "the server does not answer")


def _experiment(runs: Path) -> str:
    found = mlflow.MlflowClient(embedded_store(runs)).get_experiment_by_name("seen")
    assert found is not None
    return str(found.experiment_id)


class _Text(HTMLParser):
    """Collects the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def seen(url: str, profile: Path) -> list[str]:
    """The words on a page, as soon as it has nothing more to load."""
    flags = ["--no-sandbox", "--disable-gpu", "--window-size=1600,900", "--virtual-time-budget=30000"]
    done = subprocess.run(
        [str(BROWSER), "--headless", *flags, f"--user-data-dir={profile}", "--dump-dom", url],
        capture_output=True,
        timeout=HANG_SECONDS,
        check=True,
    )
    text = _Text()
    text.feed(done.stdout.decode())
    return text.words


def test_the_trials_are_listed_the_best_first(server: str, tmp_path: Path) -> None:
    words = seen(f"{server}?orderByKey=metrics.%60accuracy%60&orderByAsc=false", tmp_path)
    listed = [word for word in words if word.startswith("seen-")]
    assert listed == [f"seen-{trial:04d}" for trial in reversed(range(TRIALS))]


COLUMNS = ("accuracy", "wiring_cost", "0.53125", "0.515625", "0.125")
"""The objective and the searched field, with some of their values."""


def test_the_address_that_is_printed_lists_objectives_and_searched_fields(
    server: str, runs: Path, tmp_path: Path
) -> None:
    (address,) = addresses(
        runs, int(server.rpartition(":")[2].partition("/")[0]), embedded_store(runs)
    ).values()
    words = seen(address, tmp_path)
    assert set(COLUMNS) <= set(words)
    listed = [word for word in words if word.startswith("seen-")]
    assert listed == [f"seen-{trial:04d}" for trial in reversed(range(TRIALS))]


def test_the_start_page_leads_there_by_clicks_alone(server: str, tmp_path: Path) -> None:
    async def click_through() -> str:
        async with browser(str(BROWSER), tmp_path) as page:
            await page.open(server.partition("#")[0])
            await page.shows("seen", "A sweep of polychrony", "Views")  # the list of experiments says how
            await page.click("Model training")
            await page.click("seen")
            await page.shows("Run Name", "Dataset")
            await page.click("Views")
            await page.shows("SAVED VIEWS")
            await page.click("seen")
            return await page.shows(*COLUMNS)

    found = asyncio.run(click_through())
    assert found.index("seen-0002") < found.index("seen-0001") < found.index("seen-0000")


def test_a_trial_has_its_metric_and_its_parameter(server: str, runs: Path, tmp_path: Path) -> None:
    words = seen(f"{server}/{_run(runs, 'seen-0002')}", tmp_path)
    assert words[words.index("accuracy") + 1] == "0.53125"
    assert words[words.index("wiring_cost") + 1] == "0.125"


def test_the_table_of_trials_is_shown_with_the_sweep(server: str, runs: Path, tmp_path: Path) -> None:
    words = seen(f"{server}/{_run(runs, 'seen')}/artifacts/tables/trials.csv", tmp_path)
    assert {"41", "0.0625"} <= set(words)


def _run(runs: Path, name: str) -> str:
    client = mlflow.MlflowClient(embedded_store(runs))
    (found,) = client.search_runs([_experiment(runs)], f"attributes.run_name = '{name}'")
    return str(found.info.run_id)
