"""The constants of thm-lower-bound: exponents by algebra, bounds in rational numbers and intervals."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

from checks.evidence import Claims
from checks.lower_bound.lower_bound.sizes import CASES
from reductions.lower_bound.lower_bound import (
    TOLERATED,
    Budget,
    Route,
    stated_bounds,
    total_exponent,
)
from reductions.lower_bound.lower_bound.sizes import (
    inference_sizes,
    maps_sizes,
    stretch,
)
from reductions.problems.approximate_var import Reading
from reductions.problems.gap_sizes import GapSizes, complement_sizes
from reductions.problems.interpolation import Kernel


def exponent_identities(share: Any = None) -> dict[str, Any]:
    """The exponents for every q, w and v = 4w + j; ``share`` replaces eta in the gap route."""
    import sympy

    q = sympy.Symbol("q", positive=True)
    w = sympy.Symbol("w", integer=True, nonnegative=True)
    identities: dict[str, Any] = {}
    for route in Route:
        budget = Budget(route, q)
        eta = budget.eta if share is None or route is Route.DIRECT else share * q
        total = total_exponent(q, budget.delta, eta)
        identities[f"{route}: what is left"] = total - (1 - budget.epsilon)
        identities[f"{route}: as stated"] = budget.total - (1 - q / 8)
        delta, stated_eta = (q / 8, 0) if route is Route.DIRECT else (q / 16, q / 8)
        identities[f"{route}: delta"] = budget.delta - delta
        identities[f"{route}: eta"] = sympy.sympify(budget.eta - stated_eta)
        identities[f"{route}: one call a message, in n"] = sympy.Lt((2 * eta / q).simplify(), 1)
    for reading, kernel in product((Reading.MAPS, Reading.START_AND_POSITIONS), Kernel):
        logarithm = sympy.log(stretch(reading, kernel), 2)
        for j in range(1, 5):
            time = (4 - q) * (logarithm + w + 1)
            over = (4 - q) * (logarithm + 1 - sympy.Rational(j, 4))
            identities[f"{reading}, {kernel}, v = 4w + {j}"] = time - (1 - q / 4) * (4 * w + j) - over
    return identities


def bound_identities() -> dict[str, Any]:
    """The constants: ln(16 L) <= (9/2) log2 n, m <= 4 C log2 n, s <= 2 A log2 n, D <= A s, for C, A >= 1.

    Where a 1 is added, it is at most C log2 n, or A (A + 1) log2 n.
    """
    import sympy

    x, y = sympy.symbols("C A", positive=True)
    logarithm = sympy.Rational(9, 2)
    drawn = stated_bounds(Route.DIRECT, Reading.START_AND_POSITIONS, x)
    maps = stated_bounds(Route.DIRECT, Reading.MAPS, x)
    gap = stated_bounds(Route.PCP, Reading.MAPS, y)
    n = sympy.Symbol("n", positive=True)
    return {
        "start+positions: d": drawn.dimension - (4 * x + x),
        "start+positions: R^2": drawn.square - 2 * (4 * x + 1) * logarithm,
        "start+positions: b": drawn.logit - 2 * 4 * x * logarithm,
        "maps: d": maps.dimension - 3 * 4 * x,
        "maps: R^2": maps.square - 2 * 3 * 4 * x * logarithm,
        "maps: b": maps.logit - 2 * 4 * x * logarithm,
        "gap: d": sympy.expand(gap.dimension - (y + 1) * 2 * y),
        "gap: R^2": sympy.expand(gap.square - 4 * (y + 1) * logarithm),
        "gap: b": gap.logit - 4 * logarithm,
        "powers of log2 n": sympy.Integer(abs(drawn.power - 2) + abs(maps.power - 2) + abs(gap.power - 1)),
        "start+positions: channels": drawn.channels - (2 * 4 * x + x),
        "start+positions: channels of a token": sympy.Ge(drawn.channels.subs(x, 1), 2 + 2),
        "maps: channels": maps.channels - (2 * 3 * 4 * x + x),
        "gap: channels": sympy.expand(gap.channels - (2 * (y + 1) * 2 * y + y * (y + 1))),
        "start+positions: error": TOLERATED[Reading.START_AND_POSITIONS] - sympy.Rational(7, 16),
        "maps: error": TOLERATED[Reading.MAPS] - sympy.Rational(5, 16),
        "16 L = (64 n^2 - 16)/3": sympy.expand(16 * (4 * n**2 - 1) / 3 - (64 * n**2 - 16) / 3),
    }


def logarithm_claims(most: int) -> Claims:
    """Yield 2 ln n <= ln(16 L) <= (9/2) log2 n for n = 2, 4, ..., and the step to all larger n."""
    from mpmath import iv

    for j in range(1, most + 1):
        logarithm = iv.log(iv.mpf(16 * (4 ** (j + 1) - 1) // 3))
        yield f"upper, n = 2^{j}", logarithm, "<=", Fraction(9 * j, 2)
        yield f"lower, n = 2^{j}", logarithm, ">=", 2 * j * iv.log(2)
    yield "ln(64/3) + 2 ln 2 <= 9/2: j >= 1", iv.log(iv.mpf(64) / 3) + 2 * iv.log(2), "<=", Fraction(9, 2)


def bound_claims(
    constants: tuple[int, ...],
    sides: range,
    case: tuple[Route, Reading] | None = None,
    stated: Callable[[Route, Reading, Any], Any] = stated_bounds,
    squeeze: int = 0,
) -> Claims:
    """Yield d, the channels, R^2 and b of the largest admitted m, or D and s, against the bounds.

    ``squeeze`` lowers the power of log2 n that R^2 is compared with.
    """
    from mpmath import iv

    for (route, reading), constant, j in product(CASES if case is None else (case,), constants, sides):
        if reading is Reading.START_AND_POSITIONS:
            sizes = inference_sizes(4 * j, 4 * constant * j)
        else:
            free = j - stretch(reading, Kernel.NEAREST).bit_length() + 1
            if free < 1:
                continue
            encoding = complement_sizes(4 * constant * free)
            if route is Route.PCP:
                s = 2 * constant * free
                encoding = GapSizes(constant * s, s, Fraction(s, 2), 0.0, "largest admitted")
            sizes = maps_sizes(encoding, 2 * free, Kernel.NEAREST)
        bounds = stated(route, reading, constant)
        logarithm = iv.log(iv.mpf(16 * sizes.tokens))
        name = f"{route}, {reading}, constant {constant}, n = 2^{j}"
        square = 2 * Fraction(sizes.dimension) / sizes.gap
        logit = 2 * sizes.most / sizes.gap
        yield f"{name}: d", sizes.dimension, "<=", bounds.dimension * j
        yield f"{name}: channels", sizes.channels, "<=", bounds.channels * j
        yield f"{name}: R^2", _times(square, logarithm), "<=", bounds.square * j ** (bounds.power - squeeze)
        yield f"{name}: b", _times(logit, logarithm), "<=", bounds.logit * j**bounds.power


def _times(factor: Fraction, interval: Any) -> Any:
    return interval * factor.numerator / factor.denominator
