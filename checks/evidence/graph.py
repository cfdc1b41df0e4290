"""The dependency graph of the statements, and its drawing.

An edge leads from a statement to each statement that it rests on. The drawing says everything
twice: the evidence by colour and in words, the kind by shape and in words.
"""

from __future__ import annotations

import os
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.evidence import Level
from checks.evidence.registry import Kind, Lemma, registry

if TYPE_CHECKING:
    import networkx

SHAPE = {  # Graphviz shape and style
    Kind.DEFINITION: ("box", "filled"),
    Kind.LEMMA: ("box", "rounded,filled"),
    Kind.THEOREM: ("doubleoctagon", "filled"),
    Kind.CITED: ("note", "filled"),
    Kind.ASSUMED: ("hexagon", "filled"),
    Kind.REMARK: ("ellipse", "filled"),
}

LABEL_WIDTH = 18  # characters a line

LIGHT = {  # backgrounds for black text
    Level.SYMBOLIC: "#b7e4c7",
    Level.CERTIFIED: "#a8dfe0",
    Level.EXHAUSTIVE: "#bcd7f5",
    Level.SAMPLED: "#fbe2a7",
    Level.CITED: "#dccff2",
    Level.ASSUMED: "#dddddd",
    Level.FAILED: "#f6b8b8",
}

NOT_RUN = "not run"


class GraphvizMissing(RuntimeError):
    """A drawing was asked for and pygraphviz is not installed."""


def lemma_graph(
    levels: Mapping[str, str] | None = None, entries: Mapping[str, Lemma] | None = None
) -> networkx.DiGraph[str]:
    """Return the dependency graph.

    Parameters
    ----------
    levels
        The evidence of each statement, from reports or a ledger; a checked statement that has none
        counts as "not run".
    entries
        The statements; by default the registry.

    Returns
    -------
    networkx.DiGraph
        Node attributes ``kind``, ``title``, ``level``; edge attribute ``part``, "statement" or "proof".
    """
    import networkx

    entries = registry() if entries is None else entries
    graph = networkx.DiGraph()
    for entry in entries.values():
        level = (levels or {}).get(entry.id, _level_without_run(entry))
        graph.add_node(entry.id, kind=entry.kind, title=entry.title, level=str(level))
    for entry in entries.values():
        for used in entry.uses:
            part = "statement" if used in entry.statement_uses else "proof"
            graph.add_edge(entry.id, used, part=part)
    return graph


def argument_of(graph: networkx.DiGraph[str], root: str) -> networkx.DiGraph[str]:
    """Return the argument for one statement at a glance, from the whole graph.

    It holds what ``root`` rests on, directly or not, but the definitions; an arrow stands only where no
    longer way leads to the same statement. Attributes are as in ``graph``; an arrow that leads through a
    definition alone counts as part "statement".

    Raises
    ------
    ValueError
        If ``graph`` does not hold ``root``.
    """
    import networkx

    if root not in graph:
        raise ValueError(f"Argument 'root' must be a statement of the graph, not {root!r}.")
    told = [
        id
        for id in graph
        if id == root
        or (id in networkx.descendants(graph, root) and graph.nodes[id]["kind"] is not Kind.DEFINITION)
    ]
    short = networkx.transitive_reduction(networkx.transitive_closure_dag(graph).subgraph(told))
    short.add_nodes_from((id, graph.nodes[id]) for id in told)
    for start, end in short.edges:
        short.edges[start, end]["part"] = graph.edges.get((start, end), {}).get("part", "statement")
    return short


def _level_without_run(entry: Lemma) -> str:
    if entry.kind in (Kind.CITED, Kind.ASSUMED):
        return entry.kind.value.upper()
    return entry.kind.value if entry.check is None else NOT_RUN


def to_graphviz(graph: networkx.DiGraph[str], **node_attributes: Mapping[str, str]) -> Any:
    """Return the graph laid out by dot, what rests on nothing at the top, as a ``pygraphviz.AGraph``.

    Parameters
    ----------
    **node_attributes
        Graphviz attributes, each a map from node to value: ``URL``, ``label``, ...

    Raises
    ------
    GraphvizMissing
        If pygraphviz is not installed.
    """
    try:
        import pygraphviz
    except ImportError:
        raise GraphvizMissing(
            "Drawing the graph needs pygraphviz: install it with `pip install 'subquartic[book]'`."
        ) from None
    drawing = pygraphviz.AGraph(
        directed=True, rankdir="BT", bgcolor="transparent", nodesep=0.25, ranksep=0.45
    )
    drawing.node_attr.update(fontname="Helvetica", fontsize=11, margin="0.1,0.06")
    drawing.edge_attr.update(arrowsize=0.7, color="#767676")
    for node, data in graph.nodes(data=True):
        shape, style = SHAPE[data["kind"]]
        colour = LIGHT[Level(data["level"])] if data["level"] in list(Level) else "#ffffff"
        attributes = {
            "id": f"node-{node}",
            "shape": shape,
            "style": style,
            "fillcolor": colour,
            "label": f"{wrap(data['title'])}\n{data['level']}",
            "tooltip": f"{node}: {data['title']} ({data['kind']}, {data['level']})",
        }
        attributes |= {name: values[node] for name, values in node_attributes.items() if node in values}
        drawing.add_node(node, **attributes)
    for start, end, data in graph.edges(data=True):
        line = "solid" if data["part"] == "statement" else "dashed"
        drawing.add_edge(start, end, id=f"edge-{start}--{end}", style=line)
    with _silent():
        drawing.layout(prog="dot")
    return drawing


@contextmanager
def _silent() -> Iterator[None]:
    """Let Graphviz and its libraries (Fontconfig) say nothing on standard error; what fails raises OSError.

    They write to the descriptor, behind the back of Python's ``sys.stderr``, or their words become warnings.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        kept = None
    with warnings.catch_warnings(), open(os.devnull, "wb") as nowhere:
        warnings.simplefilter("ignore", RuntimeWarning)
        if kept is not None:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            if kept is not None:
                os.dup2(kept, 2)
                os.close(kept)


def wrap(title: str) -> str:
    """Break a title into lines that keep its node narrow."""
    return textwrap.fill(title, LABEL_WIDTH, break_long_words=False)


def draw_svg(graph: networkx.DiGraph[str], **node_attributes: Mapping[str, str]) -> str:
    """Return the drawing as the text of an SVG file; arguments and errors as :func:`to_graphviz`."""
    drawing = to_graphviz(graph, **node_attributes)
    with _silent():
        svg: bytes = drawing.draw(format="svg")
    return svg.decode("utf8")


def write_svg(path: str | os.PathLike[str], levels: Mapping[str, str] | None = None) -> None:
    """Draw the registry's graph into an SVG file.

    Raises
    ------
    GraphvizMissing
        If pygraphviz is not installed.
    OSError
        If the file cannot be written.
    """
    Path(path).write_text(draw_svg(lemma_graph(levels)), encoding="utf8")
