"""Counted numbers compute what plain numbers of their kind compute, and count every operation."""

import math
import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.exact.counting import Counted, Tally, counted_fractions

OPERATIONS = {
    "+": (operator.add, Tally()),
    "-": (operator.sub, Tally()),
    "*": (operator.mul, Tally(multiplications=1)),
    "/": (operator.truediv, Tally(divisions=1)),
}
floats = st.floats(-(2.0**40), 2.0**40)
plain = st.integers(-100, 100) | floats


@pytest.mark.parametrize(("operation", "cost"), OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("kind", [float, Fraction])
@given(value=floats, other=plain, counted=st.booleans())
def test_operations(operation, cost, kind, value, other, counted):
    tally, expected = Tally(), kind(other)
    left, right = Counted(kind(value), tally), Counted(expected, tally) if counted else other
    if operation is operator.truediv and not expected:
        with pytest.raises(ZeroDivisionError):
            operation(left, right)
        return
    result = operation(left, right)
    assert type(result.value) is kind
    assert result.value == operation(kind(value), expected)
    assert (left > right) is (kind(value) > expected)
    assert tally == cost


@pytest.mark.parametrize("operation", [operator.add, operator.mul])
@pytest.mark.parametrize("kind", [float, Fraction])
@given(value=floats, other=plain)
def test_a_plain_number_may_stand_on_the_left(operation, kind, value, other):
    tally = Tally()
    assert operation(other, Counted(kind(value), tally)).value == operation(kind(other), kind(value))
    assert tally.multiplications == (operation is operator.mul)


@given(st.floats(-700, 700))
def test_exponentials(value):
    tally = Tally()
    assert Counted(value, tally).exponential().value == math.exp(value)
    assert tally == Tally(exponentials=1)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_a_matrix_product_in_fractions(rows, inner, columns):
    tally, generator = Tally(), np.random.default_rng([rows, inner, columns])
    left, right = generator.standard_normal((rows, inner)), generator.standard_normal((inner, columns))
    product = counted_fractions(left, tally) @ counted_fractions(right, tally)
    exact = [
        [sum(map(operator.mul, map(Fraction, row), map(Fraction, column)), Fraction()) for column in right.T]
        for row in left
    ]
    assert [[entry.value for entry in row] for row in product] == exact
    assert tally == Tally(multiplications=rows * inner * columns)
