"""Recheck a hard instance: what it claims is computed anew, by other means where there are any.

The promise is checked exactly, by a scan over all pairs of the vectors, or all assignments of the formula,
that it comes from, and on the integers of its queries and keys. References are computed in ball arithmetic
from the floating-point arrays that a kernel is given; the twin is built and its decisive output compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reductions.kernel_suite import integer_instance, var_instance
from reductions.kernel_suite.calling import Precision
from reductions.kernel_suite.hard_instance import HardInstance
from reductions.kernel_suite.integer_instance import IntegerInstance, pcp_reduction
from reductions.kernel_suite.low_precision import rounded
from reductions.kernel_suite.suite import build_instance
from reductions.kernel_suite.var_instance import VarInstance
from reductions.layers.arrays import Floats
from reductions.polynomials.precision import working_precision
from reductions.problem import Answer
from reductions.problems.approximate_var import Reading
from reductions.problems.orthogonal_vectors import OrthogonalVectors, Pair

if TYPE_CHECKING:
    from flint import arb

INTEGER_ERROR = 2.0**-52
"""Relative: an integer instance's references are exact numbers, rounded to float64."""

VAR_ERROR = 1e-12
"""Relative: what is documented of a VAR instance's references."""

_BITS = 160
_PRODUCTS_PER_BLOCK = 1 << 24


def recheck(instance: HardInstance) -> tuple[str, ...]:
    """Return in words everything that is not as the instance claims: nothing, where all is well."""
    if isinstance(instance, IntegerInstance):
        return (*_common_faults(instance, INTEGER_ERROR), *_integer_faults(instance))
    if isinstance(instance, VarInstance):
        return (*_common_faults(instance, VAR_ERROR), *_var_faults(instance))
    raise TypeError(f"Argument 'instance' must be of a suite, not {type(instance).__name__}.")


def _common_faults(instance: IntegerInstance | VarInstance, tolerance: float) -> Iterator[str]:
    if build_instance(instance.parameters).digest != instance.digest:
        yield "built again, it has another digest"
    twin = build_instance(replace(instance.parameters, planted=not instance.label.planted))
    if twin.decisive != instance.decisive:
        yield "its twin has another decisive row"
    exact = _exact_outputs(instance, instance.rows)
    if not (np.abs(instance.reference - exact) <= tolerance * np.abs(exact)).all():
        yield "a reference is not the exact output of its row"
    twin_exact = float(_exact_outputs(twin, np.array([instance.decisive]))[0])
    if not abs(instance.twin_reference - twin_exact) <= tolerance * abs(twin_exact):
        yield "the twin's reference is not the exact output of the twin's decisive row"
    if not instance.margin > 0 or instance.decide(exact) is not instance.answer:
        yield "the exact outputs do not decide it right"


def _ov_faults(source: OrthogonalVectors, pair: Pair, answer: Answer) -> Iterator[str]:
    if answer is Answer.YES:
        if not source.verify(pair):
            yield "the decisive pair of the YES twin is not orthogonal"
    elif source.solve_brute_force() is not None:
        yield "the NO twin has an orthogonal pair"


def _var_faults(instance: VarInstance) -> Iterator[str]:
    if instance.parameters.reading is Reading.MAPS:
        yield from _ov_faults(*var_instance.ov_source(instance.parameters), instance.answer)
        return
    formula, _ = var_instance.formula_source(instance.parameters)
    if (formula.solve_brute_force() is not None) is not (instance.answer is Answer.YES):
        yield "the formula's answer is not the instance's"


def _integer_faults(instance: IntegerInstance) -> Iterator[str]:
    parameters = instance.parameters
    source, pair = integer_instance.ov_source(parameters)
    yield from _ov_faults(source, pair, instance.answer)
    if pair != (instance.decisive, instance.partner):
        yield "the decisive pair is not the source's"
    gap = pcp_reduction(parameters.field).system.gap if parameters.field else 1
    asked = float(parameters.strength) * log(4 * len(source.left))
    if instance.scale**2 * gap / (2 * instance.temperature) < asked * (1 - INTEGER_ERROR):
        yield "the logit gap is smaller than its strength says"
    if parameters.field:
        yield from _logit_faults(instance, gap)
    else:
        yield from _encoding_faults(instance, source)
    for name in ("queries", "keys"):
        array = getattr(instance, name)
        for precision in (Precision.BFLOAT16, Precision.FLOAT16):
            if not np.array_equal(rounded(array, precision), array):
                yield f"the {name} are no numbers of {precision}"


