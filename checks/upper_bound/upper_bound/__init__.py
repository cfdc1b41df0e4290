"""Check of thm-upper-bound: explicit degrees and ranks, their rates, and runs that keep their account."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from checks.evidence import Claims, Evidence, certified, exhaustive, symbolic
from checks.evidence.registry import Kind, Run, lemma
from checks.upper_bound.upper_bound.account_claims import account_claims, family_claims
from checks.upper_bound.upper_bound.runs import (
    Outcome,
    RunCase,
    accuracy_reached,
    degrees_kept,
    loud_pipeline,
    measure_outcome,
    operations_kept,
    proved_for_the_run,
    shared_outcome,
)
from reductions.polynomials.bessel import log_bessel_error_bounds
from reductions.polynomials.exponential import minimax_polynomial
from reductions.problems.interpolation import Kernel
from reductions.upper_bound.monomial_features import feature_count
from reductions.upper_bound.upper_bound import Case, account, explicit_rate, family, rank_rate

ACCURACY = "(1) the fast image is within delta of the exact one, from the exact run's magnitudes alone"
PROVED = "(1) the run's own certificates prove delta, too"
DEGREE = "(1) no attention layer needs a higher degree or rank than the account says"
WORK = "(2) attending takes no more operations than the account says"
ACCOUNT = "(1), (2) the account's numbers are those of the statement"
FAMILIES = "(4) the two families have the stated rates"
RATE = "(3) degree ceil(sigma ln n) - 1 is enough where ln n >= e^4 b"
RANK = "(3) then r is at most n^(sigma (1 + ln(1 + c/sigma)))"
LIMIT = "(4) sigma and the rank's exponent tend to 0 in both cases"
FALLING = "(4) the accounts' exponents fall towards 2, and below 4"
NUMBERS = "(5) sum |c_p| b^p is at most 4 (1 + sqrt 2)^g (1 + eps) e^b"


# ---- runs ----------------------------------------------------------------------------------------------


def run_cases(full: bool) -> list[RunCase]:
    """Return all kernels, maps given and drawn, with one seed or more and two accuracies."""
    seeds = range(3) if full else range(1)
    accuracies = (math.log(10), math.log(1000))
    return [RunCase(*case) for case in product(Kernel, (True, False), seeds, accuracies)]


def of_the_run(keeps: Callable[[Outcome], bool], case: RunCase) -> bool:
    """Decide a property of a case's run, which is computed once."""
    return keeps(shared_outcome(case))


# ---- degree and rank -----------------------------------------------------------------------------------


def grid(full: bool) -> list[tuple[float, float, float]]:
    """Return (ln n, b, lambda) with ln n >= e^4 b: small and large half-widths and precisions."""
    sizes = (60.0, 200.0, 700.0, 2000.0) if full else (60.0, 400.0)
    shares = (0.001, 0.1, 1.0)
    precisions = (0.05, 1.0, 3.0, 10.0)
    return [
        (size, share * size / math.exp(4) * (1 - 2.0**-40), precision * size)
        for size, share, precision in product(sizes, shares, precisions)
    ]


Rate = Callable[[float, float, float], float]


def rate_claims(points: Sequence[tuple[float, float, float]], rate: Rate = explicit_rate) -> Claims:
    """Yield ln E_g(b) <= -lambda at g = ceil(sigma ln n) - 1, with two-sided bounds on E_g."""
    from mpmath import iv

    for size, half_width, precision in points:
        degree = max(0, math.ceil(rate(size, half_width, precision) * size * (1 + 2.0**-40)) - 1)
        low, high = log_bessel_error_bounds(half_width, degree)
        name = f"ln n = {size:g}, b = {half_width:.4g}, lambda = {precision:g}, degree {degree}"
        yield name, iv.mpf([low, high]), "<=", -Fraction(precision)


