"""Tell on each page made of code cells how to run it, and offer it as a notebook.

The notebook is embedded in the page's link: a browser saves a file that lies beside a page opened from
disk only after showing it, and scripts cannot read it there.
"""

from __future__ import annotations

import base64
from html import escape
from pathlib import PurePosixPath
from typing import Any

from ledger_ext.view import number_of
from plain_notebook import plain_notebook
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

CELL = "```{code-cell}"
TYPE = "application/x-ipynb+json"


def run_note(docname: str, notebook: str, intro: str) -> str:
    """Return the paragraph under a page's title.

    Args:
        docname: the page, such as ``lower_bound/isolation``.
        notebook: the page as a notebook.
        intro: the address of the introduction, seen from the page.
    """
    path = PurePosixPath(docname)
    data = base64.b64encode(notebook.encode("utf8")).decode("ascii")
    link = f'<a href="data:{TYPE};base64,{data}" download="{escape(path.name)}.ipynb">its notebook</a>'
    test = f".venv/bin/pytest tests/pages/test_notebooks.py -k {docname}"
    return (
        '<p class="run-note"><strong>Run this page</strong> in a '
        f'<a href="{escape(intro)}#run-a-page">clone</a>: <code>make lab</code>, '
        f"then open <code>{escape(docname)}.md</code>, or save {link} beside it. "
        f"As a test: <code>{escape(test)}</code></p>"
    )


def _add_note(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    if app.builder.format != "html" or pagename not in app.env.found_docs or "body" not in context:
        return
    with open(app.env.doc2path(pagename), encoding="utf8") as file:
        source = file.read()
    if CELL not in source:
        return
    macros = app.config.mathjax3_config["tex"]["macros"]
    notebook = plain_notebook(source, macros, lambda label: _name(app.env, label))
    note = run_note(pagename, notebook, app.builder.get_relative_uri(pagename, "intro"))
    before, end, after = context["body"].partition("</h1>")
    context["body"] = f"{before}{end}{note}{after}"


def _name(env: BuildEnvironment, label: str) -> str:
    """Return a statement's name in the book; the label of a section is its own name."""
    statement = env.proof_list.get(label)  # type: ignore[attr-defined]
    if statement is None:
        return label
    return f"{statement['realtype'].title()} {'.'.join(map(str, number_of(env, label)))}".strip()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("ledger_ext")
    app.connect("html-page-context", _add_note)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
