"""Exponents: what a faster algorithm for orthogonal vectors, or for VAR inference, does to SAT.

Times are written as powers of two. For v variables, split and list makes N = 2^ceil(v/2) vectors a
side, and the VAR model of lem-sat-to-var-inference has a last map of side n = 2^max(1, ceil(v/4)). Time
N^(2-q) is then 2^((1 - q/2) v), up to a constant factor, and n^(4-q) is 2^((1 - q/4) v).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import SplitAndList

if TYPE_CHECKING:
    import sympy


class Target(Enum):
    """A problem that SAT is reduced to: the name of its size, its exponent, and the saving passed on."""

    OV = ("N", 2, Fraction(1, 2))
    """Orthogonal vectors: quadratic in N, of which SAT with v variables needs about 2^(v/2)."""
    VAR = ("n", 4, Fraction(1, 4))
    """VAR inference from one token: quartic in the side n of the last map, about 2^(v/4)."""

    def __repr__(self) -> str:
        return self.name

    @property
    def size(self) -> str:
        """The name of the size in the parameter map."""
        return self.value[0]

    @property
    def exponent(self) -> int:
        """The exponent of the exhaustive algorithm: pairs of vectors, or pairs of pixels."""
        return self.value[1]

    @property
    def share(self) -> Fraction:
        """The saving in the exponent of SAT for a saving of 1: one over the exponent."""
        return self.value[2]

    def built_size(self) -> sympy.Expr:
        """Return N or n as an expression in v, from the parameter map of the reduction."""
        reduction = SplitAndList() if self is Target.OV else SatToVarInference()
        return reduction.parameter_map()[self.size]

    def log_size(self, variables: int) -> int:
        """Return log2 of the built size for a formula with that many variables."""
        if self is Target.OV:
            return -(-variables // 2)
        return max(1, -(-variables // 4))


def sat_exponent(target: Target, saving: Any, sparsified: Any = 0) -> Any:
    """Return e such that an algorithm with that saving decides SAT in time 2^(e v), up to a polynomial.

    Parameters
    ----------
    target
        What the algorithm solves, in time size^(exponent - saving).
    saving
        q, a number or a symbol.
    sparsified
        delta, where the formula was first written as 2^(delta v) sparse ones.
    """
    from sympy import Rational

    share = Rational(target.share.numerator, target.share.denominator)
    return 1 - share * saving + sparsified


def overhead(target: Target, variables: int, saving: Fraction) -> Fraction:
    """Return log2 of size^(exponent - saving) / 2^((1 - share * saving) v): what rounding v up costs."""
    time = (target.exponent - saving) * target.log_size(variables)
    return time - (1 - target.share * saving) * variables


def largest_overhead(target: Target, saving: Fraction) -> Fraction:
    """Return the largest :func:`overhead` over all v >= 1, that of v = 1: 1 - q/2, or 3 - 3q/4."""
    return (target.exponent - saving) * (1 - target.share)


@dataclass(frozen=True)
class Constants:
    """The constants of the proof that the hypothesis excludes a saving, in the order they are chosen.

    Attributes
    ----------
    target, saving
        The problem and the saving q > 0 that is to be excluded.
    epsilon
        The saving for k-SAT that the hypothesis excludes for some width k: half of share * q.
    delta
        The sparsification parameter for that k: the other half.
    """

    target: Target
    saving: Fraction

    def __post_init__(self) -> None:
        if not self.saving > 0:
            raise ValueError(f"Argument 'saving' must be positive, not {self.saving}.")

    @property
    def epsilon(self) -> Fraction:
        """q/4 for orthogonal vectors, q/8 for VAR inference."""
        return self.target.share * self.saving / 2

    @property
    def delta(self) -> Fraction:
        """As large as :attr:`epsilon`."""
        return self.epsilon

    def dimension(self, density: Fraction) -> Fraction:
        """Return c = density / share: at most ``density * v`` clauses are at most c log2(size) of them.

        ``density`` is the C(k, delta) of lem-sparsification. For orthogonal vectors c = 2 C bounds the
        dimension m; for VAR inference c = 4 C bounds m = d - 1.
        """
        return density / self.target.share
