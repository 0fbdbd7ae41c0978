"""The sweep file as a JSON Schema, for editors that complete and check what is typed."""

from typing import Any

from service.config.read_section import SweepFile


def json_schema() -> dict[str, Any]:
    """The keys of a sweep file with the types, ranges, choices, defaults and descriptions of all they hold.

    What two values say together is beyond it: that is checked when the file is read.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **SweepFile.model_json_schema(),
        "title": "A sweep of polychrony",
    }
