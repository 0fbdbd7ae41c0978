"""The configuration of one trial, as a sweep that searches nothing."""

from typing import Any

import pyarrow.compute as pc

from service.config.model_fields import given_fields
from service.config.sweep import data_for, learner_for
from service.errors import Fault, SweepError, UserError
from service.results.sweep import Sweep


def trial_config(sweep: Sweep, trial: int) -> dict[str, Any]:
    """A trial as plain data for a sweep file. Of a child of a population, it is what its networks are like at
    its end; trained by it they begin anew, see `Sweep.lineage`.

    Raises:
        UserError: if there is no such trial.
        SweepError: if its fields contradict each other, which is why it has failed.
    """
    rows = sweep.arrow("trials", pc.field("trial") == trial).to_pylist()
    if not rows:
        raise UserError([Fault(str(sweep.folder), f"trial {trial}", "there is no such trial")])
    spec = sweep.spec
    begun = sweep.stages(trial)[-1].begun
    values = begun.suggestion.values | (begun.birth.structure if begun.birth else {})
    try:
        learner, data = learner_for(spec, values), data_for(spec, values)
    except ValueError as error:
        raise SweepError(f"{sweep.name}/{trial} could not be run: {error}") from error
    asked = spec.resolved()
    return {
        "name": f"{spec.name}_{trial}",
        "data": given_fields(data),
        "learner": given_fields(learner) | {"replicates": rows[0]["replicates"]},
        "search": {"sampler": "random", "trials": 1, "seed": spec.search.seed},
        **{key: asked[key] for key in ("objectives", "constraints", "resources", "record")},
    }
