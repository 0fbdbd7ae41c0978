"""What mkdocs does with this folder: pages made of code, pages from elsewhere, and links."""

import json
import re
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))  # mkdocs loads a hook by its path

import notebook_page
from code_pages import columns_page, commands_page, keys_page

ROOT = Path(__file__).resolve().parents[2]
BORROWED = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "deploy/README.md": "deploy.md",
    "benchmarks/results/claims.md": "claims.md",
    "docs/notebook.ipynb": "notebook.md",
    "docs/first-session.txt": "first-session.md",
}
"""Files of the repository that are no Markdown below docs/, and the pages of the site that they become."""
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are not files of docs/."""
    import plotly

    made = {"keys.md": keys_page(), "columns.md": columns_page(), "commands.md": commands_page()}
    made |= {page: _borrowed(source, (ROOT / source).read_text()) for source, page in BORROWED.items()}
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    script = Path(plotly.__file__).parent / "package_data/plotly.min.js"
    files.append(File.generated(config, "plotly.min.js", content=script.read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Mend the links of a page of docs/ to files elsewhere in the repository."""
    return markdown if page.file.generated_by else relinked(markdown, f"docs/{page.file.src_uri}")


def relinked(text: str, source: str) -> str:
    """The Markdown of the file `source` of the repository, with links that hold on the site."""
    page = PurePosixPath(BORROWED.get(source, source.removeprefix("docs/")))

    def link(found: re.Match[str]) -> str:
        target = normpath(PurePosixPath(source).parent / found[1])
        if target not in BORROWED and not target.startswith("docs/"):
            return found[0]  # the strict build names it
        return f"]({relpath(BORROWED.get(target, target.removeprefix('docs/')), page.parent)}"

    return LINK.sub(link, text)


def _borrowed(source: str, text: str) -> str:
    """The page that a file becomes."""
    if source.endswith(".ipynb"):
        text = notebook_page.page(json.loads(text)["cells"])
    elif source.endswith(".txt"):
        head, _, rest = text.partition("\n\n")
        text = f"# A first session\n\n{head}\n\n```text\n{rest}\n```\n"
    return relinked(text, source)
