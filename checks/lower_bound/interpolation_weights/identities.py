"""The identities that the proofs on the weights of up-interpolation use, for every phase and every a."""

from __future__ import annotations

from typing import Any

from reductions.lower_bound.interpolation_weights import keys_taps
from reductions.problems.interpolation import keys_inner, keys_outer


def family_identities() -> dict[str, Any]:
    """Solve the seven conditions for the eight coefficients and compare with the Keys kernel."""
    import sympy

    x, a = sympy.symbols("x a")
    unknown = sympy.symbols("c0:8")
    inner = sum(c * x**power for power, c in enumerate(unknown[:4]))
    outer = sum(c * x**power for power, c in enumerate(unknown[4:]))
    conditions = [
        inner.subs(x, 0) - 1,
        inner.subs(x, 1),
        outer.subs(x, 1),
        outer.subs(x, 2),
        sympy.diff(inner, x).subs(x, 0),
        sympy.diff(inner, x).subs(x, 1) - sympy.diff(outer, x).subs(x, 1),
        sympy.diff(outer, x).subs(x, 2),
    ]
    (solution,) = sympy.solve([*conditions, unknown[7] - a], unknown, dict=True)
    matrix, _ = sympy.linear_eq_to_matrix(conditions, unknown)
    return {
        "the seven conditions are independent": matrix.rank() - sympy.Integer(7),
        "inner piece": inner.subs(solution) - keys_inner(x, a),
        "outer piece": outer.subs(solution) - keys_outer(x, a),
    }


def interior_identities() -> dict[str, Any]:
    """The signs of the taps for a = -k, k >= 0, their absolute sum, and its values at phases 1/4 and 1/2."""
    import sympy

    x, k = sympy.symbols("sigma k", nonnegative=True)
    y, a = 1 - x, -k
    before, at, after, last = keys_taps(x, a)
    total = at + after - before - last
    quarter, half = sympy.Rational(1, 4), sympy.Rational(1, 2)
    return {
        "outer taps, nonpositive": (before + k * x * y**2) ** 2 + (last + k * y * x**2) ** 2,
        "inner tap, nonnegative": at - y * (y * (1 + 2 * x) + k * x**2),
        "sum": total - (1 + 2 * k * x * y),
        "phase 1/2": total.subs(x, half) - (1 + k / 2),
        "phases 1/4 and 3/4": (total.subs(x, quarter) - (1 + 3 * k / 8)) ** 2
        + (total.subs(x, 3 * quarter) - (1 + 3 * k / 8)) ** 2,
        "largest at phase 1/2": 1 + k / 2 - total - 2 * k * (x - half) ** 2,
        "border tap at most 4/27": sympy.Rational(4, 27)
        - y * x**2
        - (x - sympy.Rational(2, 3)) ** 2 * (x + sympy.Rational(1, 3)),
        "two clamped taps, nonnegative for k <= 1": at + before - y * ((1 - k) * y * (1 + 2 * x) + k),
    }
