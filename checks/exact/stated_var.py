"""The stated reals of the two VAR reductions, written down from the statements, not from the code."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from checks.exact.stated_reals import Row, StatedReals
from reductions.lower_bound.isolation import grid_slots
from reductions.problems.cnf import CNF
from reductions.problems.interpolation import Interpolation
from reductions.problems.schedule import Schedule, token_count

Bits = NDArray[np.uint8]


def stated_maps(left: Bits, right: Bits, rule: Interpolation, schedule: Schedule) -> StatedReals:
    """Return the tokens of lem-attention-to-var for complement-encoded vectors: s = m and gap 1.

    ``left`` and ``right`` are 0/1 vectors, shapes (L_q, m) and (N, m).
    """
    m = left.shape[1]
    half = Fraction(1, 2)
    reference = [*[1] * (m - 1), half] if m else [-half]  # sums to s - 1/2
    base = [1] * max(0, 2 - m)
    seen_by_all = [0] * (2 * m)
    queries: list[Row] = [[*(1 - x for x in a), *a, *[1] * len(reference), *base] for a in left.tolist()]
    keys: list[Row] = [[*[1] * m, *(1 - x for x in b), *[0] * len(reference), *base] for b in right.tolist()]
    zero: Row = [0] * len(queries[0])

    (h, w), (fine_h, fine_w) = schedule[-2:]
    slots = grid_slots(rule, (h, w), (fine_h, fine_w), max(len(queries), len(keys)))
    tall, wide = rule.exact_matrix(h, fine_h), rule.exact_matrix(w, fine_w)
    weights = [tall[i][r] * wide[j][c] for (i, j), (r, c) in zip(slots.fine, slots.coarse, strict=True)]

    start = schedule[0][0] * schedule[0][1]
    middle = sum(height * width for height, width in schedule[1:-1])
    all_queries: list[Row] = [zero] * (start + middle)
    reference_key: Row = [*seen_by_all, *reference, *base]
    all_keys = [reference_key] * start + [zero] * middle
    values: list[Fraction | int] = [0] * (start + middle)
    for i in range(fine_h):
        for j in range(fine_w):
            query, key, value = zero, zero, Fraction(0)
            for slot, (r, c) in enumerate(slots.coarse):
                factor = tall[i][r] * wide[j][c] / weights[slot]
                if factor and slot < len(queries):
                    query = [x + factor * y for x, y in zip(query, queries[slot], strict=True)]
                if factor and slot < len(keys):
                    key = [x + factor * y for x, y in zip(key, keys[slot], strict=True)]
                    value += factor
            all_queries.append(query)
            all_keys.append(key)
            values.append(value)
    return StatedReals(all_queries, all_keys, values, token_count(schedule))


def stated_inference(formula: CNF, schedule: Schedule) -> StatedReals:
    """Return the tokens of lem-sat-to-var-inference: pixel r has the half assignment of its low bits."""
    half = (formula.variables + 1) // 2
    pixels = schedule[-1][0] * schedule[-1][1]
    earlier = token_count(schedule) - pixels
    zero = [0] * (len(formula.clauses) + 1)
    queries: list[Row] = [zero] * earlier
    keys: list[Row] = [zero] * earlier
    bits = next(h for h in range(64) if 2 ** (h + 1) > pixels)
    for pixel in range(pixels):
        values = [pixel >> t & 1 if t < bits else 0 for t in range(half)]
        a = falsified(formula, dict(enumerate(values, 1)))
        b = falsified(
            formula, {half + t: x for t, x in enumerate(values, 1) if half + t <= formula.variables}
        )
        queries.append([*(-x for x in a), 1])
        keys.append([*b, Fraction(1, 2)])
    return StatedReals(queries, keys, [0] * earlier + [1] * pixels, earlier + pixels)


def falsified(formula: CNF, values: dict[int, int]) -> Sequence[int]:
    """Tell for each clause, 1 or 0, whether a partial assignment satisfies none of its literals."""
    return [
        int(not any(values.get(abs(x)) == (1 if x > 0 else 0) for x in clause)) for clause in formula.clauses
    ]
