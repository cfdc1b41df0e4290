"""Put the evidence of the ledger into the book.

A statement is a sphinx-proof box with the label of a registered statement. This extension adds to
each box a badge (what was executed, on what, by which code), writes a page for every source file
that a badge links to, and provides the directives ``ledger-table``, ``mutant-tables``, ``lemma-table``
and ``lemma-graph`` and the role ``evidence``, which sets a statement's number and level in a line of text.
The ledger and its JSON Schema become downloads of the book.

The build fails where a registered statement has no box, a box has no registered statement, or the
two are of different kinds, and where the ledger or the record of mutants was made for other source files;
it warns (an error under ``-W``) where a check FAILED or did not notice a mutant.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx_proof.nodes import depart_unenumerable_node, unenumerable_node

from checks.evidence import Level
from checks.evidence.registry import Kind, registry
from checks.ledger.fields import Ledger
from checks.ledger.files import read_ledger
from checks.ledger.json_schema import ledger_json_schema
from checks.ledger.sources import outdated
from checks.mutation.catalogue import catalogue
from checks.mutation.record import Record, read_record, refuse_other_record
from ledger_ext.badges import badge, evidence
from ledger_ext.boxes import PROVED_KINDS, Place, is_box, open_unnumbered_box, places_of, tidy_ids
from ledger_ext.graph import graph_figure, uses_table
from ledger_ext.mutants import mutant_tables, mutated_files
from ledger_ext.source_pages import source_pages
from ledger_ext.tables import DOWNLOADS, LEDGER_FILE, SCHEMA_FILE, ledger_table
from ledger_ext.view import View

log = logging.getLogger(__name__)

BOX_OF_KIND = {
    Kind.DEFINITION: ("definition",),
    Kind.LEMMA: ("lemma",),
    Kind.THEOREM: ("theorem",),
    Kind.CITED: ("lemma", "theorem"),
    Kind.ASSUMED: ("definition", "assumption", "conjecture"),
    Kind.REMARK: ("remark",),
}


class ledger_placeholder(nodes.General, nodes.Element):
    """Where a table or the graph goes, once all statements have their numbers."""


class LedgerDirective(SphinxDirective):
    """``{ledger-table}``, ``{mutant-tables}``, ``{lemma-table}`` and ``{lemma-graph}``.

    The graph is that of one theorem where its label follows.
    """

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Leave a placeholder."""
        self.env.note_dependency(str(_ledger_path(self.env.app)))
        self.env.note_dependency(str(_record_path(self.env.app)))
        return [ledger_placeholder(part=self.name, of=self.arguments[0] if self.arguments else None)]


class evidence_placeholder(nodes.Inline, nodes.Element):
    """Where the level of a statement goes."""


class EvidenceRole(SphinxRole):
    """``{evidence}`lem-isolation` ``: a link to the statement with its number, and its level."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Leave a placeholder."""
        self.env.note_dependency(str(_ledger_path(self.env.app)))
        return [evidence_placeholder(statement=self.text, docname=self.env.docname)], []


def _ledger_path(app: Sphinx) -> Path:
    return Path(app.srcdir) / app.config.ledger_path


def _record_path(app: Sphinx) -> Path:
    return Path(app.srcdir) / app.config.mutants_path


def _record(app: Sphinx) -> Record:
    record: Record = app.mutants  # type: ignore[attr-defined]
    return record


def _ledger(app: Sphinx) -> Ledger:
    ledger: Ledger = app.ledger  # type: ignore[attr-defined]
    return ledger


def _load(app: Sphinx) -> None:
    try:
        app.ledger = read_ledger(_ledger_path(app))  # type: ignore[attr-defined]
        app.mutants = read_record(_record_path(app))  # type: ignore[attr-defined]
        if changed := sorted(set(_ledger(app).by_id) ^ set(registry())):
            raise ValueError(
                f"The ledger is out of date ({', '.join(changed)}): write it anew with `subquartic check`."
            )
        if other := outdated(_ledger(app)):
            raise ValueError(
                f"The ledger is of other source files for {', '.join(other)}: "
                "continue it with `subquartic check --resume`."
            )
        refuse_other_record(_record(app), _ledger(app), catalogue())
    except ValueError as error:
        raise ExtensionError(str(error)) from None


def _places(env: BuildEnvironment) -> dict[str, Place]:
    """Return the place of every box, by its label."""
    if not hasattr(env, "statement_places"):
        env.statement_places = {}  # type: ignore[attr-defined]
    places: dict[str, Place] = env.statement_places
    return places


