"""The rounding bound: never exceeded, on data made to exceed it, and not vacuous."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from checks.upper_bound.low_rank_attention.instances import FAMILIES, draw_layer, exact_output, largest_error
from reductions.kernels.fused_kernels import key_state, query_outputs
from reductions.kernels.low_rank_rounding import LowRankMagnitudes, low_rank_rounding_bound, term_roundings
from reductions.polynomials.exponential import ExpPolynomial, minimax_polynomial
from reductions.upper_bound.monomial_features import total_degree, weights

TYPES = (np.float32, np.float64)


def computed(layer, dtype, absorptions=1):
    members = total_degree(layer.keys.shape[1], layer.polynomial.degree)
    cuts = np.array_split(np.arange(len(layer.keys)), absorptions)
    state = sum(key_state(layer.keys[cut], layer.values[cut], members, dtype=dtype) for cut in cuts)
    factors = weights(members, layer.polynomial.coefficients, layer.temperature)
    return query_outputs(layer.queries, state, factors, members, dtype=dtype)


def bound(layer, dtype, **changes):
    magnitudes = LowRankMagnitudes.of(layer.queries, layer.keys, layer.values, layer.temperature)
    rank = len(total_degree(layer.keys.shape[1], layer.polynomial.degree))
    return low_rank_rounding_bound(
        layer.polynomial, magnitudes, keys=len(layer.keys), features=rank, dtype=dtype, **changes
    )


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_no_family_exceeds_the_bound(family, dtype):
    generator = np.random.default_rng(5)
    for degree, half_width, keys in ((0, 0.5, 3), (1, 0.5, 150), (3, 1.0, 129), (6, 2.0, 40), (9, 2.0, 20)):
        layer = draw_layer(
            generator,
            family,
            dimension=2 if degree > 3 else 4,
            value_dimension=2,
            degree=degree,
            half_width=half_width,
            queries=5,
            keys=keys,
            dtype=np.float64,
        )
        error = largest_error(computed(layer, dtype), exact_output(layer))
        assert error <= Fraction(bound(layer, dtype))


@pytest.mark.parametrize("dtype", TYPES)
def test_the_bound_is_not_vacuous(dtype):
    """Tokens that are nearly the same make errors of one sign; no sum of 32 of them can use up the bound."""
    generator = np.random.default_rng(0)
    sizes = {"dimension": 2, "value_dimension": 1, "degree": 2, "half_width": 0.5, "queries": 6, "keys": 128}
    layer = draw_layer(generator, "coherent", **sizes)
    assert bound(layer, dtype) < 200 * np.finfo(dtype).eps
    assert bound(layer, dtype) < 1000 * largest_error(computed(layer, dtype), exact_output(layer))


@pytest.mark.parametrize("dtype", TYPES)
def test_the_mean_logit_sharpens_the_bound(dtype):
    generator = np.random.default_rng(3)
    sizes = {"dimension": 3, "value_dimension": 2, "degree": 6, "half_width": 2.0, "queries": 4, "keys": 60}
    layer = draw_layer(generator, "uniform", **sizes)
    mean = float((layer.queries @ layer.keys.mean(axis=0)).min() / layer.temperature) - 1e-6
    sharper = bound(layer, dtype, mean_logit=mean)
    assert largest_error(computed(layer, dtype), exact_output(layer)) <= Fraction(sharper)
    assert sharper < bound(layer, dtype) / 3
    assert bound(layer, dtype, mean_logit=-9.0) == bound(layer, dtype)


def test_more_absorptions_cost_float64_roundings_only():
    layer = draw_layer(
        np.random.default_rng(1),
        "coherent",
        dimension=2,
        value_dimension=2,
        degree=3,
        half_width=1.0,
        queries=3,
        keys=90,
    )
    single = bound(layer, np.float32)
    many = bound(layer, np.float32, absorptions=9)
    assert single <= many <= single * (1 + 1e-9)
    assert largest_error(computed(layer, np.float32, 9), exact_output(layer)) <= Fraction(many)


def test_inputs_that_were_rounded_before():
    layer = draw_layer(
        np.random.default_rng(2),
        "uniform",
        dimension=3,
        value_dimension=2,
        degree=3,
        half_width=1.0,
        queries=3,
        keys=60,
        dtype=np.float64,
    )
    rounded = replace(
        layer, **{name: getattr(layer, name).astype(np.float32) for name in ("queries", "keys", "values")}
    )
    error = largest_error(computed(rounded, np.float32), exact_output(layer))
    assert error <= Fraction(bound(layer, np.float32, input_roundings=1))
    assert bound(layer, np.float32) < bound(layer, np.float32, input_roundings=1)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("degree", "half_width", "keys", "features", "box", "mean"),
    [
        (0, 0.5, 1, 1, 0.5, -0.5),
        (4, 1.0, 300, 4845, 3.0, -0.5),
        (4, 3.0, 10**7, 70, 1e7, 0.0),  # many tiles, and an epsilon that counts
        (4, 1.0, 40, 70, 5e7, -1.0),  # underflow counts
    ],
)
def test_the_bound_is_that_of_the_lemma(degree, half_width, keys, features, box, mean, dtype):
    """The formula of lem-low-rank-rounding in 60 digits, with the table's count of roundings."""
    polynomial = minimax_polynomial(degree, -half_width, half_width)
    magnitudes = LowRankMagnitudes(8, 1.5 * half_width, box, 3.0, 40.0)
    returned = low_rank_rounding_bound(
        polynomial, magnitudes, keys=keys, features=features, dtype=dtype, mean_logit=mean
    )
    with mpmath.workdps(60):
        u, double = mpmath.mpf(2) ** (-24 if dtype is np.float32 else -53), mpmath.mpf(2) ** -53
        s = (4 * degree + 70 if degree else 72) * u
        s += (math.ceil(keys / 128) + math.ceil(features / 64) + 8) * double
        theta, rho = s / (1 - s), (u + 2 * double) / (1 - u - 2 * double)

        def absolute(x):
            return mpmath.polyval([abs(c) for c in reversed(polynomial.coefficients)], mpmath.mpf(x))

        eta = mpmath.mpf(2) ** -125 * (1 + theta) * (2 * features + 1) * (2 * degree + 6) * absolute(4 * box)
        sigma = (theta * absolute(1.5 * half_width) + eta) / ((1 - polynomial.error) * mpmath.exp(mean))
        assert sigma < 0.5
        stated = 3 * (2 * sigma / (1 - sigma) * (1 + rho) + rho) + mpmath.mpf(2) ** -126
        assert stated <= returned <= stated * (1 + 1e-9)


