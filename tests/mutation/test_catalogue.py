"""The catalogue of mutants fits the code, covers it, and every mutant is noticed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest

from checks.evidence.registry import registry
from checks.mutation.catalogue import catalogue, read_mutants, untouched
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


LISTS = """# a comment

[reductions.codes.gf_9] lem-one thm-two
formula Field.add: ` | b` -> ``: every other term is left out
index <module>: `a⏎    b` -> `b⏎    a`: the order: b, a
    equivalent: They do not depend on each other.
untouched Field.__str__: How fields are displayed.
[checks] lem-three
threshold f: `x -> y` -> `x: y`: it is `no` -> code
"""


def test_a_list_is_read(tmp_path):
    (tmp_path / "mutants.txt").write_text(LISTS, "utf8")
    module, statements = "reductions.codes.gf_9", ("lem-one", "thm-two")
    assert read_mutants(tmp_path / "mutants.txt") == (
        [
            Mutant(module, "Field.add", Part.FORMULA, " | b", "", "every other term is left out", statements),
            Mutant(
                module,
                "",
                Part.INDEX,
                "a\n    b",
                "b\n    a",
                "the order: b, a",
                statements,
                "They do not depend on each other.",
            ),
            Mutant("checks", "f", Part.THRESHOLD, "x -> y", "x: y", "it is `no` -> code", ("lem-three",)),
        ],
        {"reductions.codes.gf_9.Field.__str__": "How fields are displayed."},
    )


SECTION = "[reductions.codes] lem-one"
CHANGE = "formula f: `a` -> `b`: c"
UNTOUCHED = "untouched f: Why not."


@pytest.mark.parametrize(
    "lines",
    [
        [CHANGE],  # in no section
        [UNTOUCHED],
        ["[reductions.codes]"],
        ["[reductions.codes] lem-one,lem-two"],
        ["[reductions/codes.py] lem-one"],
        [SECTION, "formulas f: `a` -> `b`: c"],
        [SECTION, "formula f, g: `a` -> `b`: c"],
        [SECTION, "formula f: a -> b: c"],
        [SECTION, "formula f: `a` -> `b`"],
        [SECTION, "formula f: `a` -> `b`: "],
        [SECTION, "formula f: `` -> `b`: c"],
        [SECTION, "formula f: `a` => `b`: c"],
        [SECTION, "formula f: `a` -> `b`: c "],
        [SECTION, f" {CHANGE}"],
        [SECTION, "untouched f"],
        [SECTION, UNTOUCHED, UNTOUCHED],
        [SECTION, "    equivalent: Of what?"],
        [SECTION, CHANGE, UNTOUCHED, "    equivalent: Of what?"],
        [SECTION, CHANGE, "    equivalent: So it is.", "    equivalent: Once more."],
        [SECTION, CHANGE, "equivalent: So it is."],
    ],
    ids="; ".join,
)
def test_a_malformed_line_is_named(tmp_path, lines):
    path = tmp_path / "mutants.txt"
    path.write_text("\n".join(lines), "utf8")
    with pytest.raises(ValueError, match="malformed, out of place or repeated") as raised:
        read_mutants(path)
    (message,) = str(raised.value).splitlines()
    assert message.startswith(f"{path}:{len(lines)}: {lines[-1]!r} is ")


def test_lists_are_read_without_the_checks():
    script = """
import sys
from checks.mutation.catalogue import catalogue, read_mutants, untouched
assert catalogue() and untouched()
print(*(name for name in sys.modules if name.split(".")[0] in ("checks", "reductions")))
"""
    finished = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    imported = set(finished.stdout.split())
    below = [
        name
        for name in imported
        if name.split(".")[:2] not in (["checks", "mutation"], ["reductions", "system"])
    ]
    assert sorted(below) == ["checks", "reductions"]


def constructions(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield the module and the qualified name of every function of a construction."""
    for path in sorted(root.glob("reductions/*er_bound/**/*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for name, node in functions(ast.parse(path.read_text("utf8"))):
            if not isinstance(node, ast.ClassDef):
                yield module, name


def unnamed(mutants: Sequence[Mutant], left: Collection[str]) -> list[str]:
    """Return the functions of constructions that no mutant changes and that are not said to be left."""
    changed = {(mutant.module, mutant.function) for mutant in mutants if mutant.function}
    return [
        f"{module}.{function}"
        for module, function in constructions()
        if f"{module}.{function}" not in left
        # A function inside another one is changed with it.
        and not any(
            m == module and (f"{f}.".startswith(f"{function}.") or function.startswith(f"{f}."))
            for m, f in changed
        )
    ]


def test_every_function_of_a_construction_is_changed_or_the_reason_is_given():
    left = untouched()
    assert unnamed(MUTANTS, left) == []
    assert set(left) <= {f"{module}.{name}" for module, name in constructions()}


@pytest.mark.parametrize(
    ("module", "function"),
    [
        ("reductions.lower_bound.isolation", "capacity"),
        ("reductions.lower_bound.lower_bound", "total_exponent"),  # a folder's own file
        ("reductions.lower_bound.lower_bound.sizes", "inference_sizes"),  # a file in a folder
        ("reductions.upper_bound.decoder.layers", "AttentionBlock.norm"),
    ],
)
def test_a_function_without_mutant_is_named_wherever_it_lies(module, function):
    rest = [mutant for mutant in MUTANTS if (mutant.module, mutant.function) != (module, function)]
    assert len(rest) < len(MUTANTS)
    assert unnamed(rest, untouched()) == [f"{module}.{function}"]


def test_every_checked_statement_is_asked_and_every_part_is_changed():
    asked = {id for mutant in MUTANTS for id in mutant.statements}
    checked = {entry.id for entry in registry().values() if entry.check is not None}
    assert checked - asked == set()
    assert {mutant.part for mutant in MUTANTS} == set(Part)


@pytest.mark.slow
def test_every_mutant_is_noticed_and_no_equivalent_one():
    trials = run_mutants(MUTANTS, jobs=2)
    assert [(str(t.mutant), t.noticed) for t in trials if not t.as_it_must] == []
