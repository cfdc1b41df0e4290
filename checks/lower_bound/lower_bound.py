"""Check of thm-lower-bound: exponents by algebra, sizes against the parameter maps and built instances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np

from checks.evidence import Evidence, Relation, certified, exhaustive, symbolic
from checks.lemma import Kind, Run, lemma
from reductions.codes.evaluation_codes import elliptic, reed_solomon
from reductions.codes.finite_field import FiniteField
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.distributed_pcp import DistributedPCP
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.lower_bound import (
    TOLERATED,
    Budget,
    Route,
    accounting,
    stated_bounds,
    symbolic_sizes,
    total_exponent,
)
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.model_sizes import (
    Encoding,
    ModelSizes,
    direct_encoding,
    inference_sizes,
    log_side,
    maps_sizes,
    side_overhead,
    stretch,
    system_encoding,
)
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.cnf import CNF
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.problems.var_model import square_schedule, up_interpolated
from reductions.reduction import Reduction, size

EXPONENTS = "the exponents: all calls together take time 2^((1 - q/8) v), constant factors aside"
SIZES = "the sizes n, L, d, R, b and the channels are those of the composed reductions"
BOUNDS = "the bounds: d, channels <= C log n, R <= C log n or C sqrt(log n), b <= C log^2 n or C log n"
ADMITTED = "the three cases are admitted, and no others"
DECIDES = "every case decides formulas"

CASES = (
    (Route.DIRECT, Reading.START_AND_POSITIONS),
    (Route.DIRECT, Reading.MAPS),
    (Route.GAP, Reading.MAPS),
)
SYSTEMS = ((reed_solomon(FiniteField(3), 2), 2), (elliptic(FiniteField(5), 4), 2))
"""Codes and numbers of blocks: 4 and 8 coordinates."""


# ---- exponents -----------------------------------------------------------------------------------------


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
        Route.GAP: push(gap, last),
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
    """Tell it of one of the small formulas."""
    return formula.clauses[0] == formula.clauses[1]


def direct_sizes(formula: CNF, kernel: Kernel, stated: Callable[..., ModelSizes] = maps_sizes) -> bool:
    """Build the direct route in reading maps."""
    chain = (
        SplitAndList()
        >> ComplementEncoding()
        >> GapMaxIPToAttention()
        >> AttentionToVar(Interpolation(kernel))
    )
    vectors = -(-formula.variables // 2)
    encoding = direct_encoding(len(formula.clauses))
    target = chain.map_instance(formula).target
    numbers = {"v": formula.variables, "m": len(formula.clauses)}
    return same_sizes(
        target,
        stated(encoding, vectors, kernel),
        attained=satisfiable(formula),
        expressions=in_numbers(Route.DIRECT, Reading.MAPS, kernel, numbers),
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
    case: tuple[int, int, Kernel], change: Callable[[Encoding], Encoding] = lambda encoding: encoding
) -> bool:
    """Build the model of one message of a finite system."""
    system, log_vectors, kernel = case
    pcp = DistributedPCP(*SYSTEMS[system])
    drawn = OrthogonalVectors.random(2**log_vectors, pcp.system.coordinates, seed=0)
    left = drawn.left.copy()
    left[0] = 0  # orthogonal to every vector, as message 0 says
    instance = pcp.message_instances(OrthogonalVectors(left, drawn.right))[0]
    chain = GapMaxIPToAttention() >> AttentionToVar(Interpolation(kernel))
    encoding = change(system_encoding(pcp.system))
    target = chain.map_instance(instance).target
    expressions = None
    if 2 * encoding.gap == encoding.threshold:
        numbers = {"v": 2 * log_vectors, "D": pcp.system.dimension, "s": pcp.system.code.length}
        expressions = in_numbers(Route.GAP, Reading.MAPS, kernel, numbers)
    return same_sizes(
        target, maps_sizes(encoding, log_vectors, kernel), attained=True, expressions=expressions
    )


def accounts_agree(case: tuple[tuple[Route, Reading], Kernel, int]) -> bool:
    """Keep the accounts for n = 2^j and c = 7/3: as many variables v as fit into n, floor(7 v/6) clauses."""
    (route, reading), kernel, j = case
    variables = 4 * (j + 1 - stretch(reading, kernel).bit_length())
    encoding = system_encoding(DistributedPCP(*SYSTEMS[0]).system) if route is Route.GAP else None
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


def stated_steps(case: tuple[tuple[Route, Reading], Kernel, int], encoding: Encoding | None) -> list[str]:
    """Return what each line of the accounts for c = 7/3 and q = 1 must say, in its order."""
    (route, reading), kernel, j = case
    v = 4 * (j + 1 - stretch(reading, kernel).bit_length())
    m = 7 * v // 6
    delta = "1/16" if route is Route.GAP else "1/8"
    lines = [
        "2^((1 - 1/8) v)",
        f"2^({delta} v) of them, v = {v}, m = {m} clauses",
        f"N = 2^{v // 2} a side, dimension {m}",
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
    lines += [f"n = 2^{j}, L = {shown}, d = tau = {d:,}", "or fewer a layer; stated: "]
    lines += ["R = ", "b = ", f"any below {error}", "n^(4 - 1): at most 2^(3/4 v)"]
    messages = " + 1/16" if route is Route.GAP else ""
    return [
        *lines,
        f"exponent 3/4 + {delta}{messages} = 7/8 = 1 - 1/8" if reached else "not reached at this size",
    ]


def cases_are_right(case: tuple[Route, Reading]) -> bool:
    """Tell whether the theorem's three cases, and no others, have bounds, sizes and accounts.

    The smallest admitted n has room for four variables; half of it has not.
    """
    route, reading = case
    admitted = case in CASES
    least = 2 * stretch(reading, Kernel.BICUBIC) if reading in TOLERATED else 16
    tried: list[tuple[Callable[[], object], bool]] = [
        (lambda: stated_bounds(route, reading, 1), admitted),
        (lambda: symbolic_sizes(route, reading), admitted),
        (lambda: accounting(route, reading, n=least, c=Fraction(1), q=Fraction(1)), admitted),
        (lambda: accounting(route, reading, n=least // 2, c=Fraction(1), q=Fraction(1)), False),
    ]
    return all(_answers(call) == answered for call, answered in tried)


def _answers(call: Callable[[], object]) -> bool:
    try:
        call()
    except ValueError:
        return False
    return True


# ---- bounds --------------------------------------------------------------------------------------------


def bound_identities() -> dict[str, Any]:
    """The constants: ln(16 L) <= (9/2) log2 n, m <= 4 C log2 n, s <= 2 A log2 n, D <= A s, for C, A >= 1.

    Where a 1 is added, it is at most C log2 n, or A (A + 1) log2 n.
    """
    import sympy

    x, y = sympy.symbols("C A", positive=True)
    logarithm = sympy.Rational(9, 2)
    drawn = stated_bounds(Route.DIRECT, Reading.START_AND_POSITIONS, x)
    maps = stated_bounds(Route.DIRECT, Reading.MAPS, x)
    gap = stated_bounds(Route.GAP, Reading.MAPS, y)
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


def logarithm_claims(most: int) -> Iterator[tuple[str, Any, Relation, Any]]:
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
) -> Iterator[tuple[str, Any, Relation, Any]]:
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
            encoding = direct_encoding(4 * constant * free)
            if route is Route.GAP:
                s = 2 * constant * free
                encoding = Encoding(constant * s, s, Fraction(s, 2), 0.0, "largest admitted")
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


# ---- decisions -----------------------------------------------------------------------------------------


def two_variable_formulas() -> Iterator[CNF]:
    """Every set of at most two clauses on two variables, each positive, negative or absent: 46 formulas."""
    signs = product((0, 1, -1), repeat=2)
    clauses = [tuple(s * (t + 1) for t, s in enumerate(pattern) if s) for pattern in signs]
    for count in range(3):
        for chosen in combinations(clauses, count):
            yield CNF(2, chosen)


def decides(case: tuple[CNF, tuple[Route, Reading]]) -> bool:
    """Solve a formula with a model at its largest tolerated error, one call a message in the gap route."""
    formula, (route, reading) = case
    nearest = Interpolation(Kernel.NEAREST)
    if reading is Reading.START_AND_POSITIONS:
        targets = [SatToVarInference(nearest).map_instance(formula).target]
    else:
        last = GapMaxIPToAttention() >> AttentionToVar(nearest)
        vectors = SplitAndList().map_instance(formula).target
        if route is Route.DIRECT:
            instances = [ComplementEncoding().map_instance(vectors).target]
        else:
            instances = list(DistributedPCP(*SYSTEMS[0]).message_instances(vectors))
        targets = [last.map_instance(instance).target for instance in instances]
    found = False
    for target in targets:
        outputs = target.outputs()
        towards = np.sign(target.threshold - outputs) * target.tolerated_error * (1 - 1e-6)
        found |= bool(target.decide_rows(outputs + towards).any())
    return found == (formula.solve_brute_force() is not None)


@lemma(
    "thm-lower-bound",
    kind=Kind.THEOREM,
    title="The lower bound",
    statement_uses=("def-seth", "def-attention", "def-var", "def-avar", "lem-collapse"),
    proof_uses=(
        "lem-sparsification",
        "lem-split-and-list",
        "lem-sat-to-ov-exponents",
        "lem-complement-encoding",
        "lem-distributed-pcp",
        "lem-pcp-asymptotics",
        "lem-gap-max-ip-to-attention",
        "lem-isolation",
        "lem-attention-to-var",
        "lem-sat-to-var-inference",
        "lem-logit-invariance",
        "lem-token-count",
    ),
    source="AS23, Rub18",
)
def lower_bound(run: Run) -> Iterator[Evidence]:
    """Algebra; parameter maps by substitution; built instances; decisions of small formulas."""
    yield symbolic(EXPONENTS, "both routes, every q and v, all kernels", exponent_identities())
    most = run.pick(quick=100, full=400)
    yield exhaustive(
        EXPONENTS,
        f"the schedules that are chosen, v = 1, ..., {most}, all kernels",
        product(Kernel, range(1, most + 1)),
        3 * most,
        side_is_right,
    )
    yield symbolic(
        SIZES, "parameter maps, every m >= 2, every D and every s divisible by 4", map_identities()
    )
    variables = run.pick(quick=(8,), full=tuple(range(1, 9)))
    kernels = run.pick(quick=(Kernel.BICUBIC,), full=tuple(Kernel))
    numbers = [
        *product((Reading.MAPS,), kernels, variables, (2, 5)),
        *product((Reading.START_AND_POSITIONS,), (Kernel.BICUBIC,), variables, (2, 5)),
        (Reading.START_AND_POSITIONS, Kernel.BICUBIC, 12, 2),  # a token has more channels than a clause asks
    ]
    words = (
        f"parameter maps, v = {', '.join(map(str, variables))}, m = 2 and 5; v = 12 and m = 2 from one token"
    )
    yield exhaustive(SIZES, words, numbers, 2 * len(variables) * (len(kernels) + 1) + 1, maps_to_stated)
    formulas = small_formulas(run.pick(quick=5, full=6))
    words = f"built formulas, v = 1, ..., {formulas[-1].variables}, m = 2 and 4"
    for kernel in Kernel:
        check = partial(direct_sizes, kernel=kernel)
        yield exhaustive(SIZES, f"{words}, maps, {kernel}", formulas, len(formulas), check)
    yield exhaustive(SIZES, f"{words}, start+positions", formulas, len(formulas), drawn_sizes)
    systems = list(product(range(len(SYSTEMS)), (0, 1, 2), (Kernel.NEAREST, Kernel.BICUBIC)))
    words = "one message of two finite systems, N = 1, 2, 4, nearest and bicubic"
    yield exhaustive(SIZES, words, systems, 12, gap_sizes)
    sides = run.pick(quick=range(4, 9), full=range(4, 41))
    words = f"the accounts, n = 2^{sides[0]}, ..., 2^{sides[-1]}, all cases and kernels"
    accounts = product(CASES, Kernel, sides)
    yield exhaustive(SIZES, words, accounts, len(CASES) * len(Kernel) * len(sides), accounts_agree)
    every = list(product(Route, Reading))
    words = "both routes, every reading, with the smallest n and with half of it"
    yield exhaustive(ADMITTED, words, every, len(Route) * len(Reading), cases_are_right)
    yield symbolic(BOUNDS, "all constants", bound_identities())
    yield certified(BOUNDS, "ln(16 L), n = 2, 4, ..., 2^60 and beyond", logarithm_claims(60))
    words = "d, channels, R and b in all cases, constants 1, 2, 10, 1000, n = 2, ..., 2^60"
    yield certified(BOUNDS, words, bound_claims((1, 2, 10, 1000), range(1, 61)))
    words = "all sets of at most two clauses on two variables, all cases, outputs off by the tolerated error"
    yield exhaustive(DECIDES, words, product(two_variable_formulas(), CASES), 3 * 46, decides)


@lower_bound.control("N^(q/2) messages")
def too_many_messages(run: Run) -> Evidence:
    """Then they eat the saving: n^(4 - q) times n^q."""
    import sympy

    return symbolic(EXPONENTS, "eta = q/2, every q", exponent_identities(sympy.Rational(1, 2)))


@lower_bound.control("delta = q/4: sparsification eats the saving")
def too_many_formulas(run: Run) -> Evidence:
    """There are 2^(q v / 4) formulas, and each saves that factor."""
    savings = [Fraction(t, 10) for t in range(1, 11)]
    return certified(
        EXPONENTS,
        "direct route, q = 1/10, ..., 1",
        ((f"q = {q}", total_exponent(q, q / 4, Fraction(0)), "<", 1) for q in savings),
    )


@lower_bound.control("slots are free: n = 2^ceil(v/4) with all maps given")
def no_stretch(run: Run) -> Evidence:
    """The factor 2 sigma is forgotten: half a map, and sigma coarse pixels an axis for every slot."""

    def forgetful(encoding: Encoding, log_vectors: int, kernel: Kernel) -> ModelSizes:
        right = maps_sizes(encoding, log_vectors, kernel)
        return replace(right, log_side=right.log_side - stretch(Reading.MAPS, kernel).bit_length() + 1)

    formulas = [CNF(v, ((1,), (-1,))) for v in range(1, 5)]
    check = partial(direct_sizes, kernel=Kernel.BICUBIC, stated=forgetful)
    return exhaustive(SIZES, "built formulas, v = 1, ..., 4, bicubic", formulas, 4, check)


@lower_bound.control("the entry bound at tau = 1")
def wrong_temperature(run: Run) -> Evidence:
    """At tau = d it is larger by the factor sqrt(d)."""

    def unscaled(encoding: Encoding, log_vectors: int, kernel: Kernel) -> ModelSizes:
        class AtOne(ModelSizes):
            @property
            def log2_entry_bound(self) -> float:
                return float(super().log2_entry_bound - np.log2(self.dimension) / 2)

        right = maps_sizes(encoding, log_vectors, kernel)
        return AtOne(right.log_side, right.dimension, right.gap, right.most, right.channels)

    formulas = [CNF(v, ((1,), (-1,))) for v in range(1, 5)]
    check = partial(direct_sizes, kernel=Kernel.NEAREST, stated=unscaled)
    return exhaustive(SIZES, "built formulas, v = 1, ..., 4, nearest", formulas, 4, check)


@lower_bound.control("no reference coordinates in d")
def no_reference(run: Run) -> Evidence:
    """One code coordinate fewer is one dimension fewer than what is built."""
    return exhaustive(
        SIZES,
        "one message of a finite system, N = 4",
        [(0, 2, Kernel.NEAREST)],
        1,
        partial(gap_sizes, change=lambda e: replace(e, dimension=e.dimension - 1)),
    )


@lower_bound.control("the direct route at R = O(sqrt(log n))")
def direct_at_the_root(run: Run) -> Evidence:
    """With the same constant and one logarithm less in R^2 the bound fails as n grows."""
    return certified(
        BOUNDS,
        "direct route, C = 1, n = 2, ..., 2^60",
        bound_claims((1,), range(1, 61), case=(Route.DIRECT, Reading.MAPS), squeeze=1),
    )
