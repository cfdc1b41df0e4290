"""The published JSON Schema of the ledger, against an independent validator."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict

import pytest
from jsonschema import Draft202012Validator

from checks.evidence import Level, exhaustive, sampled
from checks.evidence.registry import Kind, Run, declare, lemma, registry
from checks.evidence.runner import run_lemmas
from checks.ledger.build import build_ledger
from checks.ledger.decode import decode_ledger
from checks.ledger.files import write_ledger
from checks.ledger.json_schema import ledger_json_schema

CLAIM, DEFINITION = 2, 1  # places among the entries below


@pytest.fixture
def ledger(empty_registry, tmp_path):
    """A real ledger, as plain data, with every kind of entry."""
    declare("def-h", kind=Kind.ASSUMED, title="H", source="IPZ01")
    declare(
        "def-d",
        kind=Kind.DEFINITION,
        title="D",
        statement_uses=("def-h",),
        construction="reductions.problem",
    )

    @lemma("lem-a", title="A", statement_uses=("def-d",), proof_uses=("thm-c",))
    def check(run):
        yield exhaustive("c", "s", [1], 1, lambda n: True)
        yield sampled("d", "s", run.seed, 3, lambda g: 0, lambda n: True)

    check.control("broken")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))
    declare("thm-c", kind=Kind.CITED, title="C", source="CIP06")
    declare("rem-r", kind=Kind.REMARK, title="R")
    write_ledger(tmp_path / "ledger.json", run_lemmas(), Run())
    return json.loads((tmp_path / "ledger.json").read_text("utf8"))


@pytest.fixture(scope="module")
def validator():
    return Draft202012Validator(ledger_json_schema())


def objects(schema):
    """Yield the schemas of objects with named properties, at any depth."""
    if isinstance(schema, dict):
        if "required" in schema:
            yield schema
        for part in schema.values():
            yield from objects(part)


def test_the_schema_is_one():
    schema = ledger_json_schema()
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


def test_every_field_is_described():
    found = list(objects(ledger_json_schema()))
    assert len(found) == 6
    for schema in found:
        assert set(schema["required"]) == set(schema["properties"])
        assert len(schema["description"]) > 10
        for name, field in schema["properties"].items():
            assert len(field["description"]) > 10, name
            assert "None" not in field["description"], name


def test_the_enumerations_are_the_codes():
    schema = ledger_json_schema()["$defs"]
    assert schema["Level"]["enum"] == [level.value for level in Level]
    assert schema["Kind"]["enum"] == [kind.value for kind in Kind]
    assert schema["Effort"]["enum"] == ["quick", "full"]


def test_a_real_ledger_fits(ledger, validator):
    validator.validate(ledger)
    decode_ledger(ledger)
    assert ledger["entries"][CLAIM]["id"] == "lem-a"
    assert ledger["entries"][CLAIM]["weakest_ancestor"] == {"id": "thm-c", "level": "CITED"}


def test_the_registered_statements_fit(validator, tmp_path):
    """Declared statements of the book and two that are executed; the others as their checks left them."""
    executed = ["def-ov", "lem-split-and-list", "lem-logit-invariance"]
    reports = run_lemmas(executed)
    chosen = {id: registry()[id] for id in executed}
    needed = {used for entry in chosen.values() for used in entry.uses} - set(chosen)
    while needed:
        chosen |= {id: registry()[id] for id in needed}
        needed = {used for entry in chosen.values() for used in entry.uses} - set(chosen)
    reports += run_lemmas([id for id in chosen if id not in executed])
    built = json.loads(json.dumps(asdict(build_ledger(reports, Run(), chosen))))
    validator.validate(built)


ONLY_DECODED = ("has no entry", "stands there twice", "does not follow")
BAD = (
    None,
    "x",
    "",
    -1,
    -1.0,
    0.5,
    True,
    [],
    {},
    [None],
    ["x", 1],
    {"x": 1},
    [{}],
    10**30,
    10**400,
    0,
    1,
    1.0,
)


def places(data, path=()):
    """Yield the path of every value of plain data."""
    if path:
        yield path
    if isinstance(data, dict | list):
        for key in data if isinstance(data, dict) else range(len(data)):
            yield from places(data[key], (*path, key))


def parent_of(data, path):
    for key in path[:-1]:
        data = data[key]
    return data


def verdicts(validator, data):
    try:
        decode_ledger(data)
    except ValueError as error:
        return validator.is_valid(data), str(error)
    return validator.is_valid(data), None


def test_both_refuse_the_same_values(ledger, validator):
    """Every value of a ledger, replaced by eighteen others."""
    agreed = refused = 0
    for path in places(ledger):
        for value in BAD:
            damaged = copy.deepcopy(ledger)
            parent_of(damaged, path)[path[-1]] = value
            fits, error = verdicts(validator, damaged)
            assert "\n" not in (error or "")
            if error is not None and any(words in error for words in ONLY_DECODED):
                continue  # what no schema can say
            assert fits == (error is None), (path, value, error)
            agreed, refused = agreed + 1, refused + (error is not None)
    assert agreed > 1000
    assert refused > 500


def test_both_refuse_missing_and_further_fields(ledger, validator):
    count = 0
    for path in places(ledger):
        owner = parent_of(ledger, path)
        if not isinstance(owner, dict) or path[0] == "versions":
            continue
        missing, further = copy.deepcopy(ledger), copy.deepcopy(ledger)
        if path != ("versions",):
            del parent_of(missing, path)[path[-1]]
            fits, error = verdicts(validator, missing)
            assert not fits
            assert "is missing" in error or path == ("schema",)
        parent_of(further, path)["more"] = 1
        fits, error = verdicts(validator, further)
        assert not fits
        assert "more is not a field" in error
        count += 1
    assert count > 60


@pytest.mark.parametrize(
    ("index", "field", "value"),
    [
        (CLAIM, "level", "PROVED"),
        (CLAIM, "level", "definition"),
        (CLAIM, "level", "lemma"),
        (DEFINITION, "level", "remark"),
        (CLAIM, "kind", "proposition"),
        (CLAIM, "seconds", -0.1),
    ],
)
def test_both_refuse_what_the_code_never_writes(ledger, validator, index, field, value):
    ledger["entries"][index][field] = value
    fits, error = verdicts(validator, ledger)
    assert not fits
    assert error is not None
    assert field in error


@pytest.mark.parametrize(
    ("place", "field", "value"),
    [
        (0, "cases", 0),
        (0, "seed", 0),
        (0, "level", "ASSUMED"),
        (0, "level", "CITED"),
        (0, "level", "FAILED"),
        (0, "counterexample", "case 1: 1"),
        (1, "seed", None),
    ],
)
def test_both_refuse_a_record_that_no_check_earns(ledger, validator, place, field, value):
    ledger["entries"][CLAIM]["records"][place][field] = value
    fits, error = verdicts(validator, ledger)
    assert not fits
    assert f"entries[{CLAIM}].records[{place}]" in error


@pytest.mark.parametrize(
    ("index", "field", "value"),
    [
        (CLAIM, "level", "SYMBOLIC"),
        (CLAIM, "level", "EXHAUSTIVE"),  # the stronger of its two claims
        (CLAIM, "failures", ["the check yielded no evidence"]),
        (CLAIM, "records", []),
        (CLAIM, "controls", []),
        (CLAIM, "weakest_ancestor", None),
        (CLAIM, "weakest_ancestor", {"id": "thm-c", "level": "SYMBOLIC"}),
        (CLAIM, "cited", []),
        (CLAIM, "assumed", []),
        (0, "level", "SYMBOLIC"),
    ],
)
def test_only_the_decoder_draws_conclusions(ledger, validator, index, field, value):
    ledger["entries"][index][field] = value
    fits, error = verdicts(validator, ledger)
    assert fits
    assert "does not follow from the records" in error


def test_only_the_decoder_follows_references(ledger, validator):
    ledger["entries"][CLAIM]["statement_uses"] = ["def-none"]
    assert verdicts(validator, ledger) == (
        True,
        f"entries[{CLAIM}] (lem-a) refers to def-none, which has no entry.",
    )
