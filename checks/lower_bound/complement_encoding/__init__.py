"""The check of ``lem-complement-encoding``: the inner products, the promise, the witnesses, the sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Evidence, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from reductions.lower_bound.complement_encoding import ComplementEncoding, ComplementEncodingReduced
from reductions.problem import Answer
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.reduction import size

PRODUCTS = "<u_i, v_j> = s - <a_i, b_j>"
RANGE = "all entries are in [-1, 1] and all inner products between s - m and s"
PROMISE = "YES instances become YES instances and NO instances NO instances, all within the promise"
WITNESSES = "a pair is orthogonal iff it reaches the threshold, and is mapped to itself both ways"
SIZES = "D = 2m and s = m (signed: D = m and s = 0), N unchanged, Δ = 1"

Predicate = Callable[[ComplementEncodingReduced], bool]
VARIANTS = (ComplementEncoding(), ComplementEncoding(signed=True))


def all_instances(vectors: int, coordinates: int) -> Iterator[OrthogonalVectors]:
    """All 2^(2Nm) OV instances."""
    for bits in product((0, 1), repeat=2 * vectors * coordinates):
        left, right = np.array(bits, dtype=np.uint8).reshape(2, vectors, coordinates)
        yield OrthogonalVectors(left, right)


def overlaps(source: OrthogonalVectors) -> list[list[int]]:
    """All <a_i, b_j>, counted coordinate by coordinate."""
    return [[sum(map(min, a, b)) for b in source.right.tolist()] for a in source.left.tolist()]


def has_stated_products(reduced: ComplementEncodingReduced) -> bool:
    """The predicate of PRODUCTS."""
    built = reduced.target.inner_products(slice(None))
    return bool((built == reduced.target.threshold - np.array(overlaps(reduced.source))).all())


def stays_in_range(reduced: ComplementEncodingReduced) -> bool:
    """The predicate of RANGE; the instance itself refuses entries beyond ±1."""
    built, high = reduced.target.inner_products(slice(None)), reduced.target.threshold
    return bool(((high - reduced.source.left.shape[1] <= built) & (built <= high)).all())


def keeps_promise(reduced: ComplementEncodingReduced) -> bool:
    """The predicate of PROMISE."""
    orthogonal = any(0 in row for row in overlaps(reduced.source))
    return reduced.target.answer() is (Answer.YES if orthogonal else Answer.NO)


def maps_witnesses(reduced: ComplementEncodingReduced) -> bool:
    """The predicate of WITNESSES, for all pairs."""
    for i, row in enumerate(overlaps(reduced.source)):
        for j, overlap in enumerate(row):
            if reduced.target.verify((i, j)) != (overlap == 0):
                return False
            if overlap == 0 and not reduced.map_witness((i, j)) == (i, j) == reduced.extract_solution((i, j)):
                return False
    return True


def encoded(source: OrthogonalVectors) -> tuple[ComplementEncodingReduced, ...]:
    """Both variants of ``source``."""
    return tuple(reduction.map_instance(source) for reduction in VARIANTS)


def by_both(predicate: Predicate) -> Callable[[tuple[ComplementEncodingReduced, ...]], bool]:
    """``predicate`` for both variants."""
    return lambda variants: all(predicate(reduced) for reduced in variants)


def draw_encoded(generator: np.random.Generator) -> tuple[ComplementEncodingReduced, ...]:
    """Encode a random instance near the threshold, with a planted pair, without any, or with no promise."""
    vectors, coordinates = (int(generator.integers(1, high)) for high in (13, 70))
    planted = (True, False, None)[int(generator.integers(3))]
    density = float(generator.uniform(0.1, 0.9))
    return encoded(OrthogonalVectors.random(vectors, coordinates, density, generator, planted, True))


def coordinate_identities() -> dict[str, Any]:
    """One coordinate of each variant; sums over m coordinates give the lemma for every m."""
    import sympy

    a, b = sympy.symbols("a b")
    u, v = sympy.Matrix([1 - a, a]), sympy.Matrix([1, 1 - b])
    return {
        "⟨(1-a, a), (1, 1-b)⟩ = 1 - ab": u.dot(v) - (1 - a * b),
        "⟨-a, b⟩ = 0 - ab": (-a) * b - (0 - a * b),
    }


def has_stated_sizes(case: tuple[bool, int, int]) -> bool:
    """What is built has the sizes that are written here, and the parameter map at N and m gives them."""
    signed, vectors, coordinates = case
    reduction = ComplementEncoding(signed)
    zeros = np.zeros((vectors, coordinates), dtype=np.uint8)
    given = {size("N"): vectors, size("m"): coordinates}
    mapped = {name: float(e.subs(given)) for name, e in reduction.parameter_map().items()}
    dimension, threshold = (coordinates, 0) if signed else (2 * coordinates, coordinates)
    stated = {"N_u": vectors, "N_v": vectors, "D": dimension, "s": threshold, "gap": 1}
    built = reduction.map_instance(OrthogonalVectors(zeros, zeros)).target.sizes
    return bool(mapped == stated == built)


@lemma(
    "lem-complement-encoding",
    title="Complement encoding",
    statement_uses=("def-ov", "def-gap-max-ip"),
)
def complement_encoding(run: Run) -> Iterator[Evidence]:
    """Symbolic per coordinate, exhaustive over all OV instances of 12 bits, sampled beyond."""
    shapes = run.pick(quick=((2, 3), (3, 2)), full=((2, 3), (3, 2), (2, 4), (1, 8)))
    spaces = {shape: [encoded(source) for source in all_instances(*shape)] for shape in shapes}
    yield symbolic(PRODUCTS, "one coordinate of each variant, all real a and b", coordinate_identities())
    for claim, predicate in (
        (PRODUCTS, has_stated_products),
        (RANGE, stays_in_range),
        (PROMISE, keeps_promise),
        (WITNESSES, maps_witnesses),
    ):
        for (vectors, coordinates), space in spaces.items():
            count = 2 ** (2 * vectors * coordinates)
            scope = f"all {count:,} OV instances with N = {vectors}, m = {coordinates}; both variants"
            yield exhaustive(claim, scope, space, count, by_both(predicate))
        yield sampled(
            claim,
            "random OV instances near the threshold, N <= 12 and m < 70; both variants",
            run.seed,
            run.pick(quick=100, full=2000),
            draw_encoded,
            by_both(predicate),
        )
    grid = list(product((False, True), range(1, 6), range(6)))
    yield exhaustive(SIZES, "1 <= N <= 5, m <= 5; both variants", grid, 2 * 5 * 6, has_stated_sizes)


def _rejected(encode: Callable[[OrthogonalVectors], GapMaxInnerProduct], claim: str = PROMISE) -> Evidence:
    predicate = {PROMISE: keeps_promise, PRODUCTS: has_stated_products}[claim]
    return exhaustive(
        claim,
        "all 256 OV instances with N = 2, m = 2",
        all_instances(2, 2),
        256,
        lambda source: predicate(ComplementEncodingReduced(source, encode(source))),
    )


def _direct(source: OrthogonalVectors) -> GapMaxInnerProduct:
    return ComplementEncoding().map_instance(source).target


@complement_encoding.control("the threshold is m - 1")
def low_threshold(run: Run) -> Evidence:
    """A pair with one common coordinate reaches it."""
    return _rejected(lambda source: replace(_direct(source), threshold=_direct(source).threshold - 1))


@complement_encoding.control("the threshold is m + 1")
def high_threshold(run: Run) -> Evidence:
    """No pair reaches it."""
    return _rejected(lambda source: replace(_direct(source), threshold=_direct(source).threshold + 1))


@complement_encoding.control("the gap is 2")
def wide_gap(run: Run) -> Evidence:
    """Pairs with one common coordinate are then outside the promise."""
    return _rejected(lambda source: replace(_direct(source), gap=2.0))


@complement_encoding.control("the second block complements the wrong side")
def wrong_side(run: Run) -> Evidence:
    """⟨(1-a, 1-a), (1, b)⟩ counts every coordinate where a is 0, once or twice."""

    def encode(source: OrthogonalVectors) -> GapMaxInnerProduct:
        a, b = source.left.astype(float), source.right.astype(float)
        return GapMaxInnerProduct(
            np.hstack([1 - a, 1 - a]), np.hstack([np.ones_like(b), b]), threshold=a.shape[1], gap=1
        )

    return _rejected(encode, PRODUCTS)


@complement_encoding.control("the signed variant without its sign")
def unsigned(run: Run) -> Evidence:
    """⟨a, b⟩ >= 0 always reaches the threshold 0."""
    return _rejected(
        lambda source: GapMaxInnerProduct(
            source.left.astype(float), source.right.astype(float), threshold=0, gap=1
        )
    )
