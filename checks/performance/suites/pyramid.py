"""Block-causal attention over the scales of a VAR model: one state against one exact call for each scale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from checks.performance.data import clustered
from checks.performance.errors import PyramidReference
from checks.performance.harness import Call, paired
from checks.performance.low_rank import LowRank
from checks.performance.peers.torch_attention import TorchAttention
from checks.performance.suite import Bench, Measurement, Setting, SuiteResult, Target, measurement

SIDE, DIMENSION = 256, 16
GOALS = {2: 300.0, 3: 80.0, 4: 20.0}
"""Speed-ups to reach at side 256, by degree."""

PARTS = 4
"""Of the exact method, so that it takes turns with the others while it runs."""

PER_SCALE, MASKED = "torch SDPA, a call for each scale", "torch SDPA, one call with a mask"


def scale_ends(side: int) -> tuple[int, ...]:
    """Return where each of the scales 1, 2, 4, ..., side ends in the sequence of all tokens."""
    ends, total = [], 0
    for exponent in range(side.bit_length()):
        total += 4**exponent
        ends.append(total)
    return tuple(ends)


def run(bench: Bench) -> SuiteResult:
    """Time degrees 2, 3 and 4 at side 256, and the mask at a side where it fits into memory."""
    side = bench.pick(tiny=8, quick=SIDE, full=SIDE)
    bench.say(f"pyramid: side {side}")
    ends = scale_ends(side)
    inputs = clustered(ends[-1], DIMENSION, 1.0, bench.seed)
    methods = {f"low rank, g = {degree}": LowRank(inputs, degree, bench.threads) for degree in GOALS}
    exact = TorchAttention(inputs).pyramid_parts(ends, PARTS)
    calls: dict[str, Call | Sequence[Call]] = {PER_SCALE: exact}
    calls |= {name: partial(method.pyramid, ends) for name, method in methods.items()}
    masked = _masked(bench)  # also warms up torch's threads
    timings = paired(
        calls, rounds=bench.pick(tiny=1, quick=1, full=3), slice_seconds=0.5, warm_up=tuple(methods)
    )
    reference = PyramidReference(inputs, ends, most_rows=256, threads=bench.threads)
    setting: Setting = {"n": side, "tokens": ends[-1], "d": DIMENSION, "b": 1.0, "data": "clustered"}
    found = [measurement(timings, PER_SCALE, setting)] + [
        measurement(
            timings,
            name,
            setting,
            PER_SCALE,
            error=reference.error(method.pyramid(ends)),
            certified_error=method.certified_error,
            rank=method.rank,
        )
        for name, method in methods.items()
    ]
    targets = tuple(
        Target(
            f"VAR pyramid, n = {SIDE}, d = {DIMENSION}, g = {degree}: speed-up",
            True,
            goal,
            entry.speed_up.median if side == SIDE and entry.speed_up else None,
        )
        for (degree, goal), entry in zip(GOALS.items(), found[1:], strict=True)
    )
    return SuiteResult("pyramid", "Block-causal attention of a VAR model", (*masked, *found), targets)


def _masked(bench: Bench) -> list[Measurement]:
    side = bench.pick(tiny=4, quick=32, full=64)
    ends = scale_ends(side)
    exact = TorchAttention(clustered(ends[-1], DIMENSION, 1.0, bench.seed))
    timings = paired(
        {PER_SCALE: partial(exact.pyramid, ends), MASKED: partial(exact.masked_pyramid, ends)},
        rounds=bench.pick(tiny=1, quick=3, full=5),
    )
    setting: Setting = {"n": side, "tokens": ends[-1], "d": DIMENSION, "b": 1.0, "data": "clustered"}
    return [
        measurement(timings, PER_SCALE, setting),
        measurement(timings, MASKED, setting, PER_SCALE),
    ]
