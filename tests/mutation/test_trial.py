"""Mutants are tried in processes of their own: what is noticed, what is not, and what is refused."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from checks.evidence.registry import Effort, Kind
from checks.ledger.fields import Entry, Ledger
from checks.mutation.catalogue import read_mutants
from checks.mutation.mutant import Mutant, Part
from checks.mutation.record import current_trials, draw, read_record, refuse_other_record, write_record
from checks.mutation.source import MutantError, compiled, mutated_source
from checks.mutation.survey import survey
from checks.mutation.trial import Noticed, Sign, Trial, run_mutants
from reductions.system.source_files import source_files

ROOT = Path(__file__).parents[2]
MUTANTS, _ = read_mutants(ROOT / "checks/lower_bound/split_and_list/mutants.txt")
BREAKING = MUTANTS[0]
EQUIVALENT = next(mutant for mutant in MUTANTS if mutant.equivalent is not None)
PASSED = ("lem-split-and-list",)


def changed(function: str, before: str, after: str, module: str = BREAKING.module) -> Mutant:
    return Mutant(module, function, Part.FORMULA, before, after, "it is changed", BREAKING.statements)


def test_trials_say_who_noticed_and_the_code_stays_as_it_is(tmp_path):
    claimed = replace(BREAKING, equivalent="It is claimed to change nothing.")
    raising = changed("halves", "first = ", "first = 1 // 0 * ")
    trials = run_mutants([BREAKING, EQUIVALENT, claimed, raising], passed=PASSED, jobs=2)
    assert [trial.as_it_must for trial in trials] == [True, True, False, True]
    broken, nothing, _, raised = trials
    assert broken.noticed is not None
    assert broken.noticed.sign is Sign.COUNTEREXAMPLE
    assert broken.noticed.statement == "lem-split-and-list"
    assert "case" in broken.noticed.detail
    assert nothing.noticed is None
    assert raised.noticed is not None
    assert raised.noticed.sign is Sign.EXCEPTION
    assert "ZeroDivisionError" in raised.noticed.detail
    # The change was made in another process, and written nowhere.
    from reductions.lower_bound.split_and_list import halves

    assert halves(5) == (range(1, 4), range(4, 6))
    # The record of the trials reads back as it was.
    path = tmp_path / "mutants.json"
    record = write_record(path, 7, 0, trials)
    assert read_record(path) == record
    assert not record.complete
    assert [trial.mutant for trial in record.unexpected] == [claimed]


def test_warnings_of_broken_constructions_are_not_shown():
    silent = "assert __import__('warnings').filters[0][0] == 'ignore'\n    first = -"
    (trial,) = run_mutants([changed("halves", "first = -", silent)], passed=PASSED)
    assert trial.noticed is None
    assert trial.unfinished is None


def test_a_mutant_without_result_in_time_counts_as_unnoticed():
    endless = changed("halves", "first = -", "while True: pass\n    first = -")
    (trial,) = run_mutants([endless], passed=PASSED, patience=3)
    assert trial.unfinished == "no result in 3 s"
    assert not trial.as_it_must


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "the process died (-9)"),
        ("raise SystemExit", "the process died (0)"),
        ("raise MemoryError", "MemoryError:"),
        ("raise OSError(28, 'No space left on device')", "OSError: [Errno 28] No space left on device"),
    ],
)
def test_what_may_be_the_machines_is_no_sign(statement, reason):
    ended = changed("halves", "first = -", f"{statement}\n    first = -")
    (trial,) = run_mutants([ended], passed=PASSED)
    assert trial.noticed is None
    assert trial.unfinished == reason
    assert not trial.as_it_must
    assert not replace(trial, mutant=EQUIVALENT).as_it_must


def test_a_module_that_cannot_be_imported_is_no_sign():
    broken = changed("", "def halves(", "1 // 0\n\n\ndef halves(")
    (trial,) = run_mutants([broken], passed=PASSED)
    assert trial.noticed is None
    assert trial.unfinished.startswith(f"{BREAKING.module} cannot be imported: ZeroDivisionError")


def test_compiled_code_depends_on_what_it_imports():
    found = compiled()
    assert {
        "reductions.kernels.compiled_kernels",
        "reductions.kernels.tiles",  # compiled in as constants
        "reductions.kernels.vector_exponential",
        "reductions.problems.orthogonal_pair_scan",
    } <= found
    assert BREAKING.module not in found


def test_a_change_that_reaches_compiled_code_is_compiled(tmp_path):
    """What numba keeps on disk of the unchanged code is not run in its place."""
    script = """
import importlib, sys
from pathlib import Path
import numpy as np
from checks.mutation.source import import_changed, module_path
name = "reductions.problems.orthogonal_pair_scan"
words = np.ones((1, 1), np.uint64)
print(importlib.import_module(name).first_tile_with_a_pair(words, words, 1))
text = module_path(name).read_text("utf8")
import_changed(name, text.replace("begin + j]) == zero", "begin + j]) != zero"), Path(sys.argv[1]))
print(importlib.import_module(name).first_tile_with_a_pair(words, words, 1))
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["None", "0"]


