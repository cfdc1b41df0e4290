"""Every function of directed rounding against exact fractions: on its side, and near."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reductions.layers.directed_rounding import (
    ROUNDING,
    compounded,
    float_above,
    float_below,
    inflated,
    quotient_down,
    quotient_up,
    round_down,
    round_up,
    sum_up,
    times,
    up,
)
from reductions.polynomials.precision import working_precision

U, LEAST = Fraction(ROUNDING), Fraction(2) ** -1074
LARGEST = Fraction(2) ** 1000

nonnegative = st.floats(0, 1e100)
numbers = st.fractions(-LARGEST, LARGEST) | st.floats(-1e-300, 1e-300).map(lambda x: Fraction(x) / 3)
lists = st.lists(nonnegative, min_size=1, max_size=20)


def is_just_above(computed: float, exact: Fraction, ulps: int = 2) -> bool:
    """Tell whether a float is at least a number and, up to some units in the last place, no more."""
    return exact <= Fraction(computed) <= exact + ulps * max(2 * U * abs(exact), LEAST)


@given(numbers, lists, nonnegative, st.floats(1e-100, 1e100), st.integers(4, 2**30))
def test_each_result_is_on_its_side_and_near(number, terms, dividend, divisor, roundings):
    assert is_just_above(round_up(number), number, 1)
    assert is_just_above(-round_down(number), -number, 1)
    # The next float on the other side is on the other side of the number: none nearer would do.
    assert math.nextafter(round_up(number), -math.inf) < number < math.nextafter(round_down(number), math.inf)
    assert is_just_above(sum_up(*terms), sum(map(Fraction, terms)))
    quotient = Fraction(dividend) / Fraction(divisor)
    assert is_just_above(quotient_up(dividend, divisor), quotient)
    assert is_just_above(-quotient_down(dividend, divisor), -quotient)
    # The worst that so many roundings can do, and this function's own two.
    worst = Fraction(dividend) * (1 + 2 * U * Fraction(3, 4) * roundings)
    assert worst <= Fraction(inflated(dividend, roundings, lost=2.0**-1070))
    assert Fraction(inflated(dividend, roundings)) <= Fraction(dividend) * (1 + 3 * U * roundings) + 8 * LEAST


@given(lists, lists)
def test_a_sum_of_products_is_covered(first, second):
    pairs = list(zip(first, second, strict=False))
    computed = 0.0
    for x, y in pairs:
        computed += times(x, y)
    exact = sum((Fraction(x) * Fraction(y) for x, y in pairs), Fraction(0))
    assert exact <= Fraction(up(computed)) <= exact * (1 + 99 * U) + 30 * Fraction(2) ** -900
    assert exact <= Fraction(inflated(math.fsum(x * y for x, y in pairs), lost=2.0**-1060))


@given(st.lists(st.floats(-(2.0**-6), 2.0**-6), max_size=20))
def test_compounded_factors_stay_in_their_range(deltas):
    product = math.prod((1 + Fraction(delta) for delta in deltas), start=Fraction(1))
    assert abs(product - 1) <= Fraction(inflated(compounded(math.fsum(map(abs, deltas))), lost=2.0**-1070))
    assert compounded(0.5) == math.inf


@given(numbers)
def test_floats_on_either_side_of_a_ball(number):
    from flint import arb, fmpq

    with working_precision(200):
        ball = arb(fmpq(number.numerator, number.denominator))
        assert arb(float_below(ball)) <= ball.lower()
        assert arb(float_above(ball)) >= ball.upper()
    assert is_just_above(float_above(ball), number)
    assert is_just_above(-float_below(ball), -number)


@pytest.mark.parametrize("number", ["0", "1e-400", "-1e-400", "1e-320", "-1e-320"])
def test_balls_between_zero_and_the_least_float(number):
    from flint import arb

    with working_precision(200):
        ball = arb(number)
        assert arb(float_below(ball)) <= ball.lower()
        assert arb(float_above(ball)) >= ball.upper()
    assert float_above(ball) - float_below(ball) <= 2e-323


def test_zero_stays_zero_where_it_is_exact():
    assert sum_up() == sum_up(0.0, 0.0) == up(0.0) == times(0.0, math.inf) == 0
    assert sum_up(5e-324) > 5e-324
    assert times(1e-200, 1e-200) > 0
    assert round_up(Fraction(1, 2)) == round_down(Fraction(1, 2)) == 0.5
    with pytest.raises(OverflowError):
        round_up(Fraction(10) ** 400)
