"""``subquartic criterion``: what the upper bound says of an attention layer of a given size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.cli.options import Json, parse_schedule
from checks.cli.output import print_json, print_table

if TYPE_CHECKING:
    from reductions.upper_bound.released_model.criterion import Criterion

_RELEASED = "1,2,3,4,5,6,8,10,13,16"
_LARGEST_DIMENSION = 100_000


def criterion(
    logit_bound: Annotated[
        float, typer.Option("--logit-bound", "-b", help="Bound on all logits' absolute values.")
    ],
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="1,2,4,...", help="Scales of the model.")
    ] = _RELEASED,
    head_dim: Annotated[
        int,
        typer.Option("--head-dim", "-d", min=1, max=_LARGEST_DIMENSION, help="Length of queries and keys."),
    ] = 64,
    value_dim: Annotated[
        int | None,
        typer.Option(
            "--value-dim", min=1, max=_LARGEST_DIMENSION, help="Length of values.", show_default="head-dim"
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", "-t", help="Error allowed, as a share of the bound on the values.")
    ] = 1e-3,
    json: Json = False,
) -> None:
    """Say which regime an attention layer is in: degree, rank, operations, and from which size it would pay.

    Logits are inner products divided by the temperature. Operations are multiplications, counted.
    """
    from reductions.upper_bound.released_model.criterion import MOST_LOGITS, model_criterion

    shapes = parse_schedule(schedule)
    if not 0 <= logit_bound <= MOST_LOGITS:
        raise ValueError(f"--logit-bound must be between 0 and {MOST_LOGITS}, not {logit_bound}.")
    if not 0 < tolerance < 2:
        raise ValueError(
            f"--tolerance must be above 0 and below 2, not {tolerance}: any weights are within 2."
        )
    found = model_criterion(shapes, head_dim, logit_bound, tolerance, value_dim)
    if json:
        print_json(_content(found))
        return
    print_table(None, ("quantity", "value"), _rows(found))
    print_table(None, ("scale", "keys", "exact", "low rank", "cheaper"), _scale_rows(found))
    print(f"Verdict: {found.verdict}")


def _content(found: Criterion) -> dict[str, Any]:
    plan = found.plan
    return {
        "schedule": [list(shape) for shape in found.schedule],
        "tokens": found.tokens,
        "head_dim": found.head_dim,
        "value_dim": found.value_dim,
        "logit_bound": found.logit_bound,
        "logit_rate": found.logit_rate,
        "tolerance": found.tolerance,
        "epsilon": found.epsilon,
        "degree": found.degree.sufficient,
        "least_degree": found.degree.least,
        "error": found.degree.error,
        "certified_coefficients": found.degree.coefficients,
        "rank": found.rank,
        "multiplications": {"exact": plan.exact, "low_rank": plan.low_rank, "planned": plan.planned},
        "scales": [
            {
                "shape": [scale.height, scale.width],
                "keys": scale.prefix,
                "exact": scale.exact,
                "low_rank": scale.low_rank,
                "method": scale.method,
            }
            for scale in plan.scales
        ],
        "state": plan.state,
        "crossover_tokens": found.crossover,
        "exponent": found.exponent,
        "regime": found.regime,
        "pays": plan.pays,
        "verdict": found.verdict,
    }


def _rows(found: Criterion) -> list[tuple[str, str]]:
    degree, plan = found.degree, found.plan
    rate = found.logit_rate
    kind = "certified coefficients" if degree.coefficients else "exists, by Bessel functions"
    least = "" if degree.least == degree.sufficient else f", at least {degree.least}"
    rows = [
        ("tokens L", f"{found.tokens:,}, scales {len(found.schedule)}, last {found.side:g} per side"),
        ("dimensions", f"d = {found.head_dim}, d_v = {found.value_dim}"),
        ("logits", f"b = {found.logit_bound:g}" + (f" = {rate:.4g} ln n" if rate is not None else "")),
        ("tolerance", f"{found.tolerance:g} of the values' bound: weights within {found.epsilon:.4g}"),
        ("degree", f"{degree.sufficient}{least}, error {degree.error:.3g} ({kind})"),
        ("rank", quantity(found.rank)),
        ("exact attention", f"{quantity(plan.exact)} multiplications"),
        ("low rank throughout", f"{quantity(plan.low_rank)} multiplications"),
        ("cheapest plan", f"{quantity(plan.planned)} multiplications"),
        ("pays from", f"L = {quantity(found.crossover)} tokens on, in one scale"),
    ]
    if found.exponent is not None:
        rows.append(("exponent", f"{found.exponent:.3f}, if d, b and ln 1/ε grew like ln n from here"))
    return [*rows, ("regime", found.regime)]


def _scale_rows(found: Criterion) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (f"{s.height}x{s.width}", f"{s.prefix:,}", quantity(s.exact), quantity(s.low_rank), s.method)
        for s in found.plan.scales
    ]
    if found.plan.pays:
        rows.append(("state", f"{found.tokens:,}", "", quantity(found.plan.state), ""))
    return rows


def quantity(number: int) -> str:
    """Write a count: in full below 10^12, then as a power of ten."""
    return f"{number:,}" if number < 10**12 else f"10^{math.log10(number):.1f}"
