"""How errors grow from layer to layer: Lipschitz constants in the entrywise max norm, and their composition.

All norms are largest absolute entries, so that a matrix W, applied to rows from the right, stretches by at
most its largest column l1 norm. Every float returned is rounded up, so that bounds made of bounds stay
bounds (lem-lipschitz-interpolation, lem-lipschitz-convolution, lem-lipschitz-feed-forward,
lem-lipschitz-attention, lem-error-composition). The chain through a whole VAR model is in
:mod:`reductions.fast_attention.whole_model.error_chain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution
from reductions.layers.directed_rounding import ROUNDING, round_up, times, up
from reductions.layers.norms import column_norm, largest_product, product_norm
from reductions.lower_bound.interpolation_weights import operator_norm
from reductions.problems.interpolation import Interpolation
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.weight_perturbation import logit_error


def interpolation_lipschitz(
    rule: Interpolation, coarse_shape: tuple[int, int], fine_shape: tuple[int, int]
) -> float:
    """Return the Lipschitz constant of up-interpolation, its Lebesgue constant, rounded up."""
    return round_up(operator_norm(rule, coarse_shape, fine_shape))


def convolution_lipschitz(convolution: Convolution, shape: tuple[int, int] | None = None) -> float:
    """Return the Lipschitz constant of a convolution with zero padding, rounded up.

    Parameters
    ----------
    convolution
        Its bias changes nothing.
    shape
        Height and width of the maps. None: maps on which some pixel sees every tap.

    Returns
    -------
    float
        The largest sum, over output channels and pixels, of the absolute weights of taps on the map.

    Raises
    ------
    ValueError
        If a side of the map is not positive.
    """
    if shape is not None and min(shape) < 1:
        raise ValueError(f"Argument 'shape' must have positive sides, not {min(shape)}.")
    terms = convolution.filters[..., 0].size
    return convolution.norm(shape) * (1 + 2 * (terms + 2) * ROUNDING)


def feed_forward_lipschitz(weights: ArrayLike) -> float:
    """Return the Lipschitz constant of x -> max(0, x W): the largest column l1 norm, rounded up."""
    return column_norm(weights)


def attention_lipschitz(w: float, d: int, R: float, tau: float) -> float:
    """Return w (1 + 2 d R^2 / tau), rounded up; at tau = d it is w (1 + 2 R^2).

    The Lipschitz constant of X -> Att(X W_Q, X W_K, X W_V; tau) where all column norms are at most w and
    all entries of queries, keys and values at most R. :class:`AttentionStage` keeps them apart.
    """
    return up(w * (1 + 2 * d * R * R / tau))


@dataclass(frozen=True)
class AttentionMagnitudes:
    """Bounds on the entries that an attention layer meets in one run.

    Attributes
    ----------
    query, key
        R_Q, R_K: bounds on the entries of Q = Y W_Q and K = Y W_K.
    output
        U: a bound on the entries of Y W_V W_O.
    """

    query: float
    key: float
    output: float

    def __post_init__(self) -> None:
        for name in ("query", "key", "output"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"Argument {name!r} must be at least 0, not {getattr(self, name)}.")

    @classmethod
    def measured(
        cls, layer: SelfAttention, tokens: Floats, seen: Floats | None = None
    ) -> AttentionMagnitudes:
        """Measure them, the rounding of the measurement included.

        Parameters
        ----------
        tokens
            Shape (count, channels in): the tokens that ask, as they enter the layer.
        seen
            The tokens that they see; None: the same.
        """
        seen = tokens if seen is None else seen
        values, outputs = np.asarray(layer.value_weights), np.asarray(layer.output_weights)
        return cls(
            largest_product(tokens, [np.asarray(layer.query_weights)]),
            largest_product(seen, [np.asarray(layer.key_weights)]),
            largest_product(seen, [values, outputs]),
        )

    def join(self, other: AttentionMagnitudes) -> AttentionMagnitudes:
        """Return bounds that hold for both."""
        pairs = ((self.query, other.query), (self.key, other.key), (self.output, other.output))
        return AttentionMagnitudes(*(max(pair) for pair in pairs))


class Stage(Protocol):
    """A step of a network: how far its outputs can be apart when its inputs are."""

    def growth(self, error: float) -> float:
        """Return a bound on the outputs' difference where the inputs differ by at most ``error``."""


