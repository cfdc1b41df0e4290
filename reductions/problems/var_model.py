"""The VAR model (visual autoregressive model): scales, token maps, layers, and its two ways of running.

A picture is drawn scale by scale. The tokens of scale 1 are the start token; the tokens of scale k+1
are the token map X_k of scale k, up-interpolated, plus a position table where the model has one. All
tokens so far form the *pyramid*; attention is block-causal: scale k attends to the scales up to k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.layers.arrays import Floats
from reductions.layers.streamed_attention import Progress, streamed_attention
from reductions.problem import require_matrix_shape
from reductions.problems.interpolation import Interpolation
from reductions.problems.schedule import Schedule, require_schedule, token_count
from reductions.problems.token_map import TokenMap, TokenSource, up_interpolated


@dataclass(frozen=True, eq=False)
class FeedForward:
    """x -> max(0, x W), applied to every token; W has shape (channels in, channels out)."""

    weights: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _weights("weights", self.weights))

    @property
    def channels(self) -> tuple[int, int]:
        """Channels in and out."""
        return self.weights.shape[0], self.weights.shape[1]

    def __call__(self, tokens: Floats) -> Floats:
        """Apply the layer to tokens of shape (count, channels in)."""
        hidden: Floats = np.maximum(tokens @ self.weights, 0.0)
        return hidden


@dataclass(frozen=True)
class ChannelSlice:
    """The projection that reads channels ``start``, ..., ``stop - 1`` as they stand.

    It stands for a matrix of shape (channels, stop - start) with an identity block, which would be large
    where tokens are long.
    """

    start: int
    stop: int
    channels: int

    # NumPy then leaves ``tokens @ slice`` to __rmatmul__.
    __array_ufunc__ = None

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.stop <= self.channels:
            raise ValueError(
                f"Arguments 'start' and 'stop' must lie in order between 0 and {self.channels}, "
                f"not be {self.start} and {self.stop}."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrix."""
        return self.channels, self.stop - self.start

    def __rmatmul__(self, tokens: Floats) -> Floats:
        return tokens[..., self.start : self.stop]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return np.eye(self.channels, dtype=dtype)[:, self.start : self.stop]


Projection = Floats | ChannelSlice


@dataclass(frozen=True, eq=False)
class SelfAttention:
    """Block-causal attention: Att(Y W_Q, Y W_K, Y W_V; tau) W_O, without a residual branch.

    Attributes
    ----------
    query_weights, key_weights
        W_Q, W_K of shape (channels in, d): matrices, or slices of channels.
    value_weights
        W_V of shape (channels in, d_v), likewise.
    output_weights
        W_O of shape (d_v, channels out).
    temperature
        tau.
    """

    query_weights: Projection
    key_weights: Projection
    value_weights: Projection
    output_weights: Floats
    temperature: float

    def __post_init__(self) -> None:
        for name in ("query_weights", "key_weights", "value_weights", "output_weights"):
            given = getattr(self, name)
            if not isinstance(given, ChannelSlice) or name == "output_weights":
                object.__setattr__(self, name, _weights(name, given))
        channels = self.query_weights.shape[0]
        require_matrix_shape("key_weights", self.key_weights.shape, self.query_weights.shape[1])
        for name in ("key_weights", "value_weights"):
            rows = getattr(self, name).shape[0]
            if rows != channels:
                raise ValueError(f"Argument {name!r} must have {channels} rows, not {rows}.")
        if self.output_weights.shape[0] != self.value_weights.shape[1]:
            raise ValueError(
                f"Argument 'output_weights' must have {self.value_weights.shape[1]} rows, "
                f"not {self.output_weights.shape[0]}."
            )
        if not 0 < self.temperature < np.inf:
            raise ValueError(f"Argument 'temperature' must be a positive number, not {self.temperature}.")

    @property
    def channels(self) -> tuple[int, int]:
        """Channels in and out."""
        return self.query_weights.shape[0], self.output_weights.shape[1]

    @property
    def dimension(self) -> int:
        """The dimension of queries and keys."""
        return int(self.query_weights.shape[1])


Layer = FeedForward | SelfAttention