def test_sources_that_change_meanwhile_are_refused(monkeypatch):
    source_files()
    monkeypatch.setattr("reductions.system.source_files._read", dict)
    with pytest.raises(RuntimeError, match="source files have changed during the run"):
        run_mutants([EQUIVALENT], passed=PASSED)


def test_a_control_that_is_no_longer_rejected_is_a_sign():
    # The control's own construction is made right: it drops no clause, and the check has nothing to reject.
    harmless = changed("unsplit_clauses.drop", "!= 1", "!= 9", "checks.lower_bound.split_and_list")
    (trial,) = run_mutants([harmless], passed=PASSED)
    assert trial.noticed is not None
    assert trial.noticed.sign is Sign.CONTROL
    assert trial.noticed.detail == "control not rejected: clauses whose variables lie in one half are dropped"


def test_a_check_that_fails_on_the_unchanged_code_is_refused():
    with pytest.raises(MutantError, match=r"^lem-split-and-list fails on the unchanged code: no result"):
        run_mutants([BREAKING], patience=0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"module": "reductions.lower_bound.nothing"}, "There is no module"),
        ({"function": "thirds"}, "has no thirds"),
        ({"before": "no such text"}, "occurs 0 times"),
        ({"before": "first"}, "times where it must occur once"),
        ({"after": "-(-variables // "}, "no Python"),
        (
            {"before": "Return the variables", "after": "Return some variables"},
            "only a comment or a docstring",
        ),
    ],
)
def test_a_mutant_that_does_not_fit_is_refused(change, message):
    with pytest.raises(MutantError, match=message):
        mutated_source(replace(BREAKING, **change))


@pytest.mark.parametrize("id", ["lem-nothing", "def-cnf"])
def test_a_statement_without_check_is_refused(id):
    with pytest.raises(MutantError, match=f"{id} is no registered statement with a check"):
        run_mutants([replace(BREAKING, statements=(id,))])


def test_no_jobs():
    with pytest.raises(ValueError, match="'jobs' must be at least 1, not 0"):
        run_mutants([BREAKING], jobs=0)


def test_survey_changes_every_place_once():
    module = "reductions.lower_bound.complement_encoding"
    found = survey(module, ("lem-complement-encoding",))
    texts = {mutated_source(mutant)[0] for mutant in found}
    assert len(texts) == len(found) > 10
    assert {mutant.part for mutant in found} <= set(Part)


def test_survey_of_a_small_module(tmp_path, monkeypatch):
    path = tmp_path / "surveyed_example.py"
    path.write_text(
        'LIMIT = 3\n\n\ndef share(a: int | None, b=2):\n    """1 + 1."""\n'
        '    if b == 0:\n        raise ValueError("b < 1")\n'
        "    return min(a, -b) // LIMIT if not a >= 5 and b else a[0]\n",
        "utf8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = survey("surveyed_example", ())
    original = path.read_text("utf8")
    changes = set()
    for mutant in found:
        text, _ = mutated_source(mutant)
        (line,) = [(a, b) for a, b in zip(original.split("\n"), text.split("\n"), strict=True) if a != b]
        changes.add(line[1].strip())
    body = "return min(a, -b) // LIMIT if not a >= 5 and b else a[0]"
    assert changes == {
        "LIMIT = 4",
        "def share(a: int | None, b=3):",
        body.replace("min", "max"),
        body.replace("-b", "b"),
        body.replace("//", "*"),
        body.replace("not a", " a"),
        body.replace(">=", ">"),
        body.replace("5", "6"),
        body.replace("and", "or"),
        body.replace("[0]", "[1]"),
    }


def test_draw_takes_the_same_of_every_statement():
    mutants = [*MUTANTS, *(replace(mutant, statements=("other",)) for mutant in MUTANTS)]
    drawn = draw(mutants, 2, seed=0)
    assert [mutant.statements[0] for mutant in drawn] == ["lem-split-and-list"] * 2 + ["other"] * 2
    assert draw(mutants, 2, seed=0) == drawn
    assert draw(mutants, 99, seed=1) == mutants


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 1}', '{"schema": 3, "trials": [{}]}', "[" * 99999]
)
def test_a_record_that_is_none(tmp_path, text):
    path = tmp_path / "mutants.json"
    path.write_text(text, "utf8")
    with pytest.raises(ValueError, match="is no record of mutants"):
        read_record(path)
    with pytest.raises(ValueError, match="There is no record"):
        read_record(tmp_path / "none.json")


def test_record_is_json_for_other_programs(tmp_path):
    path = tmp_path / "deep" / "mutants.json"
    write_record(path, 3, 5, run_mutants([EQUIVALENT], passed=PASSED))
    data = json.loads(path.read_text("utf8"))
    assert data["declared"] == 3
    assert data["seed"] == 5
    assert data["trials"][0]["mutant"]["equivalent"] == EQUIVALENT.equivalent
    assert data["trials"][0]["noticed"] is None


