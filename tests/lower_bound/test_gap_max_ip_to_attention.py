from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention, reference_coordinates
from reductions.problem import Answer
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.reduction import size

ENTRIES = (-1.0, 0.0, 1.0)


@st.composite
def ternary_sources(draw):
    """Integer inner products and Δ in {1, 1/2}: every row is a YES row or a NO row."""
    rows, keys, dimension = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(0, 4))

    def matrix(vectors):
        count = vectors * dimension
        entries = draw(st.lists(st.sampled_from(ENTRIES), min_size=count, max_size=count))
        return np.array(entries).reshape(vectors, dimension)

    threshold = draw(st.integers(-dimension, dimension + 1))
    return GapMaxInnerProduct(matrix(rows), matrix(keys), threshold, draw(st.sampled_from((1.0, 0.5))))


@given(st.floats(-500, 500))
def test_reference_coordinates_sum_exactly(middle):
    coordinates = reference_coordinates(middle)
    assert sum(map(Fraction, coordinates.tolist())) == Fraction(middle)
    assert np.abs(coordinates).max() <= 1
    assert len(coordinates) == max(1, math.ceil(abs(middle)))


@given(ternary_sources(), st.sampled_from((None, 1.0, 0.01, 37.5)))
def test_answers_solutions_and_bounds(source, temperature):
    products = source.left @ source.right.T
    yes = (products >= source.threshold).any(axis=1)
    reduced = GapMaxIPToAttention(temperature).map_instance(source)
    outputs, keys = reduced.target.outputs(), len(source.right)

    assert reduced.target.answer() is source.answer() is (Answer.YES if yes.any() else Answer.NO)
    assert (outputs[yes] >= 4 * keys / (4 * keys + 1) - 1e-12).all()
    assert (outputs[~yes] <= 0.2 + 1e-12).all()

    for error in (0.0, 0.3 - 1e-9):
        wrong = np.where(yes, outputs - error, outputs + error)
        assert np.array_equal(reduced.target.decide_rows(wrong), yes)
        pair = reduced.extract_solution(wrong)
        assert source.verify(pair) if yes.any() else pair is None
    for pair in np.argwhere(products >= source.threshold):
        assert reduced.target.verify(reduced.map_witness(tuple(pair)))
    for pair in np.argwhere(products < source.threshold):
        assert not reduced.target.verify(tuple(pair))
        with pytest.raises(ValueError, match="'witness' must be a pair"):
            reduced.map_witness(tuple(pair))


@given(ternary_sources(), st.sampled_from((None, 1.0, 37.5)))
def test_parameter_map_equals_what_is_built(source, temperature):
    reduction = GapMaxIPToAttention(temperature)
    target = reduction.map_instance(source).target
    at_source = {size(name): value for name, value in source.sizes.items()}
    stated = {name: entry.subs(at_source) for name, entry in reduction.parameter_map().items()}
    assert stated.keys() == target.sizes.keys()
    for name, value in target.sizes.items():
        assert float(stated[name]) == pytest.approx(value, rel=1e-13, abs=1e-13)
    largest = np.abs(source.left @ source.right.T).max()
    bound = reduction.logit_bound().subs({**at_source, size("M"): largest})
    assert float(bound) == pytest.approx(target.attention.logit_bound, rel=1e-13, abs=1e-13)


def test_nontrivial_instances_have_entry_bound_above_1():
    """Where YES and NO are both possible, Δ <= 2D, d <= 2D and R >= √ln(4N) at τ = d."""
    for dimension in (1, 2, 7):
        for middle in np.linspace(-dimension, dimension, 9):
            gap = 2 * (dimension - abs(middle))
            if gap <= 0:
                continue
            ones = np.ones((1, dimension))
            source = GapMaxInnerProduct(ones, ones, middle + gap / 2, gap)
            sizes = GapMaxIPToAttention().map_instance(source).target.sizes
            assert sizes["d"] <= 2 * dimension
            assert sizes["R"] >= math.sqrt(math.log(4))


def test_no_coordinates():
    """D = 0: every inner product is 0."""
    for threshold, answer in ((0, Answer.YES), (1, Answer.NO), (0.5, Answer.OUTSIDE_PROMISE)):
        source = GapMaxInnerProduct(np.ones((2, 0)), np.ones((3, 0)), threshold, 1)
        assert GapMaxIPToAttention().map_instance(source).target.answer() is answer is source.answer()


def test_reference_in_the_middle_of_nothing():
    """s - Δ/2 = 0: one reference coordinate, and the reference key is 0."""
    source = GapMaxInnerProduct(np.ones((1, 1)), -np.ones((2, 1)), 0.5, 1)
    reduced = GapMaxIPToAttention().map_instance(source)
    assert not reduced.target.attention.keys[-1].any()
    assert reduced.target.reference_logit == 0
    assert reduced.target.answer() is Answer.NO


