"""The check of ``lem-gap-max-ip-to-attention``: output bounds, the error they tolerate, sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.evidence import Claims, Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.lower_bound.gap_max_ip_to_attention.extremal_attention import (
    ROUNDING,
    Build,
    ExtremalInstance,
    bound_claims,
    build_attention,
    extremal_no,
    extremal_yes,
    interval_output,
    tightness_claims,
)
from reductions.layers.arrays import Floats
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPReduced, GapMaxIPToAttention
from reductions.problem import Answer
from reductions.problems.attention import AttentionInstance, ReferenceKeyAttention
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.reduction import size

BOUNDS = "YES rows output at least 4N/(4N+1) >= 4/5 and NO rows at most 1/5"
TIGHT = "both bounds are tight"
BUDGET = "any additive error below 3/10 leaves every decision right"
SHARP = "an additive error of 3/10 can mislead"
MAPS = "witnesses map forward and approximate outputs map back"
READ = "outputs are refused that are not within 3/10 of any mean of zeros and ones"
FORMULAS = "the stated logits, entry bound R and logit bound b"
SIZES = "the parameter map gives the sizes that are built"

WITHIN_BUDGET, BEYOND_BUDGET = 0.3 - 1e-9, 0.3 + 1e-9


@dataclass(frozen=True)
class SmallInstance:
    """An OV instance and what the direct route makes of it."""

    source: OrthogonalVectors
    reduced: GapMaxIPReduced = field(repr=False)


@cache
def small_instances() -> tuple[SmallInstance, ...]:
    """All 2^12 OV instances with N = 2 and m = 3, by complement encoding to attention at τ = d."""
    encode, attend = ComplementEncoding(), GapMaxIPToAttention()
    instances = []
    for bits in product((0, 1), repeat=12):
        vectors = np.array(bits, dtype=np.uint8).reshape(2, 2, 3)
        source = OrthogonalVectors(vectors[0], vectors[1])
        instances.append(SmallInstance(source, attend.map_instance(encode.map_instance(source).target)))
    return tuple(instances)


def towards_threshold(target: ReferenceKeyAttention, error: float) -> Floats:
    """The exact outputs, each moved by ``error`` towards the threshold and beyond."""
    outputs = target.outputs()
    return np.where(outputs > float(target.threshold), outputs - error, outputs + error)


def decides_rows(error: float) -> Callable[[SmallInstance], bool]:
    """The predicate: outputs off by ``error`` decide which left vectors have an orthogonal partner."""

    def holds(case: SmallInstance) -> bool:
        target = case.reduced.target
        decided = target.decide_rows(towards_threshold(target, error))
        return np.array_equal(decided, orthogonality(case.source).any(axis=1))

    return holds


def maps_both_ways(case: SmallInstance) -> bool:
    """Every orthogonal pair maps to a witness; outputs in error map to an orthogonal pair, or to None."""
    reduced, orthogonal = case.reduced, orthogonality(case.source)
    pairs = [(int(i), int(j)) for i, j in np.argwhere(orthogonal)]
    if not all(reduced.target.verify(reduced.map_witness(pair)) for pair in pairs):
        return False
    found = reduced.extract_solution(towards_threshold(reduced.target, WITHIN_BUDGET))
    return found in pairs if pairs else found is None


def passes_over(product: float) -> bool:
    """Query 0 outputs more than 1/2 though its product is below s = 1: the pair of query 1 is found."""
    source = GapMaxInnerProduct(np.array([[product], [1.0]]), np.ones((1, 1)), threshold=1.0, gap=0.5)
    reduced = GapMaxIPToAttention().map_instance(source)
    outputs = reduced.target.outputs()
    return bool(outputs[0] > 0.5) and reduced.extract_solution(outputs) == (1, 0)


def refuses_beyond_budget(case: tuple[float, bool]) -> bool:
    """An output is read iff it is within 3/10 of some mean of zeros and ones."""
    output, readable = case
    target = small_instances()[0].reduced.target
    try:
        target.decide_rows([0.5, output])
    except ValueError:
        return not readable
    return readable


OUTPUTS = [
    (output, abs(output - 0.5) <= 0.8)
    for output in (-0.31, -0.3000001, -0.2999999, 0.0, 1.0, 1.2999999, 1.3000001, 1.31, math.inf, math.nan)
]


def orthogonality(source: OrthogonalVectors) -> npt.NDArray[np.bool_]:
    """The matrix of which pairs are orthogonal."""
    orthogonal: npt.NDArray[np.bool_] = source.left.astype(np.int64) @ source.right.astype(np.int64).T == 0
    return orthogonal


def random_source(generator: np.random.Generator) -> GapMaxInnerProduct:
    """Real entries, rectangular, thresholds of both signs: a NO instance or one pair at or above s."""
    left, right = (generator.uniform(-1, 1, (generator.integers(1, 5), 3)) for _ in range(2))
    right = right * generator.uniform(0.1, 1)
    products = left @ right.T
    gap = float(generator.uniform(0.05, 1))
    slack = 2.0**-40  # keeps the promise under the rounding of the inner products
    largest = float(products.max())
    threshold = largest - slack if generator.integers(2) else largest + gap + slack
    return GapMaxInnerProduct(left, right, threshold, gap)


def obeys_bounds(source: GapMaxInnerProduct) -> bool:
    """Every YES row and every NO row of ``source`` obeys its bound; its answer and τ do not change that."""
    largest = source.inner_products(slice(None)).max(axis=1)
    yes, no = largest >= source.threshold, largest <= source.threshold - source.gap
    keys = len(source.right)
    for temperature in (None, 0.5):
        target = GapMaxIPToAttention(temperature).map_instance(source).target
        outputs, rounding = target.outputs(), float(ROUNDING)
        if target.answer() is Answer.OUTSIDE_PROMISE or (target.answer() is Answer.YES) != yes.any():
            return False
        if (outputs[yes] < 4 * keys / (4 * keys + 1) - rounding).any() or (
            outputs[no] > 0.2 + rounding
        ).any():
            return False
    return True


def sized_sources() -> list[GapMaxInnerProduct]:
    """Shapes and thresholds that reach every case of the parameter map."""
    shapes = [(1, 1, 0), (1, 3, 1), (4, 2, 3), (2, 5, 8)]
    thresholds = [(0.5, 1.0), (1.0, 1.0), (0.0, 1.0), (-2.0, 0.5), (6.0, 1.0), (2.25, 0.5), (0.3, 0.1)]
    generator = np.random.default_rng(0)
    return [
        GapMaxInnerProduct(generator.uniform(-1, 1, (n, d)), generator.uniform(-1, 1, (k, d)), s, gap)
        for (n, k, d), (s, gap) in product(shapes, thresholds)
    ]


def has_stated_sizes(source: GapMaxInnerProduct) -> bool:
    """Parameter map and logit bound, at the sizes of ``source``, equal what is built (counts exactly)."""
    import sympy

    largest = float(np.abs(source.inner_products(slice(None))).max())
    given = {**source.sizes, "M": largest}
    for temperature in (None, 1.5):
        reduction = GapMaxIPToAttention(temperature)
        target = reduction.map_instance(source).target
        built = {**target.sizes, "b": target.attention.logit_bound}
        stated = {**reduction.parameter_map(), "b": reduction.logit_bound()}
        if stated.keys() != built.keys() or built["tau"] != (temperature or built["d"]):
            return False
        for name, expression in stated.items():
            function = sympy.lambdify([size(key) for key in given], expression, "math")
            value = function(*given.values())
            exact = name in ("L_q", "L_k", "d")
            if value != built[name] if exact else not np.isclose(value, built[name], rtol=1e-12, atol=1e-12):
                return False
    return True


def output_identities() -> dict[str, Any]:
    """The proof's inequalities, for all N = 1 + n with n >= 0."""
    import sympy

    n, weight, reference = size("n"), sympy.Symbol("A", positive=True), sympy.Symbol("r", positive=True)
    keys = 1 + n
    output = weight / (weight + reference)
    yes = output.subs(weight, 4 * keys * reference)
    no = output.subs(weight, keys * reference / (4 * keys))
    return {
        "the output rises with the keys' total weight": sympy.Gt(sympy.factor(output.diff(weight)), 0),
        "one key at ρ + ln(4N)": yes - 4 * keys / (4 * keys + 1),
        "at least 4/5": sympy.Ge(sympy.factor(yes - sympy.Rational(4, 5)), 0),
        "N keys at ρ - ln(4N)": no - sympy.Rational(1, 5),
    }


