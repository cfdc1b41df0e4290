"""The automatic choice between low rank and exact: is it ever slower, and do its certificates hold?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median
from typing import Literal, NamedTuple

from checks.performance.data import FAMILIES, Inputs
from checks.performance.errors import Reference
from checks.performance.harness import Call, paired
from checks.performance.peers.torch_attention import TorchAttention
from checks.performance.suite import Bench, Measurement, Setting, SuiteResult, Target, measurement
from reductions.fast_attention.approximate_attention import ApproximateAttention, approximate_attention
from reductions.fast_attention.certificate import AttentionCertificate

CHOICE, EXACT, TORCH = "certified choice", "exact, same program", "torch SDPA"
GOAL, LEAST_SECONDS = 0.9, 2e-3


class Case(NamedTuple):
    """One input and what is asked for."""

    family: str
    tokens: int
    dimension: int
    logit_bound: float
    tolerance: float


def cases(bench: Bench) -> Iterator[Case]:
    """Yield sizes and tolerances on clustered data, then all families at one size with two logit bounds."""
    sizes = bench.pick(tiny=(64,), quick=(1024, 4096), full=(512, 1024, 2048, 4096, 16_384))
    for tokens in sizes:
        for dimension in (8, 16, 64):
            for tolerance in (1e-2, 1e-4):
                yield Case("clustered", tokens, dimension, 1.0, tolerance)
    for family in FAMILIES:
        for bound in (0.25, 4.0):
            yield Case(family, bench.pick(tiny=64, quick=4096, full=8192), 16, bound, 1e-3)


def run(bench: Bench) -> SuiteResult:
    """Compare the automatic choice with the exact method of the same program and with torch's."""
    measurements: list[Measurement] = []
    own: list[float] = []
    over_torch: list[float] = []
    shares: list[float] = []
    last = None
    for case in cases(bench):
        if (case.family, case.tokens) != last:
            last = (case.family, case.tokens)
            bench.say(f"dispatcher: {case.tokens:,} tokens, {case.family}")
        found, certificate = _case(bench, case)
        measurements += found
        choice, exact, torch = found
        assert choice.error is not None
        shares.append(choice.error / certificate.error_bound)
        for baseline, ratios in ((exact, own), (torch, over_torch)):
            slow = median(second for calls in baseline.seconds for second in calls)
            if slow >= LEAST_SECONDS:
                ratios.append(choice.extra["over_torch"] if ratios is over_torch else _ratio(choice))
    note = f"where that takes {LEAST_SECONDS * 1e3:g} ms or more"
    tiny = bench.size == "tiny"
    targets = (
        Target(
            f"choice: least speed-up over {EXACT}", True, GOAL, None if tiny else min(own, default=None), note
        ),
        Target(
            f"choice: least speed-up over {TORCH}",
            True,
            GOAL,
            None if tiny else min(over_torch, default=None),
            note,
        ),
        Target("choice: largest error over its proved bound", False, 1.0, max(shares), "all families"),
    )
    return SuiteResult("dispatcher", "The automatic choice", tuple(measurements), targets)


def _ratio(entry: Measurement) -> float:
    assert entry.speed_up is not None
    return entry.speed_up.median


def _case(bench: Bench, case: Case) -> tuple[list[Measurement], AttentionCertificate]:
    inputs = FAMILIES[case.family](case.tokens, case.dimension, case.logit_bound, bench.seed)
    automatic = partial(_attend, inputs, case.tolerance, bench.threads, "auto")
    calls: dict[str, Call | Sequence[Call]] = {
        CHOICE: automatic,
        EXACT: partial(_attend, inputs, case.tolerance, bench.threads, "exact"),
        TORCH: TorchAttention(inputs, padded=case.dimension % 16 != 0).outputs,
    }
    timings = paired(calls, rounds=bench.pick(tiny=1, quick=3, full=3), slice_seconds=0.05, most_calls=8)
    output, certificate = automatic()
    error = Reference(inputs, most_rows=512, threads=bench.threads).error(output)
    common: Setting = {"tokens": case.tokens, "d": case.dimension, "b": case.logit_bound, "data": case.family}
    chosen = str(certificate.method) if certificate.degree is None else f"degree {certificate.degree}"
    return [
        measurement(
            timings,
            CHOICE,
            {**common, "tolerance": case.tolerance, "chosen": chosen},
            EXACT,
            error=error,
            certified_error=certificate.error_bound,
            over_torch=timings.speed_up(CHOICE, TORCH).median,
        ),
        measurement(timings, EXACT, common),
        measurement(timings, TORCH, common),
    ], certificate


def _attend(
    inputs: Inputs, tolerance: float, threads: int, method: Literal["auto", "exact"]
) -> ApproximateAttention:
    return approximate_attention(
        inputs.queries,
        inputs.keys,
        inputs.values,
        temperature=inputs.temperature,
        tolerance=tolerance,
        threads=threads,
        method=method,
    )