def test_term_roundings_are_counted_as_in_the_proof():
    assert term_roundings(0) == 2 + 70
    assert term_roundings(1) == 2 * 1 + 2 + 70
    assert term_roundings(4) == 2 * (4 + 3) + 2 + 70
    assert term_roundings(4, 1) == 2 * (8 + 3) + 3 + 70


def test_no_bound_where_the_analysis_does_not_hold():
    polynomial = minimax_polynomial(3, -1.0, 1.0)
    plain = LowRankMagnitudes(2, 1.0, 1.0, 1.0, 10.0)

    def given(p=polynomial, m=plain):
        return low_rank_rounding_bound(p, m, keys=100, features=10, dtype=np.float32)

    assert 0 < given() < 1e-3
    assert given(p=ExpPolynomial((1.0, 1.0), -9.0, 9.0, 1.5)) == math.inf
    assert given(p=ExpPolynomial((1.0, 1.0), -800.0, 1.0, 0.5)) == math.inf
    assert given(p=replace(polynomial, coefficients=(math.nan, 1.0))) == math.inf
    assert given(m=replace(plain, binary_exponent=400.0)) == math.inf
    assert given(m=replace(plain, absolute_logit=1e3)) == math.inf
    assert given(m=replace(plain, value_bound=2.0**127)) == math.inf
    assert given(m=replace(plain, box_logit=math.inf)) == math.inf


def test_wrong_arguments_are_named():
    polynomial = minimax_polynomial(3, -1.0, 1.0)
    plain = LowRankMagnitudes(2, 1.0, 1.0, 1.0, 10.0)
    with pytest.raises(ValueError, match="'mean_logit' must be a number"):
        low_rank_rounding_bound(polynomial, plain, keys=1, features=1, dtype=np.float32, mean_logit=math.nan)
    with pytest.raises(ValueError, match="'dtype' must be float32 or float64"):
        low_rank_rounding_bound(polynomial, plain, keys=1, features=1, dtype=np.float16)
    for name, least in (("keys", 1), ("features", 1), ("absorptions", 1), ("input_roundings", 0)):
        arguments = {"keys": 1, "features": 1, name: least - 1}
        with pytest.raises(ValueError, match=f"{name!r} must be at least {least}"):
            low_rank_rounding_bound(polynomial, plain, dtype=np.float32, **arguments)
