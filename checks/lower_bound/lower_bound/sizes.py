"""The sizes that thm-lower-bound states, against parameter maps, built instances and the accounts."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from reductions.codes.evaluation_codes import elliptic, reed_solomon
from reductions.codes.finite_field import FiniteField
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.distributed_pcp import DistributedPCP
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.lower_bound import (
    TOLERATED,
    Route,
    accounting,
    symbolic_sizes,
)
from reductions.lower_bound.lower_bound.sizes import (
    ModelSizes,
    inference_sizes,
    log_side,
    maps_sizes,
    side_overhead,
    stretch,
)
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.cnf import CNF
from reductions.problems.gap_sizes import GapSizes, complement_sizes, pcp_sizes
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.problems.schedule import square_schedule
from reductions.problems.token_map import up_interpolated
from reductions.reduction import Reduction, size

CASES = (
    (Route.DIRECT, Reading.START_AND_POSITIONS),
    (Route.DIRECT, Reading.MAPS),
    (Route.PCP, Reading.MAPS),
)
SYSTEMS = ((reed_solomon(FiniteField(3), 2), 2), (elliptic(FiniteField(5), 4), 2))
"""Codes and numbers of blocks: 4 and 8 coordinates."""


def side_is_right(case: tuple[Kernel, int], side: Callable[[Reading, Kernel, int], int] = log_side) -> bool:
    """Compare log2 n with the schedules that the two reductions choose, and its overhead with the largest."""
    kernel, variables = case
    slots = 2 ** (-(-variables // 2))
    chosen = AttentionToVar(Interpolation(kernel)).schedule_for(slots)[-1][0]
    drawn = SatToVarInference().schedule_for(variables)[-1][0]
    saving = Fraction(1, 10)
    for reading, built in ((Reading.MAPS, chosen), (Reading.START_AND_POSITIONS, drawn)):
        logarithm = side(reading, kernel, variables)
        over = (4 - saving) * logarithm - (1 - saving / 4) * variables
        if built != 2**logarithm or not 0 <= over <= side_overhead(reading, kernel, saving):
            return False
    return True


# ---- sizes ---------------------------------------------------------------------------------------------


def map_identities() -> dict[str, Any]:
    """Push m = 2, 3, ... and s = 4, 8, ... through the parameter maps, on a fixed schedule."""
    import sympy

    i = sympy.Symbol("i", integer=True, nonnegative=True)
    schedule = square_schedule([1, 2, 4, 8, 16])
    last: list[Reduction[Any, Any]] = [GapMaxIPToAttention(), AttentionToVar(schedule=schedule)]
    gap = {"N_u": sympy.Integer(4), "N_v": sympy.Integer(4), "D": size("D"), "s": 4 * i + 4, "gap": 2 * i + 2}
    direct = {"v": sympy.Integer(4), "m": i + 2}
    built = {
        Route.DIRECT: push(direct, [SplitAndList(), ComplementEncoding(), *last]),
        Route.PCP: push(gap, last),
    }
    identities = {}
    for route, sizes in built.items():
        stated = {
            name: expression.subs({size("v"): 4, size("m"): i + 2, size("s"): 4 * i + 4})
            for name, expression in symbolic_sizes(route, Reading.MAPS).items()
        }
        for name in ("n", "L", "d"):
            identities[f"{route}: {name}"] = sizes[name] - stated[name]
        identities[f"{route}: R^2"] = sympy.simplify(sizes["R"] ** 2 - stated["R"] ** 2)
        most = sizes["R"] ** 2 / sizes["d"] * (i + 2 if route is Route.DIRECT else 4 * i + 4)
        identities[f"{route}: b"] = sympy.simplify(most - stated["b"])
        identities[f"{route}: channels"] = sizes["c"] - stated["channels"]
    return identities


def push(sizes: dict[str, Any], chain: list[Reduction[Any, Any]]) -> dict[str, Any]:
    """Substitute sizes into one parameter map after the other."""
    for step in chain:
        known = {size(name): value for name, value in sizes.items()}
        sizes = {
            name: expression.subs(known, simultaneous=True) if hasattr(expression, "subs") else expression
            for name, expression in step.parameter_map().items()
        }
    return sizes


def maps_to_stated(case: tuple[Reading, Kernel, int, int]) -> bool:
    """Push numbers through the parameter maps; compare with the stated sizes, exactly."""
    import sympy

    reading, kernel, variables, clauses = case
    chain: list[Reduction[Any, Any]] = [SatToVarInference()]
    if reading is Reading.MAPS:
        to_var = AttentionToVar(Interpolation(kernel))
        chain = [SplitAndList(), ComplementEncoding(), GapMaxIPToAttention(), to_var]
    sizes = push({"v": sympy.Integer(variables), "m": sympy.Integer(clauses)}, chain)
    numbers = {size("v"): variables, size("m"): clauses}
    stated = symbolic_sizes(Route.DIRECT, reading, kernel)
    one_token = reading is Reading.START_AND_POSITIONS
    sizes["b"] = sizes["R"] ** 2 / sizes["d"] * (clauses - sympy.Rational(one_token, 2))
    sizes["channels"] = sympy.Max(sizes["c"], 2 * clauses + 1) if one_token else sizes["c"]
    return all(
        sympy.expand(sizes[name] ** 2 - expression.subs(numbers) ** 2) == 0
        for name, expression in stated.items()
    )


def largest_logit(target: ApproximateVar) -> float:
    """Compute the largest absolute logit between tokens of the last scale and tokens of all scales."""
    model, layer = target.model, target.attention_layer
    tokens = [target.start_token[None]]
    for shape, token_map in zip(model.schedule[1:], target.maps, strict=False):
        source = up_interpolated(token_map, model.interpolation, shape)
        tokens.append(source.block(0, source.count))
    if model.position_table and model.position_table[-1] is not None:
        tokens.append(model.position_table[-1])
    hidden = np.vstack(tokens)
    for forward in model.layers[:-1]:
        assert callable(forward)
        hidden = forward(hidden)
    last = hidden[-len(tokens[-1]) :]
    logits = (last @ layer.query_weights) @ (hidden @ layer.key_weights).T / layer.temperature
    return float(np.abs(logits).max())


def same_sizes(
    target: ApproximateVar, stated: ModelSizes, *, attained: bool, expressions: dict[str, Any] | None = None
) -> bool:
    """Compare a built model with the stated numbers, and these with the expressions where given.

    n, L, d, the channels and the tolerated error exactly, R to twelve digits; the largest logit, computed,
    to nine digits with b where ``attained``, and with b as an upper bound elsewhere.
    """
    sizes, logit = target.sizes, largest_logit(target)
    channels = max(count for layer in target.model.layers for count in layer.channels)
    integers = {
        "n": 2**stated.log_side,
        "L": stated.tokens,
        "d": stated.dimension,
        "channels": stated.channels,
    }
    reals = {"R": stated.entry_bound, "b": stated.logit_bound}
    if any(
        abs(float(expression) / {**integers, **reals}[name] - 1) > 1e-12
        for name, expression in (expressions or {}).items()
    ):
        return False
    return bool(
        {**sizes, "channels": channels}.items() >= integers.items()
        and abs(sizes["R"] / stated.entry_bound - 1) < 1e-12
        and logit <= stated.logit_bound * (1 + 1e-12)
        and (logit > stated.logit_bound * (1 - 1e-9) or not attained)
        and target.tolerated_error == TOLERATED[target.reading]
    )


def in_numbers(route: Route, reading: Reading, kernel: Kernel, numbers: dict[str, int]) -> dict[str, Any]:
    """Put numbers into the stated expressions."""
    known = {size(name): value for name, value in numbers.items()}
    return {
        name: expression.subs(known) for name, expression in symbolic_sizes(route, reading, kernel).items()
    }


def small_formulas(most: int) -> list[CNF]:
    """Two and four clauses on 1, ..., ``most`` variables: half of them satisfiable."""
    patterns = (((1,), (-1,)), ((1,), (1,)))
    return [CNF(v, clauses * m) for v, m, clauses in product(range(1, most + 1), (1, 2), patterns)]


def satisfiable(formula: CNF) -> bool:
    """Tell it of one of the small formulas, or of one unit clause."""
    return len(set(formula.clauses)) == 1


def direct_sizes(formula: CNF, kernel: Kernel, stated: Callable[..., ModelSizes] = maps_sizes) -> bool:
    """Build the direct route in reading maps."""
    chain = (
        SplitAndList()
        >> ComplementEncoding()
        >> GapMaxIPToAttention()
        >> AttentionToVar(Interpolation(kernel))
    )
    vectors = -(-formula.variables // 2)
    encoding = complement_sizes(len(formula.clauses))
    target = chain.map_instance(formula).target
    numbers = {"v": formula.variables, "m": len(formula.clauses)}
    # The expressions are of m >= 2, where the gap is at most s/2.
    several = len(formula.clauses) > 1
    return same_sizes(
        target,
        stated(encoding, vectors, kernel),
        attained=satisfiable(formula),
        expressions=in_numbers(Route.DIRECT, Reading.MAPS, kernel, numbers) if several else None,
    )


def drawn_sizes(formula: CNF) -> bool:
    """Build the direct route in reading start+positions."""
    target = SatToVarInference().map_instance(formula).target
    numbers = {"v": formula.variables, "m": len(formula.clauses)}
    return same_sizes(
        target,
        inference_sizes(formula.variables, len(formula.clauses)),
        # Where all clauses are the same, some assignment falsifies them all.
        attained=satisfiable(formula),
        expressions=in_numbers(Route.DIRECT, Reading.START_AND_POSITIONS, Kernel.BICUBIC, numbers),
    )


def gap_sizes(
    case: tuple[int, int, Kernel], change: Callable[[GapSizes], GapSizes] = lambda encoding: encoding
) -> bool:
    """Build the model of one message of a finite system."""
    system, log_vectors, kernel = case
    pcp = DistributedPCP(*SYSTEMS[system])
    drawn = OrthogonalVectors.random(2**log_vectors, pcp.system.coordinates, seed=0)
    left = drawn.left.copy()
    left[0] = 0  # orthogonal to every vector, as message 0 says
    instance = pcp.message_instances(OrthogonalVectors(left, drawn.right))[0]
    chain = GapMaxIPToAttention() >> AttentionToVar(Interpolation(kernel))
    encoding = change(pcp_sizes(pcp.system))
    target = chain.map_instance(instance).target
    expressions = None
    if 2 * encoding.gap == encoding.threshold:
        numbers = {"v": 2 * log_vectors, "D": pcp.system.dimension, "s": pcp.system.code.length}
        expressions = in_numbers(Route.PCP, Reading.MAPS, kernel, numbers)
    return math.isclose(2**encoding.log_instances, pcp.system.message_count) and same_sizes(
        target, maps_sizes(encoding, log_vectors, kernel), attained=True, expressions=expressions
    )


def accounts_agree(case: tuple[tuple[Route, Reading], Kernel, int]) -> bool:
    """Keep the accounts for n = 2^j and c = 7/3: as many variables v as fit into n, floor(7 v/6) clauses."""
    (route, reading), kernel, j = case
    variables = 4 * (j + 1 - stretch(reading, kernel).bit_length())
    encoding = pcp_sizes(DistributedPCP(*SYSTEMS[0]).system) if route is Route.PCP else None
    kept = accounting(
        route, reading, n=2**j, c=Fraction(7, 3), q=Fraction(1), kernel=kernel, encoding=encoding
    )
    stated = in_numbers(route, reading, kernel, {"v": variables, "m": 7 * variables // 6, "D": 26, "s": 4})
    return bool(
        kept.sizes.log_side == j
        and log_side(reading, kernel, variables) == j < log_side(reading, kernel, variables + 1)
        and (kept.sizes.dimension, kept.sizes.channels) == (stated["d"], stated["channels"])
        and all(
            words in step.sizes for words, step in zip(stated_steps(case, encoding), kept.steps, strict=True)
        )
    )


def stated_steps(case: tuple[tuple[Route, Reading], Kernel, int], encoding: GapSizes | None) -> list[str]:
    """Return what each line of the accounts for c = 7/3 and q = 1 must say, in its order."""
    (route, reading), kernel, j = case
    v = 4 * (j + 1 - stretch(reading, kernel).bit_length())
    m = 7 * v // 6
    delta = "1/16" if route is Route.PCP else "1/8"
    lines = [
        "2^((1 - 1/8) v)",
        f"2^({delta} v) of them, v = {v}, m = {m} clauses",
        f"N = 2^{v // 2} per side, dimension {m}",
    ]
    reached, d = True, 3 * m
    if encoding is not None:
        share = encoding.log_instances / (v / 2)
        reached, d = share <= 1 / 8, 29
        lines += ["D = 26, s = 4, gap 2", "enough" if reached else "too many"]
        lines += ["N queries, N + 1 keys, dimension 29"]
    elif reading is Reading.MAPS:
        lines += [f"D = {2 * m}, s = {m}, gap 1", f"N queries, N + 1 keys, dimension {d}"]
    else:
        d = m + 1
    error = "5/16" if reading is Reading.MAPS else "7/16"
    tokens = (4 ** (j + 1) - 1) // 3
    shown = f"{tokens:,}" if tokens < 10**12 else f"2^{np.log2(float(tokens)):.1f}"
    lines += [f"n = 2^{j}, L = {shown}, d = tau = {d:,}", "or fewer per layer; stated: "]
    lines += ["R = ", "b = ", f"any below {error}", "n^(4 - 1): at most 2^(3/4 v)"]
    messages = " + 1/16" if route is Route.PCP else ""
    return [
        *lines,
        f"exponent 3/4 + {delta}{messages} = 7/8 = 1 - 1/8" if reached else "not reached at this size",
    ]
