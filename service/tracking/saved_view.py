"""A view of a sweep's runs that MLflow's UI offers under `Views`: objectives and searched fields, best first.

Left alone, the UI lists names and dates, no number, and keeps the columns that a user has chosen in the
browser. A view that is saved as a tag of the experiment opens for everybody, by its address.
"""

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from service.config.sweep import SweepSpec

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST_TAG = 5000
NOTE_TAG = "mlflow.note.content"
"""Where a description is kept, of an experiment and of a run."""

PREFIX = "mlflow.sharedViewState."
"""Tags of an experiment that begin so are its saved views; the rest of the name is the key of one."""
PAGE = "#/experiments/{experiment}/runs?workflowType=machine_learning&{view}"
"""The page of runs, asked for by its mode: left alone, MLflow opens an experiment on language models."""
NOTE = (
    "A sweep of polychrony. Choose `Model training` at the top left, then the experiment, `Runs`, and under "
    "`Views` the sweep; or open the address that `polychrony ui` prints."
)
"""What the list of experiments says of one, for those who come by the start page."""


def view_tag(name: str) -> str:
    """The tag that holds the view of a sweep."""
    return f"{PREFIX}polychrony-{name}"


def saved_view(spec: SweepSpec, created: int) -> str:
    """The view of a sweep as MLflow saves one; `created` is its time in ms since 1970."""
    first = spec.objectives[0]
    metrics = [*(one.metric for one in spec.objectives), *(one.metric for one in spec.constraints)]
    params = [path.removeprefix("learner.") for path in spec.space.paths]
    state = {
        "orderByKey": f"metrics.`{first.metric}`",
        "orderByAsc": first.goal == "min",
        "selectedColumns": [
            *(f"metrics.`{name}`" for name in dict.fromkeys(metrics)),
            *(f"params.`{name}`" for name in params),
            "attributes.`Duration`",
        ],
    }
    envelope = {"name": spec.name, "createdAt": created, "updatedAt": created, "state": json.dumps(state)}
    return json.dumps(envelope)


def offer_view(client: "MlflowClient", experiment: str, spec: SweepSpec) -> None:
    """Save the view of a sweep with its experiment (an id), and describe that unless somebody has."""
    found = client.get_experiment(experiment)
    view = saved_view(spec, found.creation_time or 0)
    wanted = {NOTE_TAG: NOTE, **found.tags, view_tag(spec.name): view}
    for tag, value in wanted.items():
        if found.tags.get(tag) != value and len(value) <= LONGEST_TAG:
            client.set_experiment_tag(experiment, tag, value)


def runs_page(experiment: str, spec: SweepSpec, *, is_saved: bool) -> str:
    """The path of the page of a sweep's runs, the best by the first objective before the others.

    Args:
        experiment: its id.
        spec: the sweep.
        is_saved: whether the experiment has the view of the sweep; earlier versions saved none.
    """
    first = spec.objectives[0]
    order = f"orderByKey={quote(f'metrics.`{first.metric}`')}&orderByAsc={str(first.goal == 'min').lower()}"
    view = f"viewStateShareKey={view_tag(spec.name).removeprefix(PREFIX)}" if is_saved else order
    return PAGE.format(experiment=experiment, view=view)
