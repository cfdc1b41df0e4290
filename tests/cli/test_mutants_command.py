"""``subquartic mutants``: what it prints, writes and refuses."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from checks.cli.mutants import _passed
from checks.evidence import exhaustive
from checks.evidence.registry import Effort, Run, lemma
from checks.evidence.runner import run_lemmas
from checks.ledger.files import write_ledger
from checks.mutation.catalogue import catalogue
from checks.mutation.record import read_record, write_record
from checks.mutation.trial import Trial


def test_one_statement_as_json(subquartic):
    result = subquartic("mutants", "split-and-list", "--each", "2", "--seed", "3", "--json")
    assert result.returncode == 0
    report = json.loads(result.stdout)
    assert report["seed"] == 3
    assert len(report["trials"]) == 2
    for trial in report["trials"]:
        assert trial["as_it_must"]
        assert trial["mutant"]["statements"][0] == "lem-split-and-list"


def test_a_survey_lists_what_nothing_noticed(subquartic):
    result = subquartic("mutants", "split-and-list", "--survey", "--each", "3", "--seed", "1")
    assert result.returncode == 0
    assert "lem-split-and-list" in result.stdout


def test_a_record_is_continued(subquartic, tmp_path):
    """All trials but one are in the record, as if they had been made: only that one is."""
    path = tmp_path / "m.json"
    declared = catalogue()
    left = next(mutant for mutant in declared if mutant.statements == ("lem-split-and-list",))
    others = [Trial(mutant, 1, None, 0.0) for mutant in declared if mutant != left]
    write_record(path, len(declared), 0, others)
    result = subquartic("mutants", "--record", str(path), "--resume", "--json")
    assert f"m.json: {len(others)} trials taken over" in result.stderr
    record = read_record(path)
    assert [trial.mutant for trial in record.trials] == list(declared)
    assert [trial.mutant for trial in record.trials if trial.seconds > 0] == [left]
    assert result.returncode == 1  # none was noticed of those that were taken over


def test_what_is_refused(subquartic, tmp_path):
    for arguments, message in (
        (("split-and-lst",), "No such lemma: split-and-lst. Did you mean lem-split-and-list?"),
        (("split-and-list", "--record", str(tmp_path / "m.json")), "--record goes with the whole catalogue"),
        (("--survey", "--record", str(tmp_path / "m.json")), "--record goes with the whole catalogue"),
        (("split-and-list", "--ledger", str(tmp_path / "none.json")), "There is no ledger"),
        (("--record", str(tmp_path)), "not a regular file"),
        (("--resume",), "--resume continues a record"),
    ):
        result = subquartic("mutants", *arguments)
        assert result.returncode == 2
        assert message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "m.json").exists()


@pytest.mark.parametrize(
    ("changed", "believed"),
    [
        ({}, True),
        ({"versions": {}}, False),
        ({"seed": 1}, False),
        ({"effort": Effort.FULL}, False),
    ],
)
def test_only_a_ledger_of_this_code_is_believed(empty_registry, tmp_path, changed, believed):
    @lemma("lem-a", title="A")
    def check(run):
        yield exhaustive("c", "s", [1], 1, lambda n: True)

    check.control("broken")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))
    path = tmp_path / "ledger.json"
    ledger = write_ledger(path, run_lemmas(), Run())
    path.write_text(json.dumps(asdict(replace(ledger, **changed))), "utf8")
    assert _passed(path, seed=0) == (["lem-a"] if believed else [])


def test_only_entries_of_these_sources_are_believed(empty_registry, tmp_path):
    for name in "ab":
        check = lemma(f"lem-{name}", title=name)(
            lambda run: iter([exhaustive("c", "s", [1], 1, lambda n: True)])
        )
        check.control("broken")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))
    path = tmp_path / "ledger.json"
    ledger = asdict(write_ledger(path, run_lemmas(), Run()))
    ledger["entries"][0]["sources"] = "0" * 64
    path.write_text(json.dumps(ledger), "utf8")
    assert _passed(path, seed=0) == ["lem-b"]
