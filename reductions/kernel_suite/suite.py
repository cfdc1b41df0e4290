"""Suites of hard instances: named, versioned, the same bits everywhere.

>>> from reductions.kernel_suite.suite import hard_instances
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

from reductions.choices import Suite
from reductions.kernel_suite.families import FAMILIES
from reductions.kernel_suite.hard_instance import HardInstance
from reductions.kernel_suite.integer_instance import PCP_FIELDS, Parameters, build
from reductions.kernel_suite.var_instance import VarParameters, build_var
from reductions.problems.approximate_var import Reading
from reductions.problems.interpolation import Kernel

SUITE_VERSION = 2
"""Raised whenever a suite's instances change."""

STRENGTHS = (Fraction(1, 16), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2))

RAGGED = (100,)
"""L that no tile divides, for the direct route: a kernel that pads must mask what it pads with."""

COORDINATES = {64: 14, 256: 14, 1024: 62, 4096: 62, 16384: 62, 65536: 62}
"""m by L, for the direct route: two less than a power of four."""

SUITES: dict[str, tuple[int, int, int]] = {Suite.QUICK: (1024, 256, 16), Suite.FULL: (65536, 4096, 32)}
"""For each suite: the largest L of the direct route, that of route pcp, the largest side n of a VAR model."""

SuiteParameters = Parameters | VarParameters


def suite_parameters(suite: str = "quick", seeds: int = 1) -> Iterator[SuiteParameters]:
    """Yield what the instances of a suite are made from: full attention, then VAR; twins follow each other.

    Raises
    ------
    ValueError
        If there is no suite of that name, or ``seeds`` is less than 1.
    """
    if suite not in SUITES:
        raise ValueError(f"Argument 'suite' must be one of {', '.join(SUITES)}, not {suite!r}.")
    if seeds < 1:
        raise ValueError(f"Argument 'seeds' must be at least 1, not {seeds}.")
    direct, pcp, side = SUITES[suite]
    twins = (False, True)
    families = [family for family in FAMILIES if family != "formula"]
    for tokens in sorted({*RAGGED, *(size for size in COORDINATES if size <= direct)}):
        lists = families if tokens in RAGGED else FAMILIES
        coordinates = COORDINATES.get(tokens, COORDINATES[64])
        for strength, lifted, family, seed, planted in product(STRENGTHS, twins, lists, range(seeds), twins):
            yield Parameters(family, tokens, coordinates, planted, strength, lifted, seed=seed)
    for tokens in (size for size in COORDINATES if size <= pcp):
        for (field, block), strength, family, seed, planted in product(
            PCP_FIELDS.items(), STRENGTHS, families, range(seeds), twins
        ):
            yield Parameters(family, tokens, 2 * block, planted, strength, field=field, seed=seed)
    for n in (n for n in (16, 32, 64) if n <= side):
        for family, kernel, seed, strength, planted in product(
            families, (Kernel.BICUBIC, Kernel.NEAREST), range(seeds), STRENGTHS[2:], twins
        ):
            yield VarParameters(Reading.MAPS, n, planted, strength, family, kernel, seed)
        for seed, strength, planted in product(range(seeds), STRENGTHS[2:], twins):
            yield VarParameters(Reading.START_AND_POSITIONS, n, planted, strength, seed=seed)


def build_instance(parameters: SuiteParameters) -> HardInstance:
    """Build an instance of either kind."""
    return build(parameters) if isinstance(parameters, Parameters) else build_var(parameters)


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
    return map(build_instance, suite_parameters(suite, seeds))


def suite_manifest(suite: str = "quick", seeds: int = 1) -> dict[str, Any]:
    """Return the suite's version and, for every instance, its name and digest, with a digest of them all."""
    digests = {instance.label.name: instance.digest for instance in hard_instances(suite, seeds)}
    return manifest_of(suite, seeds, digests)


def manifest_of(suite: str, seeds: int, digests: dict[str, str]) -> dict[str, Any]:
    """Return the manifest of a suite whose instances have these names and digests, in its order."""
    whole = hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in digests.items()).encode())
    return {
        "schema": 1,
        "suite": suite,
        "version": SUITE_VERSION,
        "seeds": seeds,
        "sha256": whole.hexdigest(),
        "instances": digests,
    }
