"""``subquartic audit``: a well-formed ledger that was written by hand is found out."""

import json

import pytest

EDITS = {
    "a level that was not earned": (
        lambda entry: entry["records"][4].update(level="SYMBOLIC"),
        "records[4].level is SYMBOLIC in the ledger and EXHAUSTIVE when executed",
    ),
    "more cases": (
        lambda entry: entry["records"][0].update(cases=10**9),
        "records[0].cases is 1000000000 in",
    ),
    "a wider scope": (
        lambda entry: entry["records"][0].update(scope="everything"),
        "records[0].scope is everything in the ledger",
    ),
    "a claim fewer": (lambda entry: entry["records"].pop(), "when executed"),
    "another counterexample": (
        lambda entry: entry["controls"][0].update(counterexample="none was needed"),
        "controls[0].counterexample is none was needed in the ledger",
    ),
}


@pytest.fixture
def written(few, tmp_path):
    """A ledger of the few statements, and what the audit of it, edited or not, exits with and prints."""
    process = few("check", "--ledger", "l.json", "--jobs", "2", "--seed", "3")
    process.communicate(timeout=120)
    assert process.returncode == 0
    path = tmp_path / "l.json"

    def audit(*arguments, edit=lambda ledger: None):
        ledger = json.loads(path.read_text())
        edit(ledger)
        (tmp_path / "edited.json").write_text(json.dumps(ledger))
        process = few("audit", "edited.json", *arguments)
        output, told = process.communicate(timeout=120)
        assert "Traceback" not in told
        return process.returncode, output, told

    return audit


def test_a_ledger_is_confirmed_and_edits_are_found(written):
    assert written()[:2] == (0, "edited.json: 5 of 5 statements executed again, with the same results\n")
    for edit, line in EDITS.values():

        def one(ledger, edit=edit):
            entry = next(e for e in ledger["entries"] if e["id"] == "lem-keys-kernel")
            edit(entry)
            strongest = {}
            for record in entry["records"]:  # the level follows, so that the ledger is read
                best = strongest.get(record["claim"], record["level"])
                strongest[record["claim"]] = min(best, record["level"], key=LEVELS.index)
            entry["level"] = max(strongest.values(), key=LEVELS.index)

        status, output, told = written("keys-kernel", "--jobs", "1", edit=one)
        assert status == 1, told
        assert all(found.startswith("DIFFERS lem-keys-kernel: ") for found in output.splitlines())
        assert line in output
        # Other statements are as they were: an audit of these alone says so.
    status, output, _ = written("token-count", "--json", edit=one)
    assert status == 0
    assert json.loads(output) == {
        "level": "quick",
        "seed": 3,
        "audited": ["lem-token-count"],
        "differences": [],
    }


LEVELS = ("SYMBOLIC", "CERTIFIED", "EXHAUSTIVE", "SAMPLED", "CITED", "ASSUMED", "FAILED")


def test_ledgers_that_are_refused(written):
    def of_other_sources(ledger):
        next(e for e in ledger["entries"] if e["id"] == "lem-degree")["sources"] = "0" * 64

    status, output, told = written(edit=of_other_sources)
    assert (status, output) == (2, "")
    assert told == (
        "subquartic: The ledger is of other source files for lem-degree: "
        "it must be audited with the sources that it was written by.\n"
    )
    assert written("token-count", edit=of_other_sources)[0] == 0  # that one is of these
    assert written("nothing-such")[0] == 2
    assert written("--jobs", "2", "--scheduler", "tcp://127.0.0.1:1")[0] == 2


def test_other_versions_are_told(written):
    def older(ledger):
        ledger["versions"]["numpy"] = "1.0"

    status, _, told = written("token-count", edit=older)
    assert status == 0
    assert "the ledger was written with 1.0" in told
