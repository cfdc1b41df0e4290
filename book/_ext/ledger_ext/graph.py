"""The dependency graph as an inline drawing of links, and the same as a table."""

from __future__ import annotations

import json
from html import escape
from xml.etree import ElementTree

from checks.graph import draw_svg, lemma_graph, wrap
from checks.ledger_fields import Entry
from checks.lemma import registry
from ledger_ext.tables import table
from ledger_ext.view import SYMBOL, View, level_pill

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

CAPTION = (
    "An arrow leads from a statement to what it rests on: solid where its statement does, dashed where "
    "only its proof does. Point at a node, or move to it with the Tab key, to see what it rests on and "
    "what rests on it; Enter opens its page, Escape shows everything again."
)

HINT = "The drawing is wider than the window: scroll it sideways (⇆), or read the table below it."


def graph_figure(view: View) -> str:
    """Return the graph: every node a link to its statement, coloured by style sheet for both themes."""
    uses = {entry.id: entry.uses for entry in view.ledger.entries}
    region = 'class="lemma-graph-scroll" role="region" tabindex="0" aria-label="Dependency graph, scrollable"'
    return (
        f'<figure class="lemma-graph" data-uses="{escape(json.dumps(uses))}">'
        f'<p class="scroll-hint">{HINT}</p>'
        f"<div {region}>{_drawing(view)}</div><figcaption>{CAPTION}</figcaption></figure>"
    )


def _drawing(view: View) -> str:
    ids = view.ids
    entries = registry()
    graph = lemma_graph({id: str(view.ledger.by_id[id].level) for id in ids}, {id: entries[id] for id in ids})
    svg = draw_svg(
        graph,
        URL={id: view.statement_url(id) for id in ids},
        label={id: _label(view, view.ledger.by_id[id]) for id in ids},
        tooltip={id: _spoken(view, view.ledger.by_id[id]) for id in ids},
    )
    return _inline(svg, {id: str(view.ledger.by_id[id].level).lower() for id in ids})


def _label(view: View, entry: Entry) -> str:
    level = str(entry.level)
    return f"{view.number(entry.id)}\n{wrap(entry.title)}\n{SYMBOL.get(level, '')} {level}"


def _spoken(view: View, entry: Entry) -> str:
    rests = ", ".join(view.number(id) for id in entry.uses) or "nothing"
    return f"{view.number(entry.id)}, {entry.title}: {entry.level}; rests on {rests}"


def _inline(svg: str, levels: dict[str, str]) -> str:
    """Return Graphviz's drawing without its own colours, sizes and tooltips, ready to stand in a page."""
    root = ElementTree.fromstring(svg)
    width = float(root.attrib.pop("width").removesuffix("pt"))
    del root.attrib["height"]
    root.attrib |= {"role": "group", "aria-label": "Dependency graph", "style": f"--drawn: {width:.0f}px"}
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
        id = element.attrib.get("id", "")
        if id.startswith("a_"):
            del element.attrib["id"]
        elif id.startswith("node-"):
            element.attrib["class"] += f" level-{levels[id.removeprefix('node-')]}"
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
