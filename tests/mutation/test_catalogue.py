"""The catalogue of mutants fits the code, covers it, and every mutant is noticed."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.evidence.registry import registry
from checks.mutation.catalogue import catalogue, untouched
from checks.mutation.mutant import Mutant, Part
from checks.mutation.source import functions, mutated_source
from checks.mutation.trial import run_mutants

ROOT = Path(__file__).parents[2]
MUTANTS = catalogue()


@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=lambda m: f"{m.module.rpartition('.')[2]}.{m.function}-{m.part}"
)
def test_a_mutant_fits_the_code(mutant: Mutant):
    mutated_source(mutant)
    assert mutant.meaning
    assert mutant.statements
    assert mutant.equivalent is None or len(mutant.equivalent.split()) >= 5


def test_no_mutant_is_declared_twice():
    counts = Counter((mutant.module, mutated_source(mutant)[0]) for mutant in MUTANTS)
    assert [change for change, count in counts.items() if count > 1] == []


def constructions(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield the module and the qualified name of every function of a construction."""
    rooms = [*root.glob("reductions/*er_bound/*.py"), *root.glob("reductions/*er_bound/*/__init__.py")]
    for path in sorted(rooms):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for name, node in functions(ast.parse(path.read_text("utf8"))):
            if not isinstance(node, ast.ClassDef):
                yield module, name


def test_every_function_of_a_construction_is_changed_or_the_reason_is_given():
    changed = {(mutant.module, mutant.function) for mutant in MUTANTS}
    left = untouched()
    names = {f"{module}.{name}": (module, name) for module, name in constructions()}
    missing = [
        name
        for name, (module, function) in names.items()
        if name not in left
        # A function inside another one is changed with it.
        and not any(m == module and (f == function or function.startswith(f"{f}.")) for m, f in changed if f)
        and not any(m == module and f.startswith(f"{function}.") for m, f in changed)
    ]
    assert missing == []
    assert sorted(set(left) - set(names)) == []
    assert all(reason for reason in left.values())


def test_every_checked_statement_is_asked_and_every_part_is_changed():
    asked = {id for mutant in MUTANTS for id in mutant.statements}
    checked = {entry.id for entry in registry().values() if entry.check is not None}
    assert checked - asked == set()
    assert {mutant.part for mutant in MUTANTS} == set(Part)


@pytest.mark.slow
def test_every_mutant_is_noticed_and_no_equivalent_one():
    trials = run_mutants(MUTANTS, jobs=2)
    assert [(str(t.mutant), t.noticed) for t in trials if not t.as_it_must] == []
