"""Time and worst-case error of every method on every family of data, and who is best at which error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from numpy.typing import NDArray

from checks.performance.data import FAMILIES, Inputs
from checks.performance.errors import Reference
from checks.performance.harness import Call, paired
from checks.performance.low_rank import LowRank
from checks.performance.peers.favor import favor
from checks.performance.peers.kernel_features import kernel_nystroem, tensor_sketch
from checks.performance.peers.nystromformer import nystromformer
from checks.performance.peers.torch_attention import TorchAttention
from checks.performance.suite import Bench, Measurement, Setting, SuiteResult, Target
from reductions.fast_attention.approximate_attention import ApproximateAttention, approximate_attention

DIMENSION, LOGIT_BOUND = 16, 1.0
DEGREES = (1, 2, 3, 4)
EXACT, OWN, CERTIFIED = "torch SDPA", "low rank", "low rank, certified choice"

Approximation = tuple[str, Mapping[str, float], partial[NDArray[Any]]]


def run(bench: Bench) -> SuiteResult:
    """Sweep each method's parameter on four families at d = 16 and logit bound 1."""
    tokens = bench.pick(tiny=128, quick=4096, full=16_384)
    measurements: list[Measurement] = []
    targets: list[Target] = []
    for family, make in FAMILIES.items():
        bench.say(f"peers: {tokens:,} tokens, {family}")
        found = _family(bench, make(tokens, DIMENSION, LOGIT_BOUND, bench.seed), family)
        measurements += found
        targets.append(_target(found, family, measured=bench.size != "tiny"))
    return SuiteResult("peers", "Other approximations", tuple(measurements), tuple(targets))


def approximations(bench: Bench, inputs: Inputs) -> Iterable[Approximation]:
    """Yield (method, setting, call) of all methods but the exact one."""
    for degree in DEGREES:
        yield OWN, {"degree": degree}, partial(LowRank.outputs, LowRank(inputs, degree, bench.threads))
    for tolerance in (1e-1, 1e-2, 1e-3, 1e-4):
        yield CERTIFIED, {"tolerance": tolerance}, partial(_certified, inputs, tolerance, bench.threads)
    sizes = bench.pick(tiny=(32,), quick=(64, 256, 1024), full=(64, 256, 1024, 4096))
    for features in sizes:
        yield "FAVOR+", {"features": features}, partial(favor, inputs, features, bench.seed)
    for landmarks in bench.pick(tiny=(32,), quick=(16, 64, 256), full=(16, 64, 256, 1024)):
        setting = {"landmarks": landmarks}
        yield "Nyströmformer", setting, partial(nystromformer, inputs, landmarks)
        yield (
            "Nyströmformer, iterative inverse",
            setting,
            partial(nystromformer, inputs, landmarks, exact_inverse=False),
        )
    for landmarks in bench.pick(tiny=(32,), quick=(64, 256), full=(64, 256, 1024)):
        yield (
            "kernel Nyström",
            {"landmarks": landmarks},
            partial(kernel_nystroem, inputs, landmarks, bench.seed),
        )
    for degree in bench.pick(tiny=(4,), quick=(4,), full=(2, 4)):
        for components in bench.pick(tiny=(32,), quick=(64, 256), full=(64, 256, 1024)):
            yield (
                "TensorSketch",
                {"components": components, "degree": degree},
                partial(tensor_sketch, inputs, components, bench.seed, degree=degree),
            )


def _family(bench: Bench, inputs: Inputs, family: str) -> list[Measurement]:
    reference = Reference(inputs, most_rows=len(inputs.queries), threads=bench.threads)
    settings: dict[str, tuple[str, Mapping[str, float]]] = {EXACT: (EXACT, {})}
    calls: dict[str, Call | Sequence[Call]] = {EXACT: TorchAttention(inputs).outputs}
    errors: dict[str, float] = {EXACT: reference.error(TorchAttention(inputs).outputs())}
    certified: dict[str, float] = {}
    for method, setting, call in approximations(bench, inputs):
        label = f"{method} {setting}"
        settings[label] = (method, setting)
        calls[label] = call
        errors[label] = reference.error(call())  # also warms up
        if method == OWN:
            certified[label] = LowRank(inputs, int(setting["degree"]), bench.threads).certified_error
        elif method == CERTIFIED:
            certified[label] = _choice(inputs, setting["tolerance"], bench.threads).certificate.error_bound
    timings = paired(
        calls,
        rounds=bench.pick(tiny=1, quick=2, full=3),
        slice_seconds=0.02,
        most_calls=5,
        warm_up=(),
    )
    common: Setting = {"tokens": len(inputs.queries), "d": DIMENSION, "b": LOGIT_BOUND, "data": family}
    return [
        Measurement(
            method,
            {**common, **setting},
            timings.seconds[label],
            None if label == EXACT else EXACT,
            None if label == EXACT else timings.speed_up(label, EXACT),
            errors[label],
            certified.get(label),
        )
        for label, (method, setting) in settings.items()
    ]


def _certified(inputs: Inputs, tolerance: float, threads: int) -> NDArray[Any]:
    return _choice(inputs, tolerance, threads).output


def _choice(inputs: Inputs, tolerance: float, threads: int) -> ApproximateAttention:
    return approximate_attention(
        inputs.queries,
        inputs.keys,
        inputs.values,
        temperature=inputs.temperature,
        tolerance=tolerance,
        threads=threads,
    )


def advantage(measurements: Iterable[Measurement]) -> list[tuple[int, float, float | None, str | None]]:
    """Compare each degree with the fastest peer setting whose error is not larger.

    Returns
    -------
    list
        For each degree: degree, its error, how many times faster it is than that peer, and the peer. The
        last two are None where no setting of any peer reaches the error.
    """
    entries = list(measurements)
    own = [entry for entry in entries if entry.method == OWN]
    peers = [entry for entry in entries if entry.method not in (OWN, EXACT, CERTIFIED)]
    result: list[tuple[int, float, float | None, str | None]] = []
    for entry in own:
        assert entry.error is not None
        assert entry.speed_up is not None
        reached = [peer for peer in peers if peer.error is not None and peer.error <= entry.error]
        best = max(reached, key=lambda peer: peer.speed_up.median if peer.speed_up else 0.0, default=None)
        degree = int(entry.setting["degree"])
        if best is None or best.speed_up is None:
            result.append((degree, entry.error, None, None))
        else:
            ratio = entry.speed_up.median / best.speed_up.median
            result.append((degree, entry.error, ratio, best.method))
    return result


def _target(found: list[Measurement], family: str, *, measured: bool) -> Target:
    name = f"{family} data: speed over the fastest peer of no larger error, least over degrees"
    compared = [(ratio, peer) for _, _, ratio, peer in advantage(found) if ratio is not None]
    if not measured:
        return Target(name, True, 1.0, None)
    if not compared:
        return Target(name, True, 1.0, None, "no peer reaches any of the errors")
    ratio, peer = min(compared)
    return Target(name, True, 1.0, ratio, f"against {peer}")
