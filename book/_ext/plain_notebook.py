"""Turn a page's source into a notebook that reads well in plain Jupyter, which knows no MyST.

Boxes become headings, references become numbers, and the book's macros are defined in the first cell. Code
cells stay as they are, without outputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import jupytext
import nbformat

FENCE = re.compile(r"\s*(?P<marks>`{3,}|:{3,})(?:\{(?P<name>[\w:-]+)\})?\s*(?P<title>.*)$")
OPTION = re.compile(r":(?P<key>[a-z-]+):\s*(?P<value>.*)$")
ROLE = re.compile(r"\{(?P<role>[a-z:]+)\}`(?:(?P<text>[^`<]+?)\s*<(?P<in>[^`>]+)>|(?P<target>[^`]+))`")
LABEL = re.compile(r"^\([a-z0-9-]+\)=\n", re.MULTILINE)
PAGE_LINK = re.compile(
    r"\[([^\[\]]+)\]\((?:[\w./-]+\.md(?:#[\w-]+)?|[a-z]+(?:-[a-z]+)+)\)"
)  # leads to no notebook
NOT_SHOWN = ("index", "raw", "ledger-table", "lemma-graph", "lemma-table", "bibliography")

Name = Callable[[str], str]


def plain_notebook(source: str, macros: Mapping[str, object], name: Name) -> str:
    """Return the notebook as JSON.

    Args:
        source: a page in MyST's Markdown.
        macros: TeX macros in the form of MathJax's configuration.
        name: the name in the book of a statement's label, such as "Lemma 7.1".
    """
    notebook = jupytext.reads(source, fmt="md:myst")
    for cell in notebook.cells:
        cell.metadata.clear()  # tags that hide a cell in the book
        if cell.cell_type == "markdown":
            cell.source = plain_markdown(cell.source, name)
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(_definitions(macros)))
    for index, cell in enumerate(notebook.cells):
        cell.id = f"cell-{index}"  # the same in every build
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook)


def plain_markdown(source: str, name: Name) -> str:
    """Return Markdown without MyST's directives, roles and labels."""
    lines: list[str] = []
    open_fences: list[tuple[str, str]] = []  # the marks and the directive of each
    label_wanted = ""
    for line in source.split("\n"):
        fence = FENCE.fullmatch(line)
        if open_fences and fence and not fence["name"] and not fence["title"]:
            marks, directive = open_fences[-1]
            if len(fence["marks"]) >= len(marks) and fence["marks"][0] == marks[0]:
                open_fences.pop()
                lines.append("```" if directive in ("", "code-block") else "")
                continue
        hidden = any(directive in NOT_SHOWN for _, directive in open_fences)
        verbatim = bool(open_fences) and open_fences[-1][1] in ("", "code-block")
        if fence and not verbatim and (fence["name"] or fence["marks"][0] == "`"):
            directive = fence["name"] or ""
            open_fences.append((fence["marks"], directive))
            if directive.startswith("prf:") and directive != "prf:proof":
                label_wanted = fence["title"]
            elif not hidden:
                lines += _opening(directive, fence["title"])
        elif (option := OPTION.fullmatch(line)) and open_fences:
            if label_wanted and option["key"] == "label":
                lines += [f"**{name(option['value'])}** ({label_wanted}).", ""]
                label_wanted = ""
        elif not hidden:
            lines.append(line)
    text = LABEL.sub("", "\n".join(lines))
    text = PAGE_LINK.sub(r"\1", ROLE.sub(lambda role: _role(role, name), text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _opening(directive: str, title: str) -> list[str]:
    if directive in ("", "code-block"):
        return [f"```{title}"]
    if directive == "prf:proof":
        return ["*Proof.*", ""]
    if directive in ("dropdown", "admonition"):
        return [f"**{title}**", ""]
    if directive in NOT_SHOWN:
        return []
    raise ValueError(f"A notebook has no form for the directive {directive!r}.")


def _role(role: re.Match[str], name: Name) -> str:
    if role["text"]:
        return role["text"]
    if role["role"] in ("prf:ref", "evidence"):
        return name(role["target"])
    return f"[{role['target']}]" if role["role"] == "cite" else role["target"]


def _definitions(macros: Mapping[str, object]) -> str:
    """Return the macros as TeX: JupyterLab's MathJax keeps what one cell defines for all."""
    parts = []
    for command, meaning in macros.items():
        body, arguments = meaning if isinstance(meaning, (list, tuple)) else (meaning, 0)
        count = f"[{arguments}]" if arguments else ""
        parts.append(rf"\newcommand{{\{command}}}{count}{{{body}}}")
    return "A page of the book *subquartic*, made to run. " + f"${''.join(parts)}$"