def _read(app: Sphinx, doctree: nodes.document) -> None:
    tidy_ids(doctree)
    found = places_of(doctree, app.env.docname)
    if found:
        _places(app.env).update(found)
        app.env.note_dependency(str(_ledger_path(app)))


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    places = _places(env)
    for label in [label for label, place in places.items() if place.docname == docname]:
        del places[label]


def _merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    _places(env).update({label: p for label, p in _places(other).items() if p.docname in docnames})


def _rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """A badge names statements on other pages by number, so every page with a box is written anew."""
    return sorted({place.docname for place in _places(env).values()})


def _check(app: Sphinx, env: BuildEnvironment) -> None:
    ledger, places = _ledger(app), _places(env)
    problems = [f"{entry.id} has no box in the book" for entry in ledger.entries if entry.id not in places]
    for label, place in places.items():
        entry = ledger.by_id.get(label)
        if entry is None:
            problems.append(f"{place.docname}: the box {label!r} is no registered statement")
        elif place.realtype not in BOX_OF_KIND[entry.kind]:
            problems.append(f"{place.docname}: {label} is a {entry.kind}, its box a {place.realtype}")
        elif entry.kind in PROVED_KINDS and not place.proved:
            problems.append(f"{place.docname}: {label} has no proof on its page")
    if problems:
        raise ExtensionError("The book and the registry disagree:\n  " + "\n  ".join(sorted(problems)))
    for entry in ledger.entries:
        if entry.level is Level.FAILED:
            log.warning("%s FAILED: %s", entry.id, "; ".join(entry.failures), type="ledger")
    for trial in _record(app).unexpected:
        log.warning(
            "mutant %s: %s",
            trial.mutant,
            trial.noticed or trial.unfinished or "no check noticed",
            type="ledger",
        )


def _decorate(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if app.builder.format != "html":
        return
    view = View(app, _ledger(app), _places(app.env), docname)
    for box in list(doctree.findall(is_box)):
        entry = view.ledger.by_id.get(box["label"])
        if entry is not None:
            box["classes"].append(f"level-{entry.level.lower()}")
            box.append(nodes.raw("", badge(view, entry), format="html"))
    for mention in list(doctree.findall(evidence_placeholder)):
        entry = view.ledger.by_id.get(mention["statement"])
        if entry is None:
            raise ExtensionError(f"{docname}: {mention['statement']!r} is no registered statement")
        mention.replace_self(nodes.raw("", evidence(view, entry), format="html"))
    for placeholder in list(doctree.findall(ledger_placeholder)):
        if placeholder["part"] == "ledger-table":
            markup = ledger_table(view)
        elif placeholder["part"] == "mutant-tables":
            markup = mutant_tables(view, _record(app))
        elif placeholder["part"] == "lemma-table":
            markup = uses_table(view)
        else:
            if placeholder["of"] not in (None, *view.ids):
                raise ExtensionError(f"{docname}: {placeholder['of']!r} is no registered statement")
            markup = graph_figure(view, placeholder["of"])
        placeholder.replace_self(nodes.raw("", markup, format="html"))


def _collect_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    if app.builder.format == "html":
        view = View(app, _ledger(app), _places(app.env), "")
        yield from source_pages(view, mutated_files(_record(app)))


def _publish(app: Sphinx, error: Exception | None) -> None:
    """Put the ledger and its JSON Schema beside the pages, where the ledger's page links to them."""
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir) / DOWNLOADS
        folder.mkdir(exist_ok=True)
        shutil.copyfile(_ledger_path(app), folder / LEDGER_FILE)
        text = json.dumps(ledger_json_schema(), indent=1, ensure_ascii=False) + "\n"
        (folder / SCHEMA_FILE).write_text(text, "utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("sphinx_proof")
    app.add_config_value("ledger_path", "_data/ledger.json", "env")
    app.add_config_value("mutants_path", "_data/mutants.json", "env")
    app.add_node(ledger_placeholder)
    app.add_node(unenumerable_node, override=True, html=(open_unnumbered_box, depart_unenumerable_node))
    app.add_node(evidence_placeholder)
    app.add_role("evidence", EvidenceRole())
    for name in ("lemma-graph", "lemma-table", "ledger-table", "mutant-tables"):
        app.add_directive(name, LedgerDirective)
    app.connect("builder-inited", _load)
    app.connect("doctree-read", _read)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-updated", _rewrite)
    app.connect("env-check-consistency", _check)
    app.connect("doctree-resolved", _decorate)
    app.connect("html-collect-pages", _collect_pages)
    app.connect("build-finished", _publish, priority=100)  # before links are looked at
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
