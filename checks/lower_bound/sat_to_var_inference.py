"""The check of ``lem-sat-to-var-inference``: a VAR model whose weights are a formula decides it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, combinations, product
from typing import Any

import numpy as np

from checks.evidence import Evidence, exhaustive, sampled, symbolic
from checks.lemma import Run, lemma
from checks.var_outputs import decides_in_error_ball, keeps_bounds, sizes_are_exact, worst_outputs
from reductions.lower_bound.sat_to_var_inference import SatToVarInference, SatToVarInferenceReduced
from reductions.problems.approximate_var import ApproximateVar
from reductions.problems.cnf import CNF, random_k_sat
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.var_model import RELEASED_SIDES, FeedForward, Floats, square_schedule

BOUNDS = "YES read-outs are at least 16/17 and NO read-outs at most 1/16"
DECIDES = "read-outs off by anything below 7/16 decide the formula, and every YES row yields a model"
UNIVERSAL = "schedule, start token and position table do not depend on the formula"
SIZES = "the parameter map gives the sizes that are built"

ALL_SIGNS = CNF(3, tuple(product((1, -1), (2, -2), (3, -3))))
"""The eight clauses on three variables: unsatisfiable."""


def small_formulas(variables: int, most: int) -> Iterator[CNF]:
    """Every set of at most ``most`` clauses in which each variable is positive, negative or absent."""
    signs = product((0, 1, -1), repeat=variables)
    clauses = [tuple(s * (t + 1) for t, s in enumerate(pattern) if s) for pattern in signs]
    for chosen in chain.from_iterable(combinations(clauses, count) for count in range(most + 1)):
        yield CNF(variables, chosen)


def orthogonal(reduced: SatToVarInferenceReduced) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which left half assignments have an orthogonal partner, in integers."""
    vectors = reduced.listed.target
    products = vectors.left.astype(np.int64) @ vectors.right.astype(np.int64).T
    rows: np.ndarray[Any, np.dtype[np.bool_]] = (products == 0).any(axis=1)
    return rows


def is_decided(formula: CNF, reduction: SatToVarInference) -> bool:
    """The decision equals exhaustive search, on the worst outputs within the error; models verify."""
    reduced = reduction.map_instance(formula)
    outputs = reduced.target.outputs()
    if not decides_in_error_ball(reduced.target, outputs, orthogonal(reduced)):
        return False
    model = reduced.extract_solution(worst_outputs(reduced.target, outputs))
    if model is None:
        return formula.solve_brute_force() is None
    return formula.verify(model) and reduced.target.verify(reduced.map_witness(model))


def has_bounds(target: ApproximateVar) -> bool:
    """The outputs of the built model keep the two bounds."""
    return keeps_bounds(target, target.outputs())


def bound_identities() -> dict[str, Any]:
    """The proof's two inequalities for P = 1 + p pixels among L = P + 1 + q tokens."""
    import sympy

    p, q = sympy.symbols("p q", nonnegative=True)
    pixels, tokens = 1 + p, 2 + p + q
    others = tokens - pixels
    yes = 16 * tokens / (16 * tokens + others)
    no = sympy.Rational(1, 16) * pixels / tokens / (pixels / (16 * tokens) + others)
    return {
        "one key at B/2 = ln(16L), others at 0": sympy.Ge(sympy.factor(yes - sympy.Rational(16, 17)), 0),
        "every key at -B/2": sympy.Ge(sympy.factor(sympy.Rational(1, 16) - no), 0),
    }


def same_inputs(first: ApproximateVar, second: ApproximateVar) -> bool:
    """Two targets differ in nothing but weights."""
    tables = zip(first.model.position_table, second.model.position_table, strict=True)
    return (
        first.model.schedule == second.model.schedule
        and np.array_equal(first.start_token, second.start_token)
        and all(b is None if a is None else b is not None and np.array_equal(a, b) for a, b in tables)
    )


