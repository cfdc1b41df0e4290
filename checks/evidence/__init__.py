"""Evidence: what an executed check returns.

Nobody types a level. Each constructor below runs something and earns its level, or returns FAILED
with the first counterexample. An exception inside a predicate is an error of the check, not
evidence: it is never caught here, so that a control which merely crashes does not look rejected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:  # the command line takes its options from the registry, and starts without NumPy
    import numpy as np

Case = TypeVar("Case")


class Level(StrEnum):
    """How strong a piece of evidence is, from the strongest to none."""

    SYMBOLIC = "SYMBOLIC"  # an identity proved for all parameters by exact algebra
    CERTIFIED = "CERTIFIED"  # an inequality proved in interval or rational arithmetic
    EXHAUSTIVE = "EXHAUSTIVE"  # every instance of a stated finite space
    SAMPLED = "SAMPLED"  # random instances, with seed and count
    CITED = "CITED"  # a published theorem
    ASSUMED = "ASSUMED"  # a hypothesis
    FAILED = "FAILED"

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return list(Level).index(self)


_EARNED = object()
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Evidence:
    """The record of one executed check of one claim.

    Attributes
    ----------
    level
        What was earned.
    claim
        The part of the statement that was checked, in words.
    scope
        What the check ranged over, in words ("all 4,096 OV instances with N=2, m=3").
    cases
        How many instances, identities or inequalities were decided.
    seed
        The seed of a sampled check.
    counterexample
        The first case that failed, in words.
    """

    level: Level
    claim: str
    scope: str
    cases: int
    seed: int | None = None
    counterexample: str | None = None
    # Not kept: what is kept, dataclasses.replace would hand on with another level beside it.
    _proof: InitVar[object] = None

    def __post_init__(self, _proof: object) -> None:
        if _proof is not _EARNED:
            raise TypeError(
                "Evidence is returned by symbolic, certified, exhaustive or sampled, never made by hand."
            )

    @property
    def failed(self) -> bool:
        """Whether a counterexample was found."""
        return self.level is Level.FAILED


def _earn(
    level: Level, claim: str, scope: str, cases: int, failure: str | None, seed: int | None = None
) -> Evidence:
    if cases == 0 and failure is None:
        failure = "the check ranged over no case at all"
    earned = level if failure is None else Level.FAILED
    return Evidence(earned, claim, scope, cases, seed, failure, _proof=_EARNED)


def symbolic(claim: str, scope: str, identities: Mapping[str, Any]) -> Evidence:
    """Prove identities by exact algebra.

    Parameters
    ----------
    identities
        Named SymPy expressions that must vanish identically, or SymPy relations (or Booleans) that
        must reduce to true. Python's or NumPy's numbers and Booleans are refused, and floats in an
        expression: they come from other arithmetic.

    Raises
    ------
    TypeError
        If an identity is no SymPy object, or holds a float.
    """
    import sympy

    failure = None
    for name, identity in identities.items():
        if not isinstance(identity, sympy.Basic) or identity.has(sympy.Float):
            raise TypeError(f"Symbolic claims take exact SymPy objects, not {identity!r} ({name}).")
        if isinstance(identity, sympy.Expr):
            holds = sympy.simplify(sympy.expand(identity)) == 0
        else:
            holds = sympy.simplify(identity) in (True, sympy.true)
        if not holds:
            failure = f"{name}: {identity}"
            break
    return _earn(Level.SYMBOLIC, claim, scope, len(identities), failure)


Relation = Literal["<", "<=", ">", ">=", "=="]
Claim = tuple[str, Any, Relation, Any]
"""What :func:`certified` decides: a name, a number or interval, a relation, another."""
Claims = Iterator[Claim]


def certified(claim: str, scope: str, claims: Iterable[Claim]) -> Evidence:
    """Prove inequalities in rational or interval arithmetic.

    Parameters
    ----------
    claims
        Tuples (name, left, relation, right). Each side is an int, a Fraction, or an interval
        ``mpmath.iv.mpf``; floats are refused. An interval satisfies a relation when all its points do.

    Raises
    ------
    TypeError
        If a side is a float, which certifies nothing.
    """
    failure = None
    cases = 0
    for name, left, relation, right in claims:
        cases += 1
        (left_low, left_high), (right_low, right_high) = _endpoints(left), _endpoints(right)
        holds = {
            "<": left_high < right_low,
            "<=": left_high <= right_low,
            ">": left_low > right_high,
            ">=": left_low >= right_high,
            "==": left_low == left_high == right_low == right_high,
        }[relation]
        if not holds:
            failure = f"{name}: {left} {relation} {right}"
            break
    return _earn(Level.CERTIFIED, claim, scope, cases, failure)


def _endpoints(side: Any) -> tuple[Any, Any]:
    if isinstance(side, int | Fraction) and not isinstance(side, bool):
        return Fraction(side), Fraction(side)
    if hasattr(side, "_mpi_"):  # mpmath.iv.mpf, whose end points are taken as they are stored
        low, high = side._mpi_
        return _dyadic(low), _dyadic(high)
    raise TypeError(f"Certified claims take int, Fraction or mpmath.iv.mpf, not {type(side).__name__}.")


def _dyadic(endpoint: tuple[int, int, int, int]) -> Fraction:
    """Return the exact value of an interval's end point: sign, mantissa, exponent, number of bits.

    Never by way of ``mpmath.mpf``, which rounds to the 53 bits of its own context, and to nearest.
    """
    sign, mantissa, exponent, _ = endpoint
    if not mantissa and exponent:
        raise TypeError("Certified claims take bounded intervals.")
    return Fraction((-1) ** sign * int(mantissa)) * Fraction(2) ** int(exponent)


def exhaustive(
    claim: str, scope: str, space: Iterable[Case], size: int, holds: Callable[[Case], bool]
) -> Evidence:
    """Check every element of a finite space.

    Parameters
    ----------
    size
        How many elements the space has, counted independently of ``space``: a generator that stops
        early fails the check.
    """
    cases = 0
    for case in space:
        cases += 1
        if not _decided(holds(case)):
            return _earn(Level.EXHAUSTIVE, claim, scope, cases, f"case {cases}: {_told(case)}")
    failure = None if cases == size else f"the space yielded {cases} cases where {size} were stated"
    return _earn(Level.EXHAUSTIVE, claim, scope, cases, failure)


def sampled(
    claim: str,
    scope: str,
    seed: int,
    count: int,
    draw: Callable[[np.random.Generator], Case],
    holds: Callable[[Case], bool],
) -> Evidence:
    """Check ``count`` random cases drawn from a generator that is seeded with ``seed``."""
    import numpy as np

    generator = np.random.default_rng(seed)
    for index in range(count):
        case = draw(generator)
        if not _decided(holds(case)):
            return _earn(Level.SAMPLED, claim, scope, index + 1, f"draw {index}: {_told(case)}", seed)
    return _earn(Level.SAMPLED, claim, scope, count, None, seed)


def _decided(verdict: Any) -> bool:
    if isinstance(verdict, bool):
        return verdict
    import numpy as np

    if not isinstance(verdict, np.bool_):
        raise TypeError(f"A predicate must return a bool, not {type(verdict).__name__}.")
    return bool(verdict)


def _told(case: object) -> str:
    """Return a case in words that are the same in every run: without the addresses of its objects."""
    return _ADDRESS.sub("", repr(case))