def _weights(argument: str, entries: Floats) -> Floats:
    """Return a private read-only float64 copy of a matrix of weights."""
    weights = np.array(entries, dtype=np.float64)
    require_matrix_shape(argument, weights.shape)
    if not np.isfinite(weights).all():
        raise ValueError(f"Argument {argument!r} must have finite entries, not NaN or infinity.")
    weights.setflags(write=False)
    return weights


@dataclass(frozen=True, eq=False)
class VarModel:
    """The weights of a VAR model.

    Attributes
    ----------
    schedule
        Height and width of every scale, increasing; the last one is n x n.
    interpolation
        The kernel and convention of up-interpolation.
    layers
        Feed-forward and attention layers, in order.
    position_table
        One array a scale of shape (height * width, channels), or None for a scale that gets nothing;
        empty where the model has no positions. It does not depend on the input.
    """

    schedule: Schedule
    interpolation: Interpolation
    layers: tuple[Layer, ...]
    position_table: tuple[Floats | None, ...] = field(default=())

    def __post_init__(self) -> None:
        require_schedule(self.schedule)
        if not any(isinstance(layer, SelfAttention) for layer in self.layers):
            raise ValueError("Argument 'layers' must contain an attention layer.")
        if self.position_table and len(self.position_table) != len(self.schedule):
            raise ValueError(
                f"Argument 'position_table' must have {len(self.schedule)} entries, one per scale, "
                f"not {len(self.position_table)}."
            )
        for before, after in pairwise(self.layers):
            if before.channels[1] != after.channels[0]:
                raise ValueError(
                    f"Argument 'layers' must fit together: {before.channels[1]} channels leave a layer "
                    f"and {after.channels[0]} enter the next."
                )
        for (height, width), table in zip(self.schedule, self.position_table, strict=False):
            if table is not None and table.shape != (height * width, self.channels):
                raise ValueError(
                    f"Argument 'position_table' must be of shape {(height * width, self.channels)} on scale "
                    f"{height} x {width}, not {table.shape}."
                )

    @property
    def channels(self) -> int:
        """The length of an input token."""
        return self.layers[0].channels[0]

    @property
    def tokens(self) -> int:
        """L, the number of tokens in the pyramid."""
        return token_count(self.schedule)

    def run(
        self,
        start_token: Floats,
        maps: Sequence[TokenMap] | None = None,
        *,
        rows: NDArray[np.int64] | None = None,
        dtype: np.dtype[Any] | type = np.float64,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> list[Floats]:
        """Run the model and return the outputs of every scale, shape (height * width, channels out).

        Parameters
        ----------
        start_token
            Shape (channels,): every token of scale 1.
        maps
            X_1, ..., X_{K-1}: the pass in which all token maps are given (teacher forcing). None: the
            model draws, and X_k is its own output at scale k.
        rows
            Flat indices into the last scale. Only those rows of the last layer's output are computed
            (the last layer must be attention); with ``maps`` given, no other scale's.
        dtype
            float32 or float64, for the attention layers.
        threads, progress
            As in :func:`reductions.layers.streamed_attention.streamed_attention`; progress of the last scale.

        Raises
        ------
        ValueError
            If the start token, the maps or the rows do not belong to the model.
        """
        self.require_input(start_token, maps, rows)
        caches = [
            _KeyValueCache(layer, self.tokens, dtype)
            for layer in self.layers
            if isinstance(layer, SelfAttention)
        ]
        outputs: list[Floats] = []
        for scale in range(len(self.schedule)):
            last = scale == len(self.schedule) - 1
            wanted = rows if last else None
            if rows is not None and maps is not None and not last:
                wanted = np.empty(0, np.int64)
            source = self.tokens_of_scale(scale, start_token, maps, outputs)
            outputs.append(self._apply_layers(source, caches, wanted, threads, progress if last else None))
        return outputs

    def require_input(
        self,
        start_token: Floats,
        maps: Sequence[TokenMap] | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        """Raise a ValueError if the start token, the maps or the rows do not belong to the model."""
        if np.shape(start_token) != (self.channels,):
            raise ValueError(
                f"Argument 'start_token' must have shape {(self.channels,)}, not {np.shape(start_token)}."
            )
        outgoing = self.layers[-1].channels[1]
        if maps is None and len(self.schedule) > 1 and outgoing != self.channels:
            raise ValueError(
                f"Argument 'maps' must be given: the model draws tokens of {outgoing} channels and takes "
                f"tokens of {self.channels}."
            )
        if maps is not None and len(maps) != len(self.schedule) - 1:
            raise ValueError(
                f"Argument 'maps' must hold {len(self.schedule) - 1} token maps, not {len(maps)}."
            )
        for shape, token_map in zip(self.schedule, maps or (), strict=False):
            if (token_map.shape, token_map.channels) != (shape, self.channels):
                raise ValueError(
                    f"Argument 'maps' must have a map of shape {shape} and {self.channels} channels for each "
                    f"scale, not of {token_map.shape} and {token_map.channels}."
                )
        if rows is not None:
            if not isinstance(self.layers[-1], SelfAttention):
                raise ValueError("Argument 'rows' must be None where the last layer is not attention.")
            height, width = self.schedule[-1]
            if np.size(rows) and not 0 <= np.min(rows) <= np.max(rows) < height * width:
                raise ValueError(
                    f"Argument 'rows' must be pixels 0 ... {height * width - 1} of the last scale."
                )

    def tokens_of_scale(
        self, scale: int, start_token: Floats, maps: Sequence[TokenMap] | None, outputs: list[Floats]
    ) -> TokenSource:
        """Return Y_k: the start token or the up-interpolated token map before, plus positions."""
        height, width = self.schedule[scale]
        if scale == 0:
            source = TokenSource.of(np.tile(np.asarray(start_token, np.float64), (height * width, 1)))
        elif maps is None:
            coarse = outputs[-1].reshape(*self.schedule[scale - 1], -1)
            fine = self.interpolation.apply(coarse, (height, width))
            source = TokenSource.of(fine.reshape(height * width, -1))
        else:
            source = up_interpolated(maps[scale - 1], self.interpolation, (height, width))
        table = self.position_table[scale] if self.position_table else None
        if table is None:
            return source
        return TokenSource(source.count, lambda start, stop: source.block(start, stop) + table[start:stop])

    def _apply_layers(
        self,
        source: TokenSource,
        caches: list[_KeyValueCache],
        rows: NDArray[np.int64] | None,
        threads: int,
        progress: Progress | None,
    ) -> Floats:
        remaining = iter(caches)
        for index, layer in enumerate(self.layers):
            if isinstance(layer, FeedForward):
                source = source.then(layer)
            else:
                wanted = rows if index == len(self.layers) - 1 else None
                source = TokenSource.of(next(remaining).attend(source, wanted, threads, progress))
        return source.block(0, source.count)


class _KeyValueCache:
    """The keys and values of all scales so far, at one attention layer."""

    def __init__(self, layer: SelfAttention, tokens: int, dtype: np.dtype[Any] | type) -> None:
        self.layer = layer
        self.filled = 0
        self.keys = np.empty((tokens, layer.dimension), dtype)
        self.values = np.empty((tokens, layer.value_weights.shape[1]), dtype)

    def attend(
        self, source: TokenSource, rows: NDArray[np.int64] | None, threads: int, progress: Progress | None
    ) -> Floats:
        """Append a scale's keys and values; return its outputs, or those of the wanted rows."""
        layer = self.layer
        wanted = np.arange(source.count) if rows is None else np.asarray(rows)
        queries = np.empty((len(wanted), layer.dimension), self.keys.dtype)
        for start, stop, tokens in source.blocks():
            at = slice(self.filled + start, self.filled + stop)
            self.keys[at] = tokens @ layer.key_weights
            self.values[at] = tokens @ layer.value_weights
            here = (wanted >= start) & (wanted < stop)
            if here.any():
                queries[here] = tokens[wanted[here] - start] @ layer.query_weights
        self.filled += source.count
        attended = streamed_attention(
            queries,
            self.keys[: self.filled],
            self.values[: self.filled],
            layer.temperature,
            threads=threads,
            progress=progress,
        )
        return attended @ layer.output_weights
