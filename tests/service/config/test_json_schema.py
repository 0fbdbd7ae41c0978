"""The JSON Schema says what the sweep file's own checks say."""

import dataclasses

from model import LearnerConfig
from service.config.json_schema import json_schema
from service.config.load import KEYS


def test_every_key_and_every_field_of_the_learner_is_described() -> None:
    schema = json_schema()
    assert tuple(schema["properties"]) == KEYS and schema["additionalProperties"] is False
    learner = schema["properties"]["learner"]
    assert list(learner["properties"]) == [field.name for field in dataclasses.fields(LearnerConfig)]
    assert all(one.get("description") for one in learner["properties"].values())
    assert learner["additionalProperties"] is False


def test_types_ranges_and_choices_are_said() -> None:
    properties = json_schema()["properties"]
    learner, search = properties["learner"]["properties"], properties["search"]["properties"]
    assert (learner["hidden"]["type"], learner["hidden"]["minimum"]) == ("integer", 1)
    assert learner["embedding"]["enum"] == ["space", "free", "axonal", "fixed", "none"]
    assert learner["wiring_power"]["enum"] == [0, 1, 2]
    assert {"exclusiveMinimum": 0, "type": "number"} in learner["duration"]["anyOf"]
    assert search["trials"]["minimum"] == 1 and search["population"]["default"] is None
    assert properties["resources"]["properties"]["cpus"]["minimum"] == 1
