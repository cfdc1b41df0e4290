"""Instances of gap-Max-IP whose attention outputs are as close to the threshold as they can be.

Their outputs are enclosed in interval arithmetic, for the float64 entries that are built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from checks.evidence import Claims
from checks.exact.intervals import precision
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.problems.attention import AttentionInstance
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct

ROUNDING = Fraction(1, 10**12)
"""Built entries are roundings of √β u and √β v; that moves an output by less than this."""

Build = Callable[[GapMaxInnerProduct], AttentionInstance]


@dataclass(frozen=True)
class ExtremalInstance:
    """One query whose row is as close to the threshold as the promise allows."""

    name: str
    source: GapMaxInnerProduct
    is_yes: bool

    @property
    def keys(self) -> int:
        """N, the number of keys without the reference key."""
        return len(self.source.right)

    @property
    def output(self) -> Fraction:
        """The output in the limit: 4N/(4N+1) or 1/5."""
        return Fraction(4 * self.keys, 4 * self.keys + 1) if self.is_yes else Fraction(1, 5)


def extremal_yes(keys: int) -> ExtremalInstance:
    """One inner product is s = 4 with Δ = 1, every other one is -4, so that it hardly counts."""
    right = np.vstack([np.ones((1, 4)), -np.ones((keys - 1, 4))])
    source = GapMaxInnerProduct(np.ones((1, 4)), right, threshold=4, gap=1)
    return ExtremalInstance(f"N = {keys:,}, one inner product s and the others -s", source, True)


def extremal_no(keys: int) -> ExtremalInstance:
    """Every inner product is s - Δ = 2, with Δ = 1."""
    right = np.tile([1.0, 1.0, 0.0, 0.0], (keys, 1))
    source = GapMaxInnerProduct(np.ones((1, 4)), right, threshold=3, gap=1)
    return ExtremalInstance(f"N = {keys:,}, every inner product s - Δ", source, False)


def interval_output(layer: AttentionInstance) -> Any:
    """Return an ``mpmath.iv.mpf`` that contains the first row's output, for the entries as built."""
    with precision() as iv:  # so that the sums over thousands of keys stay narrow
        query = [iv.mpf(float(entry)) for entry in layer.queries[0]]
        weighted = total = iv.mpf(0)
        for key, value in zip(layer.keys, layer.values[:, 0], strict=True):
            logit = (
                sum((q * float(k) for q, k in zip(query, key, strict=True)), iv.mpf(0)) / layer.temperature
            )
            weight = iv.exp(logit)
            weighted, total = weighted + weight * float(value), total + weight
        return weighted / total


def build_attention(source: GapMaxInnerProduct) -> AttentionInstance:
    """The construction of the lemma, at τ = d."""
    return GapMaxIPToAttention().map_instance(source).target.attention


def bound_claims(instances: list[ExtremalInstance], construction: Build = build_attention) -> Claims:
    """Each instance's output is on the right side of its bound, up to the rounding of the entries."""
    for instance in instances:
        output = interval_output(construction(instance.source))
        if instance.is_yes:
            yield f"YES, {instance.name}", output, ">=", instance.output - ROUNDING
        else:
            yield f"NO, {instance.name}", output, "<=", instance.output + ROUNDING


def tightness_claims(instances: list[ExtremalInstance]) -> Claims:
    """Each instance's output is no farther from the threshold than its bound."""
    for instance in instances:
        output = interval_output(build_attention(instance.source))
        if instance.is_yes:
            yield f"YES, {instance.name}", output, "<=", instance.output + ROUNDING
        else:
            yield f"NO, {instance.name}", output, ">=", instance.output - ROUNDING