def budget_identities() -> dict[str, Any]:
    """The distances of both bounds from the threshold 1/2."""
    import sympy

    n = size("n")
    yes, half = 4 * (1 + n) / (4 * (1 + n) + 1), sympy.Rational(1, 2)
    budget = GapMaxIPToAttention().error_budget()
    return {
        "YES rows are at least 3/10 above": sympy.Ge(sympy.factor(yes - half - budget), 0),
        "NO rows are at least 3/10 below": half - sympy.Rational(1, 5) - budget,
    }


def size_identities() -> dict[str, Any]:
    """β, ρ and g as stated, for τ = d; R and b of the direct route (D = 2m, s = m, Δ = 1)."""
    import sympy

    reduction = GapMaxIPToAttention()
    sizes = reduction.parameter_map()
    s, gap = size("s"), sympy.Symbol("gap", nonnegative=True)
    beta, tau = sizes["R"] ** 2, sizes["tau"]
    m = sympy.Symbol("m", integer=True, positive=True)
    direct = {size("D"): 2 * m, s: m, gap: 1, size("M"): m}
    return {
        "β = 2τ ln(4N)/Δ": beta - 2 * tau * sympy.log(4 * size("N_v")) / gap,
        "ρ = β(s - Δ/2)/τ": sizes["rho"] - beta * (s - gap / 2) / tau,
        "βs/τ = ρ + g": beta * s / tau - sizes["rho"] - sizes["g"],
        "β(s - Δ)/τ = ρ - g": beta * (s - gap) / tau - sizes["rho"] + sizes["g"],
        "direct route: d = 3m": sizes["d"].subs(direct) - 3 * m,
        "direct route: R² = 6m ln(4N)": beta.subs(direct) - 6 * m * sympy.log(4 * size("N_v")),
        "direct route: b = 2m ln(4N)": reduction.logit_bound().subs(direct)
        - 2 * m * sympy.log(4 * size("N_v")),
    }


