"""``subquartic mutants``: what it prints, writes and refuses."""

from __future__ import annotations

import json


def test_one_statement_as_json(subquartic):
    result = subquartic("mutants", "split-and-list", "--each", "2", "--seed", "3", "--json")
    assert result.returncode == 0
    report = json.loads(result.stdout)
    assert report["seed"] == 3
    assert len(report["trials"]) == 2
    for trial in report["trials"]:
        assert trial["as_it_must"]
        assert trial["mutant"]["statements"] == ["lem-split-and-list"]


def test_a_survey_lists_what_nothing_noticed(subquartic):
    result = subquartic("mutants", "split-and-list", "--survey", "--each", "3", "--seed", "1")
    assert result.returncode == 0
    assert "lem-split-and-list" in result.stdout


def test_what_is_refused(subquartic, tmp_path):
    for arguments, message in (
        (("split-and-lst",), "No such lemma: split-and-lst. Did you mean lem-split-and-list?"),
        (("split-and-list", "--record", str(tmp_path / "m.json")), "--record goes with the whole catalogue"),
        (("--survey", "--record", str(tmp_path / "m.json")), "--record goes with the whole catalogue"),
        (("split-and-list", "--ledger", str(tmp_path / "none.json")), "There is no ledger"),
        (("--record", str(tmp_path)), "not a regular file"),
    ):
        result = subquartic("mutants", *arguments)
        assert result.returncode == 2
        assert message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "m.json").exists()
