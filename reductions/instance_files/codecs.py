"""The codec of each problem, by its name.

A problem is stored by adding a :class:`~reductions.instance_files.codec.Codec` to ``_CODECS``; a reduction
between stored problems needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from reductions.choices import ProblemName
from reductions.instance_files.codec import (
    Codec,
    Parameters,
    Tensors,
    every_pair,
    require_numbers,
    require_tensors,
)

if TYPE_CHECKING:
    from reductions.problems.attention import ReferenceKeyAttention
    from reductions.problems.cnf import CNF
    from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
    from reductions.problems.orthogonal_vectors import OrthogonalVectors


def codec(problem: str) -> Codec:
    """Return the codec of a problem by name; KeyError where there is none."""
    return _CODECS[problem]()


def problem_names() -> tuple[str, ...]:
    """Return the names of all problems that can be stored, in the order of the chain."""
    return tuple(_CODECS)


def _cnf() -> Codec:
    from reductions.problems.cnf import CNF

    def to_tensors(formula: CNF) -> tuple[Tensors, Parameters]:
        lengths = [len(clause) for clause in formula.clauses]
        literals = [literal for clause in formula.clauses for literal in clause]
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
        tensors: Tensors = {"literals": np.array(literals, dtype=np.int64), "offsets": offsets}
        return tensors, {"variables": formula.variables}

    def from_tensors(tensors: Tensors, parameters: Parameters) -> CNF:
        require_tensors(tensors, {"literals": ("int64", 1), "offsets": ("int64", 1)})
        (variables,) = require_numbers(parameters, "variables")
        literals, offsets = tensors["literals"].tolist(), tensors["offsets"]
        if (
            not len(offsets)
            or offsets[0] != 0
            or offsets[-1] != len(literals)
            or (np.diff(offsets) < 0).any()
        ):
            raise ValueError("tensor 'offsets' must rise from 0 to the number of literals")
        if type(variables) is not int:
            raise ValueError(f"parameter 'variables' must be an integer, not {variables!r:.40}")
        bounds = offsets.tolist()
        clauses = tuple(tuple(literals[a:b]) for a, b in pairwise(bounds))
        return CNF(variables, clauses)

    def work(formula: CNF) -> float:
        return 2.0 ** min(formula.variables, 1000) * (1 + len(formula.clauses)) / 20

    return Codec(CNF, to_tensors, from_tensors, work=work)


def _orthogonal_vectors() -> Codec:
    from reductions.problems.orthogonal_vectors import OrthogonalVectors

    def to_tensors(problem: OrthogonalVectors) -> tuple[Tensors, Parameters]:
        return {"left": np.asarray(problem.left), "right": np.asarray(problem.right)}, {}

    def from_tensors(tensors: Tensors, parameters: Parameters) -> OrthogonalVectors:
        require_tensors(tensors, {"left": ("uint8", 2), "right": ("uint8", 2)})
        require_numbers(parameters)
        return OrthogonalVectors(tensors["left"], tensors["right"])

    return Codec(
        OrthogonalVectors,
        to_tensors,
        from_tensors,
        entry_bounds=lambda problem: {"left": 1, "right": 1},
        work=lambda problem: every_pair(problem) / 8,
    )


def _gap_max_inner_product() -> Codec:
    from reductions.problems.gap_max_inner_product import GapMaxInnerProduct

    def to_tensors(problem: GapMaxInnerProduct) -> tuple[Tensors, Parameters]:
        tensors: Tensors = {"U": np.asarray(problem.left), "V": np.asarray(problem.right)}
        return tensors, {"s": problem.threshold, "gap": problem.gap}

    def from_tensors(tensors: Tensors, parameters: Parameters) -> GapMaxInnerProduct:
        require_tensors(tensors, {"U": ("float64", 2), "V": ("float64", 2)})
        threshold, gap = require_numbers(parameters, "s", "gap")
        return GapMaxInnerProduct(tensors["U"], tensors["V"], threshold, gap)

    def work(problem: GapMaxInnerProduct) -> float:
        return float(problem.sizes["N_u"] * problem.sizes["N_v"] * problem.sizes["D"])

    return Codec(
        GapMaxInnerProduct,
        to_tensors,
        from_tensors,
        entry_bounds=lambda problem: {"U": 1, "V": 1},
        work=work,
    )


def _attention() -> Codec:
    from reductions.problems.attention import AttentionInstance, ReferenceKeyAttention

    def to_tensors(problem: ReferenceKeyAttention) -> tuple[Tensors, Parameters]:
        layer = problem.attention
        tensors: Tensors = {
            "Q": np.asarray(layer.queries),
            "K": np.asarray(layer.keys),
            "V": np.asarray(layer.values),
        }
        return tensors, {"tau": layer.temperature, "rho": problem.reference_logit, "g": problem.logit_gap}

    def from_tensors(tensors: Tensors, parameters: Parameters) -> ReferenceKeyAttention:
        require_tensors(tensors, {"Q": ("float64", 2), "K": ("float64", 2), "V": ("float64", 2)})
        temperature, reference_logit, logit_gap = require_numbers(parameters, "tau", "rho", "g")
        layer = AttentionInstance(tensors["Q"], tensors["K"], tensors["V"], temperature)
        return ReferenceKeyAttention(layer, reference_logit, logit_gap)

    def work(problem: ReferenceKeyAttention) -> float:
        return float(problem.sizes["L_q"] * problem.sizes["L_k"] * problem.sizes["d"])

    def read_out(problem: ReferenceKeyAttention) -> Mapping[str, Any]:
        return {
            "positions": "all",
            "threshold": float(problem.threshold),
            "tolerated_error": float(problem.tolerated_error),
        }

    def entry_bounds(problem: ReferenceKeyAttention) -> Mapping[str, float]:
        return {"Q": problem.sizes["R"], "K": problem.sizes["R"], "V": 1}

    return Codec(ReferenceKeyAttention, to_tensors, from_tensors, entry_bounds, work, read_out)


def _var() -> Codec:
    from reductions.instance_files.var_codec import CODEC

    return CODEC


_CODECS: dict[str, Callable[[], Codec]] = {
    ProblemName.CNF: _cnf,
    ProblemName.OV: _orthogonal_vectors,
    ProblemName.GAP_MAX_IP: _gap_max_inner_product,
    ProblemName.ATTENTION: _attention,
    ProblemName.VAR: _var,
}
