"""The check of ``lem-attention-to-var``: attention against a reference key survives up-interpolation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.exact.stated_reals import bounds_hold, stands_for
from checks.exact.var_outputs import sizes_are_exact
from checks.lower_bound.attention_to_var.instances import (
    BICUBIC,
    BOUNDS,
    RELEASED,
    RULES,
    SIGNS,
    MapsCase,
    extremal_cases,
    gap_cases,
    half_used_slots,
    is_lifted,
    ov_chain,
    random_case,
    rule_in_words,
    signs_are_read,
    small_cases,
    small_instances,
)
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.isolation import grid_slots
from reductions.problems.approximate_var import ApproximateVar
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.problems.token_map import TokenMap

INEQUALITIES = "(1) the inequalities that the proof uses, for every L"
OUTPUTS = "(1) YES read-outs are at least 7/10 and NO read-outs at most 1/16"
DECIDES = "(2, 3) read-outs off by anything below 5/16 decide every row, and a YES row leads back to a pair"
ENTRIES = "(4) entries stand for the stated reals, R and b are attained, outputs are within their bound"
SIZES = "(4, 5) the parameter map gives the sizes that are built"
REFUSED = "sources with a negative logit are refused"


def bound_claims() -> Iterator[tuple[str, Fraction, Any, Fraction]]:
    """The proof's last inequalities at L = 1, the worst L, in rational arithmetic."""
    strays = Fraction(1, 16**4)
    yes = Fraction(16, 17) * (1 - Fraction(1, 4) - strays)
    yield "16/17 (1 - 1/4 - L (16 L)^-4) against 7/10", yes, ">=", BOUNDS.yes
    yield "L exp(-ln 16L) against 1/16", Fraction(1, 16), "<=", BOUNDS.no
    yield "7/10 - 5/16 against the threshold", BOUNDS.yes - BOUNDS.error, ">", BOUNDS.threshold
    yield "1/16 + 5/16 against the threshold", BOUNDS.no + BOUNDS.error, "<=", BOUNDS.threshold


def bound_identities() -> dict[str, Any]:
    """The steps of the proof, for every L >= 1, every X >= 4 ln 16L and every sum Z >= 1."""
    import sympy

    more, extra, y = sympy.symbols("l x y", positive=True)
    tokens, sixteenth = 1 + more, sympy.Rational(1, 16)
    gap = sympy.log(16 * tokens)
    largest = 4 * gap + extra  # X >= rho + g
    energy = sympy.Symbol("E", real=True)
    total = sympy.Symbol("Z", positive=True)
    strays = sympy.Rational(1, 16**4)
    share = (sympy.Rational(3, 4) * total - strays) / (total + sixteenth)
    log_gap = total - 1 - sympy.log(total)  # ln n - H(mu) is at least a mean of 1 - 1/(n mu) over mu, 0
    return {
        "Gibbs: E = -ln mu - ln Z": sympy.expand_log(
            energy + sympy.log(sympy.exp(-energy) / total) + sympy.log(total), force=True
        ),
        "ln x <= x - 1: equal at 1": log_gap.subs(total, 1),
        "ln x <= x - 1: the difference rises above 1": sympy.Gt(log_gap.diff(total).subs(total, 1 + y), 0),
        "ln x <= x - 1: it falls below 1": sympy.Lt(
            sympy.factor(log_gap.diff(total).subs(total, 1 / (1 + y))), 0
        ),
        "mean of 1 - t: ln L / X <= 1/4": sympy.Ge(sympy.expand(largest - 4 * gap), 0),
        "ln L < ln 16 L": sympy.Gt(sympy.expand_log(gap - sympy.log(tokens), force=True), 0),
        "exp(-4 g) = (16 L)^-4": sympy.exp(-4 * gap) - (16 * tokens) ** -4,
        "strays: L (16 L)^-4 falls in L": sympy.Lt(
            sympy.factor(sympy.diff(tokens * (16 * tokens) ** -4, more)), 0
        ),
        "strays: at most 16^-4": (tokens * (16 * tokens) ** -4).subs(more, 0) - strays,
        "what is not a copy: L exp(-g) = 1/16": tokens * sympy.exp(-gap) - sixteenth,
        "the output rises with Z": sympy.Gt(sympy.factor(share.diff(total)), 0),
        "the output at Z = 1": sympy.Ge(share.subs(total, 1), sympy.Rational(7, 10)),
    }


