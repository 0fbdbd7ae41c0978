"""The sweep file as a JSON Schema, for editors that complete and check what is typed."""

from typing import Any

from pydantic import TypeAdapter

from service.config.load import KEYS
from service.config.model_fields import CONFIGS
from service.config.read_section import SECTIONS


def json_schema() -> dict[str, Any]:
    """The keys of a sweep file with the types, ranges, defaults and descriptions of all that they hold.

    What two values say together, and the domains of `space`, are beyond it: `polychrony run` checks those.
    """
    properties: dict[str, Any] = {
        key: TypeAdapter(kind).json_schema(ref_template=f"#/properties/{key}/$defs/{{model}}")
        for key, kind in {**SECTIONS, **CONFIGS}.items()
    }
    properties["space"] = {"type": "object", "description": "Searched paths, each with its domain."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A sweep of polychrony",
        "type": "object",
        "properties": {key: properties[key] for key in KEYS},
        "required": ["name", "data"],
        "additionalProperties": False,
    }
