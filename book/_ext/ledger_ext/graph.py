"""The dependency graph, whole or of one theorem, as an inline drawing of links, and the whole as a table."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from checks.evidence.graph import argument_of, draw_svg, lemma_graph, wrap
from checks.evidence.registry import registry
from checks.ledger.fields import Entry
from ledger_ext.tables import table
from ledger_ext.view import SYMBOL, View, level_pill

if TYPE_CHECKING:
    from networkx import DiGraph

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

SHORTENED = "Definitions are left out, and so is an arrow where a longer path of arrows says the same."

HINT = "The drawing is wider than the window: scroll it sideways (⇆), or read the table below."


def graph_figure(view: View, root: str | None = None) -> str:
    """Return the graph, or the argument for ``root`` alone: every node a link, coloured for both themes."""
    graph = _graph(view, root)
    uses = {id: sorted(graph.successors(id)) for id in graph}
    name = "Dependency graph" if root is None else f"What {view.number(root)} rests on"
    region = f'class="lemma-graph-scroll" role="region" tabindex="0" aria-label="{name}, scrollable"'
    caption = "All statements and all arrows." if root is None else f"{name}. {SHORTENED}"
    return (
        f'<figure class="lemma-graph" data-uses="{escape(json.dumps(uses))}">'
        f'<p class="scroll-hint">{HINT}</p>'
        f"<div {region}>{_drawing(view, graph, name)}</div><figcaption>{caption}</figcaption></figure>"
    )


def _graph(view: View, root: str | None) -> DiGraph[str]:
    entries = registry()
    levels = {id: str(view.ledger.by_id[id].level) for id in view.ids}
    graph = lemma_graph(levels, {id: entries[id] for id in view.ids})
    return graph if root is None else argument_of(graph, root)


def _drawing(view: View, graph: DiGraph[str], name: str) -> str:
    told = {id: view.ledger.by_id[id] for id in graph}
    svg = draw_svg(
        graph,
        URL={id: view.statement_url(id) for id in told},
        label={id: _label(view, entry) for id, entry in told.items()},
        tooltip={id: _spoken(view, entry) for id, entry in told.items()},
    )
    return _inline(svg, {id: str(entry.level).lower() for id, entry in told.items()}, name)


def _label(view: View, entry: Entry) -> str:
    level, weakest = str(entry.level), entry.weakest_ancestor
    above = "" if weakest is None else f"\n↑ {weakest.level}"
    return f"{view.number(entry.id)}\n{wrap(entry.title)}\n{SYMBOL.get(level, '')} {level}{above}"


def _spoken(view: View, entry: Entry) -> str:
    rests = ", ".join(view.number(id) for id in entry.uses) or "nothing"
    weakest = entry.weakest_ancestor
    above = "" if weakest is None else f", weakest ancestor {weakest.level}"
    return f"{view.number(entry.id)}, {entry.title}: {entry.level}{above}; rests on {rests}"


def _inline(svg: str, levels: dict[str, str], name: str) -> str:
    """Return Graphviz's drawing without its own colours, sizes and tooltips, ready to stand in a page.

    Its ids become data: a page may hold several drawings of the same statements.
    """
    root = ElementTree.fromstring(svg)
    width = float(root.attrib.pop("width").removesuffix("pt"))
    del root.attrib["height"]
    root.attrib |= {"role": "group", "aria-label": name, "style": f"--drawn: {width:.0f}px"}
    for parent in list(root.iter()):
        for title in parent.findall(f"{{{SVG}}}title"):
            parent.remove(title)
    for element in root.iter():
        for painted in ("fill", "stroke", "font-family"):
            element.attrib.pop(painted, None)
        if element.tag == f"{{{SVG}}}a":
            element.attrib["href"] = element.attrib.pop(f"{{{XLINK}}}href")
            element.attrib["aria-label"] = element.attrib.pop(f"{{{XLINK}}}title")
            element.attrib.pop("target", None)
        kind, _, ids = element.attrib.pop("id", "").partition("-")
        if kind == "node":
            element.attrib["data-statement"] = ids
            element.attrib["class"] += f" level-{levels[ids]}"
        elif kind == "edge":
            element.attrib["data-ends"] = ids.replace("--", " ")
    ElementTree.register_namespace("", SVG)
    return ElementTree.tostring(root, encoding="unicode")


def uses_table(view: View) -> str:
    """Return the graph as a table: what each statement rests on, and what rests on it."""
    rows = []
    for id in view.ids:
        entry = view.ledger.by_id[id]
        used_by = [other.id for other in view.ledger.entries if id in other.uses]
        proof_only = [used for used in entry.proof_uses if used not in entry.statement_uses]
        rows.append(
            [
                f"{view.statement_link(id)}<br>{escape(entry.title)}",
                level_pill(entry),
                *(
                    ", ".join(map(view.statement_link, ids)) or "—"
                    for ids in (entry.statement_uses, proof_only, used_by)
                ),
            ]
        )
    headings = ("Statement", "Evidence", "Its statement rests on", "Its proof rests on", "Rests on it")
    return table("The dependency graph as a table", headings, rows)