@lemma(
    "lem-attention-to-var",
    title="Attention to VAR, all maps given",
    statement_uses=(
        "def-attention",
        "def-var",
        "def-avar",
        "lem-isolation",
        "lem-gap-max-ip-to-attention",
    ),
)
def attention_to_var(run: Run) -> Iterator[Evidence]:
    """Symbolic and certified for the proof, exhaustive on extremal and on small instances."""
    yield symbolic(INEQUALITIES, "the steps of the proof", bound_identities())
    yield certified(INEQUALITIES, "the constants, in rational arithmetic", bound_claims())
    kernels = [Interpolation(kernel) for kernel in Kernel]
    yield exhaustive(
        OUTPUTS,
        "1,024 keys at s - Δ, without and with one at s, L = 5,461 to 87,381 tokens; five rules",
        extremal_cases(RULES),
        2 * 5,
        MapsCase.keeps_bounds,
    )
    yield exhaustive(
        DECIDES,
        "L_q, N <= 2 vectors with m <= 1, five rules, default and rectangular schedules, τ = d, 1 and 500; "
        "every output moved to the edge of the error ball, every row verified",
        small_cases(),
        (1 + 4 + 8 + 8) * 5 * 3 * 3,
        MapsCase.is_decided,
    )
    yield exhaustive(
        ENTRIES,
        "1 x 1, 1 x 3, 3 x 1 and 2 x 2 vectors with m = 0, 1, 3, five rules, default and rectangular "
        "schedules: entries and outputs with 50 digits, in float64 and float32",
        half_used_slots(),
        4 * 3 * 5 * 2,
        has_stated_entries,
    )
    yield exhaustive(
        REFUSED,
        "the signed encoding of 2 vectors of ones, m = 1, 2, 60, three kernels",
        product((1, 2, 60), kernels),
        9,
        lambda case: is_refused(*case),
    )
    scope = "a query and a key with entries of either sign, of which one pair has a logit >= 0: it is built"
    yield exhaustive(REFUSED, scope, SIGNS, 3, signs_are_read)
    scope = "p = max(0, ceil(2 gap - s)), s = 0, 1/2, ..., 3 and gaps 1/2, ..., 3, nearest, 2 x 2 vectors"
    yield exhaustive(SIZES, scope, gap_cases(), 7 * 6, is_lifted)
    sources = [OrthogonalVectors.random(n, m, seed=n) for n in (1, 5, 16, 17) for m in (0, 1, 7)]
    reductions = [(chain, chain.parameter_map()) for chain in map(ov_chain, kernels)]
    yield exhaustive(
        SIZES,
        "N = 1, 5, 16, 17 and m = 0, 1, 7, three kernels, through the whole chain",
        [(source, reduction, stated) for source in sources for reduction, stated in reductions],
        36,
        lambda case: sizes_are_exact(*case),
    )
    yield from _decisions(run)


def _decisions(run: Run) -> Iterator[Evidence]:
    """All small instances, and random ones on the released schedule."""
    for vectors, dimension in run.pick(quick=[(2, 2)], full=[(2, 2), (2, 3), (3, 2)]):
        for rule in RULES:
            count = 2 ** (2 * vectors * dimension)
            yield exhaustive(
                DECIDES,
                f"all {count:,} OV instances with N={vectors}, m={dimension}, {rule_in_words(rule)}",
                (MapsCase(left, right, rule) for left, right in small_instances(vectors, vectors, dimension)),
                count,
                MapsCase.is_decided,
            )
    yield sampled(
        DECIDES,
        "random vectors, up to 16 per side, m = 1 to 12, half of them planted, the released schedule "
        "1, 2, 3, 4, 5, 6, 8, 10, 13, 16 (ratio 13 -> 16), bicubic",
        run.seed,
        run.pick(quick=40, full=2000),
        random_case,
        MapsCase.is_decided,
    )


def has_stated_entries(case: MapsCase) -> bool:
    """R and b are attained, and entries and outputs are as close to the stated reals as declared."""
    target = case.reduced.target
    largest = max(float(np.abs(token_map.tokens).max(initial=0)) for token_map in target.maps)
    return (
        largest <= 4 * max(target.entry_bound, 1)
        and bounds_hold(target, attained=True)
        and stands_for(target, case.stated())
    )


def is_refused(dimension: int, rule: Interpolation) -> bool:
    """The lemma asks for logits >= 0; so does the reduction."""
    ones = np.ones((2, dimension), dtype=np.uint8)
    signed = ComplementEncoding(signed=True).map_instance(OrthogonalVectors(ones, ones)).target
    source = GapMaxIPToAttention().map_instance(signed).target
    try:
        AttentionToVar(rule).map_instance(source)
    except ValueError as error:
        return "must have logits >= 0" in str(error)
    return False


def _decides(scope: str, case: MapsCase, broken: ApproximateVar) -> Evidence:
    return exhaustive(
        DECIDES, scope, [broken], 1, lambda target: BOUNDS.decide(target, target.outputs(), case.rows)
    )