def rank_claims(
    points: Sequence[tuple[float, float, float]], exponent: Callable[[float, float], float] = rank_rate
) -> Claims:
    """Yield ln C(d + g, g) <= rate ln n for d = floor(c ln n) and g = floor(sigma ln n)."""
    from mpmath import iv

    for (size, half_width, precision), c in product(points, (0.1, 1.0, 10.0)):
        sigma = explicit_rate(size, half_width, precision)
        d, g = max(1, math.floor(c * size)), math.floor(sigma * size)
        allowed = Fraction(exponent(c, sigma)) * Fraction(size) * (1 + Fraction(1, 2**40))
        name = f"d = {d}, g = {g}, ln n = {size:g}"
        yield name, iv.log(iv.mpf(feature_count(d, g))), "<=", allowed


def limits(root: Any = None) -> dict[str, Any]:
    """Return limits that must vanish, as n grows; t is sqrt(ln ln n), and a all constants times ln n.

    maps: b = sqrt(ln n) and lambda = a ln n. drawn: b = e^t, and lambda adds K ln Lambda with
    K = ln n / ln 2 and Lambda = w (1 + 2 R^2), w = R^2 = ``root`` (default e^t).
    """
    import sympy

    t, a, c, sigma = sympy.symbols("t a c sigma", positive=True)
    logarithm = sympy.exp(t**2)  # ln n
    slow = sympy.exp(t) if root is None else root(t)

    def second(precision: Any, ratio_log: Any) -> Any:
        return 4 * (precision + 2 / logarithm) / ratio_log

    growth = (sympy.log(slow) + sympy.log(3 * slow)) / sympy.log(2)  # 1 + 2 R^2 <= 3 R^2
    drawn = second(a + growth, sympy.simplify(t**2 - sympy.log(slow)))
    infinity = sympy.oo
    return {
        "maps, first": sympy.limit(sympy.exp(-(t**2) / 4), t, infinity),
        "maps, second": sympy.limit(second(a, t**2 / 2), t, infinity),
        "drawn, first": sympy.limit(sympy.exp((sympy.log(slow) - t**2) / 2), t, infinity),
        "drawn, second": sympy.limit(sympy.expand_log(drawn, force=True), t, infinity),
        "rank": sympy.limit(sigma * (1 + sympy.log(1 + c / sigma)), sigma, 0, "+"),
    }


def falling_claims(sides: Sequence[int], c: float, unscaled: bool = False) -> Claims:
    """Yield, for n = 2^j, that the exponents of the accounts fall from one j to the next, and end below 4.

    The accuracy is 1/n. Exponents are logarithms of whole numbers, in interval arithmetic.
    """
    from mpmath import iv

    for case in Case:
        before = None
        for j in sides:
            demand = family(case, j, c=c, unscaled=unscaled)
            found = account(demand, j * math.log(2))
            exponent = iv.log(iv.mpf(found.multiplications)) / (j * iv.log(2))
            if before is not None:
                yield f"{case}, n = 2^{j}", exponent, "<", before
            before = exponent
        yield f"{case}, n = 2^{sides[-1]}", before, "<", 4
        yield f"{case}, n = 2^{sides[-1]}", before, ">", 2


def number_claims() -> Claims:
    """Yield sum |c_p| b^p <= 4 (1 + sqrt 2)^g (1 + eps) e^b for certified polynomials."""
    from mpmath import iv

    for b, degree in product((1.0, 2.0, 4.0), range(1, 16, 2)):
        polynomial = minimax_polynomial(degree, -b, b)
        total = sum(abs(Fraction(x)) * Fraction(b) ** p for p, x in enumerate(polynomial.coefficients))
        size = 4 * (1 + iv.sqrt(2)) ** degree * iv.exp(b) * (1 + iv.mpf(polynomial.error))
        yield f"b = {b}, degree {degree}", total, "<=", size


