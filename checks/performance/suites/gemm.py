"""Which fraction of the speed of a float32 matrix product the fused kernels reach."""

from __future__ import annotations

from collections.abc import Sequence

from checks.performance.data import uniform
from checks.performance.harness import Call, Ratio, paired
from checks.performance.low_rank import LowRank
from checks.performance.suite import Bench, Measurement, SuiteResult, Target

SHAPES = ((8, 4), (16, 3), (8, 6), (16, 4))
"""Dimensions and degrees, of ranks 495, 969, 3003 and 4845."""

GOALS = ((4845, 0.65), (495, 0.5))
"""From which rank on which fraction is to be reached."""

PRODUCT = "torch matrix product"


def run(bench: Bench) -> SuiteResult:
    """Compare multiply-adds a second of both sides with those of a square product of torch.

    Only the products of features with values (keys) and with the state (queries) are counted; making the
    features, d monomials at a time, comes on top and is not.
    """
    import torch

    tokens = bench.pick(tiny=256, quick=32_768, full=65_536)
    side = bench.pick(tiny=128, quick=2048, full=4096)
    bench.say(f"gemm: {tokens:,} tokens")
    generator = torch.Generator().manual_seed(bench.seed)
    left, right = torch.rand(2, side, side, generator=generator)
    product_work = side**3
    methods = {
        f"low rank, d = {d}, g = {g}": LowRank(uniform(tokens, d, 1.0, bench.seed), g, bench.threads)
        for d, g in SHAPES
    }
    calls: dict[str, Call | Sequence[Call]] = {PRODUCT: lambda: left @ right}
    calls |= {name: method.outputs for name, method in methods.items()}
    timings = paired(calls, rounds=bench.pick(tiny=1, quick=3, full=7), slice_seconds=0.2)
    measurements = [
        Measurement(PRODUCT, {"side": side}, timings.seconds[PRODUCT], extra={"multiply_adds": product_work})
    ]
    targets = []
    for name, method in methods.items():
        work = method.multiply_adds()
        ratio = timings.speed_up(name, PRODUCT)
        fraction = Ratio(*(value * work / product_work for value in (ratio.median, ratio.low, ratio.high)))
        measurements.append(
            Measurement(
                name,
                {"tokens": tokens, "rank": method.rank},
                timings.seconds[name],
                extra={
                    "multiply_adds": work,
                    "fraction": fraction.median,
                    "fraction_low": fraction.low,
                    "fraction_high": fraction.high,
                },
            )
        )
        goal = next(goal for rank, goal in GOALS if method.rank >= rank)
        measured = fraction.median if bench.size != "tiny" else None
        targets.append(
            Target(f"fraction of a matrix product's speed, r = {method.rank}", True, goal, measured)
        )
    return SuiteResult("gemm", "Fraction of a matrix product's speed", tuple(measurements), tuple(targets))
