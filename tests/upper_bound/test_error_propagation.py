"""Errors through layers and models: torch's derivatives, and arguments."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from checks.upper_bound.error_propagation.instances import draw_layer, jacobian_norm, stage_at
from reductions.layers.convolution import Convolution
from reductions.lower_bound.interpolation_weights import lebesgue_constant
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.upper_bound.error_propagation import (
    AttentionMagnitudes,
    AttentionStage,
    LipschitzStage,
    ResidualStage,
    attention_lipschitz,
    convolution_lipschitz,
    feed_forward_lipschitz,
    interpolation_lipschitz,
    propagate,
)


@pytest.mark.parametrize("seed", range(8))
def test_derivative_is_that_of_torch(seed):
    generator = np.random.default_rng(seed)
    layer, channels = draw_layer(generator)
    tokens = generator.standard_normal((4, channels))
    weights = [
        torch.tensor(np.asarray(w)) for w in (layer.query_weights, layer.key_weights, layer.value_weights)
    ]
    output_weights = torch.tensor(layer.output_weights)

    def attend(x: torch.Tensor) -> torch.Tensor:
        q, k, v = (x @ w for w in weights)
        return torch.softmax(q @ k.T / layer.temperature, dim=1) @ v @ output_weights

    jacobian = torch.autograd.functional.jacobian(attend, torch.tensor(tokens))
    norm = float(jacobian.abs().sum(dim=(2, 3)).max())
    assert jacobian_norm(layer, tokens) == pytest.approx(norm, rel=1e-10)
    assert norm <= stage_at(layer, tokens).lipschitz


@pytest.mark.parametrize("seed", range(4))
def test_convolution_through_torch(seed):
    generator = np.random.default_rng(seed)
    filters = generator.standard_normal((3, 3, 2, 3))
    kernel = torch.tensor(filters.transpose(3, 2, 0, 1))
    for shape in ((1, 1), (1, 4), (2, 2), (2, 5), (4, 3)):
        constant = convolution_lipschitz(Convolution(filters), shape)
        jacobian = torch.autograd.functional.jacobian(
            lambda image: torch.nn.functional.conv2d(image[None], kernel, padding=1)[0],
            torch.zeros((2, *shape), dtype=torch.float64),
        )
        norm = float(jacobian.abs().sum(dim=(3, 4, 5)).max())
        assert norm * (1 - 1e-12) <= constant <= norm * (1 + 1e-12)
    assert convolution_lipschitz(Convolution(filters)) == convolution_lipschitz(Convolution(filters), (3, 3))


def test_known_constants():
    assert attention_lipschitz(2.0, 4, 3.0, 4.0) == pytest.approx(2 * (1 + 18), rel=1e-12)
    assert attention_lipschitz(2.0, 4, 3.0, 1.0) == pytest.approx(2 * (1 + 72), rel=1e-12)
    assert (
        interpolation_lipschitz(Interpolation(), (13, 13), (16, 16))
        <= float(lebesgue_constant(Interpolation())) ** 2
    )
    assert interpolation_lipschitz(Interpolation(), (16, 16), (32, 32)) == (1 + 3 * 0.75 / 8) ** 2
    assert interpolation_lipschitz(Interpolation(Kernel.BILINEAR), (3, 4), (5, 9)) == 1
    assert feed_forward_lipschitz([[1.0, -2.0], [3.0, 1.0]]) == pytest.approx(4)


def test_stages():
    stage = AttentionStage(4, 4.0, 1.0, 1.0, 1.0, AttentionMagnitudes(2.0, 2.0, 2.0))
    assert stage.lipschitz == pytest.approx(attention_lipschitz(1.0, 4, 2.0, 4.0), rel=1e-12)
    assert stage.growth(0.0) == 0
    assert stage.growth(1e-9) == pytest.approx(9e-9, rel=1e-6)
    assert stage.growth(1e9) == pytest.approx(1e9 + 4)  # means of values cannot move further
    assert stage.growth(math.inf) == math.inf
    assert stage.logit_move(0.5) == pytest.approx(0.5 * 4 + 0.25)
    # Tokens that ask may be exact while those that they see are not, and the other way round.
    assert stage.growth(0.0, 0.1) == pytest.approx(0.1 + 4 * math.tanh(0.1))
    assert stage.growth(0.1, 0.0) == pytest.approx(4 * math.tanh(0.1))
    assert ResidualStage((stage,)).growth(1e-9) == pytest.approx(1e-8, rel=1e-6)
    assert ResidualStage((LipschitzStage(2.0), LipschitzStage(3.0))).growth(1.0) == pytest.approx(7)


def test_unbounded_magnitudes_with_a_zero_weight():
    stage = AttentionStage(2, 1.0, 0.0, 0.0, 1.0, AttentionMagnitudes(math.inf, math.inf, 1.0))
    assert stage.growth(1.0) == pytest.approx(1)
    assert stage.growth(math.inf) == math.inf


def test_propagate():
    stages = [LipschitzStage(2.0), LipschitzStage(3.0)]
    assert propagate(stages, [0.0, 0.0]) == [0, 0, 0]
    assert propagate(stages, [1.0, 10.0], 100.0) == pytest.approx([100, 201, 613])
    assert propagate([], [], 1.0) == [1]


def test_measured_magnitudes_are_bounds():
    from fractions import Fraction

    generator = np.random.default_rng(5)
    layer, channels = draw_layer(generator)
    tokens = generator.standard_normal((6, channels))
    measured = AttentionMagnitudes.measured(layer, tokens)

    def exact(*factors):
        product = [[Fraction(x) for x in row] for row in tokens.tolist()]
        for factor in factors:
            columns = [[Fraction(x) for x in column] for column in np.asarray(factor).T.tolist()]
            product = [
                [sum(a * b for a, b in zip(row, column, strict=True)) for column in columns]
                for row in product
            ]
        return max(abs(x) for row in product for x in row)

    for value, factors in (
        (measured.query, [layer.query_weights]),
        (measured.key, [layer.key_weights]),
        (measured.output, [layer.value_weights, layer.output_weights]),
    ):
        largest = exact(*factors)
        assert largest <= value <= float(largest) * (1 + 1e-12) + 1e-14
    joined = measured.join(AttentionMagnitudes(0.0, 1e9, 0.0))
    assert joined == AttentionMagnitudes(measured.query, 1e9, measured.output)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: feed_forward_lipschitz([1.0]), "Argument 'weights' must be a matrix"),
        (
            lambda: convolution_lipschitz(Convolution(np.ones((3, 3, 1, 1))), (0, 3)),
            "Argument 'shape' must have",
        ),
        (lambda: AttentionMagnitudes(1.0, -1.0, 1.0), "Argument 'key' must be at least 0, not -1.0"),
        (lambda: AttentionMagnitudes(math.nan, 1.0, 1.0), "Argument 'query' must be at least 0"),
        (lambda: propagate([LipschitzStage(1.0)], []), "Argument 'local_errors' must have 1 entries"),
        (lambda: propagate([LipschitzStage(1.0)], [-1.0]), "Argument 'local_errors' must be at least 0"),
        (lambda: propagate([], [], math.nan), "Argument 'initial' must be at least 0"),
    ],
)
def test_argument_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
