"""Attention with temperature, and the promise problem that decides against a reference key.

Source: Alman and Song, Fast Attention Requires Bounded Entries (arXiv 2302.13214), who divide the
logits by d. Here the temperature is an argument of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from reductions.choices import ProblemName
from reductions.layers.arrays import Floats
from reductions.problem import Answer, PromiseProblem, require_matrix_shape
from reductions.problems.orthogonal_vectors import Pair, index_pair

_BLOCK_LOGITS = 1 << 22  # logits held at once: 32 MiB

# Relative roundings, in units of 2^-53, that a logit may carry besides those of its inner product:
# eight in the entries of the query and the key that a reduction scaled, one in the division by the
# temperature, and the rest for the stated reference logit, the gap and their sum.
_OTHER_ROUNDINGS = 16


def attention(
    queries: npt.ArrayLike, keys: npt.ArrayLike, values: npt.ArrayLike, temperature: float
) -> Floats:
    """Return Att(Q, K, V; τ) = diag(A1)⁻¹ A V with A = exp(QKᵀ/τ), row by row in a stable way.

    Parameters
    ----------
    queries
        Q, shape (L_q, d).
    keys
        K, shape (L_k, d), at least one row.
    values
        V, shape (L_k, d_v).
    temperature
        τ > 0, which divides every logit.

    Returns
    -------
    numpy.ndarray
        Shape (L_q, d_v), float64. Row i is the mean of the rows of V with the weights A_i.

    Raises
    ------
    ValueError
        If the shapes do not fit, an entry is not finite, τ is not a positive number, or a logit
        exceeds the range of float64.
    """
    return AttentionInstance(np.asarray(queries), np.asarray(keys), np.asarray(values), temperature).output()


def _matrix(argument: str, entries: npt.ArrayLike, columns: int | None = None) -> Floats:
    """Return a private read-only float64 copy."""
    given = np.asarray(entries)
    if given.dtype.kind not in "biuf":
        raise TypeError(f"Argument {argument!r} must be an array of real numbers, not of {given.dtype}.")
    require_matrix_shape(argument, given.shape, columns)
    if not given.shape[0]:
        raise ValueError(f"Argument {argument!r} must have at least one row, not none.")
    matrix = np.array(given, dtype=np.float64, order="C")
    if not np.isfinite(matrix).all():
        raise ValueError(f"Argument {argument!r} must have finite entries, not NaN or infinity.")
    matrix.setflags(write=False)
    return matrix


def _positive(argument: str, number: float) -> float:
    positive = float(number)
    if not 0 < positive < np.inf:
        raise ValueError(f"Argument {argument!r} must be a positive number, not {number}.")
    return positive


@dataclass(frozen=True, eq=False)
class AttentionInstance:
    """The input of an attention layer.

    Attributes
    ----------
    queries, keys, values
        Q (L_q, d), K (L_k, d) and V (L_k, d_v): read-only float64 copies.
    temperature
        τ > 0, which divides every logit.

    Raises
    ------
    TypeError
        If an array is not one of real numbers.
    ValueError
        If the shapes do not fit, an entry is not finite, or τ is not a positive number.
    """

    queries: Floats
    keys: Floats
    values: Floats
    temperature: float

    def __post_init__(self) -> None:
        queries = _matrix("queries", self.queries)
        keys = _matrix("keys", self.keys, columns=queries.shape[1])
        values = _matrix("values", self.values)
        if values.shape[0] != keys.shape[0]:
            raise ValueError(
                f"Argument 'values' must have one row for each of the {keys.shape[0]} keys, "
                f"not {values.shape[0]} rows."
            )
        for name, array in (("queries", queries), ("keys", keys), ("values", values)):
            object.__setattr__(self, name, array)
        object.__setattr__(self, "temperature", _positive("temperature", self.temperature))

    def logit_blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Yield (rows, logits of these rows), in order, so that memory stays bounded.

        Raises
        ------
        ValueError
            If a logit exceeds the range of float64.
        """
        rows = max(1, _BLOCK_LOGITS // len(self.keys))
        for start in range(0, len(self.queries), rows):
            block = slice(start, min(start + rows, len(self.queries)))
            with np.errstate(over="ignore", invalid="ignore"):
                logits = self.queries[block] @ self.keys.T / self.temperature
            if not np.isfinite(logits).all():
                raise ValueError("The logits exceed the range of float64.")
            yield block, logits

    def logits(self) -> Floats:
        """Return QKᵀ/τ, shape (L_q, L_k), all at once."""
        return np.concatenate([logits for _, logits in self.logit_blocks()])

    def output(self) -> Floats:
        """Return Att(Q, K, V; τ), shape (L_q, d_v)."""
        output = np.empty((len(self.queries), self.values.shape[1]))
        for block, logits in self.logit_blocks():
            # Subtracting a row's largest logit changes no weight and keeps the exponentials in (0, 1].
            logits -= logits.max(axis=1, keepdims=True)
            weights = np.exp(logits, out=logits)
            output[block] = weights @ self.values / weights.sum(axis=1, keepdims=True)
        return output

    @cached_property
    def entry_bound(self) -> float:
        """R, the largest absolute entry of Q and K."""
        return float(max(np.abs(self.queries).max(initial=0), np.abs(self.keys).max(initial=0)))

    @cached_property
    def logit_bound(self) -> float:
        """b = max |⟨q_i, k_j⟩| / τ. It takes all pairs: time O(L_q L_k d)."""
        return max(float(np.abs(logits).max()) for _, logits in self.logit_blocks())

    @cached_property
    def value_bound(self) -> float:
        """The largest absolute entry of V."""
        return float(np.abs(self.values).max(initial=0))


@dataclass(frozen=True, eq=False)
class ReferenceKeyAttention(PromiseProblem):
    """Does some query attend to some key more than to the reference key? Promised a gap between the answers.

    The last key is the reference key: its value is 0 and its logit ρ is the same for every query.
    All other keys have value 1, so a row's output is the weight that it does not give to the
    reference key. Row i is a *YES row* if some logit is at least ρ + g, a *NO row* if all are at
    most ρ - g. The instance is a YES instance if it has a YES row, a NO instance if it has only NO
    rows, and outside the promise otherwise. (A YES instance may have rows that are neither.)

    A witness is a pair (i, j) of a query and a key with logit at least ρ + g. A solution is an array
    of outputs (L_q,), each within :attr:`tolerated_error` of the exact one.

    Logits are computed in float64, so every comparison allows :attr:`logit_tolerance`.

    Attributes
    ----------
    attention
        The layer; its values are one column.
    reference_logit
        ρ.
    logit_gap
        g > 0.

    Raises
    ------
    ValueError
        If the layer has not the structure above, or g does not exceed the tolerance.
    """

    name: ClassVar[str] = ProblemName.ATTENTION
    threshold: ClassVar[Fraction] = Fraction(1, 2)
    """An output above it decides for YES."""
    tolerated_error: ClassVar[Fraction] = Fraction(3, 10)
    """Outputs that are off by less than this still decide every row, if g >= ln(4(L_k - 1))."""

    attention: AttentionInstance
    reference_logit: float
    logit_gap: float

    def __post_init__(self) -> None:
        values = self.attention.values
        if values.shape[1] != 1 or len(values) < 2 or (values[:-1] != 1).any() or values[-1, 0] != 0:
            raise ValueError(
                "Argument 'attention' must have one column of values: 1 for every key and 0 for the "
                "reference key, which is the last of at least two."
            )
        if not np.isfinite(self.reference_logit):
            raise ValueError(f"Argument 'reference_logit' must be finite, not {self.reference_logit}.")
        object.__setattr__(self, "reference_logit", float(self.reference_logit))
        object.__setattr__(self, "logit_gap", _positive("logit_gap", self.logit_gap))
        if not self.logit_tolerance < self.logit_gap:
            raise ValueError(
                f"Argument 'logit_gap' must exceed the rounding of the logits, {self.logit_tolerance:.2g}, "
                f"not be {self.logit_gap}."
            )
        reference = self.attention.queries @ self.attention.keys[-1] / self.attention.temperature
        deviation = np.abs(reference - self.reference_logit)
        if not (deviation <= self.logit_tolerance).all():
            row = int(deviation.argmax())
            raise ValueError(
                f"Argument 'reference_logit' must be the logit of the last key for every query, not "
                f"{self.reference_logit}: for query {row} that logit is {reference[row]}."
            )

    @cached_property
    def logit_tolerance(self) -> float:
        """How far a computed logit may be from the exact one of the instance that was meant.

        A float64 inner product of length d is off by at most γ_d Σ|q||k| <= γ_d ‖q‖‖k‖, where
        γ_n = n u / (1 - n u) and u = 2⁻⁵³, in whatever order it is summed. The tolerance is
        γ_{d+16} (max‖q‖ max‖k‖ / τ + |ρ| + g): the 16 covers the division by τ, the rounding of
        scaled entries, and that of ρ and g themselves.
        """
        layer = self.attention
        roundings = (layer.queries.shape[1] + _OTHER_ROUNDINGS) * 2.0**-53
        with np.errstate(over="ignore"):  # an infinite tolerance is refused by __post_init__
            norms = np.linalg.norm(layer.queries, axis=1).max() * np.linalg.norm(layer.keys, axis=1).max()
            magnitude = norms / layer.temperature + abs(self.reference_logit) + self.logit_gap
        return float(roundings / (1 - roundings) * magnitude)

    @property
    def sizes(self) -> Mapping[str, float]:
        """L_q, L_k (the reference key included), d, τ, ρ, g and the entry bound R.

        The logit bound b is not among them: it is no function of the sizes of what an instance was
        reduced from, and it takes all pairs. It is ``attention.logit_bound``.
        """
        layer = self.attention
        return {
            "L_q": len(layer.queries),
            "L_k": len(layer.keys),
            "d": layer.queries.shape[1],
            "tau": layer.temperature,
            "rho": self.reference_logit,
            "g": self.logit_gap,
            "R": layer.entry_bound,
        }

    def outputs(self) -> Floats:
        """Return the exact outputs (to rounding), shape (L_q,)."""
        return self.attention.output()[:, 0]

    def row_answers(self) -> tuple[Answer, ...]:
        """Return the answer of every row, by exhaustive search."""
        answers: list[Answer] = []
        for _, logits in self.attention.logit_blocks():
            excess = logits[:, :-1].max(axis=1) - self.reference_logit
            yes = excess >= self.logit_gap - self.logit_tolerance
            no = excess <= -self.logit_gap + self.logit_tolerance
            answers += [
                Answer.YES if row_yes else Answer.NO if row_no else Answer.OUTSIDE_PROMISE
                for row_yes, row_no in zip(yes, no, strict=True)
            ]
        return tuple(answers)

    def answer(self) -> Answer:
        """Return the exact answer (to :attr:`logit_tolerance`), by exhaustive search."""
        rows = set(self.row_answers())
        if Answer.YES in rows:
            return Answer.YES
        return Answer.NO if rows == {Answer.NO} else Answer.OUTSIDE_PROMISE

    def verify(self, witness: Any) -> bool:
        """Tell whether ``witness`` is a pair (i, j) with logit at least ρ + g."""
        pair = index_pair(witness, len(self.attention.queries), len(self.attention.keys) - 1)
        if pair is None:
            return False
        logit = self.attention.queries[pair[0]] @ self.attention.keys[pair[1]] / self.attention.temperature
        return bool(logit >= self.reference_logit + self.logit_gap - self.logit_tolerance)

    def solve_brute_force(self) -> Pair | None:
        """Return the first witness in row-major order, or None."""
        least = self.reference_logit + self.logit_gap - self.logit_tolerance
        for block, logits in self.attention.logit_blocks():
            found = np.argwhere(logits[:, :-1] >= least)
            if len(found):
                return block.start + int(found[0, 0]), int(found[0, 1])
        return None

    def decide_rows(self, outputs: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Decide every row from approximate outputs: True where the output exceeds the threshold 1/2.

        Parameters
        ----------
        outputs
            Shape (L_q,), each within :attr:`tolerated_error` of the exact output.

        Raises
        ------
        ValueError
            If the shape is another, or an output cannot be within the tolerated error of a mean of
            zeros and ones (NaN and infinity included).
        """
        given = np.asarray(outputs, dtype=np.float64)
        if given.shape != (len(self.attention.queries),):
            raise ValueError(
                f"Argument 'outputs' must have shape ({len(self.attention.queries)},), not {given.shape}."
            )
        error = float(self.tolerated_error)
        if not ((given >= -error) & (given <= 1 + error)).all():
            raise ValueError(f"Argument 'outputs' must lie in [{-error}, {1 + error}], not {given}.")
        decided: npt.NDArray[np.bool_] = given > float(self.threshold)
        return decided
