"""Hard instances of block-causal attention: the attention layer of a VAR model that a reduction built.

Reading *maps*: twins of orthogonal vectors go through lem-complement-encoding, lem-gap-max-ip-to-attention
and lem-attention-to-var. Reading *start+positions*: twins of formulas go through lem-sat-to-var-inference;
in the YES twin one clause is replaced by a tautology. A kernel is given the layer's queries, keys and values
of all L tokens, queries and keys multiplied by the root of the strength.

Interpolated tokens are no short numbers. So an instance belongs to a precision: its entries are rounded to
it, and its references are those of the rounded entries, in extended precision.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from reductions.kernel_suite.calling import Precision
from reductions.kernel_suite.families import FAMILIES
from reductions.kernel_suite.hard_instance import HardInstance, Label
from reductions.kernel_suite.low_precision import rounded
from reductions.kernel_suite.raw_bits import RawBits
from reductions.layers.arrays import Floats
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.cnf import CNF
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.orthogonal_vectors import OrthogonalVectors, Pair
from reductions.problems.schedule import geometric_sides, square_schedule
from reductions.problems.var_model import FeedForward

JUDGED_ROWS = 64
DIMENSION = 64
"""Queries and keys are padded to it: its root, by which most kernels divide, is a power of two."""


@dataclass(frozen=True)
class VarParameters:
    """What an instance is made from.

    Attributes
    ----------
    reading
        ``Reading.MAPS`` or ``Reading.START_AND_POSITIONS``.
    side
        n, the side of the last scale, 16, 32 or 64.
    planted
        True for the YES twin.
    strength
        f: what the reduction's logits are multiplied by.
    family
        Of the orthogonal vectors in reading maps; "formula" in reading start+positions.
    kernel
        Of the interpolation, in reading maps.
    seed
        A nonnegative integer. Twins have one seed.

    Raises
    ------
    ValueError
        If one of them is out of range.
    """

    reading: Reading
    side: int
    planted: bool
    strength: Fraction
    family: str = "formula"
    kernel: Kernel = Kernel.BICUBIC
    seed: int = 0

    def __post_init__(self) -> None:
        if self.reading is Reading.START_ONLY:
            raise ValueError("Argument 'reading' must be maps or start+positions: start only is not hard.")
        if self.side not in (16, 32, 64):
            raise ValueError(f"Argument 'side' must be 16, 32 or 64, not {self.side}.")
        if self.family not in FAMILIES or (self.reading is not Reading.MAPS and self.family != "formula"):
            raise ValueError(
                f"Argument 'family' must fit the reading {self.reading}, not be {self.family!r}."
            )
        if self.reading is Reading.MAPS and self.family == "formula":
            raise ValueError("Argument 'family' must not be 'formula' in reading maps.")
        if self.strength <= 0:
            raise ValueError(f"Argument 'strength' must be positive, not {self.strength}.")
        if self.seed < 0:
            raise ValueError(f"Argument 'seed' must be at least 0, not {self.seed}.")

    @property
    def label(self) -> Label:
        """The instance's label."""
        tokens = (4 * self.side**2 - 1) // 3
        maps = self.reading is Reading.MAPS
        detail = f"{self.kernel}-s{self.seed}" if maps else f"s{self.seed}"
        route = "direct" if maps else "inference"
        return Label(self.family, route, str(self.reading), tokens, self.strength, self.planted, detail)


@dataclass(frozen=True, eq=False, repr=False)
class VarInstance(HardInstance):
    """See the module's text. Made by :func:`build_var`; ``given`` are Q, K and V, shapes (L, 64), (L, 1)."""

    parameters: VarParameters
    given: tuple[Floats, Floats, Floats]
    twin_given: tuple[Floats, Floats, Floats]
    temperature: float
    scale_ends: tuple[int, ...]
    decisive: int
    rows: NDArray[np.int64]
    source_digest: str

    @property
    def label(self) -> Label:  # type: ignore[override]
        """The instance's label."""
        return self.parameters.label

    @property
    def queries(self) -> Floats:
        """Q, shape (L, d)."""
        return self.given[0]

    @property
    def keys(self) -> Floats:
        """K, shape (L, d)."""
        return self.given[1]

    @property
    def values(self) -> Floats:
        """V, shape (L, 1)."""
        return self.given[2]

    @cached_property
    def reference(self) -> Floats:
        """The outputs of the judged rows, in extended precision where the machine has it."""
        return np.array([self._output(self.given, row) for row in self.rows])

    @cached_property
    def twin_reference(self) -> float:
        """What the decisive row's output is in the twin."""
        return self._output(self.twin_given, self.decisive)

    def _output(self, arrays: tuple[Floats, Floats, Floats], row: int) -> float:
        queries, keys, values = (array.astype(np.longdouble) for array in arrays)
        seen = self.keys_seen(row)
        logits = keys[:seen] @ queries[row] / np.longdouble(self.temperature)
        weights = np.exp(logits - logits.max())
        return float(weights @ values[:seen, 0] / weights.sum())

    @cached_property
    def logit_bound(self) -> float:
        """b: the largest absolute logit of a judged row."""
        return float(np.abs(self.queries[self.rows] @ self.keys.T).max()) / self.temperature

    @property
    def digest(self) -> str:
        """SHA-256 of the label and the source's bits."""
        return hashlib.sha256(f"{self.label.name} {self.source_digest}".encode()).hexdigest()

    def rounded_to(self, precision: Precision) -> Self:
        """Round the entries of both twins; the references are those of the rounded entries."""

        def all_rounded(arrays: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats, Floats]:
            q, k, v = (rounded(array, precision).astype(np.float64) for array in arrays)
            return q, k, v

        return replace(self, given=all_rounded(self.given), twin_given=all_rounded(self.twin_given))