@lemma(
    "lem-gap-max-ip-to-attention",
    title="Gap maximum inner product to attention",
    statement_uses=("def-gap-max-ip", "def-attention", "def-aattc"),
    source="AS23",
)
def gap_max_ip_to_attention(run: Run) -> Iterator[Evidence]:
    """Symbolic for all N, certified and exhaustive for what the code builds."""
    numbers = run.pick(quick=(1, 2, 16, 1024), full=(1, 2, 3, 16, 256, 1024, 4096))
    instances = [make(keys) for keys in numbers for make in (extremal_yes, extremal_no)]
    families = (
        f"the extremal YES and NO instances with N in {numbers}, built at τ = d, in interval arithmetic"
    )

    yield symbolic(BOUNDS, "the formulas of the proof, for every N >= 1", output_identities())
    yield certified(BOUNDS, families, bound_claims(instances))
    count = run.pick(quick=200, full=5000)
    yield sampled(
        BOUNDS,
        "real vectors, N_u × N_v keys with N_u, N_v <= 4, D = 3, thresholds of both signs, τ = d and 1/2",
        run.seed,
        count,
        random_source,
        obeys_bounds,
    )

    yield certified(TIGHT, families, tightness_claims(instances))

    yield symbolic(BUDGET, "both bounds against the threshold 1/2, for every N >= 1", budget_identities())
    small = "all 4,096 OV instances with N = 2, m = 3, complement-encoded; every output moved by 3/10 - 10⁻⁹"
    cases = small_instances()
    yield exhaustive(BUDGET, f"{small} towards 1/2", cases, 2**12, decides_rows(WITHIN_BUDGET))
    yield exhaustive(MAPS, f"{small} towards 1/2", cases, 2**12, maps_both_ways)

    scope = "a query with the product 4/5, 9/10 or 19/20 before one with s = 1, Δ = 1/2"
    yield exhaustive(MAPS, scope, (0.8, 0.9, 0.95), 3, passes_over)
    scope = "ten outputs around -3/10 and 13/10, infinity and NaN"
    yield exhaustive(READ, scope, OUTPUTS, 10, refuses_beyond_budget)

    yield certified(SHARP, "the extremal instances with one key: outputs 4/5 and 1/5", sharpness_claims())
    yield exhaustive(
        SHARP,
        "the same two instances, every output moved by 3/10 + 10⁻⁹ towards the threshold",
        [extremal_yes(1), extremal_no(1)],
        2,
        misled_beyond_budget,
    )

    yield symbolic(
        FORMULAS, "β, ρ, g, R for every size; d, R, b of the direct route for every m", size_identities()
    )
    sources = sized_sources()
    yield exhaustive(
        SIZES,
        "4 shapes × 7 thresholds and gaps, τ = d and τ = 3/2, against the built instances",
        sources,
        4 * 7,
        has_stated_sizes,
    )


