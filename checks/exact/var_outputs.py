"""What the checks of the two VAR reductions share: bounds on outputs, the error ball, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.layers.arrays import Floats
from reductions.problem import Problem
from reductions.problems.approximate_var import ApproximateVar
from reductions.reduction import Reduction, size

Truth = NDArray[np.bool_]
"""Which rows are YES rows, found by other means than the model."""


@dataclass(frozen=True)
class OutputBounds:
    """The numbers that a statement promises for read-outs; a check writes them down, it imports none.

    Attributes
    ----------
    yes, no
        The least read-out of a YES row and the largest of a NO row.
    threshold, error
        Read-outs off by less than ``error`` lie on the right side of ``threshold``.
    """

    yes: Fraction
    no: Fraction
    threshold: Fraction
    error: Fraction

    def are_declared(self, target: ApproximateVar, reduction: Reduction[Any, Any]) -> bool:
        """Tell whether the built instance and the reduction declare these very numbers."""
        declared = (target.yes_bound, target.no_bound, target.threshold, target.tolerated_error)
        budget: Any = reduction.error_budget()
        return declared == tuple(map(float, (self.yes, self.no, self.threshold, self.error))) and (
            Fraction(int(budget.p), int(budget.q)) == self.error
        )

    def hold(self, outputs: Floats, truth: Truth) -> bool:
        """Tell whether YES rows and NO rows keep their bounds, with no allowance for rounding."""
        return bool((outputs[truth] >= float(self.yes)).all() and (outputs[~truth] <= float(self.no)).all())

    def worst(self, outputs: Floats, truth: Truth) -> Floats:
        """Return the outputs, each moved by ``error`` towards the wrong answer."""
        error = float(self.error)
        return np.where(truth, outputs - error, outputs + error)

    def decide(self, target: ApproximateVar, outputs: Floats, truth: Truth) -> bool:
        """Tell whether ``target`` decides every row right, for the outputs and for the worst ones.

        What both decide right, everything in between does too.
        """
        tries = (outputs, self.worst(outputs, truth))
        return all(np.array_equal(target.decide_rows(tried), truth) for tried in tries)


def verifies_yes_rows_only(target: ApproximateVar, truth: Truth) -> bool:
    """Tell whether ``target`` accepts all YES rows as witnesses, refuses NO rows and what is no row."""
    accepted = [target.verify(row) for row in range(-1, len(truth) + 1)]
    return accepted == [False, *truth.tolist(), False]


def sizes_are_exact(source: Problem, reduction: Reduction[Any, Any], stated: Mapping[str, Any]) -> bool:
    """Tell whether the parameter map, at the source's sizes, equals the sizes built (counts exactly)."""
    import sympy

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
