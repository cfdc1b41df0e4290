"""Floats on the right side of balls, also where these lie between zero and the least float."""

from __future__ import annotations

import pytest

from reductions.polynomials.precision import float_above, float_below, working_precision


@pytest.mark.parametrize("number", ["0", "1e-400", "-1e-400", "1", "-1", "0.1", "-0.1", "1e-320", "-1e-320"])
def test_floats_are_on_their_side(number):
    from flint import arb

    with working_precision(200):
        ball = arb(number)
        below, above = float_below(ball), float_above(ball)
        assert arb(below) <= ball.lower()
        assert arb(above) >= ball.upper()
        assert float_below(ball) <= float(number) <= float_above(ball)
    assert above - below <= max(1e-15 * abs(float(number)), 2e-323)
