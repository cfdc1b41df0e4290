"""The algebra of lem-route-crossover: bounds, criteria, the line's inequality, the family's crossover."""

from __future__ import annotations

from typing import Any

from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.reduction import size


def size_identities() -> dict[str, Any]:
    """Both bounds of the direct route and b of the gap route, from the reductions' own parameter maps."""
    import sympy

    n = sympy.Symbol("n", integer=True, nonnegative=True)
    length, gap = sympy.symbols("len Delta", positive=True)
    m = n + 1
    reduction = GapMaxIPToAttention()
    log = sympy.log(4 * size("N_v"))
    direct = {size("D"): 2 * m, size("s"): m, size("gap"): 1}
    entries = reduction.parameter_map()["R"] ** 2
    logits = reduction.logit_bound()
    middle = length - gap / 2
    return {
        "R^2 of the direct route": entries.subs(direct) - 6 * m * log,
        "b of the direct route, a pair orthogonal": logits.subs({**direct, size("M"): m}) - 2 * m * log,
        "b of the direct route, none": logits.subs({**direct, size("M"): m - 1}) - (2 * m - 1) * log,
        "b of the gap route, none": 2 * log * middle / gap - (2 * length / gap - 1) * log,
        "p of the direct route": sympy.ceiling(m - sympy.Rational(1, 2)) - m,
    }


def criterion_identities() -> tuple[dict[str, Any], dict[str, Any]]:
    """The differences of the bounds are positive multiples of the differences of the ratios."""
    import sympy

    m, inverse, ratio, log = sympy.symbols("m e r log", positive=True)
    logits = {
        "a pair orthogonal": 2 * inverse * log - 2 * m * log - 2 * log * (inverse - m),
        "none": (2 * inverse - 1) * log - (2 * m - 1) * log - 2 * log * (inverse - m),
    }
    return logits, {"R^2": 2 * ratio * log - 6 * m * log - 2 * log * (ratio - 3 * m)}


def line_identities() -> dict[str, Any]:
    """Part 4 for all q >= 3, T and s0, except T = 1 at q = 3: the steps of its proof."""
    import sympy

    s, n, x = sympy.symbols("s n x", nonnegative=True)
    q = sympy.Symbol("q", positive=True)

    def excess(order: Any, blocks: int) -> Any:
        return 8 * order**blocks * (order + 1) - 3 * blocks * (order + 3) ** 2

    return {
        "3 m Δ is at most 3T (len + 2)^2/8": (n + 2) ** 2 / 8
        - s * (n + 2 - 2 * s)
        - (n + 2 - 4 * s) ** 2 / 8,
        "len = q + 1 is the worse one": q * (q + 3) ** 2 - (q + 2) ** 2 * (q + 1) - (q**2 + q - 4),
        "T = 1, q = 4 + x": excess(4 + x, 1) - (5 * x**2 + 30 * x + 13),
        "T = 2, q = 3 + x": excess(3 + x, 2) - (8 * x**3 + 74 * x**2 + 192 * x + 72),
        "T = 1, sign": 5 * x**2 + 30 * x + 13 > 0,
        "T = 2, sign": 8 * x**3 + 74 * x**2 + 192 * x + 72 > 0,
        "larger T: q T - (T + 1) at q = 3 + x, T = 1 + n": sympy.expand((3 + x) * (1 + n) - (2 + n)) > 0,
    }


def family_identities() -> tuple[dict[str, Any], dict[str, Any]]:
    """Parts 6 and 7: where the crossover is, and what messages do to the exponent."""
    import sympy

    q, blocks, length, gap, rest = sympy.symbols("q T len Delta t", positive=True)
    saving, loss = sympy.symbols("delta eta", positive=True)
    ratio = (length * q**blocks + length - gap / 2 + rest) / (3 * gap)
    log_keys, bits = sympy.symbols("n w", positive=True)
    family = {
        "m* = (q^T + 1)/(3ε) - 1/6 + t/(3Δ), t = p - (len - Δ/2)": ratio
        - ((q**blocks + 1) * length / (3 * gap) - sympy.Rational(1, 6) + rest / (3 * gap))
    }
    messages = {
        "a call a message": ((2 - saving) * log_keys + bits) / log_keys - (2 - saving + bits / log_keys),
        "one square call": 2 - (1 + loss) * (2 - saving) - (2 - saving) * (saving / (2 - saving) - loss),
    }
    return family, messages
