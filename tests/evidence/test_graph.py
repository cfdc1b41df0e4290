"""The dependency graph and its drawing."""

from __future__ import annotations

import builtins
from xml.etree import ElementTree

import networkx
import pytest

from checks.evidence import Level
from checks.evidence.graph import (
    LIGHT,
    NOT_RUN,
    SHAPE,
    GraphvizMissing,
    argument_of,
    lemma_graph,
    to_graphviz,
    write_svg,
)
from checks.evidence.registry import Kind, registry


def test_the_graph_is_the_registry():
    graph = lemma_graph()
    assert set(graph) == set(registry())
    assert networkx.is_directed_acyclic_graph(graph)
    for id, entry in registry().items():
        assert set(graph.successors(id)) == set(entry.uses)
        for used in entry.uses:
            assert graph.edges[id, used]["part"] == ("statement" if used in entry.statement_uses else "proof")


def test_levels_with_and_without_a_run():
    graph = lemma_graph({"lem-split-and-list": "EXHAUSTIVE"})
    assert graph.nodes["lem-split-and-list"]["level"] == "EXHAUSTIVE"
    assert graph.nodes["lem-isolation"]["level"] == NOT_RUN
    assert graph.nodes["def-seth"]["level"] == "ASSUMED"
    assert graph.nodes["def-ov"]["level"] == "definition"


def test_the_argument_of_a_theorem_leaves_out_definitions_and_short_cuts():
    whole = lemma_graph()
    argument = argument_of(whole, "thm-lower-bound")
    below = networkx.descendants(whole, "thm-lower-bound")
    assert set(argument) == {"thm-lower-bound"} | {
        id for id in below if whole.nodes[id]["kind"] is not Kind.DEFINITION
    }
    for id in argument:  # the same statements are reached from everywhere, by arrows of which none can go
        assert networkx.descendants(argument, id) == networkx.descendants(whole, id) & set(argument)
    for start, end, part in argument.edges(data="part"):
        fewer = argument.copy()
        fewer.remove_edge(start, end)
        assert not networkx.has_path(fewer, start, end)
        assert part == whole.edges.get((start, end), {"part": "statement"})["part"]
    assert argument.nodes["lem-isolation"] == whole.nodes["lem-isolation"]


def test_the_argument_leads_through_definitions_that_are_left_out():
    graph = networkx.DiGraph()
    for id, kind in (("t", Kind.THEOREM), ("d", Kind.DEFINITION), ("l", Kind.LEMMA)):
        graph.add_node(id, kind=kind)
    graph.add_edge("t", "d", part="proof")
    graph.add_edge("d", "l", part="proof")
    assert list(argument_of(graph, "t").edges(data="part")) == [("t", "l", "statement")]
    with pytest.raises(ValueError, match="'root' must be a statement of the graph, not 'x'"):
        argument_of(graph, "x")


def test_every_kind_has_a_shape_and_every_level_a_colour():
    assert set(SHAPE) == set(Kind)
    assert len(set(SHAPE.values())) == len(Kind)
    assert set(LIGHT) == set(Level)


def test_the_drawing_is_svg_with_every_statement(tmp_path):
    pytest.importorskip("pygraphviz")
    path = tmp_path / "graph.svg"
    write_svg(path, {"lem-split-and-list": "EXHAUSTIVE"})
    root = ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg")
    ids = {element.attrib.get("id") for element in root.iter()}
    assert {f"node-{id}" for id in registry()} <= ids
    text = " ".join(root.itertext())
    assert "EXHAUSTIVE" in text
    assert NOT_RUN in text


def test_without_pygraphviz_the_error_says_what_to_install(monkeypatch, tmp_path):
    real_import = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "pygraphviz":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(GraphvizMissing, match=r"pip install 'subquartic\[book\]'"):
        to_graphviz(lemma_graph())
    with pytest.raises(GraphvizMissing):
        write_svg(tmp_path / "graph.svg")
    assert not (tmp_path / "graph.svg").exists()
