"""Full attention at 65,536 tokens: a fixed degree against exact attention."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from checks.performance.data import Inputs, clustered
from checks.performance.errors import Reference
from checks.performance.harness import Call, paired
from checks.performance.low_rank import LowRank
from checks.performance.peers.torch_attention import TorchAttention
from checks.performance.suite import Bench, Measurement, Setting, SuiteResult, Target, measurement

TOKENS = 65_536
GOALS = {16: {2: 250.0, 3: 70.0, 4: 18.0}, 8: {4: 200.0, 6: 40.0}}
"""Speed-ups to reach, by dimension and degree."""

PARTS = 4
"""Of the exact method, so that it takes turns with the others while it runs."""

PADDED, UNPADDED = "torch SDPA, padded to 16", "torch SDPA"


def run(bench: Bench) -> SuiteResult:
    """Time degrees of GOALS at logit bound 1 on clustered data."""
    tokens = bench.pick(tiny=256, quick=TOKENS, full=TOKENS)
    measurements: list[Measurement] = _baselines(bench)
    targets: list[Target] = []
    for dimension, goals in GOALS.items():
        bench.say(f"attention: {tokens:,} tokens, d = {dimension}")
        found = _low_rank(bench, clustered(tokens, dimension, 1.0, bench.seed), tuple(goals))
        measurements += found
        for degree, goal in goals.items():
            (own,) = (entry for entry in found if entry.method == _name(degree))
            ratio = own.speed_up.median if own.speed_up is not None and tokens == TOKENS else None
            targets.append(
                Target(f"{TOKENS:,} tokens, d = {dimension}, g = {degree}: speed-up", True, goal, ratio)
            )
    return SuiteResult("attention", "Full attention", tuple(measurements), tuple(targets))


def _name(degree: int) -> str:
    return f"low rank, g = {degree}"


def _low_rank(bench: Bench, inputs: Inputs, degrees: tuple[int, ...]) -> list[Measurement]:
    tokens, dimension = inputs.queries.shape
    setting: Setting = {"tokens": tokens, "d": dimension, "b": inputs.logit_bound, "data": "clustered"}
    # What is not a multiple of 16 is faster padded: the baseline is the faster one.
    baseline = UNPADDED if dimension % 16 == 0 else PADDED
    exact = TorchAttention(inputs, padded=dimension % 16 != 0)
    methods = {_name(degree): LowRank(inputs, degree, bench.threads) for degree in degrees}
    calls: dict[str, Call | Sequence[Call]] = {baseline: exact.parts(PARTS)}
    calls |= {name: method.outputs for name, method in methods.items()}
    rounds = bench.pick(tiny=1, quick=1, full=3)
    TorchAttention(clustered(1024, dimension, 1.0, bench.seed), padded=True).outputs()  # warms up its threads
    timings = paired(calls, rounds=rounds, slice_seconds=0.5, warm_up=tuple(methods))
    reference = Reference(inputs, most_rows=512, threads=bench.threads)
    return [measurement(timings, baseline, setting)] + [
        measurement(
            timings,
            name,
            setting,
            baseline,
            error=reference.error(method.outputs()),
            certified_error=method.certified_error,
            rank=method.rank,
        )
        for name, method in methods.items()
    ]


def _baselines(bench: Bench) -> list[Measurement]:
    """Compare the exact methods with each other, so that the ratios above can be judged."""
    tokens = bench.pick(tiny=128, quick=4096, full=16384)
    measurements = []
    for dimension in GOALS:
        bench.say(f"attention: exact methods, {tokens:,} tokens, d = {dimension}")
        inputs = clustered(tokens, dimension, 1.0, bench.seed)
        calls: dict[str, Call | Sequence[Call]] = {
            UNPADDED: TorchAttention(inputs).outputs,
            "NumPy tiles, float32": partial(_streamed, inputs, np.float32, bench.threads),
            "NumPy tiles, float64": partial(_streamed, inputs, np.float64, bench.threads),
        }
        if dimension % 16:
            calls[PADDED] = TorchAttention(inputs, padded=True).outputs
        timings = paired(calls, rounds=bench.pick(tiny=1, quick=3, full=3))
        setting: Setting = {"tokens": tokens, "d": dimension, "b": 1.0, "data": "clustered"}
        measurements += [
            measurement(timings, name, setting, None if name == UNPADDED else UNPADDED) for name in calls
        ]
    return measurements


def _streamed(inputs: Inputs, dtype: type[np.floating[Any]], threads: int) -> object:
    from reductions.layers.streamed_attention import streamed_attention

    queries, keys, values = (matrix.astype(dtype) for matrix in (inputs.queries, inputs.keys, inputs.values))
    return streamed_attention(queries, keys, values, inputs.temperature, threads=threads)
