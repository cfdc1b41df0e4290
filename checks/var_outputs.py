"""What the checks of the two VAR reductions share: bounds on outputs, the error ball, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.problem import Problem
from reductions.problems.approximate_var import ApproximateVar
from reductions.reduction import Reduction

BALL = 1 - 1e-9
"""Adversarial errors are this share of the tolerated error."""


def keeps_bounds(target: ApproximateVar, outputs: NDArray[np.float64]) -> bool:
    """Tell whether every read-out is at least ``yes_bound`` or at most ``no_bound``, up to rounding."""
    rounding = target.rounding_bound()
    far = (outputs >= target.yes_bound - rounding) | (outputs <= target.no_bound + rounding)
    return bool(far.all())


def worst_outputs(target: ApproximateVar, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outputs, each moved towards the threshold and beyond to the edge of the error ball.

    They were computed with a rounding error, so they are moved by the tolerated error less that.
    """
    error = BALL * target.tolerated_error - target.rounding_bound()
    return np.where(outputs > target.threshold, outputs - error, outputs + error)


def decides_in_error_ball(
    target: ApproximateVar, outputs: NDArray[np.float64], truth: NDArray[np.bool_]
) -> bool:
    """Tell whether ``target`` decides every row as ``truth`` has it, for the worst outputs in the ball.

    What the exact outputs and the worst ones decide right, everything in between does too.
    """
    tries = (outputs, worst_outputs(target, outputs))
    return all(np.array_equal(target.decide_rows(tried), truth) for tried in tries)


def sizes_are_exact(source: Problem, reduction: Reduction[Any, Any], stated: Mapping[str, Any]) -> bool:
    """Tell whether the parameter map, at the source's sizes, equals the sizes built (counts exactly)."""
    import sympy

    from reductions.reduction import size

    given = source.sizes
    built = reduction.map_instance(source).target.sizes
    if stated.keys() != built.keys():
        return False
    for name, expression in stated.items():
        value = expression.subs({size(key): sympy.nsimplify(number) for key, number in given.items()})
        if isinstance(built[name], int):
            if sympy.simplify(value) != built[name]:
                return False
        elif not np.isclose(float(value), built[name], rtol=1e-12, atol=0):
            return False
    return True