def entry(id, sources):
    """A ledger's entry with these sources; what else it says plays no part."""
    none = ((), (), 0.0)
    return Entry(id, Kind.REMARK, id, Kind.REMARK, *none, sources, None, None, (), (), "", None, (), (), ())


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A record of a whole small catalogue, as plain data, and what it belongs to."""
    catalogue = [BREAKING, EQUIVALENT, replace(BREAKING, statements=("lem-sparsification",))]
    sign = Noticed("lem-split-and-list", Sign.COUNTEREXAMPLE, "the claim: case 1: 0")
    trials = [
        Trial(catalogue[0], 3, sign, 0.5),
        Trial(catalogue[1], 4, None, 0.5),
        Trial(catalogue[2], 3, replace(sign, statement="lem-sparsification"), 0.5),
    ]
    path = tmp_path_factory.mktemp("record") / "mutants.json"
    record = write_record(path, 3, 0, trials)
    entries = tuple(entry(id, sources) for id, sources in record.sources.items())
    ledger = Ledger(3, dict(record.versions), Effort.QUICK, 0, entries)
    return json.loads(path.read_text("utf8")), ledger, catalogue


def read_back(data, path):
    path.write_text(json.dumps(data), "utf8")
    return read_record(path)


def test_a_record_belongs_to_its_ledger_and_catalogue(recorded, tmp_path):
    data, ledger, catalogue = recorded
    record = read_back(data, tmp_path / "m.json")
    refuse_other_record(record, ledger, catalogue)
    assert record.complete
    asked = {id: record.sources[id] for id in ("lem-split-and-list", "lem-sparsification")}
    assert record.sources == asked
    refuse_other_record(replace(record, trials=record.trials[1:]), ledger, catalogue)  # some were drawn
    unasked = entry("lem-degree", "0" * 64)  # of a statement that no mutant asks, anything may have changed
    refuse_other_record(record, replace(ledger, entries=(*ledger.entries, unasked)), catalogue)
    for change, other_ledger, reason in (
        ({"engine": "0" * 64}, {}, "other source files"),
        ({"sources": asked | {"lem-sparsification": "0" * 64}}, {}, "other source files"),
        ({"sources": {}}, {}, "other source files"),
        ({}, {"entries": (ledger.entries[0], entry("lem-sparsification", "0" * 64))}, "other source files"),
        ({}, {"versions": {"numpy": "0"}}, "other versions of packages"),
        ({"declared": 4}, {}, "another catalogue"),
        ({"trials": data["trials"][::-1]}, {}, "another catalogue"),
        ({"trials": [data["trials"][0], *data["trials"]]}, {}, "another catalogue"),
        (
            {"trials": data["trials"][:2], "sources": {PASSED[0]: asked[PASSED[0]]}},
            {},
            "some of the statements",
        ),
        ({"trials": [], "sources": {}}, {}, "some of the statements"),
    ):
        forged = read_back(data | change, tmp_path / "m.json")
        with pytest.raises(ValueError, match=f"^The record of mutants is of {reason}: write it anew with"):
            refuse_other_record(forged, replace(ledger, **other_ledger), catalogue)


def test_trials_of_this_code_count_again(recorded, tmp_path):
    data, _, catalogue = recorded
    path = tmp_path / "m.json"
    record = read_back(data, path)
    assert current_trials(record, seed=0) == dict(zip(catalogue, record.trials, strict=True))
    other = {"lem-sparsification": "0" * 64}  # asked of the last one alone
    for change in ({"sources": record.sources | other}, {"sources": {PASSED[0]: record.sources[PASSED[0]]}}):
        assert list(current_trials(read_back(data | change, path), seed=0)) == catalogue[:2]
    unfinished = [data["trials"][0], data["trials"][1] | {"unfinished": "no result"}, data["trials"][2]]
    assert list(current_trials(read_back(data | {"trials": unfinished}, path), 0)) == catalogue[::2]
    for change in ({"engine": "0" * 64}, {"versions": {}}, {"seed": 1}):
        assert current_trials(read_back(data | change, path), seed=0) == {}


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("mutant", "equivalent"), "It is claimed to change nothing.", "another catalogue"),
        (("mutant", "after"), "variables // 3", "another catalogue"),
        (("noticed", "statement"), "lem-sparsification", "other checks"),
    ],
)
def test_a_record_of_what_is_not_declared_so(recorded, tmp_path, path, value, reason):
    data, ledger, catalogue = copy.deepcopy(recorded)
    data["trials"][0][path[0]][path[1]] = value
    with pytest.raises(ValueError, match=reason):
        refuse_other_record(read_back(data, tmp_path / "m.json"), ledger, catalogue)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("line", "3"),
        ("seconds", -(10**400)),
        ("unfinished", True),
        ("noticed", {}),
        ("more", 1),
        ("mutant", None),
    ],
)
def test_a_record_with_a_wrong_value(recorded, tmp_path, field, value):
    data = copy.deepcopy(recorded[0])
    data["trials"][1][field] = value
    with pytest.raises(ValueError, match=r"is no record of mutants: trials\[1\]\."):
        read_back(data, tmp_path / "m.json")
