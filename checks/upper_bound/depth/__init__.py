"""Check of rem-depth: what composing Theta(log n) layers costs, and a model that really amplifies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Claims, Evidence, certified, exhaustive, symbolic
from checks.evidence.registry import Kind, Run, lemma
from checks.exact.interval_model import enclosed_run
from checks.exact.intervals import precision
from checks.upper_bound.depth.formulas import formula_claims
from checks.upper_bound.error_propagation.instances import recorded_run
from reductions.fast_attention.whole_model.error_chain import propagate_model
from reductions.layers.norms import column_norm
from reductions.polynomials.bessel import log_bessel_error_bounds
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.depth import (
    amplified,
    amplifying_model,
    drawing_exponent,
    error_window,
)

FORMULAS = "the computed local errors, windows of degrees and slopes are as stated"
ELEMENTARY = "the elementary bounds on the error of a degree"
SMALL = "(1) R = (log n)^o(1): the degree is o(log n)"
SLOPE = "(2) R = (log n)^rho: the degree is (1 + O(1/ln ln n)) 2 rho/(1 - 2 rho) log_2 n"
SCALES = "(3) exact early scales, and a degree for each later one"
CHAIN = "(4) a model that multiplies errors by almost R^2 at every scale"

RHOS = (Fraction(1, 10), Fraction(1, 4), Fraction(2, 5))
POWERS = (2, 5, 10, 30, 100, 300, 1000, 10_000)
"""ln n = 10^p: n itself is never written down."""

Slope = Callable[[Any], Any]


def window_claims() -> Claims:
    """Bernstein's and Taylor's bounds on ln(1/E_g(b)) enclose those by Bessel functions."""
    for b, degree in product((0.25, 1.0, 4.0, 16.0), (1, 4, 16, 40, 64)):
        low, high = error_window(b, degree)
        best, worst = log_bessel_error_bounds(b, degree)
        yield f"b = {b}, g = {degree}: Taylor", Fraction(low) - Fraction(1, 10**9), "<=", -Fraction(worst)
        yield f"b = {b}, g = {degree}: Bernstein", Fraction(high) + Fraction(1, 10**9), ">=", -Fraction(best)


def slope_claims(
    slope: Slope = lambda rho: 2 * rho / (1 - 2 * rho), constant: int = 12, powers: tuple[int, ...] = POWERS
) -> Claims:
    """Enclose the least degree for K = log_2 n scales at Lambda = 1 + 2 R^2 and final error 1/n.

    A degree 1 - C/ln ln n times the stated one is too small by Bernstein's bound, and one of 1 + C/ln ln n
    times it is enough by Taylor's. Interval arithmetic.
    """
    for rho, power in product(RHOS, powers):
        with precision(200) as iv:
            x, r = iv.mpf(10) ** power, iv.mpf(rho.numerator) / rho.denominator
            b = iv.exp(2 * r * iv.log(x))
            scales = x / iv.log(2)
            constant_per_scale = 1 + 2 * b
            # ln(1 + Lambda + ... + Lambda^(K-1)) lies between (K - 1) ln Lambda and K ln Lambda + ln 1.
            needed = x + iv.mpf([(scales - 1).a, scales.b]) * iv.log(constant_per_scale)
            degree = slope(r) * scales
            off = constant / iv.log(x)
            name = f"rho = {rho}, ln n = 10^{power}"
            if (1 - off).a > 0:
                few = degree * (1 - off)
                yield f"{name}: too few", few * iv.log(2 * few / b) + 2 * b, "<", needed
            many = degree * (1 + off)
            yield f"{name}: enough", many * (iv.log(many / b) - 1) - 2 * b, ">=", needed


def small_entries_claims(rho: Callable[[Any, Any], Any] | None = None) -> Claims:
    """With ln R = sqrt(ln ln n) a degree of 12 ln n / sqrt(ln ln n) is enough: o(log n).

    Then ln Lambda = 2 sqrt(ln ln n) + O(1) and ln(1/eps) = O(log n sqrt(ln ln n)).
    """
    for power in (10, 30, 100, 300, 1000, 10_000):
        with precision(200) as iv:
            x = iv.mpf(10) ** power
            level = iv.log(x)
            log_r = iv.sqrt(level) if rho is None else rho(iv, level)
            b = iv.exp(2 * log_r)
            needed = x + x / iv.log(2) * iv.log(1 + 2 * b)
            nu = 12 * x / iv.sqrt(level)
            yield f"ln n = 10^{power}", nu * (iv.log(nu / b) - 1) - 2 * b, ">=", needed


def exponent_claims() -> Claims:
    """Enclose the exponent of a drawing: above 2 at one scale, below 4 on every piece of a grid of scales.

    The one that is computed is the exponent of its own scale, and not below that of any other on the grid.
    """
    with precision(80) as iv:
        for c, rho in product((Fraction(1, 2), Fraction(1), Fraction(2)), RHOS):
            cc, r = (iv.mpf(f.numerator) / f.denominator for f in (c, rho))
            gamma = 2 * r / (1 - 2 * r) / iv.log(2)
            name = f"c = {c}, rho = {rho}"
            u = min((cc * iv.exp(-2 / gamma) / 2).a, (gamma / 4).a)
            y = iv.mpf(u) / gamma
            yield f"{name}: at side n^(1 - y)", 2 * (1 - y) + _entropy(iv, cc, iv.mpf(u)), ">", 2
            yield f"{name}: exact there", 4 * (1 - y), ">", 2
            pieces = 64
            for i in range(pieces):
                left, right = Fraction(i, pieces), Fraction(i + 1, pieces)
                exact = 4 * right
                degree = gamma * (pieces - i) / pieces
                fast = 2 * (iv.mpf(right.numerator) / right.denominator) + _entropy(iv, cc, degree)
                if exact < 4:
                    yield f"{name}: scales up to n^{right}", exact, "<", 4
                else:
                    yield f"{name}: scales from n^{left}", fast, "<", 4
            at, theta = drawing_exponent(float(c), float(gamma.mid))
            room = iv.mpf(2) ** -30
            name += ", the exponent that is computed"
            yield f"{name}: reached", iv.mpf(theta), "<", _cheaper(iv, cc, gamma, at) + room
            for i in range(pieces):
                value = _cheaper(iv, cc, gamma, i / pieces)
                yield f"{name}: not exceeded at n^{i}/{pieces}", iv.mpf(theta) + room, ">", value


def _cheaper(iv: Any, c: Any, gamma: Any, x: float) -> Any:
    """The upper end of the exponent of the scale of side n^x."""
    side = iv.mpf(x)
    return min((4 * side).b, (2 * side + _entropy(iv, c, (1 - side) * gamma)).b)


def _entropy(iv: Any, c: Any, u: Any) -> Any:
    return u * iv.log(1 + c / u) + c * iv.log(1 + u / c)


def chain_claims() -> Claims:
    """Run the model in interval arithmetic from the start token (e, 0): every pixel encloses the formula."""
    cases = ((2, 1, (2, 4), 30), (3, 2, (2, 4), 40), (4, 1, (2, 4, 8), 30))
    for bound, d, sides, bits in cases:
        # tanh x and x - x^3/3 differ by 2 x^5/15 where x may be 2^-38, and e^(2 x) - 1 cancels.
        with precision(320) as iv:
            model = amplifying_model(float(bound), sides, d)
            error = iv.mpf(2) ** -bits
            outputs = _enclosed(iv, model, 2.0**-bits)
            for scale, tokens in enumerate(outputs, 1):
                grown = iv.exp(2 * bound * error)
                following = bound * (grown - 1) / (grown + 1)
                name = f"R = {bound}, d = {d}, scale {scale}"
                gap = max(abs(token[0] - following).b for token in tokens)
                yield f"{name}: formula", iv.mpf(gap), "<", Fraction(1, 2**80)
                yield f"{name}: at most R^2", following, "<=", bound**2 * error
                yield (
                    f"{name}: nearly R^2",
                    following,
                    ">=",
                    bound**2 * error * (1 - (bound * error) ** 2 / 3),
                )
                error = following


def _enclosed(iv: Any, model: Any, error: float) -> Any:
    return enclosed_run(model, np.array([error, 0.0]))


def tanh_identities() -> dict[str, Any]:
    """The slope of tanh x - (x - x^3/3) is x^2 - tanh^2 x, which is not negative; both vanish at 0."""
    import sympy

    x = sympy.Symbol("x", nonnegative=True)
    gap = sympy.tanh(x) - (x - x**3 / 3)
    return {"slope": sympy.diff(gap, x) - (x**2 - sympy.tanh(x) ** 2), "value at 0": gap.subs(x, 0)}


Chain = tuple[float, tuple[int, ...], int]
CHAINS: tuple[Chain, ...] = tuple(product((1.5, 2.0, 4.0, 8.0), ((2, 4), (2, 4, 8), (2, 4, 8, 16)), (1, 3)))


def chain_is_as_stated(case: Chain, bound_on_growth: Callable[[float, int], float] | None = None) -> bool:
    """Draw in float64 from (0, 0) and (1e-9, 0): weights, entries, outputs, and the bound of the lemma."""
    bound, sides, d = case
    model = amplifying_model(bound, sides, d)
    layer = model.layers[0]
    assert isinstance(layer, SelfAttention)
    norms = (layer.query_weights, layer.key_weights, layer.value_weights, layer.output_weights)
    error = 1e-9
    exact, moved = (model.run(np.array([e, 0.0])) for e in (0.0, error))
    if bound_on_growth is not None:
        return bool(np.abs(moved[-1]).max() <= bound_on_growth(bound, len(sides)) * error)
    magnitudes = recorded_run(model, np.zeros(2)).magnitudes
    stated = propagate_model(model, magnitudes, [[0.0]] * len(sides), drawn=True, initial=error)
    unit = all(column_norm(np.asarray(weights)) <= 1 + 1e-15 for weights in norms)
    small = all(max(m.query, m.key, m.output) <= bound * (1 + 1e-14) for (m,) in magnitudes)
    as_formula = all(
        not zero.any()
        and not output[:, 1].any()
        and np.allclose(output[:, 0], amplified(error, bound, scale), rtol=1e-5, atol=0)
        and np.abs(output).max() <= errors.output
        for scale, (zero, output, errors) in enumerate(zip(exact, moved, stated, strict=True), 1)
    )
    return unit and small and as_formula


@lemma(
    "rem-depth",
    title="Many layers in a row",
    kind=Kind.REMARK,
    statement_uses=("def-var", "lem-error-composition", "lem-lipschitz-attention", "lem-monomial-features"),
)
def depth(run: Run) -> Iterator[Evidence]:
    """The asymptotics by enclosures at astronomically large n, the model in intervals and in float64."""
    scope = (
        "b = 1/4, 1, 4, 16 and g = 1, 4, 16, 40, 64, against bounds by Bessel functions in ball arithmetic"
    )
    yield certified(ELEMENTARY, scope, window_claims())
    yield certified(FORMULAS, "up to seven scales, b = 1/4 to 16, within 2^-40, intervals", formula_claims())
    powers = "10^10 to 10^10,000"
    yield certified(
        SMALL, f"ln R = sqrt(ln ln n), ln n = {powers}, interval arithmetic", small_entries_claims()
    )
    scope = (
        "rho = 1/10, 1/4, 2/5, ln n = 10^2 to 10^10,000, error 1/n, within 12/ln ln n, interval arithmetic"
    )
    yield certified(SLOPE, scope, slope_claims())
    yield certified(SCALES, "c = 1/2, 1, 2 and rho = 1/10, 1/4, 2/5, interval arithmetic", exponent_claims())
    yield symbolic(CHAIN, "tanh x >= x - x^3/3", tanh_identities())
    yield certified(
        CHAIN, "R = 2, 3, 4, two and three scales, all pixels, interval arithmetic", chain_claims()
    )
    chains = run.pick(quick=CHAINS[:12], full=CHAINS)
    scope = f"{len(chains)} models with two to four scales, d = 1 and 3, float64"
    yield exhaustive(CHAIN, scope, chains, len(chains), chain_is_as_stated)


def _chain_control(growth: Callable[[float, int], float]) -> Evidence:
    scope = "12 models with two to four scales, float64"
    return exhaustive(CHAIN, scope, CHAINS[:12], 12, lambda case: chain_is_as_stated(case, growth))


@depth.control("errors of the scales add up: K (1 + 2 R^2)")
def adding_up(run: Run) -> Evidence:
    """They multiply."""
    return _chain_control(lambda bound, scales: scales * (1 + 2 * bound**2))


@depth.control("a scale multiplies errors by R at most")
def linear_in_the_bound(run: Run) -> Evidence:
    """One factor R is the key's, another one the value's."""
    return _chain_control(lambda bound, scales: bound**scales)


@depth.control("weights with column norms of at most 1 do not amplify")
def unit_weights(run: Run) -> Evidence:
    """All norms of this model are 1."""
    return _chain_control(lambda bound, scales: 1.0)


def _slope_control(slope: Slope) -> Evidence:
    scope = "rho = 1/10, 1/4, 2/5, ln n = 10^10,000, within 12/ln ln n, interval arithmetic"
    return certified(SLOPE, scope, slope_claims(slope, powers=(10_000,)))


@depth.control("the slope rho/(1 - 2 rho), as if only half of the scales erred")
def half_of_the_scales(run: Run) -> Evidence:
    """True where the first half is computed exactly, and not otherwise."""
    return _slope_control(lambda rho: rho / (1 - 2 * rho))


@depth.control("the slope 2 rho: the logarithm in the denominator is taken to be ln ln n")
def forgotten_half_width(run: Run) -> Evidence:
    """It is that of ln(1/eps)/b, and b = (ln n)^(2 rho)."""
    return _slope_control(lambda rho: 2 * rho)


@depth.control("R = (log n)^(1/4) is taken to be (log n)^o(1)")
def power_of_the_logarithm(run: Run) -> Evidence:
    """Its degree is a constant share of log n."""
    return certified(
        SMALL,
        "ln n = 10^10 to 10^10,000, interval arithmetic",
        small_entries_claims(lambda iv, level: level / 4),
    )


@depth.control("scales of side n^(3/4) are computed exactly in time n^(2 + o(1))")
def three_quarters(run: Run) -> Evidence:
    """Exact attention on n^(3/2) tokens takes n^3."""
    return certified(
        SCALES, "sides n^(1/4), n^(1/2), n^(3/4)", ((f"n^{x}", 4 * x, "<=", 2) for x in _QUARTERS)
    )


_QUARTERS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
