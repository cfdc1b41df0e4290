"""Figures that read on light and dark pages alike.

The background is transparent. Text and axes have a contrast of at least 4.5 with white and with
black, lines at least 3 (the limits of WCAG 2.2); the book puts a black panel behind the figures of
its dark theme. Series differ by colour and by dash pattern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEUTRAL = "#767676"
"""Text and axes: the one grey that reads on both white and black."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a87900", "#7f6fd0")
"""A cycle that colour-blind readers tell apart (after Okabe and Ito), of middle lightness."""

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))


def figure(width: float = 6.4, height: float = 3.2, **subplots: Any) -> tuple[Figure, Any]:
    """Return a new figure and its axes, like ``matplotlib.pyplot.subplots``.

    The style is set for the whole process, because legends, annotations and colour bars take their
    colours when they are added.

    Parameters
    ----------
    width, height
        Size in inches, at 144 pixels an inch.
    **subplots
        Passed on: ``nrows``, ``ncols``, ``sharex``, ``gridspec_kw``, ...

    Raises
    ------
    ValueError
        If a size is not positive.
    """
    for argument, value in (("width", width), ("height", height)):
        if not value > 0:
            raise ValueError(f"Argument {argument!r} must be a positive number of inches, not {value}.")
    import matplotlib.pyplot as plt

    plt.style.use(_style())
    return plt.subplots(figsize=(width, height), layout="constrained", **subplots)


def _style() -> dict[str, Any]:
    from cycler import cycler

    neutral = dict.fromkeys(
        (
            "text.color",
            "axes.edgecolor",
            "axes.labelcolor",
            "xtick.color",
            "ytick.color",
            "grid.color",
            "legend.labelcolor",
            "hatch.color",
            "patch.edgecolor",
        ),
        NEUTRAL,
    )
    transparent = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), "none")
    return {
        **neutral,
        **transparent,
        "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=DASHES),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.dpi": 144,
        "font.size": 10,
        "grid.alpha": 0.35,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
    }
