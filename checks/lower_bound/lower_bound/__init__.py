"""Check of thm-lower-bound: exponents by algebra, sizes against the parameter maps and built instances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import combinations, product

import numpy as np

from checks.evidence import Evidence, certified, exhaustive, symbolic
from checks.evidence.registry import Kind, Run, lemma
from checks.lower_bound.lower_bound.constants import (
    bound_claims,
    bound_identities,
    exponent_identities,
    logarithm_claims,
)
from checks.lower_bound.lower_bound.sizes import (
    CASES,
    SYSTEMS,
    accounts_agree,
    direct_sizes,
    drawn_sizes,
    gap_sizes,
    map_identities,
    maps_to_stated,
    side_is_right,
    small_formulas,
)
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.distributed_pcp import DistributedPCP
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.lower_bound import (
    TOLERATED,
    Route,
    accounting,
    stated_bounds,
    symbolic_sizes,
    total_exponent,
)
from reductions.lower_bound.lower_bound.sizes import (
    ModelSizes,
    maps_sizes,
    stretch,
)
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.approximate_var import Reading
from reductions.problems.cnf import CNF
from reductions.problems.gap_sizes import GapSizes
from reductions.problems.interpolation import Interpolation, Kernel

EXPONENTS = "the exponents: all calls together take time 2^((1 - q/8) v), constant factors aside"
SIZES = "the sizes n, L, d, R, b and the channels are those of the composed reductions"
BOUNDS = "the bounds: d, channels <= C log n, R <= C log n or C sqrt(log n), b <= C log^2 n or C log n"
ADMITTED = "the three cases are admitted, and no others"
DECIDES = "every case decides formulas"


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


def two_variable_formulas() -> Iterator[CNF]:
    """Every set of at most two clauses on two variables, each positive, negative or absent: 46 formulas."""
    signs = product((0, 1, -1), repeat=2)
    clauses = [tuple(s * (t + 1) for t, s in enumerate(pattern) if s) for pattern in signs]
    for count in range(3):
        for chosen in combinations(clauses, count):
            yield CNF(2, chosen)


def decides(case: tuple[CNF, tuple[Route, Reading]]) -> bool:
    """Solve a satisfiable formula at its largest tolerated error, one call per message in the gap route."""
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
    ones = [CNF(v, ((1,),)) for v in (1, 2, 3)]
    words_of_one = "built formulas, v = 1, 2, 3, one clause, maps, nearest: base coordinates are needed"
    yield exhaustive(SIZES, words_of_one, ones, 3, partial(direct_sizes, kernel=Kernel.NEAREST))
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
    """The factor 2 sigma is forgotten: half a map, and sigma coarse pixels per axis for every slot."""

    def forgetful(encoding: GapSizes, log_vectors: int, kernel: Kernel) -> ModelSizes:
        right = maps_sizes(encoding, log_vectors, kernel)
        return replace(right, log_side=right.log_side - stretch(Reading.MAPS, kernel).bit_length() + 1)

    formulas = [CNF(v, ((1,), (-1,))) for v in range(1, 5)]
    check = partial(direct_sizes, kernel=Kernel.BICUBIC, stated=forgetful)
    return exhaustive(SIZES, "built formulas, v = 1, ..., 4, bicubic", formulas, 4, check)


@lower_bound.control("the entry bound at tau = 1")
def wrong_temperature(run: Run) -> Evidence:
    """At tau = d it is larger by the factor sqrt(d)."""

    def unscaled(encoding: GapSizes, log_vectors: int, kernel: Kernel) -> ModelSizes:
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
