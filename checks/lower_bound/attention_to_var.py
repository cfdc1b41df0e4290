"""The check of ``lem-attention-to-var``: attention against a reference key survives up-interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Evidence, certified, exhaustive, sampled, symbolic
from checks.lemma import Run, lemma
from checks.var_outputs import decides_in_error_ball, keeps_bounds, sizes_are_exact, worst_outputs
from reductions.lower_bound.attention_to_var import NO_BOUND, YES_BOUND, AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.isolation import grid_slots
from reductions.problems.approximate_var import ApproximateVar
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.problems.var_model import RELEASED_SIDES, Schedule, TokenMap, square_schedule

BOUNDS = "YES read-outs are at least 7/10 and NO read-outs at most 1/16"
DECIDES = "read-outs off by anything below 5/16 decide every row, and a YES row leads back to a pair"
SIZES = "the parameter map gives the sizes that are built"

BICUBIC = Interpolation()
RELEASED = square_schedule(RELEASED_SIDES)


def orthogonal(source: OrthogonalVectors) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which left vectors have an orthogonal partner, in integers."""
    products = source.left.astype(np.int64) @ source.right.astype(np.int64).T
    rows: np.ndarray[Any, np.dtype[np.bool_]] = (products == 0).any(axis=1)
    return rows


def small_instances(vectors: int, dimension: int) -> Iterator[OrthogonalVectors]:
    """All OV instances of a size, 2^(2 N m) of them."""
    for bits in product((0, 1), repeat=2 * vectors * dimension):
        sides = np.array(bits, dtype=np.uint8).reshape(2, vectors, dimension)
        yield OrthogonalVectors(sides[0], sides[1])


@cache
def whole_chain(rule: Interpolation, schedule: Schedule | None = None) -> Any:
    """OV -> gap-Max-IP -> attention -> VAR."""
    return ComplementEncoding() >> GapMaxIPToAttention() >> AttentionToVar(rule, schedule)


def is_decided(source: OrthogonalVectors, rule: Interpolation, schedule: Schedule | None = None) -> bool:
    """Every row is decided in the whole error ball, and the way back ends in an orthogonal pair."""
    reduced = whole_chain(rule, schedule).map_instance(source)
    target: ApproximateVar = reduced.target
    rows = orthogonal(source)
    outputs = target.outputs()
    if not (keeps_bounds(target, outputs) and decides_in_error_ball(target, outputs, rows)):
        return False
    pair = reduced.extract_solution(worst_outputs(target, outputs))
    if pair is None:
        return not rows.any()
    return source.verify(pair) and target.verify(reduced.map_witness(pair))


def bound_claims() -> Iterator[tuple[str, Fraction, Any, Fraction]]:
    """The proof's last inequalities at L = 1, the worst L, in rational arithmetic."""
    strays = Fraction(1, 16**4)
    yes = Fraction(16, 17) * (1 - Fraction(1, 4) - strays)
    yield "16/17 (1 - 1/4 - L (16 L)^-4) against 7/10", yes, ">=", Fraction(YES_BOUND).limit_denominator(10)
    yield "L exp(-ln 16L) against 1/16", Fraction(1, 16), "<=", Fraction(NO_BOUND)
    budget = min(Fraction(7, 10) - Fraction(3, 8), Fraction(3, 8) - Fraction(1, 16))
    yield "distance of both bounds from 3/8", budget, "==", Fraction(5, 16)


def bound_identities() -> dict[str, Any]:
    """The shares of the proof, for every L >= 1 and every reference logit rho >= 3 g, g = ln 16 L."""
    import sympy

    more, extra = sympy.symbols("l x", nonnegative=True)
    tokens = 1 + more
    gap = sympy.log(16 * tokens)
    largest = 4 * gap + extra  # X >= rho + g
    return {
        "mean of 1 - t: ln L / X <= 1/4": sympy.Ge(sympy.expand(largest - 4 * gap), 0),
        "ln L < ln 16 L": sympy.Gt(sympy.expand_log(gap - sympy.log(tokens), force=True), 0),
        "strays: L (16 L)^-4 falls in L": sympy.Le(
            sympy.factor(sympy.diff(tokens * (16 * tokens) ** -4, more)), 0
        ),
        "what is not a copy: L / (16 L)": tokens / (16 * tokens) - sympy.Rational(1, 16),
    }


