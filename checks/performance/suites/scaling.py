"""How the time of block-causal attention grows with the side n of the image: n^2 fast, n^4 exact."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from checks.performance.data import clustered
from checks.performance.harness import Call, fitted_exponent, local_exponents, paired
from checks.performance.low_rank import LowRank
from checks.performance.peers.torch_attention import TorchAttention
from checks.performance.suite import Bench, Measurement, Setting, SuiteResult, Target, measurement
from checks.performance.suites.pyramid import scale_ends

DIMENSION, DEGREE = 8, 4
FAST, EXACT = f"low rank, g = {DEGREE}", "torch SDPA, a call for each scale"
FAST_GOAL, EXACT_GOAL, EXACT_FROM = 2.1, 3.8, 128


def exact_multiply_adds(ends: tuple[int, ...], dimension: int) -> int:
    """Return the multiply-adds of exact block-causal attention: logits and means of values."""
    starts = (0, *ends[:-1])
    return sum((end - start) * end for start, end in zip(starts, ends, strict=True)) * 2 * dimension


def run(bench: Bench) -> SuiteResult:
    """Time sides 32 to 512; the exact method up to 256."""
    sides = bench.pick(tiny=(4, 8, 16), quick=(32, 64, 128, 256, 512), full=(32, 64, 128, 256, 512))
    exact_up_to = bench.pick(tiny=8, quick=256, full=256)
    measurements: list[Measurement] = []
    medians: dict[str, dict[int, float]] = {FAST: {}, EXACT: {}}
    operations: dict[str, dict[int, int]] = {FAST: {}, EXACT: {}}
    for side in sides:
        bench.say(f"scaling: side {side}")
        ends = scale_ends(side)
        inputs = clustered(ends[-1], DIMENSION, 1.0, bench.seed)
        fast = LowRank(inputs, DEGREE, bench.threads)
        calls: dict[str, Call | Sequence[Call]] = {FAST: partial(fast.pyramid, ends)}
        operations[FAST][side] = fast.multiply_adds()
        if side <= exact_up_to:
            exact = TorchAttention(inputs, padded=True)
            parts = exact.pyramid_parts(ends, 4)
            calls[EXACT] = parts if side >= EXACT_FROM else partial(exact.pyramid, ends)
            operations[EXACT][side] = exact_multiply_adds(ends, DIMENSION)
        slow = side > 128
        timings = paired(
            calls,
            rounds=bench.pick(tiny=1, quick=1 if slow else 3, full=3),
            slice_seconds=0.2,
            warm_up=(FAST,) if slow else None,
        )
        setting: Setting = {"n": side, "tokens": ends[-1], "d": DIMENSION, "b": 1.0, "data": "clustered"}
        for name in calls:
            medians[name][side] = timings.median(name)
            baseline = EXACT if name == FAST and EXACT in calls else None
            counted = operations[name][side]
            measurements.append(measurement(timings, name, setting, baseline, multiply_adds=counted))
    figures = _exponents(medians) | {
        f"counted operations, {name}": fitted_exponent(list(counted), list(counted.values()))
        for name, counted in operations.items()
    }
    return SuiteResult(
        "scaling", "Growth with the side of the image", tuple(measurements), _targets(figures), figures
    )


def _exponents(medians: dict[str, dict[int, float]]) -> dict[str, float]:
    figures = {}
    for name, times in medians.items():
        sides, seconds = list(times), list(times.values())
        figures[f"fitted exponent, {name}"] = fitted_exponent(sides, seconds)
        large = [index for index, side in enumerate(sides) if side >= EXACT_FROM]
        if len(large) > 1:
            figures[f"fitted exponent from {EXACT_FROM} on, {name}"] = fitted_exponent(
                [sides[index] for index in large], [seconds[index] for index in large]
            )
        for side, following, exponent in zip(sides, sides[1:], local_exponents(sides, seconds), strict=False):
            figures[f"local exponent {side} to {following}, {name}"] = exponent
    return figures


def _targets(figures: dict[str, float]) -> tuple[Target, ...]:
    following = 2 * EXACT_FROM
    measured = f"local exponent {EXACT_FROM} to {following}, {EXACT}" in figures
    return (
        Target(
            "fitted exponent of time in n, fast",
            False,
            FAST_GOAL,
            figures[f"fitted exponent, {FAST}"] if measured else None,
            "all sides",
        ),
        Target(
            f"local exponent of time in n from {EXACT_FROM} up, exact",
            True,
            EXACT_GOAL,
            figures.get(f"local exponent {EXACT_FROM} to {following}, {EXACT}"),
        ),
    )
