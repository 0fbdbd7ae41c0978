"""Sweep files that come with the package, to start from: `polychrony init`, `polychrony run quickstart`."""

import difflib
from pathlib import Path

from service.errors import Fault, UserError

FOLDER = Path(__file__).resolve().parents[1] / "templates"


def template_names() -> list[str]:
    """The names of all templates."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_template(name: str) -> str:
    """The text of a template. Raises UserError if there is none of that name."""
    if name not in template_names():
        near = difflib.get_close_matches(name, template_names(), n=1)
        cure = f"did you mean `{near[0]}`?" if near else f"templates are {', '.join(template_names())}"
        raise UserError([Fault("TEMPLATE", name, f"there is no such template; {cure}")])
    return (FOLDER / f"{name}.yaml").read_text()


def template(file: Path) -> Path:
    """The file that is meant: `file` itself or, where there is none, the template of its name.

    Raises UserError, with what is named alike, if there is neither.
    """
    if file.exists() or file.is_symlink() or len(file.parts) > 1:
        return file
    if file.stem in template_names() and file.suffix in ("", ".yaml"):
        return FOLDER / f"{file.stem}.yaml"
    known = [*sorted(path.name for path in Path.cwd().glob("*.y*ml")), *template_names()]
    near = difflib.get_close_matches(file.name, known, n=1) or difflib.get_close_matches(
        file.stem, known, n=1
    )
    meant = f"did you mean `{near[0]}`? " if near else ""
    fault = f"cannot be read (No such file or directory); {meant}templates are {', '.join(template_names())}"
    raise UserError([Fault(str(file), "file", fault)])
