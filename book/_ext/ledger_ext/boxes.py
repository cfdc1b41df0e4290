"""Find the statements of a page and their proofs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from docutils import nodes
from sphinx_proof.nodes import NODE_TYPES, proof_node, unenumerable_node

from checks.evidence.registry import Kind

BOX_TYPES = (*NODE_TYPES.values(), unenumerable_node)
PROVED_KINDS = (Kind.LEMMA, Kind.THEOREM)

# Boxes of these types are statements, labelled or not; of the others only labelled ones are, and an
# example never is.
STATEMENT_TYPES = ("lemma", "theorem", "corollary", "proposition", "definition", "assumption")
FREE_TYPES = ("example", "algorithm", "notation")


@dataclass(frozen=True)
class Place:
    """Where a statement stands: its page, its kind of box, and whether a proof follows it there."""

    docname: str
    realtype: str
    proved: bool = False


def is_box(node: nodes.Node) -> bool:
    """Tell whether ``node`` is a sphinx-proof box that states something."""
    if not isinstance(node, BOX_TYPES):
        return False
    labelled = node["label"].startswith(("def-", "lem-", "thm-", "rem-"))
    return node["realtype"] in STATEMENT_TYPES or (labelled and node["realtype"] not in FREE_TYPES)


def places_of(doctree: nodes.document, docname: str) -> dict[str, Place]:
    """Return the statements of a page by label, in order.

    A proof belongs to the statements between the proof before it and itself.
    """
    places: dict[str, Place] = {}
    unproved: list[str] = []
    for node in doctree.findall(lambda node: is_box(node) or isinstance(node, proof_node)):
        if isinstance(node, proof_node):
            places.update({label: replace(places[label], proved=True) for label in unproved})
            unproved = []
        else:
            places[node["label"]] = Place(docname, node["realtype"])
            unproved.append(node["label"])
    return places


def tidy_ids(doctree: nodes.document) -> None:
    """Give every box and proof of a page its own id: sphinx-proof repeats two of them.

    A proof of several statements has an id for each.
    """
    labels: list[str] = []
    since = 0  # the first label since the last proof
    taken: set[str] = set()
    for node in doctree.findall():
        if isinstance(node, BOX_TYPES):
            labels.append(node["label"])
            for section in node.findall(nodes.section):
                section["ids"] = [f"{node['label']}-content"]
        elif isinstance(node, proof_node):
            ids = [f"proof-of-{label}" for label in labels[since:] or labels[-1:]] or ["proof-text"]
            since = len(labels)
            while ids[-1] in taken:
                ids[-1] += "-continued"
            taken.update(ids)
            for admonition in node.findall(nodes.admonition):
                if admonition["ids"] == ["proof"]:
                    admonition["ids"] = list(reversed(ids))  # the nearest statement's first


def open_unnumbered_box(translator: Any, node: nodes.Element) -> None:
    """Open a box that has no number: sphinx-proof would give the box the id that its title has too."""
    ids, node["ids"] = node["ids"], []
    translator.body.append(translator.starttag(node, "div", CLASS="admonition"))
    node["ids"] = ids
