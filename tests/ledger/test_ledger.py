"""The ledger: weakest ancestors, writing whole or not at all, and reading nothing malformed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import checks.ledger.files
from checks.evidence import Level, certified, exhaustive, sampled
from checks.evidence.registry import Effort, Kind, Run, declare, lemma, registry
from checks.evidence.runner import run_lemmas
from checks.ledger.code_locations import construction_location
from checks.ledger.files import LedgerError, read_ledger, write_ledger

EVIDENCE = {
    Level.CERTIFIED: lambda: certified("c", "s", [("one", 1, "<", 2)]),
    Level.EXHAUSTIVE: lambda: exhaustive("c", "s", [1], 1, lambda n: True),
    Level.SAMPLED: lambda: sampled("c", "s", 0, 1, lambda g: 0, lambda n: True),
    Level.FAILED: lambda: exhaustive("c", "s", [1], 1, lambda n: False),
}


def add(id, level, statement_uses=(), proof_uses=()):
    entry = lemma(id, title=id, statement_uses=statement_uses, proof_uses=proof_uses)(
        lambda run: iter([EVIDENCE[level]()])
    )
    entry.control("broken")(lambda run: EVIDENCE[Level.FAILED]())


@pytest.fixture
def small(empty_registry):
    """A hypothesis, a definition, a citation and four lemmas."""
    declare("def-h", kind=Kind.ASSUMED, title="H", source="IPZ01")
    declare("def-d", kind=Kind.DEFINITION, title="D", statement_uses=("def-h",))
    declare("lem-cited", kind=Kind.CITED, title="C", source="CIP06")
    add("lem-root", Level.CERTIFIED, statement_uses=("def-d",))
    add("lem-sampled", Level.SAMPLED, proof_uses=("lem-root",))
    add("lem-middle", Level.EXHAUSTIVE, statement_uses=("lem-sampled",))
    add("lem-top", Level.CERTIFIED, proof_uses=("lem-middle", "lem-root"))
    add("lem-under-citation", Level.CERTIFIED, proof_uses=("lem-cited", "lem-top"))
    return empty_registry


@pytest.fixture
def ledger_file(small, tmp_path) -> Path:
    path = tmp_path / "data/ledger.json"
    write_ledger(path, run_lemmas(), Run())
    return path


def test_the_weakest_ancestor(ledger_file):
    by_id = read_ledger(ledger_file).by_id
    assert by_id["lem-root"].weakest_ancestor is None  # a definition and a hypothesis do not colour
    assert by_id["lem-root"].assumed == ("def-h",)
    assert by_id["lem-sampled"].weakest_ancestor.id == "lem-root"
    top = by_id["lem-top"].weakest_ancestor
    assert (top.id, top.level) == ("lem-sampled", Level.SAMPLED)  # two steps up, by a proof and a statement
    cited = by_id["lem-under-citation"]
    assert (cited.weakest_ancestor.id, cited.weakest_ancestor.level) == ("lem-cited", Level.CITED)
    assert cited.cited == ("lem-cited",)
    assert cited.assumed == ("def-h",)


def test_a_failed_ancestor_is_the_weakest(small, tmp_path):
    add("lem-bad", Level.FAILED)
    add("lem-on-bad", Level.CERTIFIED, proof_uses=("lem-bad", "lem-cited"))
    ledger = write_ledger(tmp_path / "ledger.json", run_lemmas(), Run())
    assert ledger.by_id["lem-on-bad"].weakest_ancestor.id == "lem-bad"
    assert ledger.by_id["lem-on-bad"].level is Level.CERTIFIED  # its own evidence stays its own
    assert ledger.by_id["lem-bad"].failures == ("c: case 1: 1",)


def test_levels_of_what_is_not_executed(ledger_file):
    by_id = read_ledger(ledger_file).by_id
    assert by_id["def-d"].level is Kind.DEFINITION
    assert by_id["def-h"].level is Level.ASSUMED
    assert by_id["lem-cited"].level is Level.CITED


def test_cases_are_counted_by_level(empty_registry, tmp_path):
    @lemma("lem-mixed", title="Mixed")
    def check(run):
        yield certified("c", "one inequality", [("one", 1, "<", 2)])
        yield exhaustive("c", "three numbers", range(3), 3, lambda n: True)
        yield exhaustive("d", "two numbers", range(2), 2, lambda n: True)
        yield exhaustive("d", "five numbers", range(5), 5, lambda n: True)
        yield sampled("d", "random numbers", 0, 4, lambda g: 0, lambda n: True)

    check.control("broken")(lambda run: EVIDENCE[Level.FAILED]())
    ledger = write_ledger(tmp_path / "ledger.json", run_lemmas(), Run())
    entry = ledger.by_id["lem-mixed"]
    assert entry.level is Level.EXHAUSTIVE  # the weaker of its two claims
    assert list(entry.cases.items()) == [(Level.EXHAUSTIVE, 10), (Level.CERTIFIED, 1), (Level.SAMPLED, 4)]
    assert entry.deciding.scope == "five numbers"


def test_reading_gives_back_what_was_written(small, tmp_path):
    path = tmp_path / "ledger.json"
    run = Run(Effort.FULL, seed=3)
    written = write_ledger(path, run_lemmas(run=run), run)
    assert read_ledger(path) == written
    data = json.loads(path.read_text("utf8"))
    assert (data["schema"], data["effort"], data["seed"]) == (3, "full", 3)
    assert {"python", "subquartic", "numpy", "mpmath", "python-flint", "numba"} <= set(data["versions"])
    assert "not installed" not in data["versions"].values()
    assert re.fullmatch("[0-9a-f]{64}", data["entries"][0]["sources"])
    entry = next(entry for entry in data["entries"] if entry["id"] == "lem-top")
    assert entry["controls"] == [
        {"name": "broken", "rejected": True, "scope": "s", "counterexample": "case 1: 1"}
    ]
    assert entry["code"]["path"] == f"{__name__.replace('.', '/')}.py"


def test_the_code_location_is_the_check():
    reports = run_lemmas(["lem-split-and-list"])
    entry = registry()["lem-split-and-list"]
    ledger = checks.ledger.build.build_ledger(
        reports + run_lemmas(entry.uses), Run(), {id: registry()[id] for id in (entry.id, *entry.uses)}
    )
    location = ledger.by_id["lem-split-and-list"].code
    root = Path(checks.ledger.files.__file__).parents[2]
    line = (root / location.path).read_text("utf8").splitlines()[location.line - 1]
    assert line.startswith("@lemma")


@pytest.mark.parametrize(
    ("id", "start"),
    [
        ("lem-split-and-list", "class SplitAndList"),  # the module's name
        ("lem-distributed-pcp", "class DistributedPCP"),
        ("lem-lipschitz-attention", "def attention_lipschitz"),  # the words of the id
        ("lem-lebesgue", "def keys_taps"),  # neither: the module's first
        ("def-ov", "class OrthogonalVectors"),
    ],
)
def test_the_construction_has_a_line(id, start):
    location = construction_location(registry()[id])
    root = Path(checks.ledger.files.__file__).parents[2]
    lines = (root / location.path).read_text("utf8").splitlines()[location.line - 1 :]
    assert next(line for line in lines if not line.startswith("@")).startswith(start)


def test_every_construction_has_a_line_below_its_imports():
    found = [location for entry in registry().values() if (location := construction_location(entry))]
    assert len(found) > 40
    assert min(location.line for location in found) > 1


def test_a_statement_without_report_is_refused(small, tmp_path):
    with pytest.raises(ValueError, match="not leave out lem-top"):
        write_ledger(tmp_path / "ledger.json", [r for r in run_lemmas() if r.id != "lem-top"], Run())


def test_a_writer_that_dies_leaves_the_old_ledger(ledger_file, monkeypatch):
    before = ledger_file.read_bytes()
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        write_ledger(ledger_file, run_lemmas(), Run(seed=1))
    assert ledger_file.read_bytes() == before
    assert list(ledger_file.parent.iterdir()) == [ledger_file]


def damage(data, path, value):
    *front, last = path
    for key in front:
        data = data[key]
    if value is KeyError:
        del data[last]
    else:
        data[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schema",), 1, "schema must be 3, not 1"),
        (("schema",), KeyError, "schema must be 3, not None"),
        (("effort",), "slow", "effort must be one of quick, full, not 'slow'"),
        (("seed",), "0", "seed must be an integer, not '0'"),
        (("seed",), True, "seed must be an integer, not True"),
        (("seed",), -1, "seed must be at least 0, not -1"),
        (("entries", 3, "seconds"), 10**400, r"entries\[3\].seconds must be a finite number"),
        (("entries", 3, "level"), "SYMBOLIC", r"entries\[3\].level does not follow from the records"),
        (("versions",), [], "versions must be an object, not a list"),
        (("versions", "python"), 3, "versions.python must be a string, not 3"),
        (("entries",), {}, "entries must be a list, not an object"),
        (("entries", 3, "title"), KeyError, r"entries\[3\].title is missing"),
        (("entries", 3, "extra"), 1, r"entries\[3\].extra is not a field"),
        (("entries", 3, "level"), "PROVED", r"entries\[3\].level must be one of"),
        (("entries", 3, "level"), "definition", r"entries\[3\].level must be evidence"),
        (("entries", 3, "seconds"), "1", r"entries\[3\].seconds must be a number"),
        (("entries", 3, "seconds"), float("nan"), "NaN is not a JSON number"),
        (("entries", 3, "statement_uses"), ["def-none"], "refers to def-none, which has no entry"),
        (("entries", 3, "records", 0, "cases"), None, r"records\[0\].cases must be an integer, not null"),
        (("entries", 3, "controls", 0, "rejected"), 1, r"controls\[0\].rejected must be true or false"),
        (("entries", 3, "code"), "here", r"entries\[3\].code must be an object"),
        (("entries", 4, "id"), "lem-root", "lem-root stands there twice"),
    ],
)
def test_a_malformed_ledger_is_refused_in_one_line(ledger_file, path, value, message):
    data = json.loads(ledger_file.read_text("utf8"))
    damage(data, path, value)
    ledger_file.write_text(json.dumps(data), "utf8")
    with pytest.raises(LedgerError, match=message) as error:
        read_ledger(ledger_file)
    assert "\n" not in str(error.value)
    assert str(ledger_file) in str(error.value)


def test_a_missing_ledger_says_how_to_write_it(tmp_path):
    with pytest.raises(LedgerError, match=r"write it with `subquartic check --ledger"):
        read_ledger(tmp_path / "none.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 99999, b"1" * 9999])
def test_what_is_no_ledger_is_refused(tmp_path, content):
    path = tmp_path / "ledger.json"
    path.write_bytes(content)
    with pytest.raises(LedgerError):
        read_ledger(path)