@lemma(
    "lem-sat-to-var-inference",
    title="k-SAT to VAR inference from one token",
    statement_uses=("def-cnf", "def-avar"),
    proof_uses=("lem-split-and-list",),
)
def sat_to_var_inference(run: Run) -> Iterator[Evidence]:
    """Symbolic for the bounds, exhaustive for small formulas, sampled for random ones."""
    yield symbolic(BOUNDS, "one row among L tokens, for all numbers of pixels", bound_identities())

    reduction = SatToVarInference()
    two = list(small_formulas(2, 9))
    scope = "all 512 sets of clauses on two variables, the empty clause and the empty formula included"
    yield exhaustive(
        BOUNDS, scope, two, 512, lambda formula: has_bounds(reduction.map_instance(formula).target)
    )
    yield exhaustive(DECIDES, scope, two, 512, lambda formula: is_decided(formula, reduction))
    most = run.pick(quick=1, full=3)
    count = run.pick(quick=28, full=1 + 27 + 351 + 2925)
    yield exhaustive(
        DECIDES,
        f"all {count:,} sets of at most {most} clauses on three variables",
        small_formulas(3, most),
        count,
        lambda formula: is_decided(formula, reduction),
    )
    released = SatToVarInference(Interpolation(Kernel.BILINEAR), square_schedule(RELEASED_SIDES))
    yield sampled(
        DECIDES,
        "random 3-SAT with 9 to 12 variables around ratio 4.26, the released schedule 1, 2, ..., 13, 16",
        run.seed,
        run.pick(quick=10, full=200),
        lambda generator: _random_formula(generator, 9, 12),
        lambda formula: is_decided(formula, released),
    )
    empty = reduction.map_instance(CNF(2, ())).target
    yield exhaustive(
        UNIVERSAL, scope, two, 512, lambda f: same_inputs(empty, reduction.map_instance(f).target)
    )
    sources = [CNF(v, ((1,),) * m if v else ((),) * m) for v in range(8) for m in (0, 1, 5)]
    yield exhaustive(
        SIZES,
        "v = 0 ... 7 and m = 0, 1, 5; default and released schedule",
        [(source, r, r.parameter_map()) for source in sources for r in (reduction, released)],
        48,
        lambda case: sizes_are_exact(*case),
    )


def _random_formula(generator: np.random.Generator, least: int, most: int) -> CNF:
    variables = int(generator.integers(least, most + 1))
    return random_k_sat(variables, round(4.26 * variables) + int(generator.integers(-3, 4)), 3, generator)


def _control(scope: str, reduced: SatToVarInferenceReduced, broken: ApproximateVar) -> Evidence:
    rows = orthogonal(reduced)
    if len(broken.read_outs) != len(rows):  # every pixel of the last scale is read
        rows = np.full(len(broken.read_outs), rows.any())
    return exhaustive(
        DECIDES, scope, [broken], 1, lambda target: decides_in_error_ball(target, target.outputs(), rows)
    )


@sat_to_var_inference.control("position bits are interpolated, hence fractional")
def fractional_bits(run: Run) -> Evidence:
    """Pixel (1, 1) then has bits 1/2, 1/2, which satisfy every clause with two variables in its half."""
    rule = Interpolation(Kernel.BILINEAR, aligned=True)
    reduced = SatToVarInference(rule, square_schedule((1, 2, 4))).map_instance(ALL_SIGNS)
    target = reduced.target
    table = target.model.position_table[-1]
    assert table is not None
    coarse = (np.arange(4)[:, None] >> np.arange(2)) & 1
    fractional = table.copy()
    fractional[:, :2] = rule.apply(coarse.reshape(2, 2, 2).astype(float), (4, 4)).reshape(16, 2)
    fractional[:, 2:4] = 0
    # The formula reads bits 0 and 1; bits 2 and 3 of the sixteen pixels are not needed for three variables.
    model = replace(target.model, position_table=(None, None, fractional))
    broken = replace(target, model=model, read_outs=np.arange(16))
    return _control(
        "the unsatisfiable 8-clause formula on three variables, schedule 1, 2, 4", reduced, broken
    )


@sat_to_var_inference.control("the flag is set on every scale")
def flag_everywhere(run: Run) -> Evidence:
    """No token is left to be the reference key, and every output is 1."""
    reduced = SatToVarInference().map_instance(ALL_SIGNS)
    target = reduced.target
    last = target.model.position_table[-1]
    assert last is not None
    start = np.zeros((1, last.shape[1]))
    start[0, -2] = 1
    model = replace(target.model, position_table=(start, last))
    return _control("the unsatisfiable 8-clause formula", reduced, replace(target, model=model))


@dataclass(frozen=True, eq=False)
class _Linear(FeedForward):
    """A feed-forward layer without its ReLU."""

    def __call__(self, tokens: Floats) -> Floats:
        linear: Floats = tokens @ self.weights
        return linear


@sat_to_var_inference.control("the feed-forward layer is linear")
def no_relu(run: Run) -> Evidence:
    """A clause satisfied twice then counts -1 and cancels a falsified one."""
    reduced = SatToVarInference().map_instance(ALL_SIGNS)
    target = reduced.target
    layer = target.model.layers[0]
    assert isinstance(layer, FeedForward)
    model = replace(target.model, layers=(_Linear(layer.weights), *target.model.layers[1:]))
    return _control("the unsatisfiable 8-clause formula", reduced, replace(target, model=model))


@sat_to_var_inference.control("β is halved")
def halved_scale(run: Run) -> Evidence:
    """1,024 keys at -B/4 outweigh a single reference key at 0."""
    reduction = SatToVarInference(schedule=square_schedule((1, 32)))
    reduced = reduction.map_instance(CNF(20, ((),)))
    target = reduced.target
    layer = target.attention_layer
    halved = replace(layer, temperature=2 * layer.temperature)
    model = replace(target.model, layers=(target.model.layers[0], halved))
    return _control(
        "20 variables and the empty clause (every inner product 1), schedule 1, 32",
        reduced,
        replace(target, model=model),
    )
