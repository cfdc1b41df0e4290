"""Approximate VAR as a promise problem: do the read-out pixels of a VAR model light up?

The paper's AVAR problem asks for outputs close to the model's. What the input consists of decides
whether that is hard, so the reading is part of the instance:

maps
    the token maps of all scales and the start token are given;
start+positions
    only the start token is given; a fixed position table, the same for all instances of a size, is
    added to the tokens, and a feed-forward layer comes before attention;
start only
    only the start token is given, and there are no positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from reductions.choices import ProblemName
from reductions.choices import Reading as Reading
from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import SMALLEST_NORMAL
from reductions.layers.streamed_attention import AttentionMagnitudes, Progress, rounding_bound
from reductions.problem import Answer, PromiseProblem
from reductions.problems.token_map import TokenMap
from reductions.problems.var_model import SelfAttention, VarModel


@dataclass(frozen=True, eq=False, repr=False)
class ApproximateVar(PromiseProblem):
    """A VAR model, its input, and read-out pixels whose outputs are promised to be far from a threshold.

    The answer is YES if some read-out of the exact model is at least ``yes_bound``, NO if all are at
    most ``no_bound``; otherwise the instance is outside the promise.

    Attributes
    ----------
    reading, start_token, maps
        The input; ``maps`` is X_1, ..., X_{K-1} in reading *maps* and empty otherwise.
    read_outs
        Flat indices (row-major) of pixels of the last scale; their output in ``read_out_channel`` is read.
    threshold
        An output above it is decided YES.
    yes_bound, no_bound
        The promise.
    entry_bound, logit_bound
        R, a bound on the entries of Q and K at every attention layer; b, a bound on
        sum_i |q_i| |k_i| / tau, hence on the logits.
    entry_error
        The construction's own rounding (see AttentionMagnitudes).
    """

    name: ClassVar[str] = ProblemName.VAR

    model: VarModel
    reading: Reading
    start_token: Floats
    maps: tuple[TokenMap, ...]
    read_outs: NDArray[np.int64]
    threshold: float
    yes_bound: float
    no_bound: float
    entry_bound: float
    logit_bound: float
    entry_error: float
    read_out_channel: int = 0

    def __post_init__(self) -> None:
        expected = len(self.model.schedule) - 1 if self.reading is Reading.MAPS else 0
        if len(self.maps) != expected:
            raise ValueError(
                f"Argument 'maps' must hold {expected} token maps in reading {self.reading}, "
                f"not {len(self.maps)}."
            )
        for shape, token_map in zip(self.model.schedule, self.maps, strict=False):
            if token_map.shape != shape or token_map.channels != self.model.channels:
                raise ValueError(
                    f"Argument 'maps' must have a map of shape {shape} and {self.model.channels} channels "
                    f"for each scale, not of {token_map.shape} and {token_map.channels}."
                )
        height, width = self.model.schedule[-1]
        read_outs = np.array(self.read_outs, dtype=np.int64)
        if read_outs.ndim != 1 or not len(read_outs):
            raise ValueError("Argument 'read_outs' must be a nonempty list of pixels.")
        if read_outs.min() < 0 or read_outs.max() >= height * width:
            raise ValueError(
                f"Argument 'read_outs' must be pixels 0 ... {height * width - 1} of the last scale."
            )
        if not self.no_bound < self.threshold < self.yes_bound:
            raise ValueError("Argument 'threshold' must lie between 'no_bound' and 'yes_bound'.")
        start_token = np.array(self.start_token, dtype=np.float64)
        if start_token.shape != (self.model.channels,) or not np.isfinite(start_token).all():
            raise ValueError(f"Argument 'start_token' must be {self.model.channels} finite numbers.")
        if not isinstance(self.model.layers[-1], SelfAttention):
            raise ValueError("Argument 'model' must end with an attention layer, which computes single rows.")
        outgoing = self.model.layers[-1].channels[1]
        if not 0 <= self.read_out_channel < outgoing:
            raise ValueError(
                f"Argument 'read_out_channel' must be one of the {outgoing} output channels, "
                f"not {self.read_out_channel}."
            )
        if self.reading is not Reading.MAPS and outgoing != self.model.channels:
            raise ValueError(
                f"Argument 'model' must draw tokens of {self.model.channels} channels, not of {outgoing}."
            )
        for array in (read_outs, start_token):
            array.setflags(write=False)
        object.__setattr__(self, "read_outs", read_outs)
        object.__setattr__(self, "start_token", start_token)

    def __repr__(self) -> str:
        sides = ", ".join(str(h) if h == w else f"{h}x{w}" for h, w in self.model.schedule)
        kernel = self.model.interpolation.kernel
        return f"ApproximateVar({self.reading}, {kernel}, schedule {sides}, {len(self.read_outs)} read-outs)"

    @property
    def tolerated_error(self) -> float:
        """Outputs off by less than this still decide right."""
        return min(self.yes_bound - self.threshold, self.threshold - self.no_bound)

    @property
    def sizes(self) -> Mapping[str, float]:
        """n, K, L, channels c, attention dimension d, read-outs N and entry bound R.

        The logit bound is no function of the source's sizes: it is :attr:`logit_bound`.
        """
        height, width = self.model.schedule[-1]
        return {
            "n": max(height, width),
            "K": len(self.model.schedule),
            "L": self.model.tokens,
            "c": len(self.start_token),
            "d": self.attention_layer.dimension,
            "N": len(self.read_outs),
            "R": self.entry_bound,
        }

    @property
    def attention_layer(self) -> SelfAttention:
        """The model's last attention layer."""
        return next(layer for layer in reversed(self.model.layers) if isinstance(layer, SelfAttention))

    def outputs(
        self,
        *,
        dtype: np.dtype[Any] | type = np.float64,
        all_rows: bool = False,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> Floats:
        """Run the model and return the read-outs, shape (N,).

        With ``all_rows`` every output of every scale is computed, as a deployed model would.
        """
        maps = self.maps if self.reading is Reading.MAPS else None
        rows = None if all_rows else self.read_outs
        outputs = self.model.run(
            self.start_token, maps, rows=rows, dtype=dtype, threads=threads, progress=progress
        )[-1]
        read: Floats = (outputs[self.read_outs] if all_rows else outputs)[:, self.read_out_channel]
        return read

    def rounding_bound(self, dtype: np.dtype[Any] | type = np.float64) -> float:
        """Bound the distance between :meth:`outputs` and the real-number model.

        It takes the instance's own word for R, b and the entries' error, and for values in [-1, 1]. It is
        infinite where there are more attention layers than one, where the read-out channel is not one
        value as it stands, and where R or R/tau is so large or small that entries might leave the dtype's
        normal range (entries that are negligible against R may).
        """
        layers = [layer for layer in self.model.layers if isinstance(layer, SelfAttention)]
        if len(layers) != 1:
            return float("inf")
        read = layers[0].output_weights[:, self.read_out_channel]
        if sorted(read, reverse=True) != [1.0, *[0.0] * (len(read) - 1)]:
            return float("inf")
        least = SMALLEST_NORMAL[np.dtype(dtype)] * 2.0**40
        scales = (self.entry_bound, self.entry_bound / layers[0].temperature)
        if not all(least <= scale <= 1 / least for scale in scales):
            return float("inf")
        magnitudes = AttentionMagnitudes(
            dimension=layers[0].dimension,
            keys=self.model.tokens,
            absolute_logit_bound=self.logit_bound,
            value_bound=1.0,
            entry_error=self.entry_error,
        )
        return rounding_bound(magnitudes, dtype)

    def decide_rows(self, outputs: Floats) -> NDArray[np.bool_]:
        """Tell which read-outs are YES, from outputs within the tolerated error.

        Raises
        ------
        ValueError
            If ``outputs`` has another shape than (N,) or is not finite.
        """
        outputs = np.asarray(outputs, dtype=np.float64)
        if outputs.shape != self.read_outs.shape:
            raise ValueError(
                f"Argument 'outputs' must have shape {self.read_outs.shape}, not {outputs.shape}."
            )
        if not np.isfinite(outputs).all():
            raise ValueError("Argument 'outputs' must be finite.")
        return outputs > self.threshold

    def verify(self, witness: int) -> bool:
        """Tell whether read-out number ``witness`` is a YES row: one row of attention, O(L d)."""
        if not 0 <= witness < len(self.read_outs):
            return False
        maps = self.maps if self.reading is Reading.MAPS else None
        row = self.read_outs[witness : witness + 1]
        output = self.model.run(self.start_token, maps, rows=row)[-1][0, self.read_out_channel]
        return bool(output >= self.yes_bound - self._trusted_error())

    def solve_brute_force(self) -> int | None:
        """Return the number of the first YES read-out, or None, by running the model in float64."""
        yes = np.flatnonzero(self.outputs() >= self.yes_bound - self._trusted_error())
        return int(yes[0]) if len(yes) else None

    def answer(self) -> Answer:
        """Run the model in float64; the rounding bound decides what counts as attained."""
        error = self._trusted_error()
        outputs = self.outputs()
        if (outputs >= self.yes_bound - error).any():
            return Answer.YES
        return Answer.NO if (outputs <= self.no_bound + error).all() else Answer.OUTSIDE_PROMISE

    def _trusted_error(self) -> float:
        """Return the rounding bound of float64, or raise ValueError where it leaves nothing to decide by."""
        error = self.rounding_bound()
        if error >= self.tolerated_error:
            raise ValueError(
                f"This instance cannot be decided in float64: its rounding bound {error:.2g} is not below "
                f"the tolerated error {self.tolerated_error:.2g}."
            )
        return error
