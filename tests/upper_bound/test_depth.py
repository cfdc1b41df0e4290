"""Many layers in a row: the amplifying model, degrees and exponents."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from reductions.polynomials.bessel import log_bessel_error_bounds
from reductions.upper_bound.depth import (
    amplified,
    amplifying_model,
    degree_slope,
    degree_window,
    drawing_exponent,
    entropy,
    error_window,
    local_precision,
    scale_exponent,
)


def test_amplification_through_torch():
    # The definition in one masked softmax, by automatic differentiation: the derivative is R^(2K) exactly.
    bound, sides = 3.0, (2, 4, 6)
    signs = [torch.tensor(table[:, 1]) for table in amplifying_model(bound, sides).position_table]

    def draw(error: torch.Tensor) -> torch.Tensor:
        for scale in range(len(sides)):
            keys = torch.cat(signs[: scale + 1])
            error = torch.softmax(error * keys, dim=0) @ keys
        return error

    (slope,) = torch.autograd.grad(draw(e := torch.zeros((), dtype=torch.float64, requires_grad=True)), e)
    assert float(slope) == pytest.approx(bound ** (2 * len(sides)), rel=1e-12)
    drawn = amplifying_model(bound, sides).run(np.array([1e-6, 0.0]))[-1]
    assert float(draw(torch.tensor(1e-6, dtype=torch.float64))) == pytest.approx(drawn[0, 0], rel=1e-9)


@given(st.floats(1e-12, 1), st.floats(0.1, 20), st.integers(0, 8))
def test_amplified_between_its_bounds(error, bound, scales):
    grown = amplified(error, bound, scales)
    assert 0 < grown <= bound ** (2 * scales) * error * (1 + 1e-12)
    following = amplified(grown, bound, 1)
    assert following >= bound**2 * grown * (1 - (bound * grown) ** 2 / 3) * (1 - 1e-12)
    assert following <= bound


@given(st.integers(1, 60), st.floats(0, 8), st.floats(0, 50))
@example(12, 8.602653045950233e-11, 0.0)
@example(60, 5e-324, 0.0)
def test_local_precision_solves_the_geometric_sum(scales, log_constant, tolerance):
    constant = math.exp(log_constant)
    total = math.log(math.fsum(constant**k for k in range(scales)))
    assert local_precision(tolerance, scales, log_constant) == pytest.approx(
        tolerance + total, rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize("b", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("precision", [5.0, 30.0, 100.0])
def test_degree_window_holds_the_least_degree(b, precision):
    low, high = degree_window(b, precision)
    # By Bessel bounds: degrees below the first one that may be enough, up to the first that certainly is.
    enough = next(g for g in range(200) if log_bessel_error_bounds(b, g)[1] <= -precision)
    possible = next(g for g in range(200) if log_bessel_error_bounds(b, g)[0] <= -precision)
    assert low <= possible <= enough <= math.ceil(high)
    assert error_window(b, low)[1] == pytest.approx(precision, rel=1e-6) or low == 0


@given(st.floats(0.05, 5), st.floats(0.001, 20))
def test_the_exponent_is_the_maximum_over_scales(c, gamma):
    at, theta = drawing_exponent(c, gamma)
    grid = max(scale_exponent(x, c, gamma) for x in np.linspace(0, 1, 201).tolist())
    assert grid <= theta + 1e-9
    assert theta == scale_exponent(at, c, gamma)
    assert 2 - 1e-12 <= theta < 4


def test_entropy_is_the_exponent_of_a_binomial():
    c, gamma, x = 1.5, 0.7, 4000
    count = math.lgamma(x * (c + gamma) + 1) - math.lgamma(x * c + 1) - math.lgamma(x * gamma + 1)
    assert count / x == pytest.approx(entropy(c, gamma), rel=2e-3)
    assert entropy(1.0, 0.0) == 0


def test_slopes():
    assert degree_slope(0.0) == 0
    assert degree_slope(0.25) == 1
    assert degree_slope(0.25, layers=3) == 3
    assert drawing_exponent(1.0, 0.0) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: amplifying_model(0.0, (2, 4)), "Argument 'bound' must be a positive number"),
        (lambda: amplifying_model(2.0, (2, 3)), "Argument 'sides' must be even"),
        (lambda: amplifying_model(2.0, (4, 2)), "Argument 'schedule' must increase"),
        (lambda: degree_slope(0.5), "Argument 'rho' must be at least 0 and below 1/2"),
        (lambda: entropy(0.0, 1.0), "Arguments 'c' and 'gamma' must be"),
        (lambda: error_window(0.0, 3), "Arguments 'b' and 'degree' must be"),
        (lambda: local_precision(1.0, 0, 1.0), "Argument 'scales' must be at least 1"),
        (lambda: local_precision(1.0, 3, -1.0), "Argument 'log_constant' must be at least 0"),
    ],
)
def test_argument_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
