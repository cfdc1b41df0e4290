"""Hard instances of one full attention layer, whose queries and keys are integers times one scale.

Route *direct*: vectors a, b of an OV instance become a query scale * (-a, 1, 1) and a key
scale * (b, 0, lift); the last key is the reference key, scale * (0, -1/2, lift), with value 0 where all
others have value 1. So the logits are (lift - <a, b>) scale^2 / temperature, the reference's with 1/2 for
<a, b>: the signed complement encoding and lem-gap-max-ip-to-attention with one reference coordinate, all
logits raised by a constant. The lift is 0, so that no logit is positive, or a power of two that is at least
m, so that none is negative. Softmax does not see it; a kernel that forgets to subtract the maximum does.

Route *pcp*: the queries of the decisive pair's one right message, and the keys, of lem-distributed-pcp, with
the reference coordinates of lem-gap-max-ip-to-attention: fewer, larger steps between the logits.

All numbers are exact: the scale has eight significant bits, everything else is a power of two or a multiple
of 1/2 up to 64. So queries and keys are the same numbers in bfloat16, float16, float32 and float64, on
every machine.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from reductions.kernel_suite.calling import Precision
from reductions.kernel_suite.families import FAMILIES, Bits, Twins
from reductions.kernel_suite.hard_instance import HardInstance, Label
from reductions.kernel_suite.raw_bits import RawBits
from reductions.layers.arrays import Floats
from reductions.problems.orthogonal_vectors import OrthogonalVectors, Pair

if TYPE_CHECKING:
    from reductions.lower_bound.distributed_pcp import DistributedPCP

Halves = NDArray[np.int16]

REFERENCE_DIGITS = 50
JUDGED_ROWS = 64
PCP_FIELDS = {3: 2, 5: 3}
"""Reed–Solomon over F_q with s0 information points and T = 2 blocks: rows A and B of the book's table."""


@dataclass(frozen=True)
class Parameters:
    """What an instance is made from; with the families' code it determines every bit.

    Attributes
    ----------
    family
        A key of ``FAMILIES``.
    tokens
        L, at least 8, for formulas a power of two: L queries, L keys, the reference key included.
    coordinates
        m, of an OV vector.
    planted
        True for the YES twin.
    strength
        f: the logit gap is at least f times the ln(4 N) that the reduction asks for.
    lifted
        Whether all logits of the direct route are raised until none is negative.
    field
        0 for the direct route; q for route pcp with the Reed–Solomon code over F_q.
    seed
        A nonnegative integer. Twins have one seed.

    Raises
    ------
    ValueError
        If one of them is out of range.
    """

    family: str
    tokens: int
    coordinates: int
    planted: bool
    strength: Fraction
    lifted: bool = False
    field: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"Argument 'family' must be one of {', '.join(FAMILIES)}, not {self.family!r}.")
        if self.tokens < 8:
            raise ValueError(f"Argument 'tokens' must be at least 8, not {self.tokens}.")
        if self.family == "formula" and self.tokens & (self.tokens - 1):
            raise ValueError(f"Argument 'tokens' must be a power of two for formulas, not {self.tokens}.")
        if self.field not in (0, *PCP_FIELDS):
            raise ValueError(f"Argument 'field' must be one of 0, 3 and 5, not {self.field}.")
        if self.field and self.coordinates != 2 * PCP_FIELDS[self.field]:
            wanted = 2 * PCP_FIELDS[self.field]
            raise ValueError(f"Argument 'coordinates' must be {wanted} here, not {self.coordinates}.")
        if self.field and (self.lifted or self.family == "formula"):
            raise ValueError("Argument 'field' must be 0 for lifted instances and formulas.")
        if not self.field and not 12 <= self.coordinates <= 64:
            raise ValueError(f"Argument 'coordinates' must be 12 to 64, not {self.coordinates}.")
        if self.strength <= 0:
            raise ValueError(f"Argument 'strength' must be positive, not {self.strength}.")
        if self.seed < 0:
            raise ValueError(f"Argument 'seed' must be at least 0, not {self.seed}.")

    @property
    def label(self) -> Label:
        """The instance's label."""
        detail = f"m{self.coordinates}" + "-lifted" * self.lifted + f"-q{self.field}" * bool(self.field)
        route = "pcp" if self.field else "direct"
        return Label(
            self.family,
            route,
            "attention",
            self.tokens,
            self.strength,
            self.planted,
            f"{detail}-s{self.seed}",
        )


