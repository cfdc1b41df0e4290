"""What the book's extension makes of a ledger: badges, the table, and the files to download."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator
from sphinx.errors import ExtensionError

from checks.evidence import exhaustive
from checks.evidence.registry import Effort, Kind, Run, declare, lemma, registry
from checks.evidence.runner import run_lemmas
from checks.ledger.files import write_ledger
from checks.ledger.sources import statement_sources
from checks.mutation.record import write_record

EXTENSIONS = Path(__file__).parents[2] / "book" / "_ext"


@pytest.fixture
def extension(monkeypatch):
    monkeypatch.syspath_prepend(EXTENSIONS)
    import ledger_ext

    yield ledger_ext
    for name in [name for name in sys.modules if name.partition(".")[0] == "ledger_ext"]:
        del sys.modules[name]


def citation(key, label):
    return SimpleNamespace(
        key=key,
        citation_id=f"id{label}",
        bibliography_key=SimpleNamespace(docname="bibliography"),
        formatted_entry=SimpleNamespace(label=label),
    )


@pytest.fixture
def folder(empty_registry, tmp_path):
    """A book's folder with the ledger of a definition, a citation and a lemma, checked at full effort."""
    declare("def-d", kind=Kind.DEFINITION, title="D")
    declare("thm-c", kind=Kind.CITED, title="C", source="CIP06")
    check = lemma("lem-a", title="A", statement_uses=("def-d",))(
        lambda run: iter([exhaustive("c", "s", [1], 1, lambda n: True)])
    )
    check.control("broken")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))
    run = Run(Effort.FULL)
    write_ledger(tmp_path / "ledger.json", run_lemmas(run=run), run)
    return tmp_path


@pytest.fixture
def app(folder):
    ids = ("def-d", "thm-c", "lem-a")
    proofs = {id: {"docname": "page", "countertype": "theorem", "ids": [id]} for id in ids}
    numbers = {"page": {"theorem": {id: (1, place) for place, id in enumerate(ids)}}}
    builder = SimpleNamespace(format="html", get_relative_uri=lambda here, there: f"{there}.html")
    (folder / "html").mkdir()
    return SimpleNamespace(
        builder=builder,
        env=SimpleNamespace(
            proof_list=proofs,
            toc_fignumbers=numbers,
            get_domain={"cite": SimpleNamespace(citations=[citation("CIP06", "5")])}.get,
        ),
        srcdir=folder,
        outdir=folder / "html",
        config=SimpleNamespace(ledger_path="ledger.json"),
    )


@pytest.fixture
def view(extension, app, folder):
    from checks.ledger.files import read_ledger

    places = {
        "def-d": extension.Place("page", "definition"),
        "thm-c": extension.Place("page", "theorem"),
        "lem-a": extension.Place("page", "lemma", proved=True),
    }
    return extension.View(app, read_ledger(folder / "ledger.json"), places, "ledger")


def test_a_badge_says_at_which_level_it_was_checked(extension, view):
    entries = view.ledger.by_id
    assert "checked at the full level in" in extension.badge(view, entries["lem-a"])
    for id in ("def-d", "thm-c"):  # nothing was executed
        assert "checked at" not in extension.badge(view, entries[id])


def test_a_citation_leads_to_the_bibliography(extension, view):
    link = '[<a href="bibliography.html#id5">5</a>]'
    assert f"a published theorem {link}, not proved here" in extension.badge(view, view.ledger.by_id["thm-c"])
    assert f"in {link}" in extension.ledger_table(view)


def test_the_table_says_it_for_the_whole_book(extension, view):
    table = extension.ledger_table(view)
    assert "Checked at the <strong>full</strong> level, seed 0" in table
    assert f"numpy {view.ledger.versions['numpy']}" in table
    assert 'href="downloads/ledger.json"' in table
    assert 'href="downloads/ledger.schema.json"' in table


def test_the_ledger_and_its_schema_are_published(extension, app, folder):
    extension._publish(app, None)
    published = folder / "html" / "downloads"
    assert (published / "ledger.json").read_bytes() == (folder / "ledger.json").read_bytes()
    schema = json.loads((published / "ledger.schema.json").read_text("utf8"))
    Draft202012Validator(schema).validate(json.loads((published / "ledger.json").read_text("utf8")))


def test_nothing_is_published_of_a_build_that_failed(extension, app, folder):
    extension._publish(app, RuntimeError("no"))
    assert list((folder / "html").iterdir()) == []


@pytest.fixture
def loaded(extension, app, folder, monkeypatch):
    """Load the ledger and a record of no mutants, each changed as a test says."""
    app.config.mutants_path = "mutants.json"
    write_record(folder / "mutants.json", 0, 0, ())
    monkeypatch.setattr(extension, "catalogue", tuple)

    def load(name=None, **changes):
        if name is not None:
            path = folder / f"{name}.json"
            path.write_text(json.dumps(json.loads(path.read_text("utf8")) | changes), "utf8")
        extension._load(app)
        return app

    return load


def test_a_ledger_and_a_record_of_these_sources_are_loaded(loaded):
    ledger = loaded().ledger
    assert {e.id: e.sources for e in ledger.entries} == {
        id: statement_sources(entry) for id, entry in registry().items()
    }
    assert loaded().mutants.trials == ()


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("mutants", {"engine": "0" * 64}, "^The record of mutants is of other source files: write it anew"),
        ("mutants", {"versions": {}}, "^The record of mutants is of other versions of packages"),
        ("mutants", {"declared": 1}, "^The record of mutants is of another catalogue"),
        ("mutants", {"schema": 1}, "is no record of mutants: schema must be 3, not 1"),
    ],
)
def test_a_record_of_something_else_is_refused(loaded, name, changes, message):
    with pytest.raises(ExtensionError, match=message):
        loaded(name, **changes)


def test_a_ledger_of_other_sources_is_refused(loaded, folder):
    entries = json.loads((folder / "ledger.json").read_text("utf8"))["entries"]
    entries[1]["sources"] = "0" * 64
    message = f"^The ledger is of other source files for {entries[1]['id']}: continue it with"
    with pytest.raises(ExtensionError, match=message):
        loaded("ledger", entries=entries)
