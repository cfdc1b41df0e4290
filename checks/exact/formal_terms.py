"""Models and images run on formal terms, so that one run speaks for all weights at once.

A term is a number that stands for an expression: two tokens get the same term exactly if they are built
from the same terms in the same way. Equal terms have equal values whatever the weights, the biases and
the tokenwise functions are, also beyond what floating point can hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from reductions.problems.schedule import Schedule

Operator = Callable[[int, int], list[list[Fraction]]]
"""Interpolation along one axis: (coarse, fine) to the rows of the matrix."""


@dataclass
class Terms:
    """A table of terms; the same parts give the same term."""

    numbers: dict[Hashable, int] = field(default_factory=dict)

    def __call__(self, *parts: Hashable) -> int:
        """Return the term that is built from ``parts``."""
        return self.numbers.setdefault(parts, len(self.numbers))

    def mean(self, weights: dict[int, Fraction]) -> int:
        """Return the term of a linear combination; one term with the weight 1 is that term itself."""
        kept = {term: weight for term, weight in weights.items() if weight}
        if len(kept) == 1 and 1 in kept.values():
            return next(iter(kept))
        return self("combination", frozenset(kept.items()))


def run_on_terms(
    terms: Terms,
    schedule: Schedule,
    layers: str,
    operator: Operator,
    *,
    positions: bool = False,
    raster: bool = False,
) -> list[list[int]]:
    """Draw with a model whose weights are unknown; return the terms of the tokens of every scale.

    Parameters
    ----------
    layers
        "f" for a tokenwise layer, "a" for attention, in order.
    operator
        Interpolation along an axis.
    positions
        Add an unknown position table.
    raster
        Let a token see the tokens before it only, in row-major order, instead of its whole scale.
    """
    maps: list[list[int]] = []
    seen: list[list[int]] = [[] for _ in layers]
    for scale, (height, width) in enumerate(schedule):
        if scale == 0:
            tokens = [terms("start")] * (height * width)
        else:
            tokens = _interpolated(terms, maps[-1], schedule[scale - 1], (height, width), operator)
        if positions:
            tokens = [terms("position", scale, pixel, token) for pixel, token in enumerate(tokens)]
        for index, (kind, cache) in enumerate(zip(layers, seen, strict=True)):
            if kind == "f":
                tokens = [terms("tokenwise", index, token) for token in tokens]
                continue
            before = len(cache)
            cache += tokens
            if raster:
                keys = [frozenset(Counter(cache[: before + i + 1]).items()) for i in range(len(tokens))]
            else:
                keys = [frozenset(Counter(cache).items())] * len(tokens)
            tokens = [terms("attention", index, *pair) for pair in zip(tokens, keys, strict=True)]
        maps.append(tokens)
    return maps


def _interpolated(
    terms: Terms, coarse: list[int], shape: tuple[int, int], fine: tuple[int, int], operator: Operator
) -> list[int]:
    tall, wide = (
        [[(j, weight) for j, weight in enumerate(row) if weight] for row in operator(*axis)]
        for axis in zip(shape, fine, strict=True)
    )
    tokens = []
    for row, column in product(tall, wide):
        weights: dict[int, Fraction] = {}
        for (j, weight), (j2, weight2) in product(row, column):
            term = coarse[j * shape[1] + j2]
            weights[term] = weights.get(term, Fraction(0)) + weight * weight2
        tokens.append(terms.mean(weights))
    return tokens


def collapsed_on_terms(terms: Terms, schedule: Schedule, layers: str) -> list[int]:
    """Return the terms of the K tokens that the collapsed recursion gives, with multiplicities."""
    token = terms("start")
    seen: list[Counter[int]] = [Counter() for _ in layers]
    maps = []
    for height, width in schedule:
        for index, (kind, cache) in enumerate(zip(layers, seen, strict=True)):
            if kind == "f":
                token = terms("tokenwise", index, token)
            else:
                cache[token] += height * width
                token = terms("attention", index, token, frozenset(cache.items()))
        maps.append(token)
    return maps


def image_on_terms(steps: Sequence[str], n: int) -> NDArray[np.int64]:
    """Return the terms of the pixels that a stack makes of a constant n x n map.

    ``steps`` holds "C" for a zero-padded 3 x 3 convolution with any tokenwise function, and "U" for a
    doubling. Equal numbers mean equal terms, within one image.
    """
    image = np.zeros((n, n), np.int64)
    for step in steps:
        side = len(image)
        if step == "U":
            image = image.repeat(2, axis=0).repeat(2, axis=1)
            continue
        padded = np.pad(image, 1, constant_values=-1)  # -1: outside, where zeros are padded
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(-1, 9)
        _, numbers = np.unique(windows, axis=0, return_inverse=True)
        image = numbers.reshape(side, side).astype(np.int64)
    return image
