"""The JSON Schema says of a sweep file what its own checks say."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from model import LearnerConfig
from model.config import EMBEDDINGS
from search import RULES, SAMPLERS
from service.config.json_schema import json_schema
from service.config.model_fields import PATHS, SEARCHABLE
from service.config.read_section import KEYS

SCHEMA = json_schema()


def definition(key: str) -> dict[str, Any]:
    """What the section `key` is, or an item of it if it is a list."""
    section = SCHEMA["properties"][key]
    section = section.get("anyOf", [section])[0]
    found: dict[str, Any] = SCHEMA["$defs"][section.get("items", section)["$ref"].rpartition("/")[2]]
    return found


def inside(key: str) -> dict[str, Any]:
    """The fields of the section `key`, or of an item of it if it is a list."""
    fields: dict[str, Any] = definition(key)["properties"]
    return fields


def objects(tree: Any) -> Iterator[dict[str, Any]]:
    """All mappings within a tree."""
    if isinstance(tree, dict):
        yield tree
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from objects(child)


def test_it_is_json_and_has_every_key_with_a_description() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert tuple(SCHEMA["properties"]) == KEYS
    assert set(SCHEMA["required"]) == {"name", "data"}
    for key, one in SCHEMA["properties"].items():  # a description that is that of the class is not repeated
        assert one.get("description") or definition(key)["description"], key


def test_every_field_of_every_section_is_described_and_there_are_no_others() -> None:
    for key in set(KEYS) - {"name", "experiment", "space"}:
        assert {name for name, one in inside(key).items() if not one.get("description")} == set(), key
    mappings = [SCHEMA, *SCHEMA["$defs"].values()]
    assert all(one["additionalProperties"] is False for one in mappings)
    assert {f"{key}.{name}" for key in ("learner", "data") for name in inside(key)} == set(PATHS)


def test_every_reference_leads_somewhere() -> None:
    references = [one["$ref"] for one in objects(SCHEMA) if "$ref" in one]
    assert references
    assert all(one.removeprefix("#/$defs/") in SCHEMA["$defs"] for one in references)


def test_every_field_of_the_learner_has_its_docstring_type_and_default() -> None:
    found = inside("learner")
    for field in dataclasses.fields(LearnerConfig):
        one = found[field.name]
        assert one["default"] == field.default
        types = {kind.get("type") for kind in one.get("anyOf", [one])}
        assert types and types <= {"integer", "number", "boolean", "string", "array", "null"}
        assert ("null" in types) is (field.default is None)
    assert found["dimensions"]["description"] == "Dimensions of space, D."


def test_ranges_are_said() -> None:
    learner, search = inside("learner"), inside("search")
    assert learner["dimensions"]["minimum"] == 1
    assert learner["hidden"]["anyOf"] == [
        {"type": "integer", "minimum": 1},
        {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 1}},
    ]
    assert learner["dt"]["exclusiveMinimum"] == 0
    assert (learner["augment_drop"]["minimum"], learner["augment_drop"]["maximum"]) == (0, 1)
    assert learner["patience"]["anyOf"][0] == {"type": "integer", "minimum": 1}
    assert search["population"]["anyOf"][0] == {"type": "integer", "minimum": 2}
    assert search["mutation"]["anyOf"][0] == {"type": "number", "minimum": 0, "maximum": 1}
    assert inside("resources")["cpus"]["minimum"] == 1
    assert inside("record")["nulls"]["maximum"] == 10_000
    assert SCHEMA["properties"]["objectives"]["minItems"] == 1


def test_choices_are_said() -> None:
    learner = inside("learner")
    assert learner["embedding"]["enum"] == list(EMBEDDINGS)
    assert learner["wiring_power"]["enum"] == [0, 1, 2]
    assert inside("search")["sampler"]["enum"] == list(SAMPLERS)
    assert inside("stopping")["rule"]["enum"] == list(RULES)
    assert inside("objectives")["goal"]["enum"] == ["min", "max"]
    assert {"accuracy", "modularity"} <= set(inside("constraints")["metric"]["enum"])
    assert "test_accuracy" not in inside("objectives")["metric"]["enum"]
    assert "digits" in inside("data")["name"]["anyOf"][0]["enum"]
    assert SCHEMA["properties"]["space"]["propertyNames"]["enum"] == list(SEARCHABLE)
