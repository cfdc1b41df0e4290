"""The check of ``lem-sat-to-var-inference``: a VAR model whose weights are a formula decides it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Evidence, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.exact.var_outputs import sizes_are_exact
from checks.lower_bound.sat_to_var_inference.instances import (
    BOUNDS,
    FewPixels,
    InferenceCase,
    late_maximum,
    odd_cases,
    random_case,
    stated_cases,
)
from checks.lower_bound.split_and_list import FormulaSpace
from reductions.layers.arrays import Floats
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.problems.approximate_var import ApproximateVar
from reductions.problems.cnf import CNF
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import RELEASED_SIDES, square_schedule
from reductions.problems.var_model import FeedForward

INEQUALITIES = "(1) the inequalities that the proof uses, for all numbers of pixels and tokens"
DECIDES = (
    "(1, 2, 3) YES read-outs are at least 16/17 and NO read-outs at most 1/16; those off by less than 7/16 "
    "decide the formula, and every YES row yields a satisfying assignment"
)
UNIVERSAL = "(4) schedule, start token and position table are the stated ones, whatever the formula"
ENTRIES = "(4) entries stand for the stated reals, R and b are right, outputs are within their bound"
SIZES = "(4) the parameter map gives the sizes that are built"
REFUSED = "too few pixels for a formula, and read-outs that no formula has, are refused"

ALL_SIGNS = CNF(3, tuple(product((1, -1), (2, -2), (3, -3))))
"""The eight clauses on three variables: unsatisfiable."""

TWO_OF_EIGHT = CNF(8, tuple(product((2, -2), (4, -4))))
"""The four clauses on variables 2 and 4 of eight: unsatisfiable, and all in the first half."""


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


@lemma(
    "lem-sat-to-var-inference",
    title="k-SAT to VAR inference from one token",
    statement_uses=("def-seth", "def-cnf", "def-interpolation", "def-var", "def-avar", "lem-split-and-list"),
)
def sat_to_var_inference(run: Run) -> Iterator[Evidence]:
    """Symbolic for the proof, exhaustive for small formulas, sampled for random ones."""
    yield symbolic(INEQUALITIES, "one row among L tokens", bound_identities())
    odd = list(odd_cases())
    yield from _decisions(run, odd)
    yield exhaustive(
        UNIVERSAL,
        "the same 144 models, entry by entry",
        odd,
        4 * 4 * 3 * 3,
        InferenceCase.has_stated_input,
    )
    yield exhaustive(
        ENTRIES,
        "0 to 4 variables, 0 to 5 clauses, last scales of 4, 6, 9 and 16 pixels: entries and outputs with 50 "
        "digits, in float64 and float32",
        stated_cases(),
        6 * 4,
        InferenceCase.has_stated_entries,
    )
    refusals: list[FewPixels | InferenceCase] = [
        FewPixels(5, (2, 3)),
        FewPixels(7, (3, 3)),
        InferenceCase(ALL_SIGNS),
    ]
    yield exhaustive(
        REFUSED,
        "v = 5 on 6 pixels, v = 7 on 9; every read-out 1 for an unsatisfiable formula",
        refusals,
        3,
        lambda case: case.is_refused(),
    )
    yield _sizes()


def _decisions(run: Run, odd: list[InferenceCase]) -> Iterator[Evidence]:
    """Parts 1 to 3: small formulas, odd ones, one whose largest logit comes late, random ones."""
    spaces = [
        FormulaSpace(0, 0, 3),
        FormulaSpace(1, 3, 2),
        FormulaSpace(2, 2, run.pick(2, 3)),
        FormulaSpace(3, run.pick(1, 2), 2),
        FormulaSpace(3, run.pick(2, 3), 1),
        FormulaSpace(4, 2, 1),
    ]
    for space in spaces:
        yield exhaustive(
            DECIDES,
            f"all formulas with {space}, repeated and opposite literals included",
            map(InferenceCase, space),
            space.size,
            InferenceCase.is_decided,
        )
    yield exhaustive(
        DECIDES,
        "4 formulas, with a clause of six literals two of which are equal, a tautology, and 70 clauses of "
        "which the last one matters; last scales of 6, 9 and 16 pixels, three kernels, τ = d, 1 and 500",
        odd,
        4 * 4 * 3 * 3,
        InferenceCase.is_decided,
    )
    yield exhaustive(
        DECIDES,
        "22 variables, 12 unit clauses, on 1 + 48 x 48 tokens: the largest logit comes late",
        [late_maximum()],
        1,
        InferenceCase.is_decided,
    )
    yield sampled(
        DECIDES,
        "random 3-SAT with 9 to 12 variables around ratio 4.26, the released schedule 1, 2, ..., 13, 16",
        run.seed,
        run.pick(quick=10, full=200),
        random_case,
        InferenceCase.is_decided,
    )


def _sizes() -> Evidence:
    """Part 4: what the parameter map says, for three reductions."""
    released = SatToVarInference(Interpolation(Kernel.BILINEAR), square_schedule(RELEASED_SIDES))
    reductions = [
        SatToVarInference(),
        released,
        SatToVarInference(schedule=((1, 1), (4, 8)), temperature=37.5),
    ]
    sources = [CNF(v, ((1,),) * m if v else ((),) * m) for v in (*range(8), 9) for m in (0, 1, 5)]
    return exhaustive(
        SIZES,
        "v = 0 ... 7, 9 and m = 0, 1, 5; default and released schedule, "
        "and an oblong one at another temperature",
        [(source, r, r.parameter_map()) for source in sources for r in reductions],
        9 * 3 * 3,
        lambda case: sizes_are_exact(*case),
    )


def _control(scope: str, case: InferenceCase, broken: ApproximateVar) -> Evidence:
    rows = case.extendable
    return exhaustive(
        DECIDES, scope, [broken], 1, lambda target: BOUNDS.decide(target, target.outputs(), rows)
    )


@sat_to_var_inference.control("position bits are interpolated, hence fractional")
def fractional_bits(run: Run) -> Evidence:
    """Pixel (1, 1), read-out 5, then has bits 1 and 3 equal to 1/2, which satisfy all four clauses."""
    rule = Interpolation(Kernel.BILINEAR, aligned=True)
    case = InferenceCase(TWO_OF_EIGHT, rule, square_schedule((1, 2, 4)))
    target = case.reduced.target
    table = target.model.position_table[-1]
    assert table is not None
    # Every second pixel on each axis keeps its bits; those in between are interpolated.
    coarse = table.reshape(4, 4, -1)[::2, ::2]
    fractional = rule.apply(coarse, (4, 4)).reshape(16, -1)
    model = replace(target.model, position_table=(None, None, fractional))
    return _control(
        "four unsatisfiable clauses on variables 2 and 4 of eight, schedule 1, 2, 4",
        case,
        replace(target, model=model),
    )


@sat_to_var_inference.control("the flag is set on every scale")
def flag_everywhere(run: Run) -> Evidence:
    """No token is left to be the reference key, and every output is 1."""
    case = InferenceCase(ALL_SIGNS)
    target = case.reduced.target
    last = target.model.position_table[-1]
    assert last is not None
    start = np.zeros((1, last.shape[1]))
    start[0, -2] = 1
    model = replace(target.model, position_table=(start, last))
    return _control("the unsatisfiable 8-clause formula", case, replace(target, model=model))


@dataclass(frozen=True, eq=False)
class _Linear(FeedForward):
    """A feed-forward layer without its ReLU."""

    def __call__(self, tokens: Floats) -> Floats:
        linear: Floats = tokens @ self.weights
        return linear


@sat_to_var_inference.control("the feed-forward layer is linear")
def no_relu(run: Run) -> Evidence:
    """A clause satisfied twice then counts -1 and cancels a falsified one."""
    case = InferenceCase(ALL_SIGNS)
    target = case.reduced.target
    layer = target.model.layers[0]
    assert isinstance(layer, FeedForward)
    model = replace(target.model, layers=(_Linear(layer.weights), *target.model.layers[1:]))
    return _control("the unsatisfiable 8-clause formula", case, replace(target, model=model))


@sat_to_var_inference.control("β is halved")
def halved_scale(run: Run) -> Evidence:
    """1,024 keys at -B/4 outweigh a single reference key at 0."""
    case = InferenceCase(CNF(20, ((),)), schedule=square_schedule((1, 32)))
    target = case.reduced.target
    layer = target.attention_layer
    halved = replace(layer, temperature=2 * layer.temperature)
    model = replace(target.model, layers=(target.model.layers[0], halved))
    return _control(
        "20 variables and the empty clause (every inner product 1), schedule 1, 32",
        case,
        replace(target, model=model),
    )
