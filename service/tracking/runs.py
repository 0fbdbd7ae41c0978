"""The runs of a sweep as MLflow has them, found by their tags: one of the sweep, one of each trial.

People may delete them, restore them, give them other names and other tags; and a request whose answer was
lost is made twice. What is found is put in order: there is one of each, the trials below the sweep.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

logger = logging.getLogger(__name__)

ID, TRIAL, STATE = "polychrony.id", "polychrony.trial", "polychrony.state"
PARENT = "mlflow.parentRunId"
BRED_FROM = "parent_run"
"""The tag, after `polychrony.`, of the run of the trial that another was bred from."""
PAGE = 1000
STATUS = {
    "complete": "FINISHED",
    "pruned": "FINISHED",
    "failed": "FAILED",
    "timed_out": "KILLED",
    "cancelled": "KILLED",
}
"""MLflow's word for each state of a trial."""


class FoundRun(NamedTuple):
    """A run as far as we need it. Of several alike the least is kept: not deleted, has ended, oldest."""

    deleted: bool
    unended: bool
    started: int
    id: str
    trial: int | None
    """None: it is the run of the sweep."""
    state: str
    parent: str | None


def find_runs(client: "MlflowClient", experiment: str, identity: str) -> dict[int | None, FoundRun]:
    """The runs of the sweep of that identity, by trial.

    What is in MLflow's bin is restored, and what is there twice goes into it.
    """
    from mlflow.entities import ViewType

    every = [_found(run) for run in runs_of(client, [experiment], identity, ViewType.ALL) if _is_ours(run)]
    kept: dict[int | None, FoundRun] = {}
    for run in sorted(every):
        if kept.setdefault(run.trial, run) is not run and not run.deleted:
            client.delete_run(run.id)
    in_bin = [run for run in kept.values() if run.deleted]
    for run in in_bin:
        client.restore_run(run.id)
    if in_bin:
        logger.warning("MLflow: runs of this sweep had been deleted; %d are restored", len(in_bin))
    return kept


def hang_below(client: "MlflowClient", parent: str, runs: dict[int | None, FoundRun]) -> None:
    """Let the runs of trials be shown below the run of the sweep."""
    for trial, run in runs.items():
        if trial is not None and run.parent != parent:
            client.set_tag(run.id, PARENT, parent)


def runs_of(
    client: "MlflowClient", experiments: Sequence[str], identity: str, view: int | None = None
) -> "Iterator[Run]":
    """All runs of the sweep of that identity; those in the bin only if MLflow's `view` has them."""
    from mlflow.entities import ViewType

    token: str | None = None
    while token != "":
        page = client.search_runs(
            list(experiments),
            f"tags.`{ID}` = '{identity}'",
            run_view_type=ViewType.ACTIVE_ONLY if view is None else view,
            max_results=PAGE,
            page_token=token,
        )
        yield from page
        token = page.token or ""


def _is_ours(run: "Run") -> bool:
    """Whether a run is that of the sweep or of a trial; if its tags were edited, it may be anything."""
    tags = run.data.tags
    return tags[TRIAL].isdecimal() if TRIAL in tags else PARENT not in tags


def _found(run: "Run") -> FoundRun:
    tags, about = run.data.tags, run.info
    state = tags.get(STATE, "")
    return FoundRun(
        deleted=about.lifecycle_stage != "active",
        unended=about.end_time is None,
        started=about.start_time,
        id=str(about.run_id),
        trial=int(tags[TRIAL]) if TRIAL in tags else None,
        # A trial that has ended also has such a status, whatever its tag has been edited to.
        state=state if about.status == STATUS.get(state, about.status) else "",
        parent=tags.get(PARENT),
    )