def test_temperature_changes_the_entries_but_not_the_outputs():
    vectors = OrthogonalVectors.random(8, 5, seed=3)
    source = ComplementEncoding().map_instance(vectors).target
    layers = [GapMaxIPToAttention(tau).map_instance(source).target.attention for tau in (None, 1.0, 400.0)]
    for layer in layers[1:]:
        np.testing.assert_allclose(layer.output(), layers[0].output(), rtol=1e-11)
        ratio = layer.entry_bound / layers[0].entry_bound
        assert ratio == pytest.approx(math.sqrt(layer.temperature / layers[0].temperature))


def test_outputs_equal_50_digits():
    """The ideal instance, with β = 2τ ln(4N)/Δ and reference logit β(s - Δ/2)/τ to 50 digits."""
    generator = np.random.default_rng(1)
    source = GapMaxInnerProduct(generator.uniform(-1, 1, (2, 3)), generator.uniform(-1, 1, (4, 3)), 0.7, 0.3)
    outputs = GapMaxIPToAttention().map_instance(source).target.outputs()
    with mpmath.workdps(50):
        factor = 2 * mpmath.log(16) / mpmath.mpf(source.gap)
        middle = mpmath.mpf(source.threshold) - mpmath.mpf(source.gap) / 2
        for row, output in zip(source.left.tolist(), outputs, strict=True):
            weight = mpmath.fsum(mpmath.exp(factor * mpmath.fdot(row, key)) for key in source.right.tolist())
            assert abs(weight / (weight + mpmath.exp(factor * middle)) - output) < 1e-13


def scans_of(reduced, monkeypatch):
    """Record the rows whose inner products are computed."""
    scanned = []
    compute = GapMaxInnerProduct.inner_products

    def recording(self, rows):
        scanned.extend(range(*rows.indices(len(self.left))))
        return compute(self, rows)

    monkeypatch.setattr(GapMaxInnerProduct, "inner_products", recording)
    return scanned


def test_a_solution_costs_one_scan(monkeypatch):
    vectors = OrthogonalVectors.random(40, 16, seed=2, planted=True)
    reduced = GapMaxIPToAttention().map_instance(ComplementEncoding().map_instance(vectors).target)
    outputs = reduced.target.outputs()
    scanned = scans_of(reduced, monkeypatch)
    pair = reduced.extract_solution(outputs)
    assert vectors.verify(pair)
    assert scanned == [pair[0]] == [int(vectors.orthogonal_pairs()[:, 0].min())]


def test_rows_between_yes_and_no_are_passed_over(monkeypatch):
    """Row 0 has many keys just below s, so it outputs more than 1/2, and it is no YES row."""
    left = np.array([[0.9], [1.0]])
    reduced = GapMaxIPToAttention().map_instance(GapMaxInnerProduct(left, np.ones((6, 1)), 1.0, 0.5))
    outputs = reduced.target.outputs()
    assert reduced.target.row_answers() == (Answer.OUTSIDE_PROMISE, Answer.YES)
    assert reduced.target.decide_rows(outputs).all()
    scanned = scans_of(reduced, monkeypatch)
    assert reduced.extract_solution(outputs) == (1, 0)
    assert scanned == [0, 1]


def test_outputs_that_are_no_solution_are_refused():
    reduced = GapMaxIPToAttention().map_instance(GapMaxInnerProduct(np.ones((2, 1)), -np.ones((2, 1)), 1, 1))
    assert reduced.extract_solution([0.2, 0.2]) is None
    with pytest.raises(ValueError, match="query 1 is decided YES"):
        reduced.extract_solution([0.2, 0.9])
    with pytest.raises(ValueError, match="must have shape"):
        reduced.extract_solution([0.2])
    with pytest.raises(ValueError, match="must lie in"):
        reduced.extract_solution([0.2, math.nan])


@pytest.mark.parametrize("temperature", [0, -1.0, math.nan, math.inf])
def test_bad_temperatures_are_refused(temperature):
    with pytest.raises(ValueError, match="'temperature' must be a positive number or None"):
        GapMaxIPToAttention(temperature)


def test_composition_carries_sizes_and_solutions():
    chain = ComplementEncoding() >> GapMaxIPToAttention()
    vectors = OrthogonalVectors.random(6, 4, seed=0, planted=True)
    reduced = chain.map_instance(vectors)
    at_source = {size(name): value for name, value in vectors.sizes.items()}
    for name, entry in chain.parameter_map().items():
        assert float(entry.subs(at_source)) == pytest.approx(reduced.target.sizes[name], rel=1e-13)
    assert reduced.target.sizes["d"] == 12
    assert reduced.target.sizes["R"] == pytest.approx(math.sqrt(6 * 4 * math.log(24)))
    assert vectors.verify(reduced.extract_solution(reduced.target.outputs()))
    assert float(chain.error_budget()) == 0.3
