"""The check of ``lem-split-and-list``: products count falsified clauses, witnesses map both ways, sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import numpy as np

from checks.evidence import Evidence, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from reductions.lower_bound.split_and_list import SplitAndList, SplitAndListReduced, falsified_clauses, halves
from reductions.problems.cnf import CNF, Clause, Model, random_k_sat
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.reduction import size

PRODUCTS = "<a_i, b_j> is the number of clauses that the joined assignment falsifies"
DECIDES = "the formula is satisfiable iff an orthogonal pair exists"
WITNESSES = "satisfying assignments map to orthogonal pairs, and every orthogonal pair maps back to one"
SIZES = "N = 2^⌈v/2⌉ and m is the number of clauses"

Construction = Callable[[CNF], SplitAndListReduced]


def literal_sequences(variables: int, longest: int) -> tuple[Clause, ...]:
    """All clauses of at most ``longest`` literals, the empty one, repetitions and opposites included."""
    literals = [sign * i for i in range(1, variables + 1) for sign in (1, -1)]
    lengths = range(longest + 1 if literals else 1)
    return tuple(chain.from_iterable(product(literals, repeat=length) for length in lengths))


@dataclass(frozen=True)
class FormulaSpace:
    """All sequences of at most ``most`` clauses, each a sequence of at most ``longest`` literals."""

    variables: int
    longest: int
    most: int

    def __iter__(self) -> Iterator[CNF]:
        clauses = literal_sequences(self.variables, self.longest)
        for count in range(self.most + 1):
            for chosen in product(clauses, repeat=count):
                yield CNF(self.variables, chosen)

    @property
    def size(self) -> int:
        """How many there are, by the formula Σ_k (Σ_l (2v)^l)^k."""
        clauses = sum((2 * self.variables) ** length for length in range(self.longest + 1))
        return sum(int(clauses) ** count for count in range(self.most + 1))

    def __str__(self) -> str:
        return f"v = {self.variables}, m <= {self.most}, clauses of at most {self.longest} literals"


def joined(i: int, j: int, variables: int) -> Model:
    """The assignment of the pair (i, j), decoded here on its own: x_1 is the lowest bit of i."""
    first = (variables + 1) // 2
    digits = f"{i:0{first}b}"[::-1][:first] if first else ""
    second = variables - first
    digits += f"{j:0{max(second, 1)}b}"[::-1][:second]
    return tuple(digit == "1" for digit in digits)


def falsified(formula: CNF, model: Model) -> int:
    """Count the clauses without a true literal."""
    return sum(not any(model[abs(x) - 1] is (x > 0) for x in clause) for clause in formula.clauses)


def counts_falsified(construction: Construction) -> Callable[[CNF], bool]:
    """The predicate of PRODUCTS: every entry of the product matrix against a count."""

    def holds(formula: CNF) -> bool:
        target = construction(formula).target
        products = target.left.astype(int) @ target.right.astype(int).T
        return all(
            int(value) == falsified(formula, joined(i, j, formula.variables))
            for (i, j), value in np.ndenumerate(products)
        )

    return holds


def decides(construction: Construction) -> Callable[[CNF], bool]:
    """The predicate of DECIDES, satisfiability by trying every assignment."""

    def holds(formula: CNF) -> bool:
        satisfiable = any(formula.verify(model) for model in assignments(formula.variables))
        return satisfiable == (construction(formula).target.solve_brute_force() is not None)

    return holds


def maps_witnesses(construction: Construction) -> Callable[[CNF], bool]:
    """Tell whether all satisfying assignments and all orthogonal pairs lead to one another."""

    def holds(formula: CNF) -> bool:
        reduced = construction(formula)
        models = [model for model in assignments(formula.variables) if formula.verify(model)]
        forward = [reduced.map_witness(model) for model in models]
        if not all(reduced.target.verify(pair) for pair in forward):
            return False
        back = [reduced.extract_solution(pair) for pair in reduced.target.orthogonal_pairs()]
        return set(back) == set(models) and [reduced.extract_solution(pair) for pair in forward] == models

    return holds


def has_stated_sizes(formula: CNF) -> bool:
    """The parameter map, at the sizes of ``formula``, gives the sizes of what is built."""
    sizes = {size(name): value for name, value in formula.sizes.items()}
    mapped = {name: e.subs(sizes) for name, e in SplitAndList().parameter_map().items()}
    return bool(mapped == SplitAndList().map_instance(formula).target.sizes)


def assignments(variables: int) -> Iterable[Model]:
    """All assignments."""
    return product((False, True), repeat=variables)


def build(formula: CNF) -> SplitAndListReduced:
    """The construction of the lemma."""
    return SplitAndList().map_instance(formula)


def draw_formula(generator: np.random.Generator) -> CNF:
    """A random 3-CNF near the satisfiability threshold, of about 4.3 clauses a variable."""
    variables = int(generator.integers(3, 9))
    return random_k_sat(variables, round(4.3 * variables), 3, generator)


def size_identities() -> dict[str, Any]:
    """N for even and for odd v, and N² against 2^v, for every v."""
    import sympy

    k = sympy.Symbol("k", integer=True, nonnegative=True)
    vectors, v = SplitAndList().parameter_map()["N"], size("v")
    even, odd = vectors.subs(v, 2 * k), vectors.subs(v, 2 * k + 1)
    return {
        "v = 2k: N = 2^k": even - 2**k,
        "v = 2k + 1: N = 2^(k + 1)": odd - 2 ** (k + 1),
        "v = 2k: N² = 2^v": even**2 - 2 ** (2 * k),
        "v = 2k + 1: N² = 2·2^v": odd**2 - 2 * 2 ** (2 * k + 1),
    }


@lemma(
    "lem-split-and-list",
    title="Split and list",
    statement_uses=("def-cnf", "def-ov"),
    source="Wil05",
)
def split_and_list(run: Run) -> Iterator[Evidence]:
    """Exhaustive over small formulas, sampled over random 3-CNFs, symbolic for the sizes."""
    spaces = [
        FormulaSpace(0, 0, 3),
        FormulaSpace(1, 3, 2),
        FormulaSpace(2, 2, 2),
        FormulaSpace(3, run.pick(1, 2), 2),
        FormulaSpace(4, 2, 1),
        FormulaSpace(5, run.pick(1, 2), 1),
    ]
    if run.pick(quick=False, full=True):
        spaces.append(FormulaSpace(2, 2, 3))
    formulas = [formula for space in spaces for formula in space]
    count = sum(space.size for space in spaces)
    listed = ", ".join(f"({space.variables}; {space.most}; {space.longest})" for space in spaces)
    scope = f"all formulas with (v; at most m clauses; at most k literals a clause) in {listed}"
    draws = run.pick(quick=100, full=2000)
    random_scope = "random 3-CNFs with 3 <= v <= 8 and 4.3 v clauses"
    for claim, predicate in ((PRODUCTS, counts_falsified), (DECIDES, decides), (WITNESSES, maps_witnesses)):
        yield exhaustive(claim, scope, formulas, count, predicate(build))
        yield sampled(claim, random_scope, run.seed, draws, draw_formula, predicate(build))
    yield symbolic(SIZES, "the stated N, for every v", size_identities())
    shapes = [CNF(v, ((),) * m) for v in range(13) for m in range(4)]
    yield exhaustive(SIZES, "built instances, v <= 12 and m <= 3", shapes, 13 * 4, has_stated_sizes)


SMALL = FormulaSpace(2, 2, 2)
SMALL_ODD = FormulaSpace(3, 1, 2)


def _rejected(predicate: Callable[[CNF], bool], space: FormulaSpace, claim: str = DECIDES) -> Evidence:
    return exhaustive(claim, f"all formulas with {space}", space, space.size, predicate)


@split_and_list.control("satisfied clauses are kept instead of falsified ones")
def satisfied_clauses(run: Run) -> Evidence:
    """The product then counts clauses that both halves satisfy, which no assignment need avoid."""

    def complement(formula: CNF) -> SplitAndListReduced:
        target = build(formula).target
        return SplitAndListReduced(formula, OrthogonalVectors(1 - target.left, 1 - target.right))

    return _rejected(decides(complement), SMALL)


@split_and_list.control("clauses whose variables lie in one half are dropped")
def unsplit_clauses(run: Run) -> Evidence:
    """The clauses (1) and (-1) contradict each other, and both are in the first half."""

    def drop(formula: CNF) -> SplitAndListReduced:
        first = set(halves(formula.variables)[0])
        kept = [c for c in formula.clauses if len({abs(x) in first for x in c}) != 1]
        return SplitAndListReduced(formula, build(CNF(formula.variables, tuple(kept))).target)

    return _rejected(decides(drop), SMALL)


@split_and_list.control("empty clauses get the coordinate 0")
def empty_clauses(run: Run) -> Evidence:
    """An empty clause is falsified by both halves; as 0 it would be satisfied."""

    def clear(formula: CNF) -> SplitAndListReduced:
        nonempty = np.array([bool(clause) for clause in formula.clauses], dtype=np.uint8)
        target = build(formula).target
        return SplitAndListReduced(
            formula, OrthogonalVectors(target.left * nonempty, target.right * nonempty)
        )

    return _rejected(decides(clear), SMALL)


@split_and_list.control("odd v: the padding bit sets the middle variable a second time")
def padding_bit(run: Run) -> Evidence:
    """The halves may then set it to both values, and satisfy x and not-x with one each."""

    def overlap(formula: CNF) -> SplitAndListReduced:
        first, second = halves(formula.variables)
        middle = range(first.stop - 1, second.stop) if len(second) < len(first) else second
        left, right = (falsified_clauses(formula, half, 1 << len(first)) for half in (first, middle))
        return SplitAndListReduced(formula, OrthogonalVectors(left, right))

    return _rejected(decides(overlap), SMALL_ODD)


@split_and_list.control("indices are read with the highest bit first")
def reversed_bits(run: Run) -> Evidence:
    """Extraction then sets the variables of a half in the wrong order."""

    class Reversed(SplitAndListReduced):
        def extract_solution(self, solution: Any) -> Model | None:
            model = super().extract_solution(solution)
            first = len(halves(self.source.variables)[0])
            return model and model[:first][::-1] + model[first:][::-1]

    def reverse(formula: CNF) -> SplitAndListReduced:
        return Reversed(formula, build(formula).target)

    return _rejected(maps_witnesses(reverse), SMALL_ODD, WITNESSES)
