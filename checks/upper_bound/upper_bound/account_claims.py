"""The account of thm-upper-bound, taken apart: each number against its formula, written out anew."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

from checks.evidence import Claims
from checks.exact.intervals import precision
from reductions.polynomials.bessel import log_bessel_error_bounds
from reductions.upper_bound.upper_bound import Account, Attending, Case, Demand, account, family

TWO_LAYERS = Demand(
    side=8,
    half_width=1.5,
    log_values=0.7,
    stages=5,
    log_growth=3.25,
    attending=(Attending(85, 2, 3, 4), Attending(64, 4, 1)),
    elsewhere=1000,
)


def demands() -> list[Demand]:
    """Return demands that differ in every number that the theorem names."""
    others = {
        "side": 16,
        "half_width": 0.25,
        "log_values": 0.0,
        "stages": 1,
        "log_growth": 0.0,
        "elsewhere": 0,
    }
    one_layer = TWO_LAYERS.attending[1:]
    return [
        TWO_LAYERS,
        *(replace(TWO_LAYERS, **{name: value}) for name, value in others.items()),  # type: ignore[arg-type]
        replace(TWO_LAYERS, attending=one_layer),
    ]


def account_claims() -> Claims:
    """Yield that precision, degree, ranks, operations and exponents are those of parts 1 and 2."""
    for demand, accuracy in product(demands(), (0.0, math.log(1000))):
        found = account(demand, accuracy)
        name = f"{demand}, ln(1/delta) = {accuracy:.3g}"
        yield from _precision_and_degree(name, found, accuracy)
        ranks = [math.comb(layer.dimension + found.degree, found.degree) for layer in demand.attending]
        pairs = list(zip(ranks, demand.attending, strict=True))
        fast = sum(4 * rank * (layer.values + 1) * layer.tokens for rank, layer in pairs)
        exact = sum(layer.tokens**2 * (layer.dimension + layer.values) for layer in demand.attending)
        yield f"{name}: M + sum 4 r (d_v + 1) L'", found.multiplications, "==", demand.elsewhere + fast
        yield f"{name}: exact", demand.exact_multiplications, "==", demand.elsewhere + exact
        yield f"{name}: ranks", max(found.ranks), "==", max(ranks)
        with precision() as iv:
            logarithm = iv.log(iv.mpf(demand.side))
            exponents = (
                (found.exponent, found.multiplications),
                (found.rank_exponent, max(ranks)),
            )
            for computed, number in exponents:
                off = abs(computed * logarithm - iv.log(iv.mpf(number)))
                yield f"{name}: log_n of {number}", off, "<=", iv.mpf(2) ** -40


def _precision_and_degree(name: str, found: Account, accuracy: float) -> Claims:
    demand, lam = found.demand, found.log_precision
    with precision() as iv:
        asked = iv.log(iv.mpf(2 * demand.stages)) + demand.log_values + demand.log_growth + accuracy
        yield f"{name}: ln(1/epsilon)", abs(asked - lam), "<=", iv.mpf(2) ** -40
        yield f"{name}: epsilon", abs(iv.log(iv.mpf(found.epsilon)) + lam), "<=", iv.mpf(2) ** -40
        enough = log_bessel_error_bounds(demand.half_width + 1, found.degree)[1]
        yield f"{name}: degree {found.degree}", iv.mpf(enough), "<=", iv.mpf(-lam)
        if found.degree > 1:
            fewer = log_bessel_error_bounds(demand.half_width + 1, found.degree - 1)[1]
            yield f"{name}: degree {found.degree - 1}", iv.mpf(fewer), ">", iv.mpf(-lam)


def family_claims() -> Claims:
    """Yield that the families have part 4's rates: tokens, dimensions, entries, stages and growth."""
    for j, c in product((8, 64, 512), (0.25, 1.0)):
        tokens = sum(4**k for k in range(j + 1))
        with precision() as iv:
            log_side = j * iv.log(2)
            level = iv.exp(iv.sqrt(iv.log(log_side)))  # R^2 = w where the model draws
            growth = {
                Case.MAPS: 3 * log_side,
                Case.DRAWN: (j + 2) * iv.log(level * (1 + 2 * level)),
            }
            squares = {Case.MAPS: iv.sqrt(log_side), Case.DRAWN: level}
            values = {Case.MAPS: log_side, Case.DRAWN: iv.log(level)}
            for case in Case:
                demand = family(case, j, c=c)
                name = f"{case}, n = 2^{j}, c = {c}"
                for layer in demand.attending:
                    yield f"{name}: tokens", layer.tokens, "==", tokens
                    yield f"{name}: d - 1 < c ln n", layer.dimension - 1, "<", c * log_side
                    yield f"{name}: c ln n <= d", iv.mpf(layer.dimension), ">=", c * log_side
                    yield f"{name}: d_v = d", layer.values, "==", layer.dimension
                stages = 3 if case is Case.MAPS else j + 2
                yield f"{name}: attention stages", demand.stages, "==", stages
                for words, computed, stated in (
                    ("b = R^2 at tau = d", demand.half_width, squares[case]),
                    ("ln U", demand.log_values, values[case]),
                    ("ln G", demand.log_growth, growth[case]),
                ):
                    yield f"{name}: {words}", abs(stated - computed), "<=", stated / 2**40
                unscaled = family(case, j, c=c, unscaled=True).half_width
                dimension = demand.attending[0].dimension
                yield (
                    f"{name}: b = d R^2 at tau = 1",
                    abs(squares[case] * dimension - unscaled),
                    "<=",
                    (squares[case] * dimension / 2**40),
                )
