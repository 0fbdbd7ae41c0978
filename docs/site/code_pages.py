"""Pages of the site that are made of the code itself: every key, every column, every command."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from inspect import cleandoc
from typing import Any

import typer
from typer.core import TyperGroup

from model.fields import describe, fields_of
from model.topology.names import MEASURES
from service.cli import app
from service.config.json_schema import json_schema
from service.config.model_fields import SEARCHABLE
from service.config.read_section import SweepFile
from service.record.schema import make_schemas

Schema = Mapping[str, Any]

KEYS_INTRO = """# Every key of a sweep file

This page is made of the schema that `polychrony schema` prints, by which sweep files are checked.
[Sweep files](sweeps.md) explains what the keys are for, and which of them go together. Keys with the mark S
may be searched, under `space`.
"""
COLUMNS_INTRO = """# Every column of the tables

This page is made of the schemas that the tables are written with. `trials` also has the searched fields,
and the measures that are objectives or constraints; `epochs` the fields that training changes. [The
tables](tables.md) says how they are read, and [topology](topology.md) what the measures are.
"""
COMMANDS_INTRO = """# Every command

This page is made of the command line itself; `polychrony COMMAND --help` says the same in a terminal. Exit
codes are 0 done, 1 could not go on, 2 wrong input, 130 interrupted.
"""


def keys_page() -> str:
    """Every key of a sweep file with its legal values, its default and what it is, a table a section."""
    schema = json_schema()
    parts = [KEYS_INTRO, "## At the top\n", _key_table("", SweepFile, schema, schema)]
    for path, cls, section in _sections("", SweepFile, schema, schema):
        parts += [f"## `{path}`\n", f"{_what(section)}\n", _key_table(path, cls, section, schema)]
    return re.sub(r"\bNone\b", "null", "\n".join(parts))  # as YAML has it


def columns_page() -> str:
    """Every column of every table with its type and what it holds."""
    parts = [COLUMNS_INTRO]
    for name, schema in make_schemas(measure_names=MEASURES).items():
        rows = [
            (f"`{one.name}`", f"{one.type}{'' if one.nullable else ', never null'}", _description(one))
            for one in schema
        ]
        parts += [f"## `{name}`\n", _table(("column", "type", "what it holds"), rows)]
    return "\n".join(parts)


def commands_page() -> str:
    """Every command with its arguments and options."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    parts = [COMMANDS_INTRO]
    for name, command in sorted(group.commands.items()):
        context = typer.Context(command, info_name=f"polychrony {name}")
        usage = command.get_usage(context).removeprefix("Usage: ")
        parts += [f"## `{name}`\n", f"    {usage}\n", f"{cleandoc(command.help or '')}\n"]
        records = [one.get_help_record(context) for one in command.params if one.name != "help"]
        rows = [
            (f"`{' '.join(record[0].split())}`", escape(record[1], quote=False))
            for record in records
            if record
        ]
        parts += [_table(("argument or option", "what it is"), rows)] if rows else []
    return "\n".join(parts)


def _sections(path: str, cls: type, section: Schema, root: Schema) -> Iterator[tuple[str, type, Schema]]:
    """The sections below one, each with its path, its class and its part of the schema, outer ones first."""
    for name, one in section["properties"].items():
        inner = _resolved(one, root)
        if "properties" in inner:
            inside = f"{path}.{name}" if path else name
            found = _class_of(cls, name)
            yield inside, found, inner
            yield from _sections(inside, found, inner, root)


def _class_of(cls: type, name: str) -> type:
    """The class of what a field holds, or of the items of its list."""
    pending: list[Any] = [fields_of(cls)[name].annotation]
    while pending:
        one = pending.pop()
        if isinstance(one, type) and fields_of(one):
            return one
        pending += getattr(one, "__args__", ())
    raise AssertionError(f"{name} of {cls} has no keys")


def _resolved(one: Schema, root: Schema) -> Schema:
    """What a part of the schema refers to: by name, as one of two with null, or as the items of a list."""
    if "$ref" in one:
        found: Schema = root["$defs"][one["$ref"].rpartition("/")[2]]
        return found
    for inner in (*one.get("anyOf", ()), *([one["items"]] if "items" in one else [])):
        if isinstance(inner, Mapping) and inner.get("type") != "null":
            return _resolved(inner, root)
    return one


def _key_table(path: str, cls: type, section: Schema, root: Schema) -> str:
    rows = []
    for name, one in section["properties"].items():
        inner = _resolved(one, root)
        dotted = f"{path}.{name}" if path else name
        legal = describe(cls, name)
        if "properties" in inner:
            legal = f"see [below](#{dotted.replace('.', '')})"
        elif dotted == "space":
            legal = "paths of fields and their domains, such as `{learner.hidden: {int: [16, 256]}}`"
        default = "required" if name in section.get("required", ()) else _default(one)
        mark = " S" if dotted in SEARCHABLE else ""
        rows.append(
            (f"`{name}`{mark}", legal, default, one.get("description") or inner.get("description", ""))
        )
    return _table(("key", "legal values", "default", "what it is"), rows)


def _default(one: Schema) -> str:
    if "default" not in one:
        return ""
    value = one["default"]
    return "see below" if isinstance(value, dict) and value else f"`{json.dumps(value)}`"


def _what(section: Schema) -> str:
    """The description of a section less what only a caller in Python needs to know."""
    return "\n\n".join(one for one in section["description"].split("\n\n") if not one.startswith("Raises"))


def _description(field: Any) -> str:
    return str((field.metadata or {}).get(b"description", b""), "utf-8")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines += [["---"] * len(lines[0])]
    lines += [[" ".join(cell.split()).replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