def build_var(parameters: VarParameters) -> VarInstance:
    """Build an instance from its parameters alone."""
    problem, decisive_read_out, digest = _twin(replace(parameters, strength=Fraction(1)))
    other, *_ = _twin(replace(parameters, strength=Fraction(1), planted=not parameters.planted))
    bits = RawBits((parameters.seed, parameters.side, *str(parameters.reading).encode()))
    root = float(parameters.strength) ** 0.5

    def scaled(twin: ApproximateVar) -> tuple[Floats, Floats, Floats]:
        queries, keys, values = attention_inputs(twin)
        return root * _padded(queries), root * _padded(keys), values

    height, width = problem.model.schedule[-1]
    first = problem.model.tokens - height * width
    decisive = first + int(problem.read_outs[decisive_read_out])
    others = bits.choice(problem.model.tokens, min(JUDGED_ROWS, problem.model.tokens))
    ends = np.cumsum([h * w for h, w in problem.model.schedule])
    return VarInstance(
        parameters,
        given=scaled(problem),
        twin_given=scaled(other),
        temperature=problem.attention_layer.temperature,
        scale_ends=tuple(ends.tolist()),
        decisive=decisive,
        rows=np.union1d(others, [decisive, *(ends - 1)]),  # the last of every scale, too: tiles end there
        source_digest=digest,
    )


def attention_inputs(problem: ApproximateVar) -> tuple[Floats, Floats, Floats]:
    """Return Q, K and V of all L tokens at a model's one attention layer, scale after scale."""
    model, layer = problem.model, problem.attention_layer
    maps = problem.maps if problem.reading is Reading.MAPS else None
    outputs = [] if maps is not None else model.run(problem.start_token)
    tokens = []
    for scale in range(len(model.schedule)):
        source = model.tokens_of_scale(scale, problem.start_token, maps, outputs[:scale])
        for before in model.layers[:-1]:
            assert isinstance(before, FeedForward)
            source = source.then(before)
        tokens.append(source.block(0, source.count))
    pyramid = np.concatenate(tokens)
    return pyramid @ layer.query_weights, pyramid @ layer.key_weights, pyramid @ layer.value_weights


@lru_cache(maxsize=8)  # the strengths of a suite share their source
def _twin(parameters: VarParameters) -> tuple[ApproximateVar, int, str]:
    """Return the problem, the decisive read-out, and the source's digest."""
    if parameters.reading is Reading.MAPS:
        return _maps_twin(parameters)
    return _inference_twin(parameters)


def ov_source(parameters: VarParameters) -> tuple[OrthogonalVectors, Pair]:
    """Return the vectors that an instance of reading maps comes from, and the decisive pair."""
    from reductions.lower_bound.isolation import SPACING

    # As many vectors as there are slots on the last scale but one.
    vectors = (parameters.side // 2 // SPACING[parameters.kernel]) ** 2
    twins = FAMILIES[parameters.family](vectors, 12, RawBits((parameters.seed, parameters.side)))
    return OrthogonalVectors(*twins.vectors(parameters.planted)), (twins.row, twins.column)


def _maps_twin(parameters: VarParameters) -> tuple[ApproximateVar, int, str]:
    from reductions.lower_bound.attention_to_var import AttentionToVar
    from reductions.lower_bound.complement_encoding import ComplementEncoding
    from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention

    source, (row, _) = ov_source(parameters)
    chain = (
        ComplementEncoding()
        >> GapMaxIPToAttention()
        >> AttentionToVar(
            Interpolation(parameters.kernel),
            square_schedule(geometric_sides(parameters.side)),
            temperature=float(DIMENSION),
        )
    )
    digest = hashlib.sha256(source.left.tobytes() + source.right.tobytes()).hexdigest()
    return chain.map_instance(source).target, row, digest


def _inference_twin(parameters: VarParameters) -> tuple[ApproximateVar, int, str]:
    from reductions.lower_bound.sat_to_var_inference import SatToVarInference

    formula, row = formula_source(parameters)
    target = SatToVarInference(temperature=float(DIMENSION)).map_instance(formula).target
    digest = hashlib.sha256(json.dumps(formula.clauses).encode()).hexdigest()
    return target, row, digest


def formula_source(parameters: VarParameters) -> tuple[CNF, int]:
    """Return the formula that an instance of reading start+positions comes from, and the decisive row."""
    variables = 4 * (parameters.side.bit_length() - 1)
    bits = RawBits((parameters.seed, parameters.side))
    model = bits.below(2, variables)
    falsified = sum(int(1 - model[v]) << v for v in range(3))  # the one pattern that the model falsifies
    core = [tuple((v + 1) * (1 if pattern >> v & 1 else -1) for v in range(3)) for pattern in range(8)]
    if parameters.planted:
        core[falsified] = (1, -1)
    clauses: list[tuple[int, ...]] = []
    while len(clauses) < 12:
        chosen, signs = bits.choice(variables, 3), bits.below(2, 3)
        if (signs == model[chosen]).any():  # a clause that the model satisfies
            clauses.append(tuple(int(v + 1) * (1 if s else -1) for v, s in zip(chosen, signs, strict=True)))
    row = sum(int(model[v]) << v for v in range(variables // 2))
    return CNF(variables, (*core, *clauses)), row


def _padded(rows: Floats) -> Floats:
    padded = np.zeros((len(rows), DIMENSION))
    padded[:, : rows.shape[1]] = rows
    return padded