@attention_to_var.control("slots are not divided by their weight")
def unscaled_slots(run: Run) -> Evidence:
    """Query and key of an inner slot both shrink by w^2, the reference key does not: YES turns to NO."""
    left = np.ones((4, 6), dtype=np.uint8)
    right = left.copy()
    right[3] = 0
    case = MapsCase(left, right)
    target = case.reduced.target
    slots = grid_slots(BICUBIC, (8, 8), (16, 16), 4)
    last = target.maps[-1]
    unscaled = TokenMap(last.shape, last.positions, last.tokens * slots.weight[:, None])
    broken = replace(target, maps=(*target.maps[:-1], unscaled))
    return _decides(
        "all-one vectors and one zero vector in the fourth slot, N = 4, m = 6, bicubic 8 -> 16", case, broken
    )


@attention_to_var.control("slots overlap")
def overlapping_slots(run: Run) -> Evidence:
    """Two tokens in neighbouring pixels, each divided by its own weight, still add up where they meet.

    Both rows have the inner product s - 1, but the sum of two keys reaches beyond the reference key.
    """
    vectors = np.repeat([[1, 0, 0, 0, 0, 0]], 2, axis=0).astype(np.uint8)
    case = MapsCase(vectors, vectors, schedule=RELEASED)
    target = case.reduced.target
    slots = grid_slots(BICUBIC, (13, 13), (16, 16), 2)
    weights = BICUBIC.matrix(13, 16).toarray()
    (row, column), (fine_row, _) = slots.coarse[0], slots.fine[0]
    fine_column = int(weights[:, column + 1].argmax())
    weight = weights[fine_row, row] * weights[fine_column, column + 1]

    last = target.maps[-1]
    moved, tokens, read_outs = last.positions.copy(), last.tokens.copy(), target.read_outs.copy()
    moved[1] = row, column + 1
    tokens[1] *= slots.weight[1] / weight
    read_outs[1] = fine_row * 16 + fine_column
    overlapping = TokenMap(last.shape, moved, tokens)
    return _decides(
        "two pairs of vectors with <a, b> = 1 in neighbouring pixels, m = 6, bicubic 13 -> 16",
        case,
        replace(target, maps=(*target.maps[:-1], overlapping), read_outs=read_outs),
    )


@attention_to_var.control("the reference key is missing")
def missing_reference(run: Run) -> Evidence:
    """With a zero start token, a NO row's output is the mean of its keys."""
    left, right = (np.array([row, row], dtype=np.uint8) for row in ([1, 1, 0], [1, 0, 1]))
    case = MapsCase(left, right)
    target = case.reduced.target
    broken = replace(target, start_token=np.zeros_like(target.start_token))
    return _decides("N = 2, m = 3, every inner product 1", case, broken)


@attention_to_var.control("β is halved")
def halved_scale(run: Run) -> Evidence:
    """1,024 keys at s - Δ, four copies each, then outweigh the reference key."""
    ones = np.ones((1024, 1), dtype=np.uint8)
    case = MapsCase(ones, ones, Interpolation(Kernel.NEAREST))
    target = case.reduced.target
    layer = replace(target.attention_layer, temperature=2 * target.attention_layer.temperature)
    broken = replace(target, model=replace(target.model, layers=(layer,)))
    return _decides("N = 1,024, m = 1, every inner product s - Δ, nearest, n = 64", case, broken)


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
    scope = f"signed encoding, m = {m}, keys with inner products 0 and -{m}, bicubic"
    return _decides(scope, MapsCase(left, right), broken)


@attention_to_var.control("no base coordinates are appended")
def no_base_coordinates(run: Run) -> Evidence:
    """For m = 0 the orthogonal key's logit is then 0, that of all the zero tokens: YES turns to NO."""
    empty = np.zeros((1, 0), dtype=np.uint8)
    source = OrthogonalVectors(empty, empty)
    attention = (ComplementEncoding() >> GapMaxIPToAttention()).map_instance(source).target
    broken = AttentionToVar(BICUBIC).build(attention, base=0)
    scope = "N = 1, m = 0 (s = 0 and Δ = 1, where two base coordinates are due), bicubic"
    return _decides(scope, MapsCase(empty, empty), broken)


@attention_to_var.control("the built numbers are taken for the real ones")
def no_entry_error(run: Run) -> Evidence:
    """Square roots and quotients of weights are rounded, so no entry error of 0 can be true."""
    case = MapsCase(np.ones((2, 3), dtype=np.uint8), np.zeros((2, 3), dtype=np.uint8))
    broken = replace(case.reduced.target, entry_error=0.0)
    return exhaustive(
        ENTRIES, "N = 2, m = 3, bicubic", [broken], 1, lambda target: stands_for(target, case.stated())
    )