@lemma(
    "lem-attention-to-var",
    title="Attention to VAR, all maps given",
    statement_uses=("def-attention", "def-avar"),
    proof_uses=("lem-isolation", "lem-gap-max-ip-to-attention"),
)
def attention_to_var(run: Run) -> Iterator[Evidence]:
    """Symbolic and certified for the bounds, exhaustive on small OV instances through the whole chain."""
    yield symbolic(BOUNDS, "the shares of the proof, for every L", bound_identities())
    yield certified(BOUNDS, "the constants, in rational arithmetic", bound_claims())
    rules = [
        BICUBIC,
        Interpolation(Kernel.BILINEAR),
        Interpolation(Kernel.NEAREST),
        Interpolation(aligned=True),
    ]
    for (vectors, dimension), quick in (((2, 3), rules[:1]), ((3, 2), rules[1:2])):
        for rule in run.pick(quick=quick, full=rules):
            kind = f"{rule.kernel}, aligned" if rule.aligned else str(rule.kernel)
            yield exhaustive(
                DECIDES,
                f"all 4,096 OV instances with N={vectors}, m={dimension}, {kind}, every output moved to the "
                "edge of the error ball",
                small_instances(vectors, dimension),
                2 ** (2 * vectors * dimension),
                partial(is_decided, rule=rule),
            )
    yield sampled(
        DECIDES,
        "random OV instances with N = 16, m = 1 to 12, half of them planted, the released schedule "
        "1, 2, 3, 4, 5, 6, 8, 10, 13, 16 (ratio 13 -> 16), bicubic",
        run.seed,
        run.pick(quick=40, full=2000),
        _random_vectors,
        lambda source: is_decided(source, BICUBIC, RELEASED),
    )
    sources = [OrthogonalVectors.random(n, m, seed=n) for n in (1, 5, 16, 17) for m in (0, 1, 7)]
    chains = [whole_chain(Interpolation(kernel)) for kernel in Kernel]
    reductions = [(chain, chain.parameter_map()) for chain in chains]
    yield exhaustive(
        SIZES,
        "N = 1, 5, 16, 17 and m = 0, 1, 7, three kernels, through the whole chain",
        [(source, reduction, stated) for source in sources for reduction, stated in reductions],
        36,
        lambda case: sizes_are_exact(*case),
    )


def _random_vectors(generator: np.random.Generator) -> OrthogonalVectors:
    dimension = int(generator.integers(1, 13))
    planted = True if generator.random() < 0.5 else None
    return OrthogonalVectors.random(16, dimension, density=0.6, seed=generator, planted=planted)


def _decides(scope: str, source: OrthogonalVectors, broken: ApproximateVar) -> Evidence:
    rows = orthogonal(source)
    return exhaustive(
        DECIDES, scope, [broken], 1, lambda target: decides_in_error_ball(target, target.outputs(), rows)
    )


@attention_to_var.control("slots are not divided by their weight")
def unscaled_slots(run: Run) -> Evidence:
    """Query and key of an inner slot both shrink by w^2, the reference key does not: YES turns to NO."""
    left = np.ones((4, 6), dtype=np.uint8)
    right = left.copy()
    right[3] = 0
    source = OrthogonalVectors(left, right)
    target = whole_chain(BICUBIC).map_instance(source).target
    slots = grid_slots(BICUBIC, (8, 8), (16, 16), 4)
    last = target.maps[-1]
    unscaled = TokenMap(last.shape, last.positions, last.tokens * slots.weight[:, None])
    broken = replace(target, maps=(*target.maps[:-1], unscaled))
    return _decides(
        "all-one vectors and one zero vector in the fourth slot, N = 4, m = 6, bicubic 8 -> 16",
        source,
        broken,
    )


