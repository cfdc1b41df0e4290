"""The registry: what may be registered, and that the real one is sound."""

from __future__ import annotations

import subprocess
import sys

import pytest

from checks.evidence import exhaustive
from checks.evidence.registry import (
    Effort,
    Kind,
    Run,
    declare,
    lemma,
    registered,
    registering_modules,
    registry,
)


def check(run):
    yield exhaustive("c", "s", [1], 1, lambda n: True)


def test_the_real_registry_is_sound():
    entries = registry()
    assert entries
    for id, entry in entries.items():
        assert entry.id == id
        assert entry.title
        if entry.kind in (Kind.LEMMA, Kind.THEOREM):
            assert entry.check is not None
            assert entry.controls, f"{id} has no negative control"
        if entry.kind in (Kind.CITED, Kind.ASSUMED):
            assert entry.source, f"{id} names no source"


def test_every_source_is_in_the_bibliography():
    from pathlib import Path

    bibliography = (Path(__file__).parents[2] / "book/references.bib").read_text("utf8")
    for entry in registry().values():
        for key in entry.source.replace(",", " ").split():
            assert f"{{{key}," in bibliography, f"{entry.id} cites {key}"


def test_an_id_is_registered_once(empty_registry):
    declare("def-a", kind=Kind.DEFINITION, title="A")
    with pytest.raises(ValueError, match="def-a is registered twice"):
        declare("def-a", kind=Kind.DEFINITION, title="A")


@pytest.mark.parametrize(
    ("id", "kind"), [("lem-a", Kind.DEFINITION), ("a", Kind.REMARK), ("def-a", Kind.CITED)]
)
def test_an_id_begins_with_its_kind(empty_registry, id, kind):
    with pytest.raises(ValueError, match="must start with"):
        declare(id, kind=kind, title="A")


def test_uses_must_be_registered(empty_registry):
    lemma("lem-a", title="A", proof_uses=("lem-b",))(check)
    with pytest.raises(ValueError, match="lem-a uses lem-b, which is not registered"):
        registry()


def test_uses_must_not_form_a_cycle(empty_registry):
    lemma("lem-a", title="A", proof_uses=("lem-b",))(check)
    lemma("lem-b", title="B", statement_uses=("lem-a",))(check)
    with pytest.raises(ValueError, match="cycle: lem-"):
        registry()


def test_a_control_is_named_once(empty_registry):
    entry = lemma("lem-a", title="A")(check)
    entry.control("wrong sign")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))
    with pytest.raises(ValueError, match="already has a control named 'wrong sign'"):
        entry.control("wrong sign")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))


def test_modules_are_found_without_importing_them():
    """What is read off the texts is what the modules register, in the same order."""
    entries = registry()
    found = registering_modules()
    assert list(found) == list(entries)
    assert {id: found[id] for id, entry in entries.items() if entry.check} == {
        id: entry.module for id, entry in entries.items() if entry.check
    }


def test_one_statement_takes_one_module():
    program = (
        "import sys; from checks.evidence.registry import *; registered('lem-isolation')\n"
        "print(*(name for name in sys.modules if set(name.split('.')) & {'lower_bound', 'upper_bound'}))\n"
        "print(*registry())"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded, ids = finished.stdout.splitlines()
    assert sorted(loaded.split()) == [
        f"{package}.lower_bound{room}" for package in ("checks", "reductions") for room in ("", ".isolation")
    ]
    assert ids.split() == list(registry())  # in the same order, whichever was imported first
    with pytest.raises(KeyError):
        registered("lem-none")


def test_uses_are_named_once(empty_registry):
    entry = lemma("lem-a", title="A", statement_uses=("def-x",), proof_uses=("def-x", "lem-b"))(check)
    assert entry.uses == ("def-x", "lem-b")


def test_a_run_picks_by_its_effort():
    assert Run().pick(quick=1, full=2) == 1
    assert Run(Effort.FULL).pick(quick=1, full=2) == 2