@dataclass(frozen=True, eq=False, repr=False)
class IntegerInstance(HardInstance):
    """See the module's text. Made by :func:`build`.

    Attributes
    ----------
    parameters
        What it was made from.
    query_halves, key_halves
        Shapes (L, d), int16: twice the entries, in units of the scale.
    scale
        A positive number of eight significant bits.
    temperature
        A power of two.
    decisive, partner
        The query that decides, and the key that differs between the twins.
    twin_product
        Four times the decisive query's inner product with the partner in the twin.
    """

    parameters: Parameters
    query_halves: Halves
    key_halves: Halves
    scale: float
    temperature: float
    decisive: int
    partner: int
    twin_product: int
    rows: NDArray[np.int64]
    scale_ends: None = None

    @property
    def label(self) -> Label:  # type: ignore[override]
        """The instance's label."""
        return self.parameters.label

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
    def logit_bound(self) -> float:
        """b: the largest absolute logit of a judged row."""
        largest = float(np.abs(self._products).max(initial=0)) / 4
        return self.scale * self.scale / self.temperature * largest

    @cached_property
    def _products(self) -> NDArray[np.int64]:
        """Four times the inner products of the judged rows with all keys, shape (rows, L)."""
        queries = self.query_halves[self.rows].astype(np.float64)  # sums of small integers: exact
        return np.asarray(queries @ self.key_halves.T.astype(np.float64)).astype(np.int64)

    @cached_property
    def reference(self) -> Floats:
        """The exact outputs of the judged rows, rounded to float64: by exact integers and 50 digits."""
        return np.array([self._output(products) for products in self._products])

    def _output(self, products: NDArray[np.int64]) -> float:
        """Return S / (S + e^rho) from four times the products with all keys, the reference key last."""
        import mpmath

        with mpmath.workdps(REFERENCE_DIGITS):
            unit = mpmath.mpf(self.scale) ** 2 / mpmath.mpf(self.temperature)
            found, counts = np.unique(products[:-1] - products[-1], return_counts=True)
            total = mpmath.fsum(
                int(count) * mpmath.exp(unit * int(excess) / 4)
                for excess, count in zip(found, counts, strict=True)
            )
            return float(total / (total + 1))

    @cached_property
    def twin_reference(self) -> float:
        """What the decisive row's output would be in the twin."""
        products = self._products[self._decisive_at].copy()
        products[self.partner] = self.twin_product
        return self._output(products)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the integers and the exact parameters."""
        head = [self.label.name, list(self.query_halves.shape), self.scale.hex(), self.temperature.hex()]
        digest = hashlib.sha256(json.dumps(head).encode())
        for halves in (self.query_halves, self.key_halves):
            digest.update(np.ascontiguousarray(halves, dtype="<i2").data)
        digest.update(self.rows.astype("<i8").tobytes())
        return digest.hexdigest()

    def rounded_to(self, precision: Precision) -> Self:
        """Return the instance itself: its numbers are exact in every precision."""
        return self


def build(parameters: Parameters) -> IntegerInstance:
    """Build an instance from its parameters alone: the same bits on every machine.

    The scale is the least number of eight significant bits that makes the logit gap f ln(4 N).
    """
    twins, bits = _twins(parameters)
    # L keys with the reference key: one vector per side, not of the decisive pair, makes room.
    row, left = _without_one(twins.row, twins.left)
    column, no_right = _without_one(twins.column, twins.right)
    yes_right = _without_one(twins.column, twins.vectors(True)[1])[1]
    right, twin_right = (yes_right, no_right) if parameters.planted else (no_right, yes_right)
    if parameters.field:
        encoding = _PcpEncoding(parameters, twins)
        queries, gap = encoding.queries(left), encoding.gap
        keys, twin_keys = encoding.keys(right), encoding.keys(twin_right)
    else:
        queries, gap = _direct_queries(left), 1
        lift = 1 << (parameters.coordinates - 1).bit_length() if parameters.lifted else 0
        keys, twin_keys = _direct_keys(right, lift), _direct_keys(twin_right, lift)
    dimension = 4
    while dimension < queries.shape[1]:
        dimension *= 4  # its square root, by which most kernels divide, is then a power of two
    temperature = float(dimension)
    wanted = 2 * math.log(4 * len(left)) * float(parameters.strength) * temperature / gap
    others = bits.choice(parameters.tokens - 1, min(JUDGED_ROWS, parameters.tokens - 1))
    return IntegerInstance(
        parameters,
        query_halves=_padded(np.vstack([queries, queries[:1]]), dimension),  # one for the reference's place
        key_halves=_padded(keys, dimension),
        scale=least_short_number(math.sqrt(wanted)),
        temperature=temperature,
        decisive=row,
        partner=column,
        twin_product=int(queries[row].astype(np.int64) @ twin_keys[column].astype(np.int64)),
        rows=np.union1d(others, [row, parameters.tokens - 1]),  # the last one, too: tiles end there
    )


def ov_source(parameters: Parameters) -> tuple[OrthogonalVectors, Pair]:
    """Return the vectors that queries and keys encode, and the decisive pair."""
    twins, _ = _twins(parameters)
    row, left = _without_one(twins.row, twins.left)
    column, right = _without_one(twins.column, twins.vectors(parameters.planted)[1])
    return OrthogonalVectors(left, right), (row, column)


def _twins(parameters: Parameters) -> tuple[Twins, RawBits]:
    """Draw the vectors; what the stream of bits gives next chooses the judged rows."""
    bits = RawBits((parameters.seed, parameters.tokens, parameters.coordinates, *parameters.family.encode()))
    return FAMILIES[parameters.family](parameters.tokens, parameters.coordinates, bits), bits


def pcp_reduction(field: int) -> DistributedPCP:
    """Return the reduction of route pcp over F_q."""
    from reductions.codes.evaluation_codes import reed_solomon
    from reductions.codes.finite_field import FiniteField
    from reductions.lower_bound.distributed_pcp import DistributedPCP

    return DistributedPCP(reed_solomon(FiniteField(field), PCP_FIELDS[field]), 2)


def _direct_queries(left: Bits) -> Halves:
    return np.hstack([-2 * left.astype(np.int16), np.full((len(left), 2), 2, np.int16)])


def _direct_keys(right: Bits, lift: int) -> Halves:
    """Return the keys and, last, the reference key."""
    keys = np.zeros((len(right) + 1, right.shape[1] + 2), np.int16)
    keys[:-1, :-2] = 2 * right.astype(np.int16)
    keys[-1, -2] = -1
    keys[:, -1] = 2 * lift
    return keys


class _PcpEncoding:
    """Queries and keys of the distributed PCP, for the one message with which the decisive pair agrees."""

    def __init__(self, parameters: Parameters, twins: Twins) -> None:
        from reductions.lower_bound.gap_max_ip_to_attention import reference_coordinates

        yes = OrthogonalVectors(*twins.vectors(True))
        instances = pcp_reduction(parameters.field).map_instance(yes).instances
        self._system = instances.system
        self._message = instances.messages[instances.right_message((twins.row, twins.column))]
        self.gap = self._system.gap
        self._reference = reference_coordinates(self._system.code.length - self.gap / 2)

    def queries(self, left: Bits) -> Halves:
        marked = self._system.queries(self._system.forms(left), self._message)
        ones = np.ones((len(left), len(self._reference)))
        return (2 * np.hstack([marked, ones])).astype(np.int16)

    def keys(self, right: Bits) -> Halves:
        """Return the keys and, last, the reference key."""
        keys = np.zeros((len(right) + 1, self._system.dimension + len(self._reference)))
        np.put_along_axis(keys[:-1], self._system.key_columns(right), 1, axis=1)
        keys[-1, self._system.dimension :] = self._reference
        return (2 * keys).astype(np.int16)


def _padded(halves: Halves, dimension: int) -> Halves:
    padded = np.zeros((len(halves), dimension), np.int16)
    padded[:, : halves.shape[1]] = halves
    padded.setflags(write=False)
    return padded


def least_short_number(at_least: float, significant_bits: int = 8) -> float:
    """Return the least number of so many significant bits that is at least ``at_least`` > 0.

    >>> least_short_number(3.01)
    3.015625
    """
    mantissa, exponent = math.frexp(at_least)  # at_least = mantissa * 2^exponent, 1/2 <= mantissa < 1
    return math.ldexp(math.ceil(math.ldexp(mantissa, significant_bits)), exponent - significant_bits)


def _without_one(kept: int, vectors: Bits) -> tuple[int, Bits]:
    """Drop the last vector, or the first where the last is to be kept; return where that one is now."""
    if kept == len(vectors) - 1:
        return kept - 1, vectors[1:]
    return kept, vectors[:-1]
