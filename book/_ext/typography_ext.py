"""Keep an inline formula and what touches it on one line, and give every proof the same opening.

A browser may break a line next to a typeset formula even where no space stands, so that a full stop
would begin the next line. References are named as items of their list to screen readers.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_proof.nodes import proof_node

# What must not be parted from a formula: opening marks before it, and after it punctuation, a hyphen and
# its word, or a plural s; but a dash is a place to break.
BEFORE = re.compile(r"[(\[“‘]+$")
AFTER = re.compile(r"[^\s—–]{1,20}(?=$|[\s—–])|[.,;:!?)\]”’]+")


class KeepTogether(SphinxPostTransform):
    """Wrap each inline formula and its punctuation in a span that does not break."""

    default_priority = 700
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Wrap them."""
        for formula in list(self.document.findall(nodes.math)):
            parent = formula.parent
            index = parent.index(formula)
            before = self._take(parent, index - 1, BEFORE) if index else ""
            after = self._take(parent, index + 1, AFTER) if index + 1 < len(parent) else ""
            if before or after:
                kept = nodes.inline("", "", classes=["keep-together"])
                parent.replace(formula, kept)
                kept += [*_texts(before), formula, *_texts(after)]

    @staticmethod
    def _take(parent: nodes.Element, index: int, pattern: re.Pattern[str]) -> str:
        """Cut what matches off the text at ``index``, at its end or its beginning, and return it."""
        text = parent[index]
        if not isinstance(text, nodes.Text):
            return ""
        found = pattern.search(text) if pattern is BEFORE else pattern.match(text)
        if found is None:
            return ""
        parent[index] = nodes.Text(text[: found.start()] + text[found.end() :])
        return found[0]


def _texts(text: str) -> list[nodes.Text]:
    return [nodes.Text(text)] if text else []


def _emphasise_proofs(app: Sphinx, doctree: nodes.document) -> None:
    """Set the word with which sphinx-proof opens a proof in italics, as the text does elsewhere."""
    for proof in doctree.findall(proof_node):
        first = next(proof.findall(nodes.Text), None)
        if first is not None and first.startswith("Proof."):
            word = nodes.emphasis("", "Proof.")
            first.parent.replace(first, [word, nodes.Text(first.removeprefix("Proof."))])


def _name_references_as_items(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Name the references as items of their list: ARIA has dropped the role that docutils gives them."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("sphinx_proof")
    app.add_post_transform(KeepTogether)
    app.connect("doctree-read", _emphasise_proofs)
    app.connect("html-page-context", _name_references_as_items)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
