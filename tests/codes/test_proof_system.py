from __future__ import annotations

import itertools

import galois
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reductions.codes.evaluation_codes import elliptic, hermitian, reed_solomon
from reductions.codes.finite_field import FIELD_ORDERS, FiniteField, zero_sum_free
from reductions.codes.proof_system import ProofSystem, TooManyMessages


def system_of(code, blocks, weights=None):
    return ProofSystem(code, blocks, weights or zero_sum_free(code.field, blocks))


SYSTEMS = [
    system_of(reed_solomon(FiniteField(3), 2), 2),
    system_of(reed_solomon(FiniteField(8), 3), 2, (3, 5)),
    system_of(elliptic(FiniteField(4), 3), 2),
    system_of(hermitian(FiniteField(9), 4), 2, (1, 3)),
    system_of(elliptic(FiniteField(5), 2), 3, (1, 2, 1)),
]


def lagrange_products(system, a, b):
    """P* of one pair by galois, from blocks of bits."""
    field = galois.GF(system.code.field.order, compile="python-calculate")
    total = field.Zeros(system.code.length)
    encoders = field(system.code.encoders)
    for t, weight in enumerate(system.weights):
        block = slice(t * system.code.block, (t + 1) * system.code.block)
        total += field(weight) * (field(a[block]) @ encoders) * (field(b[block]) @ encoders)
    return total


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.code.name)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_products_of_the_built_vectors_count_agreements(system, data):
    m = data.draw(st.integers(0, system.coordinates))
    bits = arrays(np.uint8, (2, m), elements=st.integers(0, 1))
    left, right = data.draw(bits), data.draw(bits)
    messages = system.all_messages(1000)
    message = messages[data.draw(st.integers(0, len(messages) - 1))]
    keys = np.zeros((2, system.dimension), dtype=int)
    np.put_along_axis(keys, system.key_columns(right), 1, axis=1)
    assert (keys.sum(axis=1) == system.code.length).all()  # one for every point
    products = system.queries(system.forms(left), message).astype(int) @ keys.T
    padding = np.zeros((2, system.coordinates - m), dtype=np.uint8)
    for i, j in itertools.product(range(2), repeat=2):
        truth = lagrange_products(system, np.hstack([left, padding])[i], np.hstack([right, padding])[j])
        assert products[i, j] == (np.asarray(truth) == message).sum()
        orthogonal = not (left[i] & right[j]).any()
        assert (messages == np.asarray(truth)).all(axis=1).sum() == orthogonal


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.code.name)
def test_messages_are_numbered_and_feasible_ones_are_among_them(system):
    messages = system.all_messages(1000)
    assert len(messages) == system.message_count == len(np.unique(messages, axis=0))
    assert np.array_equal(system.message_number(messages), np.arange(len(messages)))
    assert not messages[:, list(system.code.information)].any()
    feasible = system.feasible_messages(1000)
    numbers = system.message_number(feasible)
    assert (np.diff(numbers) > 0).all()
    assert np.array_equal(messages[numbers], feasible)


@pytest.mark.parametrize("system", SYSTEMS[:3], ids=lambda s: s.code.name)
def test_the_best_agreement_is_that_of_every_pair_of_the_coset(system):
    messages = system.all_messages(1000)
    vectors = np.array(list(itertools.product((0, 1), repeat=system.coordinates)), dtype=np.uint8)
    best = {v: system.best_agreement(v) for v in system.overlap_values()}
    forms, columns = system.forms(vectors), system.key_columns(vectors)
    seen = set()
    for i, j in itertools.product(range(len(vectors)), repeat=2):
        truth = forms[i, columns[j]]
        overlap = tuple(truth[list(system.code.information)].tolist())
        seen.add(overlap)
        assert (messages == truth).sum(axis=1).max() == best[overlap]
        assert any(overlap) == bool((vectors[i] & vectors[j]).any())
    assert seen == set(best)
    assert best.pop((0,) * system.code.block) == system.code.length
    assert max(best.values()) <= system.bound


def test_alphabets_are_compact():
    system = system_of(reed_solomon(FiniteField(3), 2), 2)
    assert system.alphabets == ((0, 1), (0, 1), (0, 1, 2), (0, 1, 2))
    assert system.dimension == 4 + 4 + 9 + 9
    assert [len(symbols) for symbols in system.symbols] == system.widths.tolist() == [4, 4, 9, 9]


def test_too_many_messages_are_refused_with_the_number():
    system = system_of(hermitian(FiniteField(9), 4), 2)
    with pytest.raises(TooManyMessages, match=r"there are 9\^3 = 729 messages, over 728"):
        system.all_messages(728)
    assert len(system.feasible_messages(728)) == 28 - 5  # sums of two of 7 messages of a block; 5 coincide
    with pytest.raises(TooManyMessages, match="there are at least 23 feasible messages, over 22"):
        system.feasible_messages(22)
    huge = system_of(hermitian(FiniteField(16), 18), 1)
    assert huge.message_count >= 2**62
    with pytest.raises(TooManyMessages, match="in W, over 2"):
        huge.feasible_messages(10**6)


def test_faults_are_named():
    line = reed_solomon(FiniteField(5), 4)
    assert "has degree 6, not below the 6 points" in system_of(line, 1).fault()
    assert (
        "some of the weights (1, 4) sum to zero"
        in system_of(reed_solomon(FiniteField(5), 3), 2, (1, 4)).fault()
    )
    assert system_of(reed_solomon(FiniteField(5), 3), 2, (1, 0)).fault() is not None
    assert all(system.fault() is None for system in SYSTEMS)


def test_wrong_arguments_are_named():
    code = reed_solomon(FiniteField(5), 3)
    with pytest.raises(ValueError, match="'blocks' must be at least 1, not 0"):
        ProofSystem(code, 0, ())
    with pytest.raises(ValueError, match="'weights' must hold 2 elements, not 1"):
        ProofSystem(code, 2, (1,))
    with pytest.raises(ValueError, match="'weights' must hold elements 0 to 4"):
        ProofSystem(code, 2, (1, 5))


@pytest.mark.parametrize("order", FIELD_ORDERS)
def test_weights_have_no_zero_sum(order):
    """By digits, an argument of its own: fewer than p of each basis element."""
    field = FiniteField(order)
    most = field.degree * (field.characteristic - 1)
    weights = zero_sum_free(field, most)
    assert len(weights) == most
    for power in range(field.degree):
        assert weights.count(field.characteristic**power) == field.characteristic - 1
    for count in (-1, most + 1):
        with pytest.raises(ValueError, match=f"must be from 0 to e\\(p - 1\\) = {most} over F_{order}"):
            zero_sum_free(field, count)
