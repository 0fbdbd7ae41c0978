"""Where things lie in a folder of sweeps and in the folder of one sweep."""

import re

from service.storage.paths import Place, inside


def sweep_folders(runs: Place) -> list[Place]:
    """The folders of the sweeps in the folder `runs`, by name."""
    return [one for one in inside(runs) if not one.name.startswith(".") and sweep_file(one).is_file()]


def sweep_file(folder: Place) -> Place:
    """The resolved sweep."""
    return folder / "sweep.yaml"


def environments_file(folder: Place) -> Place:
    """Under what the trials were run."""
    return folder / "environments.json"


def plan_file(folder: Place) -> Place:
    """The trials that were begun."""
    return folder / "plan.jsonl"


def checkpoint_file(folder: Place, trial: int) -> Place:
    """Training of a trial that is not finished, from which it can go on."""
    return folder / "checkpoints" / f"{trial:06d}.safetensors"


def network_file(folder: Place, trial: int) -> Place:
    """The networks of a trial as of its last report."""
    return folder / "networks" / f"{trial:06d}.safetensors"


def trials_with_networks(folder: Place) -> set[int]:
    """The trials whose networks are there."""
    names = (one.name for one in inside(network_file(folder, 0).parent))
    return {int(name.partition(".")[0]) for name in names if re.fullmatch(r"\d{6,}\.safetensors", name)}


def pictures_folder(folder: Place, trial: int) -> Place:
    """What was drawn of a trial."""
    return folder / "pictures" / f"{trial:06d}"


LAST_STILL = "delays.png"
"""The picture that every trial with networks has, drawn last: where it is, the others of the trial are."""
LOCK = ".lock"
"""In the sweep's folder: the file that is locked, or the folder of claims."""
DRIVER = ".driver.json"
"""In a local folder: who has locked it last."""