@attention_to_var.control("slots overlap")
def overlapping_slots(run: Run) -> Evidence:
    """Neighbouring slots mix; the fine pixel of one carries a part of the other's token."""
    source = OrthogonalVectors(
        np.array([[1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]], dtype=np.uint8), np.ones((2, 6), dtype=np.uint8)
    )
    target = whole_chain(BICUBIC, RELEASED).map_instance(source).target
    last = target.maps[-1]
    moved = last.positions.copy()
    moved[1] = moved[0] + (0, 1)
    broken = replace(target, maps=(*target.maps[:-1], TokenMap(last.shape, moved, last.tokens)))
    read_outs = target.read_outs.copy()
    read_outs[1] = read_outs[0] + 1
    return _decides(
        "one all-one and one all-zero vector in neighbouring pixels, m = 6, bicubic 13 -> 16",
        source,
        replace(broken, read_outs=read_outs),
    )


@attention_to_var.control("the reference key is missing")
def missing_reference(run: Run) -> Evidence:
    """With a zero start token, a NO row's output is the mean of its keys."""
    left, right = (np.array([row, row], dtype=np.uint8) for row in ([1, 1, 0], [1, 0, 1]))
    source = OrthogonalVectors(left, right)
    target = whole_chain(BICUBIC).map_instance(source).target
    broken = replace(target, start_token=np.zeros_like(target.start_token))
    return _decides("N = 2, m = 3, every inner product 1", source, broken)


@attention_to_var.control("β is halved")
def halved_scale(run: Run) -> Evidence:
    """1,024 keys at s - Δ, four copies each, then outweigh the reference key."""
    source = OrthogonalVectors(np.ones((1024, 1), dtype=np.uint8), np.ones((1024, 1), dtype=np.uint8))
    target = whole_chain(Interpolation(Kernel.NEAREST)).map_instance(source).target
    layer = replace(target.attention_layer, temperature=2 * target.attention_layer.temperature)
    broken = replace(target, model=replace(target.model, layers=(layer,)))
    return _decides("N = 1,024, m = 1, every inner product s - Δ, nearest, n = 64", source, broken)


@attention_to_var.control("negative inner products under a kernel with negative weights")
def negative_products(run: Run) -> Evidence:
    """A copy with t < 0 of a key far below the threshold outweighs the orthogonal one, with value t."""
    m = 60
    left = np.ones((2, m), dtype=np.uint8)
    right = np.stack([np.zeros(m, dtype=np.uint8), np.ones(m, dtype=np.uint8)])
    source = OrthogonalVectors(left, right)
    gap_max_ip: GapMaxInnerProduct = ComplementEncoding(signed=True).map_instance(source).target
    attention = GapMaxIPToAttention().map_instance(gap_max_ip).target
    broken = AttentionToVar(BICUBIC).build(attention)
    return _decides(f"signed encoding, m = {m}, keys with inner products 0 and -{m}, bicubic", source, broken)


@attention_to_var.control("no base coordinates are appended")
def no_base_coordinates(run: Run) -> Evidence:
    """For m = 0 the orthogonal key's logit is then 0, that of all the zero tokens: YES turns to NO."""
    source = OrthogonalVectors(np.zeros((1, 0), dtype=np.uint8), np.zeros((1, 0), dtype=np.uint8))
    attention = (ComplementEncoding() >> GapMaxIPToAttention()).map_instance(source).target
    broken = AttentionToVar(BICUBIC).build(attention, base=0)
    return _decides(
        "N = 1, m = 0 (s = 0 and Δ = 1, where two base coordinates are due), bicubic", source, broken
    )
