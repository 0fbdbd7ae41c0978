"""A notebook run cell by cell, its outputs kept in the file, and shown as a page of the site.

    python docs/site/notebook_page.py docs/notebook.ipynb

runs it in the working folder, where it looks for its sweep, and keeps what its cells show. Figures are kept
as plotly's JSON, so that a page or a notebook draws them, and the file stays small.
"""

import ast
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PLOTLY = "application/vnd.plotly.v1+json"
SCRIPT = '<script src="plotly.min.js"></script>'
"""What figures need; it lies beside the page, so that they are drawn without a network."""

Cell = dict[str, Any]


def run(cells: list[Cell]) -> None:
    """Run the cells in this process, in the working folder, and keep what each shows in it."""
    names: dict[str, Any] = {}
    number = 0
    for cell in cells:
        if cell["cell_type"] == "code":
            number += 1
            shown = _last_value("".join(cell["source"]), names)
            outputs = [] if shown is None else [_output(shown, number)]
            cell |= {"execution_count": number, "outputs": outputs}


def page(cells: list[Cell]) -> str:
    """The cells in Markdown, with what they have shown when they were last run."""
    parts = []
    for cell in cells:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += [f'<div class="shown">{_html(one["data"])}</div>' for one in cell.get("outputs", ())]
    title, *rest = parts
    return "\n\n".join([title, SCRIPT, *rest]) + "\n"


def _last_value(source: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does; returns the value of its last statement if that is an expression."""
    tree = ast.parse(source)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "notebook", "exec"), names)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "notebook", "exec"), names)
    return eval(compile(ast.Expression(last.value), "notebook", "eval"), names)


def _output(value: Any, number: int) -> dict[str, Any]:
    data: dict[str, Any] = {"text/plain": repr(value)}
    if hasattr(value, "to_plotly_json"):
        data = {PLOTLY: json.loads(value.to_json())}
    elif hasattr(value, "_repr_html_"):
        data["text/html"] = value._repr_html_()
    return {"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data}


def _html(data: Mapping[str, Any]) -> str:
    """An output as HTML without blank lines, which would end it in Markdown."""
    if PLOTLY in data:
        from plotly.io import from_json

        figure = from_json(json.dumps(data[PLOTLY]))
        html = figure.to_html(full_html=False, include_plotlyjs=False, default_height="26em")
    else:
        html = data.get("text/html") or f"<pre>{data['text/plain']}</pre>"
    return "\n".join(line for line in html.splitlines() if line.strip())


if __name__ == "__main__":
    path = Path(sys.argv[1])
    notebook = json.loads(path.read_text())
    run(notebook["cells"])
    path.write_text(json.dumps(notebook, indent=1) + "\n")