def _encoding_faults(instance: IntegerInstance, source: OrthogonalVectors) -> Iterator[str]:
    """Compare with (-a, 1, 1) and (b, 0, lift), doubled: so the vectors' promise is the logits'."""
    m = instance.parameters.coordinates
    queries, keys = np.zeros_like(instance.query_halves), np.zeros_like(instance.key_halves)
    queries[:-1, :m] = -2 * source.left.astype(np.int16)
    queries[:, m : m + 2] = 2
    queries[-1] = queries[0]
    keys[:-1, :m] = 2 * source.right.astype(np.int16)
    keys[-1, m] = -1
    keys[:, m + 1] = 2 * (1 << (m - 1).bit_length()) if instance.parameters.lifted else 0
    if not np.array_equal(queries, instance.query_halves) or not np.array_equal(keys, instance.key_halves):
        yield "queries and keys do not encode the vectors"


def _logit_faults(instance: IntegerInstance, gap: int) -> Iterator[str]:
    """Check the product of every query with every key: half a gap or more from the reference key's."""
    keys = instance.key_halves.T.astype(np.float64)  # sums of small integers: exact
    rows = max(1, _PRODUCTS_PER_BLOCK // keys.shape[1])
    above: list[int] = []
    for start in range(0, len(instance.query_halves), rows):
        products = instance.query_halves[start : start + rows].astype(np.float64) @ keys
        excess = products[:, :-1] - products[:, -1:]  # in quarters
        if (np.abs(excess) < 2 * gap).any():
            yield "a logit is nearer to the reference key's than the promise allows"
        above += (start + np.flatnonzero((excess > 0).any(axis=1))).tolist()
    if instance.answer is Answer.NO and above:
        yield "a logit of the NO twin is above the reference key's"
    if instance.answer is Answer.YES and instance.decisive not in above:
        yield "no logit of the decisive row is above the reference key's"


def _exact_outputs(instance: HardInstance, rows: NDArray[np.int64]) -> Floats:
    """Return the outputs of some rows for the arrays that a kernel is given, rounded to nearest."""
    queries, keys, values = instance.queries, instance.keys, instance.values[:, 0]
    output = _short_output if isinstance(instance, IntegerInstance) else _long_output
    ends = [instance.keys_seen(int(row)) for row in rows]
    with working_precision(_BITS):
        return np.array(
            [
                output(queries[row], keys[:end], values[:end], instance.temperature)
                for row, end in zip(rows, ends, strict=True)
            ]
        )


def _short_output(query: Floats, keys: Floats, values: Floats, temperature: float) -> float:
    """Attend with numbers so short that float64 products are exact; values 0 and 1."""
    from flint import arb

    products, equal = np.unique(keys @ query, return_inverse=True)
    weights = [((arb(x) - arb(products[-1])) / temperature).exp() for x in products.tolist()]
    counts, ones = np.bincount(equal), np.bincount(equal, weights=values).astype(np.int64)
    return float(_sum(weights, ones.tolist()) / _sum(weights, counts.tolist()))


def _long_output(query: Floats, keys: Floats, values: Floats, temperature: float) -> float:
    """Attend with any numbers."""
    from flint import arb, arb_mat

    used = np.flatnonzero(query) if query.any() else np.array([0])
    products = arb_mat(keys[:, used].tolist()) * arb_mat([[x] for x in query[used].tolist()])
    logits = [products[row, 0] / temperature for row in range(len(keys))]
    largest = max(logits, key=float)
    weights = [(logit - largest).exp() for logit in logits]
    return float(_sum(weights, values.tolist()) / sum(weights, arb(0)))


def _sum(weights: list[arb], factors: list[Any]) -> arb:
    from flint import arb

    return sum((w * x for w, x in zip(weights, factors, strict=True) if x), arb(0))
