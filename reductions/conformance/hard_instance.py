"""One hard instance: the input of an attention layer, reference rows, and the rule by which a kernel passes.

Vectors a, b of an OV instance become a query scale * (-a, 1, 1) and a key scale * (b, 0, lift); the last
key is the reference key, scale * (0, -1/2, lift), with value 0 where all others have value 1. So the logits
are (lift - <a, b>) scale^2 / temperature, the reference's with 1/2 for <a, b>: the signed complement
encoding and lem-gap-max-ip-to-attention with one reference coordinate, all logits raised by a constant. The
lift is 0, so that no logit is positive, or a power of two that is at least m, so that none is negative.
Softmax does not see it; a kernel that forgets to subtract the maximum does.

All numbers are exact: the scale has eight significant bits, lift and temperature are powers of two. So
queries and keys are the same numbers in bfloat16, float16, float32 and float64, on every machine.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.conformance.families import FAMILIES, Bits
from reductions.conformance.raw_bits import RawBits
from reductions.problem import Answer

Halves = NDArray[np.int16]
Floats = NDArray[np.float64]

REFERENCE_DIGITS = 50


@dataclass(frozen=True)
class Parameters:
    """What an instance is made from; with the families' code it determines every bit.

    Attributes
    ----------
    family
        A key of ``FAMILIES``.
    tokens
        L, a power of two: L queries, L keys, the reference key included.
    coordinates
        m, of an OV vector.
    planted
        True for the YES twin.
    strength
        f: the logit gap is at least f times the ln(4 N) that the reduction asks for.
    lifted
        Whether all logits are raised until they are positive.
    seed
        A nonnegative integer. Twins have one seed.
    """

    family: str
    tokens: int
    coordinates: int
    planted: bool
    strength: Fraction
    lifted: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"Argument 'family' must be one of {', '.join(FAMILIES)}, not {self.family!r}.")
        if self.tokens < 8 or self.tokens & (self.tokens - 1):
            raise ValueError(f"Argument 'tokens' must be a power of two, at least 8, not {self.tokens}.")
        if self.coordinates < 12:
            raise ValueError(f"Argument 'coordinates' must be at least 12, not {self.coordinates}.")
        if self.strength <= 0:
            raise ValueError(f"Argument 'strength' must be positive, not {self.strength}.")
        if self.seed < 0:
            raise ValueError(f"Argument 'seed' must be at least 0, not {self.seed}.")

    @property
    def name(self) -> str:
        """A name that tells the instance from all others of its suite."""
        answer = "yes" if self.planted else "no"
        strength = f"{self.strength.numerator}_{self.strength.denominator}"
        lifted = "-lifted" if self.lifted else ""
        return f"{self.family}-L{self.tokens}-m{self.coordinates}-f{strength}{lifted}-{answer}-s{self.seed}"

    @property
    def lift(self) -> int:
        """0, or the least power of two that is at least m."""
        return 1 << (self.coordinates - 1).bit_length() if self.lifted else 0


@dataclass(frozen=True, eq=False)
class HardInstance:
    """See the module's text. Made by :func:`build`.

    Attributes
    ----------
    parameters
        What it was made from.
    query_halves, key_halves
        Shape (L, d), int16: twice the entries, in units of the scale.
    scale
        A positive number of eight significant bits.
    temperature
        A power of two.
    decisive, partner
        The query that decides, and the key that it is orthogonal to in the YES twin alone.
    rows
        The queries whose outputs are judged, in increasing order, the decisive one among them.
    """

    parameters: Parameters
    query_halves: Halves
    key_halves: Halves
    scale: float
    temperature: float
    decisive: int
    partner: int
    rows: NDArray[np.int64]

    @property
    def answer(self) -> Answer:
        """YES or NO, by construction."""
        return Answer.YES if self.parameters.planted else Answer.NO

    @property
    def queries(self) -> Floats:
        """Q, shape (L, d), float64; every entry is a number of bfloat16 and of float16."""
        return np.multiply(self.query_halves, self.scale / 2, dtype=np.float64)

    @property
    def keys(self) -> Floats:
        """K, shape (L, d), likewise; the last row is the reference key."""
        return np.multiply(self.key_halves, self.scale / 2, dtype=np.float64)

    @property
    def values(self) -> Floats:
        """V, shape (L, 1): 1, and 0 for the reference key."""
        values = np.ones((len(self.key_halves), 1))
        values[-1] = 0
        return values

    @property
    def unit(self) -> float:
        """The logit of an inner product of 1: scale^2 / temperature, exact."""
        return self.scale * self.scale / self.temperature

    @property
    def logit_bound(self) -> float:
        """b: the largest absolute logit of a judged row."""
        return self.unit * float(np.abs(self._products).max(initial=0)) / 4

    @cached_property
    def _products(self) -> NDArray[np.int64]:
        """Four times the inner products of the judged rows with all keys, shape (rows, L)."""
        queries = self.query_halves[self.rows].astype(np.float64)  # sums of small integers: exact
        return np.asarray(queries @ self.key_halves.T.astype(np.float64)).astype(np.int64)

    @cached_property
    def reference(self) -> Floats:
        """The exact outputs of the judged rows, rounded to float64: by exact integers and 50 digits."""
        return np.array([self._output(products[:-1]) for products in self._products])

    def _output(self, products: NDArray[np.int64]) -> float:
        """Return S / (S + e^rho) for the keys' products, given four times each."""
        import mpmath

        with mpmath.workdps(REFERENCE_DIGITS):
            unit = mpmath.mpf(self.scale) ** 2 / mpmath.mpf(self.temperature)
            shared, counts = np.unique(products, return_counts=True)
            # Relative to the reference key, whose product is lift - 1/2.
            reference = 4 * self.parameters.lift - 2
            weights = (
                int(count) * mpmath.exp(unit * (int(product) - reference) / 4)
                for product, count in zip(shared, counts, strict=True)
            )
            total = mpmath.fsum(weights)
            return float(total / (total + 1))

    @cached_property
    def twin_reference(self) -> float:
        """What the decisive row's output would be in the twin."""
        products = self._products[self._decisive_at, :-1].copy()
        products[self.partner] = 4 * self.parameters.lift - (4 if self.parameters.planted else 0)
        return self._output(products)

    @property
    def margin(self) -> float:
        """The error that the pass rule tolerates: half the distance of the twins' decisive outputs."""
        return abs(float(self.reference[self._decisive_at]) - self.twin_reference) / 2

    @property
    def boundary(self) -> float:
        """The decisive output above which the answer is YES: midway between the twins."""
        return (float(self.reference[self._decisive_at]) + self.twin_reference) / 2

    @property
    def _decisive_at(self) -> int:
        return int(np.searchsorted(self.rows, self.decisive))

    def decide(self, outputs: NDArray[np.floating[Any]]) -> Answer:
        """Return the answer that the judged rows' outputs, shape (rows,), tell: the decisive one alone."""
        return Answer.YES if float(outputs[self._decisive_at]) > self.boundary else Answer.NO

    def worst_error(self, outputs: NDArray[np.floating[Any]]) -> float:
        """Return the largest error of the judged rows' outputs, in units of the margin."""
        return float(np.abs(np.asarray(outputs, np.float64) - self.reference).max()) / self.margin

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the integers and the exact parameters."""
        head = [self.parameters.name, list(self.query_halves.shape), self.scale.hex(), self.temperature.hex()]
        digest = hashlib.sha256(json.dumps(head).encode())
        for halves in (self.query_halves, self.key_halves):
            digest.update(np.ascontiguousarray(halves, dtype="<i2").data)
        digest.update(self.rows.astype("<i8").tobytes())
        return digest.hexdigest()


JUDGED_ROWS = 64


def build(parameters: Parameters) -> HardInstance:
    """Build an instance from its parameters alone: the same bits on every machine.

    The scale is the least number of eight significant bits with which neighbouring inner products lie
    f * 2 ln(4 N) apart as logits.
    """
    bits = RawBits((parameters.seed, parameters.tokens, parameters.coordinates, *parameters.family.encode()))
    twins = FAMILIES[parameters.family](parameters.tokens, parameters.coordinates, bits)
    left, right = twins.vectors(parameters.planted)
    # L keys with the reference key: one vector a side, not of the decisive pair, makes room.
    left, row = _without_one(left, twins.row)
    right, column = _without_one(right, twins.column)

    dimension = 4
    while dimension < parameters.coordinates + 2:
        dimension *= 4  # its square root, by which most kernels divide, is then a power of two
    queries, keys = (np.zeros((parameters.tokens, dimension), np.int16) for _ in range(2))
    queries[:-1, : parameters.coordinates] = -2 * left.astype(np.int16)
    queries[-1] = queries[0]  # a query for the reference key's place
    queries[:, parameters.coordinates : parameters.coordinates + 2] = 2
    keys[:-1, : parameters.coordinates] = 2 * right.astype(np.int16)
    keys[-1, parameters.coordinates] = -1
    keys[:, parameters.coordinates + 1] = 2 * parameters.lift
    for array in (queries, keys):
        array.setflags(write=False)

    temperature = float(dimension)
    wanted = 2 * math.log(4 * len(left)) * float(parameters.strength) * temperature
    others = bits.choice(parameters.tokens - 1, min(JUDGED_ROWS, parameters.tokens - 1))
    return HardInstance(
        parameters,
        queries,
        keys,
        scale=least_short_number(math.sqrt(wanted)),
        temperature=temperature,
        decisive=row,
        partner=column,
        rows=np.union1d(others, [row]),
    )


def least_short_number(at_least: float, significant_bits: int = 8) -> float:
    """Return the least number of so many significant bits that is at least ``at_least`` > 0.

    >>> least_short_number(3.01)
    3.015625
    """
    mantissa, exponent = math.frexp(at_least)  # at_least = mantissa * 2^exponent, 1/2 <= mantissa < 1
    return math.ldexp(math.ceil(math.ldexp(mantissa, significant_bits)), exponent - significant_bits)


def _without_one(vectors: Bits, kept: int) -> tuple[Bits, int]:
    """Drop the last vector, or the first where the last is to be kept; return where that one is now."""
    if kept == len(vectors) - 1:
        return vectors[1:], kept - 1
    return vectors[:-1], kept