@lemma(
    "thm-upper-bound",
    kind=Kind.THEOREM,
    title="The upper bound",
    statement_uses=(
        "def-attention",
        "def-var",
        "def-avar",
        "lem-feature-map-reconstruction",
        "lem-decoder",
        "lem-lipschitz-attention",
    ),
    proof_uses=(
        "lem-exp-polynomial",
        "lem-bessel-error",
        "lem-rank-growth",
        "lem-monomial-features",
        "lem-weight-perturbation",
        "lem-block-causal-state",
        "lem-low-rank-attention",
        "lem-lipschitz-interpolation",
        "lem-lipschitz-convolution",
        "lem-lipschitz-feed-forward",
        "lem-error-composition",
        "lem-token-count",
    ),
    source="AS23, AA22",
)
def upper_bound(run: Run) -> Iterator[Evidence]:
    """Runs against their accounts; explicit rates by proved Bessel bounds; limits by algebra."""
    full = run.pick(quick=False, full=True)
    cases = run_cases(full)
    count = 3 * 2 * (3 if full else 1) * 2
    words = (
        "pipelines of 85 tokens and 256 pixels, all kernels, maps given and drawn, delta = 1/10 and 1/1000"
    )
    claims: list[tuple[str, Callable[[Outcome], bool]]] = [
        (ACCURACY, accuracy_reached),
        (PROVED, proved_for_the_run),
        (DEGREE, degrees_kept),
        (WORK, operations_kept),
    ]
    for claim, keeps in claims:
        yield exhaustive(claim, words, cases, count, partial(of_the_run, keeps))
    words = "eight demands that differ in every number, two accuracies"
    yield certified(ACCOUNT, words, account_claims())
    yield certified(FAMILIES, "n = 2^8, 2^64, 2^512, d about (ln n)/4 and ln n", family_claims())
    points = grid(full)
    words = f"{len(points)} points (ln n, b, lambda), ln n up to {points[-1][0]:g}"
    yield certified(RATE, words, rate_claims(points))
    yield certified(RANK, f"{words}, c = 1/10, 1, 10", rank_claims(points))
    yield symbolic(LIMIT, "maps: R^4 = ln n; drawn: w = R^2 = exp(sqrt(ln ln n)); every accuracy", limits())
    sides = run.pick(quick=(32, 128, 512), full=(32, 64, 128, 256, 512, 1024))
    words = f"d = (ln n)/4, accuracy 1/n, n = 2^{sides[0]}, ..., 2^{sides[-1]}"
    yield certified(FALLING, words, falling_claims(sides, 0.25))
    words = "certified polynomials, b = 1, 2, 4, degrees 1, 3, ..., 15"
    yield certified(NUMBERS, words, number_claims())


@upper_bound.control("the errors' growth behind a layer is forgotten")
def without_propagation(run: Run) -> Evidence:
    """Every layer is as exact as the image is to be; the decoder then enlarges what is left."""
    case = RunCase(Kernel.BICUBIC, True, 0, math.log(1000))

    def holds(one: RunCase) -> bool:
        return accuracy_reached(measure_outcome(one, loud_pipeline(), lambda d: replace(d, log_growth=0.0)))

    words = "a decoder that enlarges a millionfold, delta = 1/1000"
    return exhaustive(ACCURACY, words, [case], 1, holds)


@upper_bound.control("logits up to d R^2: the temperature is forgotten")
def without_temperature(run: Run) -> Evidence:
    """At tau = 1 the same R gives logits d times as large, and ranks that are powers of n."""
    words = "d = ln n, accuracy 1/n, n = 2^32, 2^64, 2^128, tau = 1"
    return certified(FALLING, words, falling_claims((32, 64, 128), 1.0, unscaled=True))


@upper_bound.control("R is a power of log n while the model draws")
def too_large_entries(run: Run) -> Evidence:
    """With R^2 = (ln n)^(4/5), which is o(log n), K layers enlarge errors by a power of log n each."""
    import sympy

    words = "w = R^2 = (ln n)^(4/5)"
    return symbolic(LIMIT, words, limits(lambda t: sympy.exp(4 * t**2 / 5)))


@upper_bound.control("a quarter of the degree")
def too_low_a_degree(run: Run) -> Evidence:
    """sigma = (lambda + 2) / (ln n ln(ln n / b)): then E_g is above epsilon."""

    def quarter(size: float, half_width: float, precision: float) -> float:
        return explicit_rate(size, half_width, precision) / 4

    return certified(RATE, "the points of the check", rate_claims(grid(False), quarter))


@upper_bound.control("as many monomials as n^sigma")
def rank_without_entropy(run: Run) -> Evidence:
    """The binomial coefficient is larger, by the logarithm of 1 + c/sigma."""
    return certified(RANK, "the points of the check", rank_claims(grid(False), lambda c, sigma: sigma))
