"""Check of lem-sat-to-ov-exponents: what savings for OV and for VAR inference mean for SAT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.lower_bound.sparsification import small_formulas
from reductions.lower_bound.sat_to_ov_exponents import (
    Constants,
    Target,
    largest_overhead,
    overhead,
    sat_exponent,
)
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.sparsification import illustrative_density, sparsify
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.cnf import CNF, random_k_sat
from reductions.reduction import size

SIZES = "the sizes that are built: N = 2^ceil(v/2), n = 2^ceil(v/4), d = m + 1"
TIMES = "(1), (2) the time of one call, with the exact constant"
DISJUNCTION = "(3) a formula is satisfiable iff the vectors of one sparse formula have an orthogonal pair"
TOTAL = "(3), (4) the time of all calls, and the saving that is left"
DIMENSION = "(3), (4) C v clauses are at most 2C log2 N, and at most 4C log2 n"

SAVINGS = tuple(Fraction(n, 10) for n in range(1, 11))


def size_identities() -> dict[str, Any]:
    """Log2 of the sizes in the parameter maps, by the remainder of v: v = 2w + j and v = 4w + j, j >= 1."""
    import sympy

    w = sympy.Symbol("w", integer=True, nonnegative=True)
    return {
        f"{target.size} for v = {target.exponent}w + {j}": target.built_size().subs(
            size("v"), target.exponent * w + j
        )
        - 2 ** (w + 1)
        for target in Target
        for j in range(1, target.exponent + 1)
    }


def time_identities() -> dict[str, Any]:
    """The overhead by the remainder of v: (exponent - q)(1 - j/exponent), largest at j = 1."""
    import sympy

    w = sympy.Symbol("w", integer=True, nonnegative=True)
    q = sympy.Symbol("q", positive=True)
    identities = {}
    for target in Target:
        e = target.exponent
        for j in range(1, e + 1):
            time = (e - q) * (w + 1)
            over = time - sat_exponent(target, q) * (e * w + j)
            identities[f"{target.size}, remainder {j}"] = over - (e - q) * (1 - sympy.Rational(j, e))
    return identities


def total_identities() -> dict[str, Any]:
    """2^(delta v) calls; with epsilon = delta = share * q / 2 exactly the excluded time is left."""
    import sympy

    q, delta = sympy.symbols("q delta", positive=True)
    identities = {}
    for target in Target:
        part = sympy.Rational(target.share.numerator, 2 * target.share.denominator) * q
        one_call, all_calls = sat_exponent(target, q), sat_exponent(target, q, delta)
        identities[f"{target.size}: calls multiply"] = all_calls - one_call - delta
        identities[f"{target.size}: what is left"] = all_calls.subs(delta, part) - (1 - part)
    same = sat_exponent(Target.VAR, q) - sat_exponent(Target.OV, q / 2)
    identities["VAR: a saving of q in n is one of q/2 in N = n^2"] = same
    return identities


def constants_fit(case: tuple[Target, Fraction]) -> bool:
    """The constants are those of the proof, and the exponent after sparsification is 1 - epsilon."""
    target, saving = case
    constants = Constants(target, saving)
    left = 1 - target.share * saving + constants.delta
    part, times = (Fraction(1, 4), 2) if target is Target.OV else (Fraction(1, 8), 4)
    stated = constants.epsilon == constants.delta == part * saving > 0
    return stated and left == 1 - constants.epsilon < 1 and constants.dimension(Fraction(1)) == times


def time_is_right(case: tuple[Target, int, Fraction]) -> bool:
    """The overhead lies between 0 and the largest, which v = 1 attains."""
    target, variables, saving = case
    largest = largest_overhead(target, saving)
    at_one = variables % target.exponent == 1
    over = overhead(target, variables, saving)
    return 0 <= over <= largest and (over == largest) == at_one


def dimension_fits(
    case: tuple[Target, int, Fraction], constant: Callable[[Target, Fraction], Fraction]
) -> bool:
    """Floor(C v) clauses are at most c log2 of the size that is built."""
    target, variables, density = case
    clauses = (density * variables).__floor__()
    return clauses <= constant(target, density) * target.log_size(variables)


def proof_constant(target: Target, density: Fraction) -> Fraction:
    """Return the c of the proof; it does not depend on the saving."""
    return Constants(target, Fraction(1)).dimension(density)


def has_stated_sizes(formula: CNF) -> bool:
    """Build both targets and compare their sizes with the logarithms that the times are computed from."""
    variables, clauses = formula.variables, len(formula.clauses)
    vectors = SplitAndList().map_instance(formula).target
    model = SatToVarInference().map_instance(formula).target.model
    shape = (2 ** Target.VAR.log_size(variables),) * 2
    layer = model.layers[-1]
    return (
        vectors.left.shape == (2 ** Target.OV.log_size(variables), clauses)
        and model.schedule[-1] == shape
        and getattr(layer, "dimension", None) == clauses + 1
    )


def draw_formula(generator: np.random.Generator) -> CNF:
    """Draw a 3-CNF with 5 to 9 variables, about half of them satisfiable."""
    variables = int(generator.integers(5, 10))
    return random_k_sat(variables, int(generator.integers(3, 8 * variables)), 3, generator)


def disjunction_decides(formula: CNF, thresholds: tuple[int, int]) -> bool:
    """Sparsify, list, look for orthogonal pairs; compare with trying all assignments."""
    models = []
    for leaf in sparsify(formula, thresholds):
        reduced = SplitAndList().map_instance(leaf)
        models.append(reduced.extract_solution(reduced.target.solve_brute_force()))
    found = [model for model in models if model is not None]
    return all(map(formula.verify, found)) and bool(found) == (formula.solve_brute_force() is not None)


@lemma(
    "lem-sat-to-ov-exponents",
    title="What savings mean for SAT",
    statement_uses=(
        "def-seth",
        "def-ov",
        "def-avar",
        "lem-split-and-list",
        "lem-sat-to-var-inference",
        "lem-sparsification",
    ),
    source="Wil05",
)
def sat_to_ov_exponents(run: Run) -> Iterator[Evidence]:
    """The sizes from the parameter maps, the times and constants by algebra and exactly for many v."""
    yield symbolic(SIZES, "every v >= 1, from the parameter maps", size_identities())
    shapes = [CNF(v, ((),) * m) for v in range(1, 11) for m in range(1, 4)]
    yield exhaustive(SIZES, "built instances, v = 1, ..., 10 and m = 1, 2, 3", shapes, 30, has_stated_sizes)
    yield symbolic(TIMES, "every v >= 1 and every saving", time_identities())
    most = run.pick(quick=200, full=2000)
    yield exhaustive(
        TIMES,
        f"v = 1, ..., {most}, q = 1/10, ..., 1, both problems",
        product(Target, range(1, most + 1), SAVINGS),
        2 * most * len(SAVINGS),
        time_is_right,
    )
    yield symbolic(TOTAL, "every saving and every delta", total_identities())
    words = "q = 1/10, ..., 1, both problems"
    yield exhaustive(TOTAL, words, product(Target, SAVINGS), 2 * len(SAVINGS), constants_fit)
    densities = (Fraction(1, 3), Fraction(1), Fraction(7, 2), Fraction(10**6))
    yield exhaustive(
        DIMENSION,
        f"v = 1, ..., {most}, C = 1/3, 1, 7/2, 10^6, both problems",
        product(Target, range(1, most + 1), densities),
        2 * most * len(densities),
        lambda case: dimension_fits(case, proof_constant),
    )
    clauses, count = run.pick(quick=(2, 379), full=(3, 3_304))
    yield exhaustive(
        DISJUNCTION,
        f"all {count:,} sets of at most {clauses} clauses on three variables",
        small_formulas(clauses),
        count,
        partial(disjunction_decides, thresholds=(2, 2)),
    )
    draws = run.pick(quick=40, full=500)
    words = "random 3-CNFs with 5 to 9 variables, leaves with at most 7 occurrences of a literal"
    yield sampled(
        DISJUNCTION, words, run.seed, draws, draw_formula, partial(disjunction_decides, thresholds=(3, 6))
    )


@sat_to_ov_exponents.control("the constant factor 1 is promised for odd v too")
def no_constant(run: Run) -> Evidence:
    """An odd v is rounded up, which costs the factor 2^(1 - q/2)."""
    return exhaustive(
        TIMES,
        "OV, v = 1, ..., 10, q = 1/10",
        range(1, 11),
        10,
        lambda variables: overhead(Target.OV, variables, Fraction(1, 10)) <= 0,
    )


@sat_to_ov_exponents.control("variables are split into one third and two thirds")
def unequal_halves(run: Run) -> Evidence:
    """Then N is about 2^(2v/3), and time N^(2-q) more than 2^v."""
    saving = Fraction(1, 10)
    return exhaustive(
        TIMES,
        "v = 3, 6, ..., 60, q = 1/10",
        range(3, 61, 3),
        20,
        lambda v: (2 - saving) * (2 * v // 3) - (1 - saving / 2) * v <= largest_overhead(Target.OV, saving),
    )


@sat_to_ov_exponents.control("one row of the map holds the vectors: n = N")
def one_row(run: Run) -> Evidence:
    """Time n^(4-q) is then about 2^((2 - q/2) v)."""
    saving = Fraction(1, 10)
    return exhaustive(
        TIMES,
        "v = 4, 8, ..., 80, q = 1/10",
        range(4, 81, 4),
        20,
        lambda v: (
            (4 - saving) * Target.OV.log_size(v) - (1 - saving / 4) * v
            <= largest_overhead(Target.VAR, saving)
        ),
    )


@sat_to_ov_exponents.control("delta = q/2: sparsification eats the saving")
def whole_saving(run: Run) -> Evidence:
    """There are 2^(q v / 2) formulas, and each saves that factor."""
    return certified(
        TOTAL,
        "OV, q = 1/10, ..., 1",
        ((f"q = {q}", 1 - q / 2 + q / 2, "<", 1) for q in SAVINGS),
    )


@sat_to_ov_exponents.control("c = C in place of 2C")
def half_dimension(run: Run) -> Evidence:
    """C v clauses are more than C log2 N, since log2 N is about v/2."""
    cases = [(Target.OV, variables, Fraction(10)) for variables in range(1, 21)]
    return exhaustive(
        DIMENSION,
        "OV, v = 1, ..., 20, C = 10",
        cases,
        20,
        lambda case: dimension_fits(case, lambda target, density: density),
    )


@sat_to_ov_exponents.control("c is chosen before the width k")
def quantifiers_exchanged(run: Run) -> Evidence:
    """The c that serves k = 3 does not serve k = 4: with C of the order (k/delta)^(3k) it is too small."""
    delta = Constants(Target.OV, Fraction(1)).delta
    chosen = proof_constant(Target.OV, illustrative_density(3, delta))
    return exhaustive(
        DIMENSION,
        "OV, q = 1, k = 3, ..., 6, c from k = 3",
        range(3, 7),
        4,
        lambda k: proof_constant(Target.OV, illustrative_density(k, delta)) <= chosen,
    )
