"""Figures: contrast on light and dark pages."""

from __future__ import annotations

import matplotlib
import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_hex

from checks.performance.figures import COLOURS, NEUTRAL, figure


@pytest.fixture(autouse=True)
def _undo_the_style():
    with matplotlib.rc_context():
        plt.switch_backend("agg")
        yield
        plt.close("all")


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("colour", "least"), [(NEUTRAL, 4.5), *((colour, 3) for colour in COLOURS)])
def test_contrast_on_white_and_black(colour, least):
    assert 1.05 / (luminance(colour) + 0.05) >= least
    assert (luminance(colour) + 0.05) / 0.05 >= least


def test_everything_that_is_added_later_has_the_style():
    fig, axes = figure(4, 2, ncols=2, sharey=True)
    line, other = (axes[0].plot([1, 2], label=name)[0] for name in "ab")
    legend = axes[0].legend()
    assert fig.get_facecolor()[3] == 0
    assert axes[1].get_facecolor()[3] == 0
    assert line.get_color() != other.get_color()
    assert line.get_linestyle() != other.get_linestyle()
    assert {to_hex(text.get_color()) for text in legend.get_texts()} == {NEUTRAL}
    assert axes[1].text(0, 0, "note").get_color() == NEUTRAL


@pytest.mark.parametrize("size", [{"width": 0}, {"height": -1}])
def test_a_figure_has_a_size(size):
    with pytest.raises(ValueError, match="must be a positive number of inches"):
        figure(**size)