def sharpness_claims() -> Claims:
    """One key: the YES output less 3/10 and the NO output plus 3/10 meet in 1/2, up to rounding."""
    yes, no = (interval_output(build_attention(make(1).source)) for make in (extremal_yes, extremal_no))
    yield "YES less 3/10 against the threshold", yes, "<=", Fraction(1, 2) + Fraction(3, 10) + ROUNDING
    yield "NO plus 3/10 against the threshold", no, ">=", Fraction(1, 2) - Fraction(3, 10) - ROUNDING
    yield "their distance", yes - no, "<=", 2 * Fraction(3, 10) + 2 * ROUNDING


def misled_beyond_budget(instance: ExtremalInstance) -> bool:
    """Outputs that are off by a little more than 3/10 decide the instance's one row wrong."""
    target = GapMaxIPToAttention().map_instance(instance.source).target
    return bool(target.decide_rows(towards_threshold(target, BEYOND_BUDGET))[0] != instance.is_yes)


def _broken(scope: str, instance: ExtremalInstance, construction: Build) -> Evidence:
    return certified(BOUNDS, scope, bound_claims([instance], construction))


@gap_max_ip_to_attention.control("β is halved")
def halved_scale(run: Run) -> Evidence:
    """N keys at s - Δ then outweigh the reference key √N/2 times; with few keys this hardly shows."""

    def halve(source: GapMaxInnerProduct) -> AttentionInstance:
        layer = build_attention(source)
        half = np.sqrt(0.5)
        return AttentionInstance(half * layer.queries, half * layer.keys, layer.values, layer.temperature)

    return _broken("N = 1,024, every inner product s - Δ", extremal_no(1024), halve)


@gap_max_ip_to_attention.control("the reference key is missing")
def missing_reference(run: Run) -> Evidence:
    """Every output is then 1."""

    def omit(source: GapMaxInnerProduct) -> AttentionInstance:
        layer = build_attention(source)
        return AttentionInstance(layer.queries, layer.keys[:-1], layer.values[:-1], layer.temperature)

    return _broken("N = 1, inner product s - Δ", extremal_no(1), omit)


@gap_max_ip_to_attention.control("the reference key is set to s instead of s - Δ/2")
def reference_at_threshold(run: Run) -> Evidence:
    """A key with inner product s then only balances the reference key: output 1/2."""

    def shift(source: GapMaxInnerProduct) -> AttentionInstance:
        middle = source.threshold + source.gap / 2
        return build_attention(GapMaxInnerProduct(source.left, source.right, middle, source.gap))

    return _broken("N = 1, inner product s", extremal_yes(1), shift)


@gap_max_ip_to_attention.control("β lacks the factor τ")
def temperature_dropped(run: Run) -> Evidence:
    """The layer divides by τ = d = 7, so the gap of the logits shrinks to ln(4N)/7."""

    def drop(source: GapMaxInnerProduct) -> AttentionInstance:
        layer = build_attention(source)
        root = np.sqrt(layer.temperature)
        return AttentionInstance(layer.queries / root, layer.keys / root, layer.values, layer.temperature)

    return _broken("N = 1,024, every inner product s - Δ", extremal_no(1024), drop)


@gap_max_ip_to_attention.control("an error of 31/100 is tolerated")
def larger_error(run: Run) -> Evidence:
    """Two keys at s - Δ output 1/5, and .51 decides wrong."""
    cases = small_instances()
    return exhaustive(BUDGET, "all 4,096 OV instances with N = 2, m = 3", cases, 2**12, decides_rows(0.31))
