"""Suites of hard instances: named, versioned, the same bits everywhere.

>>> from reductions.conformance.suite import hard_instances
>>> instance = next(hard_instances("quick"))
>>> instance.answer
<Answer.NO: 'NO'>
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

from reductions.conformance.families import FAMILIES
from reductions.conformance.hard_instance import HardInstance, Parameters, build

SUITE_VERSION = 1
"""Raised whenever a suite's instances change."""

COORDINATES = {64: 14, 256: 14, 1024: 62, 4096: 62, 16384: 62, 65536: 62}
"""m by L: two less than a power of four."""

STRENGTHS = (Fraction(1, 16), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2))

SUITES = {"quick": (64, 256, 1024), "full": (64, 256, 1024, 4096, 16384, 65536)}
"""L of the instances of each suite."""


def suite_parameters(suite: str = "quick", seeds: int = 1) -> Iterator[Parameters]:
    """Yield what the instances of a suite are made from, smallest first; twins follow each other.

    Raises
    ------
    ValueError
        If there is no suite of that name, or ``seeds`` is less than 1.
    """
    if suite not in SUITES:
        raise ValueError(f"Argument 'suite' must be one of {', '.join(SUITES)}, not {suite!r}.")
    if seeds < 1:
        raise ValueError(f"Argument 'seeds' must be at least 1, not {seeds}.")
    twins = (False, True)
    for tokens, strength, lifted, family, seed, planted in product(
        SUITES[suite], STRENGTHS, (False, True), FAMILIES, range(seeds), twins
    ):
        yield Parameters(family, tokens, COORDINATES[tokens], planted, strength, lifted, seed)


def hard_instances(suite: str = "quick", seeds: int = 1) -> Iterator[HardInstance]:
    """Yield the instances of a suite, each built when it is asked for.

    Parameters
    ----------
    suite
        "quick" (L up to 1,024) or "full" (up to 65,536).
    seeds
        How many instances there are of each kind: seeds 0, ..., seeds - 1.

    Raises
    ------
    ValueError
        As :func:`suite_parameters`.
    """
    return map(build, suite_parameters(suite, seeds))


def suite_manifest(suite: str = "quick", seeds: int = 1) -> dict[str, Any]:
    """Return the suite's version and, for every instance, its name and digest, with a digest of them all."""
    digests = {instance.parameters.name: instance.digest for instance in hard_instances(suite, seeds)}
    whole = hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in digests.items()).encode())
    return {
        "schema": 1,
        "suite": suite,
        "version": SUITE_VERSION,
        "seeds": seeds,
        "sha256": whole.hexdigest(),
        "instances": digests,
    }
