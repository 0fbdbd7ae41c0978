"""`polychrony init` and `schema`: a sweep file to start from, and what editors check it by."""

import json
from pathlib import Path

from rich.console import Console

from service.config.json_schema import json_schema
from service.config.templates import read_template
from service.errors import Fault, UserError

SCHEMA_FILE = "polychrony.schema.json"
MODELINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"


def init(name: str, to: Path | None, console: Console) -> None:
    """Write a template to a file, by default NAME.yaml here, and the schema beside it for editors.

    Raises UserError if there is no such template, or there is such a file already.
    """
    text, file = read_template(name), to or Path(f"{name}.yaml")
    if file.exists():
        raise UserError([Fault("--to", str(file), "is there already; choose another by --to FILE")])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(MODELINE + text)
    (file.parent / SCHEMA_FILE).write_text(schema_text())
    console.print(f"{file}: edit it; `polychrony run {file} --dry-run` says what it takes", highlight=False)


def schema_text() -> str:
    """The JSON Schema of a sweep file, as text."""
    return json.dumps(json_schema(), indent=2) + "\n"
