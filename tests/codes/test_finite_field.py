from __future__ import annotations

import itertools

import galois  # independent oracle: its fields share no line with ours
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reductions.codes.finite_field import CONWAY, FIELD_ORDERS, FiniteField, row_reduce, span


def oracle_for(order):
    return galois.GF(order, compile="python-calculate")  # without compiling anything


every_field = pytest.mark.parametrize("order", FIELD_ORDERS)


@every_field
def test_tables_equal_galois(order):
    field, oracle = FiniteField(order), oracle_for(order)
    assert (field.characteristic, field.degree) == (oracle.characteristic, oracle.degree)
    if order in CONWAY:
        assert CONWAY[order][1][::-1] == tuple(int(c) for c in oracle.irreducible_poly.coeffs)
    elements = oracle(np.arange(order))
    assert np.array_equal(field.addition, elements[:, None] + elements[None])
    assert np.array_equal(field.multiplication, elements[:, None] * elements[None])
    assert np.array_equal(field.negation, -elements)
    assert np.array_equal(field.inversion[1:], elements[1:] ** -1)


def test_orders_are_the_prime_powers():
    assert list(FIELD_ORDERS) == [n for n in range(2, 65) if len(sympy.factorint(n)) == 1]


@pytest.mark.parametrize("order", [0, 1, 6, 10, 12, 65, 67, 2.5])
def test_no_field_of_other_orders(order):
    with pytest.raises(ValueError, match="must be a prime power from 2 to 64"):
        FiniteField(order)


def test_fields_of_one_order_are_equal_and_read_only():
    assert FiniteField(9) == FiniteField(9) != FiniteField(8)
    assert hash(FiniteField(9)) == hash(FiniteField(9))
    with pytest.raises(ValueError, match="read-only"):
        FiniteField(9).addition[0, 0] = 1


def test_zero_has_no_inverse_and_strangers_are_refused():
    field = FiniteField(5)
    with pytest.raises(ZeroDivisionError, match=r"0 has no inverse in GF\(5\)"):
        field.inverse(0)
    assert [field.inverse(a) for a in (1, 2, 3, 4)] == [1, 3, 2, 4]
    assert field.elements("x", [[0, 4]]).dtype == np.uint8
    for wrong in ([5], [-1], [0.5]):
        with pytest.raises(ValueError, match="Argument 'x' must hold elements 0 to 4"):
            field.elements("x", wrong)


@every_field
def test_powers(order):
    field, elements = FiniteField(order), np.arange(order)
    assert np.array_equal(field.power(elements, 0), np.ones(order))
    assert np.array_equal(field.power(elements, order), elements)  # a^q = a
    p = field.characteristic
    frobenius = field.power(field.addition, p)
    assert np.array_equal(frobenius, field.add(field.power(elements, p)[:, None], field.power(elements, p)))


@pytest.mark.parametrize("order", [2, 4, 5, 9])
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_linear_algebra_equals_galois(order, data):
    field, oracle = FiniteField(order), oracle_for(order)
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    matrix = data.draw(arrays(np.uint8, (rows, columns), elements=st.integers(0, order - 1)))
    other = data.draw(arrays(np.uint8, (columns, 3), elements=st.integers(0, order - 1)))
    assert np.array_equal(field.matmul(matrix, other), oracle(matrix) @ oracle(other))
    assert np.array_equal(field.sum(matrix, axis=0), oracle(matrix).sum(axis=0))
    assert np.array_equal(field.sum(matrix, axis=1), oracle(matrix).sum(axis=1))
    reduced, pivots = row_reduce(field, matrix)
    expected = oracle(matrix).row_reduce()
    assert np.array_equal(reduced, expected[: len(reduced)])
    assert not expected[len(reduced) :].any()
    assert np.array_equal(reduced[:, pivots], np.eye(len(pivots)))
    first = list(itertools.combinations(range(columns), len(pivots)))
    ranks = [np.linalg.matrix_rank(oracle(matrix)[:, c]) if c else 0 for c in map(list, first)]
    assert first[ranks.index(len(pivots))] == pivots


@pytest.mark.parametrize("order", [2, 4, 7])
def test_span_is_closed_and_numbered(order):
    field = FiniteField(order)
    basis = np.array([[1, 0, 1], [0, 1, order - 1]], dtype=np.uint8)
    rows = span(field, basis)
    assert len(np.unique(rows, axis=0)) == len(rows) == order**2
    assert np.array_equal(rows[:, :2] @ np.array([order, 1]), np.arange(order**2))
    sums = field.add(rows[:, None], rows[None]).reshape(-1, 3)
    assert {tuple(row) for row in sums} == {tuple(row) for row in rows}
    assert np.array_equal(span(field, basis[:0]), [[0, 0, 0]])


@pytest.mark.parametrize("order", [3, 8, 9])
def test_subset_sums_equal_enumeration(order):
    field, generator = FiniteField(order), np.random.default_rng(0)
    for count in range(5):
        values = generator.integers(order, size=count)
        for nonempty in (False, True):
            chosen = itertools.product((0, 1), repeat=count)
            sums = {
                int(field.sum(np.array([v for v, c in zip(values, pick, strict=True) if c], dtype=np.uint8)))
                for pick in chosen
                if any(pick) or not nonempty
            }
            assert field.subset_sums(values, nonempty) == tuple(sorted(sums))
