"""Choose the code, the field, s0 and T of a distributed PCP for m coordinates by a stated objective."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Literal

from reductions.codes.evaluation_codes import (
    ELLIPTIC_CURVES,
    EvaluationCode,
    elliptic,
    hermitian,
    pole_numbers,
    reed_solomon,
)
from reductions.codes.finite_field import FIELD_ORDERS, FiniteField, zero_sum_free
from reductions.codes.proof_system import ProofSystem
from reductions.lower_bound.distributed_pcp import MOST_MESSAGES, DistributedPCP

Objective = Literal["ratio", "messages"] | int
"""Least D/Δ; least messages; or least D/Δ with at most so many messages."""

MOST_INFORMATION_POINTS = 8
HERMITIAN_ORDERS = (9, 16)  # over F_4 it is the elliptic curve


class NoSystem(ValueError):
    """No system is within the limits."""


@dataclass(frozen=True, eq=False)
class PcpPlan:
    """A choice of parameters for m coordinates.

    Attributes
    ----------
    system
        The code, T and λ; D, Δ and the number of messages follow.
    explanation
        What was chosen, why and instead of what, in words.
    """

    system: ProofSystem
    explanation: str

    def reduction(self, messages: Literal["all", "feasible"] = "all") -> DistributedPCP:
        """Return the reduction with these parameters."""
        most = self.system.message_count
        return DistributedPCP(self.system.code, self.system.blocks, messages=messages, most_messages=most)


def ratio(system: ProofSystem) -> Fraction:
    """Return D/Δ, on which the entry bound R = √(2 (d/Δ) ln 4N) depends."""
    return Fraction(system.dimension, system.gap)


def plan_pcp(
    coordinates: int,
    objective: Objective = "ratio",
    most_dimension: int = 4096,
    most_messages: int = MOST_MESSAGES,
) -> PcpPlan:
    """Choose among Reed-Solomon, elliptic and Hermitian codes with at most 8 information points.

    Parameters
    ----------
    coordinates
        m >= 0.
    objective
        "ratio": least D/Δ. "messages": fewest messages, all of W counted. An integer: least D/Δ among
        the systems with at most that many messages. Ties go to fewer messages, then to smaller D/Δ.
    most_dimension, most_messages
        Limits that hold whatever the objective.

    Raises
    ------
    NoSystem
        If no system is within the limits; the message names the nearest one.
    ValueError
        If an argument is none of the above.
    """
    if coordinates < 0:
        raise ValueError(f"Argument 'coordinates' must be at least 0, not {coordinates}.")
    keys: dict[str, Callable[[ProofSystem], tuple[Fraction | int, Fraction | int]]] = {
        "ratio": lambda system: (ratio(system), system.message_count),
        "messages": lambda system: (system.message_count, ratio(system)),
    }
    budget = most_messages
    if isinstance(objective, int) and not isinstance(objective, bool):
        if objective < 1:
            raise ValueError(f"Argument 'objective' must be a budget of at least 1 message, not {objective}.")
        budget, key = min(budget, objective), keys["ratio"]
    elif objective in keys:
        key = keys[objective]
    else:
        raise ValueError(
            f"Argument 'objective' must be 'ratio', 'messages' or a number of messages, not {objective!r}."
        )
    systems = _systems(coordinates)
    if not systems:
        raise NoSystem(
            f"Argument 'coordinates' must be at most {most_coordinates()}, s0·T of the largest system, not "
            f"{coordinates}."
        )
    within = [s for s in systems if s.dimension <= most_dimension and s.message_count <= budget]
    if not within:
        nearest = min(
            systems,
            key=lambda s: max(Fraction(s.dimension, most_dimension), Fraction(s.message_count, budget)),
        )
        raise NoSystem(
            f"No code for m = {coordinates} has D <= {most_dimension:,} and at most {budget:,} messages; the "
            f"nearest is {_words(nearest)}."
        )
    best, *others = sorted(within, key=key)
    return PcpPlan(best, _explanation(coordinates, objective, len(within), best, others))


def systems_for(coordinates: int) -> Iterator[ProofSystem]:
    """Yield every sound system with s0 <= 8 whose T = max(1, ⌈m/s0⌉) blocks have zero-sum-free weights."""
    for code in _codes():
        blocks = max(1, -(-coordinates // code.block))
        if blocks <= code.field.degree * (code.field.characteristic - 1):
            yield ProofSystem(code, blocks, zero_sum_free(code.field, blocks))


@lru_cache(maxsize=32)
def _systems(coordinates: int) -> tuple[ProofSystem, ...]:
    """Keep what :func:`systems_for` yields, with what the systems have computed of themselves."""
    return tuple(systems_for(coordinates))


def most_coordinates() -> int:
    """Return the largest number of coordinates that :func:`systems_for` has a system for."""
    return max(code.block * code.field.degree * (code.field.characteristic - 1) for code in _codes())


@cache
def most_coordinates_within(objective: Objective = "ratio") -> int:
    """Return the largest m for which :func:`plan_pcp` finds a system, by bisection.

    A system for m coordinates has no more blocks for fewer, so what fits m fits all below.
    """

    def fits(coordinates: int) -> bool:
        try:
            plan_pcp(coordinates, objective)
        except NoSystem:
            return False
        return True

    # For m = 0 there always is one: D = 6 and one message.
    return bisect_left(range(1, most_coordinates() + 1), True, key=lambda m: not fits(m))


@cache
def _codes() -> tuple[EvaluationCode, ...]:
    """All codes with at most 8 information points whose squared degree is below their length."""
    codes = []
    for order in FIELD_ORDERS:
        field = FiniteField(order)
        codes += [
            reed_solomon(field, s0) for s0 in range(1, min(MOST_INFORMATION_POINTS, order // 2 + 1) + 1)
        ]
        if order in ELLIPTIC_CURVES:
            points = elliptic(field, 0).length
            codes += [elliptic(field, k) for k in range(2, MOST_INFORMATION_POINTS + 1) if 2 * k < points]
        if order in HERMITIAN_ORDERS:
            root = round(order**0.5)
            numbers = pole_numbers((root, root + 1), root**3 // 2)
            codes += [hermitian(field, k) for k in numbers[1:MOST_INFORMATION_POINTS]]
    return tuple(code for code in codes if code.squared_degree < code.length)


def _words(system: ProofSystem) -> str:
    code = system.code
    return (
        f"{code.name} with s0 = {code.block} and T = {system.blocks} "
        f"(D = {system.dimension:,}, Δ = {system.gap} of {code.length}, {system.message_count:,} messages)"
    )


def _explanation(
    coordinates: int, objective: Objective, count: int, best: ProofSystem, others: list[ProofSystem]
) -> str:
    goal = {
        "ratio": "the least D/Δ",
        "messages": "the fewest messages",
    }.get(str(objective), f"the least D/Δ with at most {objective} messages")
    padding = best.coordinates - coordinates
    sentences = [
        f"{_words(best)} has {goal} of the {count} systems within the limits: "
        f"D/Δ = {float(ratio(best)):.1f}.",
        f"It holds s0·T = {best.coordinates} coordinates, {padding} of them zero padding.",
    ]
    if others:
        sentences.append(f"The next is {_words(others[0])}, D/Δ = {float(ratio(others[0])):.1f}.")
    return " ".join(sentences)
