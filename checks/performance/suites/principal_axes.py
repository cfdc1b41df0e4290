"""Fewer features at equal certified error: all monomials of a degree against a plan on principal axes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.performance.data import FAMILIES, Inputs, decaying
from checks.performance.errors import Reference
from checks.performance.harness import Call, paired
from checks.performance.suite import Bench, Measurement, Setting, SuiteResult, measurement
from reductions.fast_attention.planned_features.feature_plan import FeaturePlan
from reductions.fast_attention.planned_features.plan_search import plan_features
from reductions.fast_attention.planned_features.planned_attention import planned_attention

DIMENSION, LOGIT_BOUND = 16, 1.0
EPSILONS = (1e-2, 1e-3, 1e-4)
PLAIN, PLANNED, TOTAL = "all monomials", "planned features", "planned features, planning included"


def run(bench: Bench) -> SuiteResult:
    """Compare ranks and times on the four families and on data whose axes matter less and less."""
    tokens = bench.pick(tiny=128, quick=4096, full=16_384)
    measurements: list[Measurement] = []
    figures: dict[str, float] = {}
    for family, make in {**FAMILIES, "decaying": decaying}.items():
        bench.say(f"principal-axes: {tokens:,} tokens, {family}")
        inputs = make(tokens, DIMENSION, LOGIT_BOUND, bench.seed)
        reference = Reference(inputs, most_rows=512, threads=bench.threads)
        for epsilon in bench.pick(tiny=EPSILONS[:1], quick=EPSILONS[::2], full=EPSILONS):
            plans = {PLAIN: _plan(inputs, epsilon, plain=True), PLANNED: _plan(inputs, epsilon, plain=False)}
            found = {name: plan for name, plan in plans.items() if plan is not None}
            if len(found) < len(plans):
                continue
            measurements += _compare(bench, inputs, reference, found, family, epsilon)
            figures[f"rank saved, {family}, ε = {epsilon:g}"] = found[PLAIN].rank / found[PLANNED].rank
    return SuiteResult(
        "principal-axes", "Fewer features at equal certified error", tuple(measurements), (), figures
    )


def _plan(inputs: Inputs, epsilon: float, *, plain: bool) -> FeaturePlan | None:
    queries, keys = inputs.queries.astype(np.float64), inputs.keys.astype(np.float64)
    return plan_features(queries, keys, inputs.temperature, epsilon, plain=plain)


def _attend(plan: FeaturePlan, inputs: Inputs, threads: int) -> NDArray[Any]:
    return planned_attention(plan, inputs.values, threads=threads).output


def _compare(
    bench: Bench,
    inputs: Inputs,
    reference: Reference,
    plans: dict[str, FeaturePlan],
    family: str,
    epsilon: float,
) -> list[Measurement]:
    calls: dict[str, Call | Sequence[Call]] = {
        name: partial(_attend, plan, inputs, bench.threads) for name, plan in plans.items()
    }

    def plan_and_attend() -> object:
        plan = _plan(inputs, epsilon, plain=False)
        assert plan is not None
        return _attend(plan, inputs, bench.threads)

    calls[TOTAL] = plan_and_attend
    timings = paired(calls, rounds=bench.pick(tiny=1, quick=2, full=3), slice_seconds=0.05, most_calls=5)
    setting: Setting = {
        "tokens": len(inputs.queries),
        "d": DIMENSION,
        "b": LOGIT_BOUND,
        "data": family,
        "epsilon": epsilon,
    }
    value_bound = float(np.abs(inputs.values).max())
    return [
        measurement(
            timings,
            name,
            setting,
            None if name == PLAIN else PLAIN,
            error=reference.error(_attend(plan, inputs, bench.threads)),
            certified_error=plan.output_error(value_bound),
            rank=plan.rank,
        )
        for name, plan in [*plans.items(), (TOTAL, plans[PLANNED])]
    ]
