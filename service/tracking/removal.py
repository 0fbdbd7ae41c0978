"""The runs of a sweep removed from MLflow."""

import shutil

from service.errors import SweepError
from service.storage.paths import StoragePath
from service.tracking.client import client_of
from service.tracking.location import artifacts_of, embedded_store, tracking_uri
from service.tracking.outbox import brief
from service.tracking.runs import runs_of
from service.tracking.store import sweep_id_file


def remove_runs(runs: StoragePath, sweep_folder: StoragePath, asked: str | None) -> int:
    """Delete the runs of a sweep from the store that is in use now; returns how many there were.

    As MLflow does it, they go to its bin, which `mlflow gc` empties. Artifacts that we keep are removed.

    Args:
        runs: folder of all sweeps and of the embedded store.
        sweep_folder: the sweep's own folder.
        asked: the sweep's `mlflow.uri`.

    Raises:
        SweepError: if the store can't be reached.
    """
    identity = sweep_id_file(sweep_folder)
    uri = tracking_uri(runs, asked)
    nothing_there = uri == embedded_store(runs) and not (runs / "mlflow.db").exists()
    if nothing_there or not identity.exists():
        return 0
    try:
        client = client_of(uri)
        experiments = [one.experiment_id for one in client.search_experiments()]
        found = list(runs_of(client, experiments, identity.read_text().strip()))
        for run in found:
            client.delete_run(run.info.run_id)
    except Exception as error:  # whatever a store and its drivers may raise
        cure = "make it reachable, or remove the sweep's folder by hand and leave its runs there"
        raise SweepError(f"MLflow: {brief(error)}; {cure}") from error
    ours = artifacts_of(runs, uri)
    if ours is not None:
        for run in found:
            for folder in ours.glob(f"*/{run.info.run_id}"):
                shutil.rmtree(folder, ignore_errors=True)
    return len(found)
