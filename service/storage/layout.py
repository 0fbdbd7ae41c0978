"""Where things lie in a folder of sweeps and in the folder of one sweep."""

import re
from pathlib import Path

from service.storage.paths import StoragePath, list_folder

RUNS = Path("runs")
"""The folder of all sweeps, where no other is named."""


def sweep_folders(runs: StoragePath) -> list[StoragePath]:
    """The folders of the sweeps in the folder `runs`, by name."""
    return [one for one in list_folder(runs) if not one.name.startswith(".") and sweep_file(one).is_file()]


def sweep_file(folder: StoragePath) -> StoragePath:
    """The resolved sweep."""
    return folder / "sweep.yaml"


def environments_file(folder: StoragePath) -> StoragePath:
    """The environments that the trials were run in: versions and machines."""
    return folder / "environments.json"


def plan_file(folder: StoragePath) -> StoragePath:
    """The trials that were begun."""
    return folder / "plan.jsonl"


def checkpoint_file(folder: StoragePath, trial: int) -> StoragePath:
    """Training of a trial that is not finished, from which it can go on."""
    return folder / "checkpoints" / f"{trial:06d}.safetensors"


def state_file(folder: StoragePath, trial: int, epoch: int) -> StoragePath:
    """Training of a member of a population as it stood after `epoch`, never to be written again."""
    return folder / "states" / f"{trial:06d}-{epoch:06d}.safetensors"


def states(folder: StoragePath) -> set[tuple[int, int]]:
    """Trial and epoch of the states that are there."""
    names = (one.name for one in list_folder(state_file(folder, 0, 0).parent))
    found = (re.fullmatch(r"(\d{6,})-(\d{6,})\.safetensors", name) for name in names)
    return {(int(one[1]), int(one[2])) for one in found if one}


def network_file(folder: StoragePath, trial: int) -> StoragePath:
    """The networks of a trial as of its last report."""
    return folder / "networks" / f"{trial:06d}.safetensors"


def trials_with_networks(folder: StoragePath) -> set[int]:
    """The trials whose networks are there."""
    names = (one.name for one in list_folder(network_file(folder, 0).parent))
    return {int(name.partition(".")[0]) for name in names if re.fullmatch(r"\d{6,}\.safetensors", name)}


def pictures_of_all(folder: StoragePath) -> StoragePath:
    """What was drawn of all trials, a folder each."""
    return folder / "pictures"


def pictures_folder(folder: StoragePath, trial: int) -> StoragePath:
    """What was drawn of a trial."""
    return pictures_of_all(folder) / f"{trial:06d}"


LAST_STILL = "delays.png"
"""The picture that every trial with networks has, drawn last: where it is, the others of the trial are."""
LOCK = ".lock"
"""In the sweep's folder: the file that is locked, or on an object store the folder of the lease."""
LEASE = "lease"
"""In that folder; other files there are leases of earlier versions."""
DRIVER = ".driver.json"
"""In a local folder: who has locked it last."""
