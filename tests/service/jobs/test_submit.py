"""Sweeps as jobs: what is decided, against a cluster that is played by a double of Ray's client."""

from pathlib import Path
from typing import Any

import pytest
from job_cluster import OUT, URL, Cluster, of_sweep
from rich.console import Console

from service.config.load import load
from service.errors import UserError
from service.jobs.dashboard import Dashboard
from service.jobs.package import INSTALLED, SHIP, START_FILE
from service.jobs.submit import resume, start, submit


def test_a_faulty_file_is_refused_before_anything_is_sent(
    sweep_file: Path, monkeypatch: pytest.MonkeyPatch, console: Console
) -> None:
    def never(address: str) -> Dashboard:
        raise AssertionError("it asked the cluster")

    monkeypatch.setattr(Dashboard, "connect", never)
    with pytest.raises(UserError) as caught:
        submit(sweep_file, URL, OUT, ["learner.hidden=0", "search.trials=0"], console)
    assert len(caught.value.faults) == 2


def test_what_is_sent(cluster: Cluster, sweep_file: Path, console: Console) -> None:
    assert submit(sweep_file, URL, "/a b/runs", ["search.trials=7"], console) == 0
    [sent] = cluster.sent
    assert sent["entrypoint"] == (
        f'exec env -C / sh "$PWD"/{START_FILE} run "$PWD"/small.yaml '
        "--address \"$RAY_ADDRESS\" --out '/a b/runs'"
    )
    assert sent["metadata"]["polychrony.sweep"] == "small"
    assert [Path(path).name for path in sent["runtime_env"]["py_modules"]] == ["model", "search", "service"]
    assert sent["runtime_env"]["env_vars"]["RAY_JOB_STOP_SIGNAL"] == "SIGINT"
    sweep_file.with_name("sent.yaml").write_text(cluster.files["small.yaml"])
    assert load(sweep_file.with_name("sent.yaml")) == load(sweep_file, ["search.trials=7"])


def test_installed_code_is_not_sent(cluster: Cluster, sweep_file: Path, console: Console) -> None:
    assert submit(sweep_file, URL, OUT, [], console, detach=True, code=INSTALLED) == 0
    [sent] = cluster.sent
    assert sent["entrypoint"].startswith('exec env -C / polychrony run "$PWD"/small.yaml')
    assert "py_modules" not in sent["runtime_env"]


def test_a_relative_folder_is_one_of_the_working_folder(
    cluster: Cluster, sweep_file: Path, console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    submit(sweep_file, URL, "runs", [], console, detach=True)
    assert cluster.sent[0]["metadata"]["polychrony.out"] == str(tmp_path / "runs")


def test_data_may_be_elsewhere_only_by_an_absolute_path(sweep_file: Path) -> None:
    there = ["data={path: /shared/train.h5, test: /shared/test.h5}"]
    spec = load(sweep_file, there, elsewhere=True)
    assert (spec.data.path, spec.data.test) == ("/shared/train.h5", "/shared/test.h5")
    with pytest.raises(UserError, match="there is no file"):
        load(sweep_file, there)
    with pytest.raises(UserError, match="there is no file"):
        load(sweep_file, ["data={path: train.h5, test: /shared/test.h5}"], elsewhere=True)


def test_a_sweep_that_runs_is_followed_and_not_sent_again(
    cluster: Cluster, sweep_file: Path, console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(sweep_file, URL, OUT, [], console, detach=True)
    assert submit(sweep_file, URL, OUT, [], console) == 0
    assert len(cluster.sent) == 1
    assert "small runs already, as job polychrony-small-" in console.export_text()
    assert "[1/3] trial 0 complete" in capsys.readouterr().out


def test_a_sweep_that_runs_with_other_settings_is_refused(
    cluster: Cluster, sweep_file: Path, console: Console
) -> None:
    submit(sweep_file, URL, OUT, [], console, detach=True)
    with pytest.raises(UserError, match=r"small: name: the sweep runs already as job .* other settings"):
        submit(sweep_file, URL, OUT, ["learner.hidden=7"], console)
    submit(sweep_file, URL, "/other/runs", ["learner.hidden=7"], console, detach=True)  # is another sweep
    assert len(cluster.sent) == 2


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_a_sweep_whose_job_has_ended_is_sent_anew(
    state: str, cluster: Cluster, sweep_file: Path, console: Console
) -> None:
    submit(sweep_file, URL, OUT, [], console, detach=True)
    cluster.end = (state, None, "")
    cluster.finish()
    submit(sweep_file, URL, OUT, [], console, detach=True)
    names = [one["submission_id"] for one in cluster.sent]
    assert [name[-2:] for name in names] == ["-1", "-2"] and names[0] in console.export_text()


def test_of_two_who_send_at_once_one_follows_the_other(
    cluster: Cluster, dashboard: Dashboard, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cluster.submit_job

    def late(**options: Any) -> str:
        monkeypatch.setattr(cluster, "submit_job", real)
        cluster.add(options["submission_id"], "PENDING", of_sweep())
        return real(**options)

    monkeypatch.setattr(cluster, "submit_job", late)
    name = start(dashboard, "small", OUT, console, text="name: small\n", code=SHIP)
    assert name == cluster.details[0].submission_id and cluster.sent == []


def test_a_sweep_is_resumed_as_its_last_job_was(
    cluster: Cluster, dashboard: Dashboard, console: Console
) -> None:
    cluster.add("polychrony-small-0-1", "STOPPED", of_sweep() | {"polychrony.code": INSTALLED})
    assert resume(dashboard, "small", None, console, text=None) == 0
    [sent] = cluster.sent
    assert sent["entrypoint"] == (
        f'exec env -C / polychrony run {OUT}/small/sweep.yaml --address "$RAY_ADDRESS" --out {OUT}'
    )
    assert sent["submission_id"].endswith("-2")


def test_a_cluster_that_was_started_anew_goes_on_too(
    cluster: Cluster, dashboard: Dashboard, console: Console
) -> None:
    resume(dashboard, "small", OUT, console, text=None)
    assert f"run {OUT}/small/sweep.yaml" in cluster.sent[0]["entrypoint"]
    assert "py_modules" in cluster.sent[0]["runtime_env"]


def test_what_runs_is_not_resumed_but_followed(
    cluster: Cluster, dashboard: Dashboard, console: Console
) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep(asked="something"))
    assert resume(dashboard, "small", None, console, text=None) == 0
    assert cluster.sent == []