@dataclass(frozen=True)
class LipschitzStage:
    """A step with one Lipschitz constant: interpolation, convolution, feed-forward."""

    constant: float

    def growth(self, error: float) -> float:
        """Return constant * error, rounded up."""
        return up(times(self.constant, error))


@dataclass(frozen=True)
class AttentionStage:
    """An attention layer whose magnitudes are bounded in *one* of the two runs that are compared.

    Attributes
    ----------
    dimension, temperature
        d and tau.
    query_norm, key_norm, value_norm
        w_Q, w_K, w_VO: the largest column l1 norms of W_Q, W_K and W_V W_O.
    magnitudes
        Bounds in the exact run or in the approximate one, whichever is known.
    """

    dimension: int
    temperature: float
    query_norm: float
    key_norm: float
    value_norm: float
    magnitudes: AttentionMagnitudes

    @classmethod
    def of(cls, layer: SelfAttention, magnitudes: AttentionMagnitudes) -> AttentionStage:
        """Read the norms off a layer's weights."""
        return cls(
            layer.dimension,
            layer.temperature,
            column_norm(np.asarray(layer.query_weights)),
            column_norm(np.asarray(layer.key_weights)),
            product_norm(np.asarray(layer.value_weights), np.asarray(layer.output_weights)),
            magnitudes,
        )

    @property
    def lipschitz(self) -> float:
        """w_VO + d U (w_Q R_K + w_K R_Q) / tau, rounded up: the slope where both runs obey the bounds."""
        m = self.magnitudes
        slope = times(self.query_norm, m.key) + times(self.key_norm, m.query)
        return up(self.value_norm + times(self.dimension * slope, m.output) / self.temperature)

    def logit_move(self, error: float, seen_error: float | None = None) -> float:
        """Return eta, by how much a logit of one run differs from the other's at most, rounded up.

        Parameters
        ----------
        error
            By how much the tokens that ask differ.
        seen_error
            By how much the tokens that they see differ; None: the same.
        """
        seen_error = error if seen_error is None else seen_error
        queries, keys = times(self.query_norm, error), times(self.key_norm, seen_error)
        # <q', k'> - <q, k> = <q' - q, k> + <q, k' - k> + <q' - q, k' - k>: entries of one run suffice.
        moved = (
            times(queries, self.magnitudes.key) + times(keys, self.magnitudes.query) + times(queries, keys)
        )
        return up(self.dimension * moved / self.temperature)

    def growth(self, error: float, seen_error: float | None = None) -> float:
        """Return w_VO * seen_error + 2 U tanh(eta/2), rounded up."""
        seen_error = error if seen_error is None else seen_error
        moved = self.logit_move(error, seen_error)
        return up(times(self.value_norm, seen_error) + logit_error(self.magnitudes.output, moved))


@dataclass(frozen=True)
class ResidualStage:
    """x + F(x), F the composition of stages."""

    branch: tuple[Stage, ...]

    def growth(self, error: float) -> float:
        """Return the error plus that of the branch."""
        inner = error
        for stage in self.branch:
            inner = stage.growth(inner)
        return up(error + inner)


def propagate(stages: Sequence[Stage], local_errors: Sequence[float], initial: float = 0.0) -> list[float]:
    """Return a bound on the difference of two runs after every stage, exact and approximate.

    Parameters
    ----------
    stages
        F_1, ..., F_D.
    local_errors
        eps_l: by how much the approximate run's stage l may differ from F_l *at its own input*.
    initial
        The difference of the inputs.

    Returns
    -------
    list
        e_0 = initial, e_1, ..., e_D with e_l = eps_l + growth_l(e_{l-1}), rounded up. For constants Lambda_l,
        e_D = initial * prod_m Lambda_m + sum_l eps_l prod_{m > l} Lambda_m.

    Raises
    ------
    ValueError
        If there are not as many local errors as stages, or an error is negative or not a number.
    """
    if len(local_errors) != len(stages):
        raise ValueError(
            f"Argument 'local_errors' must have {len(stages)} entries, one a stage, not {len(local_errors)}."
        )
    errors = [require_error("initial", initial)]
    for stage, local in zip(stages, local_errors, strict=True):
        grown = stage.growth(errors[-1])
        local = require_error("local_errors", local)
        errors.append(up(local + grown) if local else grown)
    return errors


def require_error(argument: str, error: float) -> float:
    """Return ``error`` if it is a number from 0 on, or raise ValueError."""
    if not error >= 0:
        raise ValueError(f"Argument {argument!r} must be at least 0, not {error}.")
    return float(error)
