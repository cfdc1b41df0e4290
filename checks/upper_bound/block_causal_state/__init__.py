"""Check of lem-block-causal-state: the identity for all entries, counted operations, and the error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate, pairwise, product
from math import comb
from typing import Any

import numpy as np

from checks.evidence import Claims, Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.exact.counting import Counted, Tally
from checks.exact.intervals import precision
from checks.lower_bound.token_count import Sides, all_sides
from checks.upper_bound.block_causal_state.passes import (
    AS_STATED,
    Plan,
    Size,
    one_pass,
    small_sizes,
    state_identities,
)
from reductions.lower_bound.token_count import multiplications as exact_multiplications
from reductions.problems.attention import attention
from reductions.problems.schedule import geometric_sides, square_schedule, token_count
from reductions.upper_bound.block_causal_state import (
    ReadableState,
    exact_weights,
    multiplications,
)
from reductions.upper_bound.monomial_features import MonomialSet, downward_closed, total_degree

IDENTITY = "(1) the state computes the masked sums"
SIZE = "(1) the state has r (d_v + 1) numbers, whatever the pyramid"
ERROR = "(2) error against softmax attention"
WORK = "(3) multiplications, counted"
GROWTH = "(3) at most 4 r (d_v + 1) L multiplications, so n^(2 + o(1))"


def tallied_work(case: tuple[Sides, int, int, int]) -> int:
    """Run the pass on numbers that count; return how many multiplications were made."""
    sides, d, value_dimension, degree = case
    schedule = square_schedule(sides)
    tokens = token_count(schedule)
    tally = Tally()
    generator = np.random.default_rng(tokens)

    def rows(width: int) -> list[list[Any]]:
        drawn = generator.uniform(-1, 1, (tokens, width)).tolist()
        return [[Counted(x, tally) for x in row] for row in drawn]

    def counting_weights(members: MonomialSet, coefficients: Any, inverse: Any) -> list[Any]:
        return [Counted(w, tally) for w in exact_weights(members, coefficients, inverse)]

    ends = list(accumulate(side**2 for side in sides))
    coefficients = [1.0 / (p + 1) for p in range(degree + 1)]
    arguments = (rows(d), rows(d), rows(value_dimension), ends, coefficients, 0.5)
    one_pass(*arguments, Plan(weights=counting_weights))
    return tally.multiplications


def work_is(stated: Callable[..., int]) -> Callable[[tuple[Sides, int, int, int]], bool]:
    """Return the predicate that compares counted multiplications with a stated number."""
    return lambda case: tallied_work(case) == stated(square_schedule(case[0]), *case[1:])


def state_size(case: tuple[int, int, int, int]) -> bool:
    """Count the state's numbers after a number of tokens was absorbed in two scales."""
    tokens, d, value_dimension, degree = case
    state = ReadableState(total_degree(d, degree), value_dimension)
    for share in (tokens // 2, tokens - tokens // 2):
        state.absorb([[Fraction(1, 3)] * d] * share, [[1] * value_dimension] * share)
    return sum(len(row) for row in state.rows) == comb(d + degree, degree) * (value_dimension + 1)


def growth(case: tuple[int, int, int]) -> bool:
    """Compare with 4 r (d_v + 1) L at side n, and L with 4/3 n^2."""
    n, d, degree = case
    schedule = square_schedule(geometric_sides(n))
    tokens, r = token_count(schedule), comb(d + degree, degree)
    return multiplications(schedule, d, d, degree) <= 4 * r * (d + 1) * tokens and 3 * tokens < 4 * n**2


TAYLOR = tuple(Fraction(1, f) for f in (1, 1, 2, 6, 24))
"""The Taylor polynomial T of degree 4: T(x) e^-x - 1 falls (by x^4 e^-x / 24), from 0.0194 at -1."""
TAYLOR_ERROR = Fraction(1, 51)


def error_claims(count: int, seed: int, plan: Plan = AS_STATED) -> Claims:
    """Yield |output - softmax output| <= 2 h tanh(artanh(eps)/2), outputs exact, softmax in intervals."""
    with precision() as iv:
        yield from _error_claims(iv, count, seed, plan)


def _error_claims(iv: Any, count: int, seed: int, plan: Plan) -> Claims:
    for end in (-1, 1):
        at_end = sum(c * end**p for p, c in enumerate(TAYLOR))
        off = abs(iv.mpf(at_end.numerator) / at_end.denominator * iv.exp(-end) - 1)
        yield f"the polynomial's error at {end}", off, "<=", TAYLOR_ERROR
    eps = iv.mpf(TAYLOR_ERROR.numerator) / TAYLOR_ERROR.denominator
    share = 2 * eps / (1 + iv.sqrt(1 - eps**2))
    generator = np.random.default_rng(seed)
    for index in range(count):
        ends = (1, 5, 21)[: 2 + index % 2]
        tokens, d = ends[-1], 1 + index % 3

        def rows(width: int, low: int, height: int = tokens) -> list[list[Fraction]]:
            return [
                [Fraction(x, 8) for x in row] for row in generator.integers(low, 9, (height, width)).tolist()
            ]

        queries, keys, values = rows(d, -8), rows(d, -8), rows(2, 0)  # values in [0, 1]: h = 1/2
        found = one_pass(queries, keys, values, ends, TAYLOR, Fraction(1, d), plan)
        for query, softmax in enumerate(interval_softmax(iv, queries, keys, values, ends, d)):
            numerators, denominator = found[query]
            for column, expected in enumerate(softmax):
                output = numerators[column] / denominator
                off = abs(expected - iv.mpf(output.numerator) / output.denominator)
                yield f"pyramid {index}, query {query}, column {column}", off, "<=", share / 2


def interval_softmax(
    iv: Any, queries: Any, keys: Any, values: Any, ends: Sequence[int], temperature: int
) -> Iterator[list[Any]]:
    """Yield the masked softmax outputs of every query, in intervals."""
    for start, stop in pairwise((0, *ends)):
        for query in queries[start:stop]:
            logits = [sum(x * y for x, y in zip(query, key, strict=True)) for key in keys[:stop]]
            weights = [iv.exp(iv.mpf(x.numerator) / (x.denominator * temperature)) for x in logits]
            columns = zip(*values[:stop], strict=True)
            yield [
                sum(w * iv.mpf(x.numerator) / x.denominator for w, x in zip(weights, column, strict=True))
                / sum(weights)
                for column in columns
            ]


@dataclass(frozen=True)
class Pyramid:
    """Random entries in [-1, 1], float64, logits within [-1, 1]."""

    seed: int
    ends: tuple[int, ...]
    d: int
    degree: int
    arrays: tuple[Any, Any, Any] = field(repr=False, compare=False)


def draw_pyramid(generator: np.random.Generator) -> Pyramid:
    """Draw a pyramid of up to seven scales, at times clustered."""
    sides = np.unique(generator.integers(1, 13, generator.integers(1, 8)))
    ends = tuple(np.cumsum(sides**2).tolist())
    d, seed = int(generator.integers(1, 9)), int(generator.integers(2**32))
    rng = np.random.default_rng(seed)
    queries, keys = rng.uniform(-1, 1, (2, ends[-1], d))
    if seed % 2:
        keys = np.sign(keys[:1]) * rng.uniform(0.8, 1, keys.shape)
    return Pyramid(seed, ends, d, int(rng.integers(1, 6)), (queries, keys, rng.uniform(-1, 1, (ends[-1], 3))))


def kernels_within_bound(case: Pyramid) -> bool:
    """Compare the fused kernels' pass with softmax, and the bound from the certified polynomial.

    Also scale by scale from a state that, every other time, has one degree more than the polynomial.
    """
    from reductions.polynomials.exponential import minimax_polynomial
    from reductions.upper_bound.block_causal_state import BlockCausalState, block_causal_attention
    from reductions.upper_bound.weight_perturbation import weighted_mean_error

    queries, keys, values = case.arrays
    polynomial = minimax_polynomial(case.degree, -1.0, 1.0)
    found = block_causal_attention(
        queries, keys, values, case.ends, polynomial.coefficients, case.d, dtype=np.float64
    )
    expected = np.concatenate(
        [
            attention(queries[start:stop], keys[:stop], values[:stop], case.d)
            for start, stop in pairwise((0, *case.ends))
        ]
    )
    state = BlockCausalState(case.d, values.shape[1], case.degree + case.seed % 2, dtype=np.float64)
    answers = []
    for start, stop in pairwise((0, *case.ends)):
        state.absorb(keys[start:stop], values[start:stop])
        answers.append(state.attend(queries[start:stop], polynomial.coefficients, case.d))
    bound = weighted_mean_error(1.0, polynomial.error) + 1e-11  # rounding of the two, far below
    return state.tokens == case.ends[-1] and all(
        bool(np.abs(outputs - expected).max() <= bound) for outputs in (found, np.concatenate(answers))
    )


@lemma(
    "lem-block-causal-state",
    title="One pass over the pyramid",
    statement_uses=("def-var", "lem-monomial-features"),
    proof_uses=("lem-weight-perturbation", "lem-token-count"),
)
def block_causal_state(run: Run) -> Iterator[Evidence]:
    """Identities in all entries at once, counted operations, certified and sampled errors."""
    tokens, degree = run.pick(quick=(3, 2), full=(4, 3))
    sizes = small_sizes(tokens, degree)
    scope = f"all cuts of up to {tokens} tokens into scales, d, d_v <= 2, degree <= {degree}"
    yield symbolic(IDENTITY, f"all entries, polynomials and temperatures; {scope}", state_identities(sizes))
    pyramid = [Size((1, 5), 2, 1, 2), Size((1, 5, 14), 1, 1, 2)]
    yield symbolic(
        IDENTITY,
        "all entries; sides 1, 2 with d = 2 and 1, 2, 3 with d = 1, degree 2",
        state_identities(pyramid),
    )
    counts = list(product((2, 7, 30), (1, 2, 3), (1, 2), range(4)))
    yield exhaustive(
        SIZE, "2, 7 and 30 tokens, d <= 3, d_v <= 2, degree <= 3", counts, 3 * 3 * 2 * 4, state_size
    )
    yield certified(
        ERROR,
        "rational pyramids of 5 and 21 tokens, Taylor polynomial of degree 4, softmax in intervals",
        error_claims(run.pick(quick=6, full=60), run.seed),
    )
    draws = run.pick(quick=40, full=1000)
    yield sampled(
        ERROR,
        f"{draws} random pyramids of up to seven scales, fused kernels in double precision",
        run.seed,
        draws,
        draw_pyramid,
        kernels_within_bound,
    )
    largest = run.pick(quick=3, full=4)
    work = list(product(all_sides(largest), (1, 3), (1, 2), range(4)))
    yield exhaustive(
        WORK,
        f"all schedules with sides up to {largest}, d = 1, 3, d_v = 1, 2, degree <= 3, operations tallied",
        work,
        (2**largest - 1) * 2 * 2 * 4,
        work_is(multiplications),
    )
    cases = list(product([2**k for k in range(1, 13)], range(1, 17), range(9)))
    yield exhaustive(
        GROWTH, "sides 1, 2, 4, ..., n up to 4096, d = d_v <= 16, degree <= 8", cases, 12 * 16 * 9, growth
    )


def broken(plan: Plan) -> Evidence:
    """Put a broken pass to the test of the identity on one pyramid."""
    size = Size((1, 3), 2, 1, 2)
    return symbolic(IDENTITY, "scales of 1 and 2 tokens, d = 2, degree 2", state_identities([size], plan))


@block_causal_state.control("the state misses the first scale")
def missed_scale(run: Run) -> Evidence:
    """Queries of the second scale then see their own scale only."""
    return broken(Plan(absorbs=lambda scale: scale > 0))


@block_causal_state.control("a scale is absorbed after its queries were answered")
def late_scale(run: Run) -> Evidence:
    """Off by one: a token no longer sees its own scale."""
    return broken(Plan(late=True))


@block_causal_state.control("the state is begun anew at every scale")
def forgetful(run: Run) -> Evidence:
    """Attention within a scale is not block-causal attention."""
    return broken(Plan(forgets=True))


@block_causal_state.control("monomials are weighted without their multinomials")
def without_multinomials(run: Run) -> Evidence:
    """Mixed monomials then count once instead of as often as they occur."""

    def plain(members: MonomialSet, coefficients: Any, inverse: Any) -> list[Any]:
        return [coefficients[p] * inverse**p for p in members.degrees.tolist()]

    return broken(Plan(weights=plain))


@block_causal_state.control("a monomial is dropped")
def dropped_monomial(run: Run) -> Evidence:
    """The set without the last monomial is downward closed, and one short."""

    def fewer(dimension: int, degree: int) -> MonomialSet:
        return downward_closed(total_degree(dimension, degree).exponents[:-1])

    return broken(Plan(members=fewer))


@block_causal_state.control("the Taylor polynomial of degree 1 with the error of degree 4")
def poor_polynomial(run: Run) -> Evidence:
    """The identity holds for any polynomial; the error bound does not."""

    def linear(members: MonomialSet, coefficients: Any, inverse: Any) -> list[Any]:
        return exact_weights(members, (*coefficients[:2], 0, 0, 0), inverse)

    return certified(ERROR, "three rational pyramids", error_claims(3, 0, Plan(weights=linear)))


@block_causal_state.control("the work of exact attention")
def exact_work(run: Run) -> Evidence:
    """The pass makes another number of multiplications than the textbook algorithm."""
    return exhaustive(
        WORK,
        "sides 1, 2, 3, d = d_v = 1, degree 2",
        [((1, 2, 3), 1, 1, 2)],
        1,
        work_is(lambda schedule, d, d_v, degree: exact_multiplications(schedule, d, d_v)),
    )
