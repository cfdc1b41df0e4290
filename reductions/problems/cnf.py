"""CNF formulas: satisfiability, the problem that the lower bound starts from."""

from __future__ import annotations

import io
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from reductions.choices import ProblemName
from reductions.problem import Problem
from reductions.problems.dimacs import Clause as Clause
from reductions.problems.dimacs import DimacsError as DimacsError
from reductions.problems.dimacs import parse_dimacs

Model = tuple[bool, ...]

BRUTE_FORCE_VARIABLES = 28
"""The most variables for which :meth:`CNF.solve_brute_force` tries all assignments."""

# 64 assignments share a machine word: the first six variables number the bits of a word.
_BIT_VARIABLES = 6
_BIT_PATTERNS = (
    0xAAAAAAAAAAAAAAAA,
    0xCCCCCCCCCCCCCCCC,
    0xF0F0F0F0F0F0F0F0,
    0xFF00FF00FF00FF00,
    0xFFFF0000FFFF0000,
    0xFFFFFFFF00000000,
)
_ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_WORDS_PER_BLOCK = 1 << 14


@dataclass(frozen=True)
class CNF(Problem):
    """A formula in conjunctive normal form.

    Literals are those of DIMACS: variable ``i`` in ``1..variables`` is the integer ``i``, its
    negation ``-i``. A clause may be empty, repeat a literal, or hold a literal and its negation;
    nothing is simplified away.

    Parameters
    ----------
    variables
        The number v of variables, whether they occur or not.
    clauses
        The m clauses, each a sequence of literals.

    Raises
    ------
    ValueError
        If ``variables`` is negative, or a literal is 0 or names a variable beyond ``variables``.
    TypeError
        If ``variables`` or a literal is not an integer.
    """

    name: ClassVar[str] = ProblemName.CNF

    variables: int
    clauses: tuple[Clause, ...]

    def __post_init__(self) -> None:
        variables = _integer("variables", self.variables)
        if variables < 0:
            raise ValueError(f"Argument 'variables' must be at least 0, not {variables}.")
        clauses = tuple(tuple(_integer("clauses", literal) for literal in clause) for clause in self.clauses)
        for number, clause in enumerate(clauses, start=1):
            for literal in clause:
                if literal == 0 or abs(literal) > variables:
                    raise ValueError(
                        f"Argument 'clauses' must have literals ±1 to ±{variables}, "
                        f"not {literal} (in clause {number})."
                    )
        object.__setattr__(self, "variables", variables)
        object.__setattr__(self, "clauses", clauses)

    @property
    def sizes(self) -> dict[str, float]:
        """The numbers ``v`` of variables and ``m`` of clauses."""
        return {"v": self.variables, "m": len(self.clauses)}

    def verify(self, witness: Sequence[bool]) -> bool:
        """Tell whether ``witness`` assigns all v variables and satisfies every clause."""
        if len(witness) != self.variables:
            return False
        return all(any(bool(witness[abs(x) - 1]) == (x > 0) for x in clause) for clause in self.clauses)

    def models(self) -> Iterator[Model]:
        """Yield all satisfying assignments, in the order of their numbers Σ_i x_i 2^{i-1}.

        Raises
        ------
        ValueError
            If there are more than :data:`BRUTE_FORCE_VARIABLES` variables.
        """
        if self.variables > BRUTE_FORCE_VARIABLES:
            raise ValueError(
                f"Exhaustive search takes at most {BRUTE_FORCE_VARIABLES} variables, not {self.variables}."
            )
        return self._models()

    def _models(self) -> Iterator[Model]:
        words = 1 << max(0, self.variables - _BIT_VARIABLES)
        for start in range(0, words, _WORDS_PER_BLOCK):
            block = np.arange(start, min(words, start + _WORDS_PER_BLOCK), dtype=np.uint64)
            satisfied = self._satisfied(block)
            for position in np.flatnonzero(satisfied):
                bits = int(satisfied[position])
                for bit in range(min(64, 1 << self.variables)):
                    if bits >> bit & 1:
                        number = (start + int(position)) << _BIT_VARIABLES | bit
                        yield tuple(bool(number >> t & 1) for t in range(self.variables))

    def _satisfied(self, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return, for assignments 64w to 64w + 63 of every word number w, one bit each."""

        def column(variable: int) -> NDArray[np.uint64]:
            if variable <= _BIT_VARIABLES:
                return np.full_like(words, _BIT_PATTERNS[variable - 1])
            bit = words >> np.uint64(variable - 1 - _BIT_VARIABLES) & np.uint64(1)
            return bit * _ALL_ONES

        columns = {variable: column(variable) for variable in {abs(x) for c in self.clauses for x in c}}
        satisfied = np.full_like(words, _ALL_ONES)
        for clause in dict.fromkeys(self.clauses):
            either = np.zeros_like(words)
            for literal in clause:
                either |= columns[literal] if literal > 0 else ~columns[-literal]
            satisfied &= either
            if not satisfied.any():
                break
        return satisfied

    def solve_brute_force(self) -> Model | None:
        """Return the model with the smallest number, or None, by trying all 2^v assignments.

        Raises
        ------
        ValueError
            If there are more than :data:`BRUTE_FORCE_VARIABLES` variables.
        """
        return next(self.models(), None)

    @classmethod
    def from_dimacs(cls, text: str | bytes | BinaryIO) -> Self:
        """Read a formula in DIMACS format from text, bytes or a binary stream.

        Raises
        ------
        DimacsError
            If it is not a DIMACS formula; the message names the line.
        """
        if isinstance(text, str):
            text = text.encode()
        return cls(*parse_dimacs(io.BytesIO(text) if isinstance(text, bytes) else text))

    def to_dimacs(self) -> str:
        """Write the formula in DIMACS format, one clause a line."""
        lines = [f"p cnf {self.variables} {len(self.clauses)}"]
        lines += [" ".join(map(str, (*clause, 0))) for clause in self.clauses]
        return "\n".join(lines) + "\n"


def read_dimacs(source: str | Path | BinaryIO) -> CNF:
    """Read a formula in DIMACS format, gzip'd or not, from a file or from a binary stream.

    Raises
    ------
    DimacsError
        If it is not a DIMACS formula; the message names the line.
    OSError
        If the file cannot be read.
    """
    if isinstance(source, str | Path):
        with open(source, "rb") as stream:
            return CNF.from_dimacs(stream)
    return CNF.from_dimacs(source)


def random_k_sat(variables: int, clauses: int, k: int, seed: int | np.random.Generator) -> CNF:
    """Draw a random k-CNF: every clause has k distinct variables and independent fair signs.

    Raises
    ------
    ValueError
        If a number is negative, or ``k`` exceeds ``variables`` while there are clauses to draw.
    """
    for argument, value in (("variables", variables), ("clauses", clauses), ("k", k)):
        if value < 0:
            raise ValueError(f"Argument {argument!r} must be at least 0, not {value}.")
    if clauses and k > variables:
        raise ValueError(f"Argument 'k' must be at most the number {variables} of variables, not {k}.")
    generator = np.random.default_rng(seed)
    drawn: list[Clause] = []
    for _ in range(clauses):
        chosen = generator.choice(variables, size=k, replace=False) + 1
        signs = generator.choice((-1, 1), size=k)
        drawn.append(tuple(int(x) for x in chosen * signs))
    return CNF(variables, tuple(drawn))


def _integer(argument: str, value: object) -> int:
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"Argument {argument!r} must be made of integers, not {value!r}.")
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"Argument {argument!r} must be made of integers, not {value!r}.") from None


RUNNING_EXAMPLE = CNF(4, ((1, 2, -3), (-1, 3, 4), (1, -2, -4), (2, 3, -4), (-1, -2, -3), (1, -2, 4)))
"""The book's running example: four variables, six clauses, satisfied by 0000, 1010, 1011 and 1101."""
