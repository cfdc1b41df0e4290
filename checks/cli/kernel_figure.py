"""The figure of a kernel's examination: error in units of the margin against the logit bound."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.performance.figures import COLOURS, figure

if TYPE_CHECKING:
    from reductions.kernel_suite.examination import KernelReport


def draw_report(report: KernelReport) -> Any:
    """Return a matplotlib figure: one point per instance that counts; above 1 the decision may be wrong."""
    drawn, axes = figure(6.4, 3.6)
    for colour, tokens in zip(COLOURS, report.sizes, strict=False):
        points = [
            (outcome.logit_bound, max(outcome.worst_error, 1e-9))
            for outcome in report.outcomes
            if outcome.tokens == tokens and outcome.counts and outcome.worst_error is not None
        ]
        if points:
            axes.scatter(*zip(*points, strict=True), s=10, color=colour, label=f"L = {tokens:,}")
    axes.axhline(1, color=COLOURS[-1], linestyle="--", linewidth=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("logit bound b")
    axes.set_ylabel("worst error / margin")
    axes.legend()
    return drawn


def write_figure(report: KernelReport, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write the figure as SVG, whole or not at all."""
    from reductions.system.atomic import atomic_path

    drawn = draw_report(report)
    with atomic_path(Path(path), overwrite=overwrite) as temporary:
        drawn.savefig(temporary, format="svg")
