"""What the check of ``lem-collapse`` says of images: border patterns of convolutions and doublings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import comb

import numpy as np
from numpy.typing import NDArray

from checks.evidence import Claims, Evidence, certified, exhaustive, sampled
from checks.evidence.registry import Run
from checks.exact.formal_terms import image_on_terms
from reductions.layers.arrays import Floats
from reductions.layers.convolution import Doubling
from reductions.lower_bound.collapse import (
    ImageLayer,
    border_depth,
    border_pattern,
    collapsed_image,
    full_image,
)

PATTERNS = "(3) pixels with the same border pattern are equal"
IMAGES = "(3) images that are computed on a small map"
ATTAINED = "(3) (2D + 1)^2 different values occur"


def check_border_images(run: Run) -> Iterator[Evidence]:
    """Check the part about convolutions."""
    length, most = run.pick(quick=(5, 48), full=(6, 96))
    stacks = list(small_stacks(length, most))
    yield exhaustive(
        PATTERNS,
        f"all stacks of up to {length} convolutions and doublings, n <= 12, images of side at most {most}, "
        "any filters and tokenwise functions: formal terms",
        stacks,
        sum(min(12, most // 2**u) * binomial for u, binomial in doublings_up_to(length)),
        patterns_decide,
    )
    taps = product((0.0, 1.0), repeat=9)
    yield exhaustive(
        IMAGES,
        "all 512 filters of zeros and ones, applied twice with ReLU on sides 1 to 7, in integers",
        ((np.reshape(nine, (3, 3, 1, 1)), n) for nine in taps for n in range(1, 8)),
        7 * 512,
        lambda case: same_image(([case[0], case[0]], np.ones(1), case[1])),
    )
    signs = list(product((-1.0, 2.0), repeat=4))
    yield exhaustive(
        IMAGES,
        "all 256 pairs of filters of four corners -1 or 2, the second after ReLU, on side 3, pixel by pixel",
        product(signs, signs),
        16 * 16,
        lambda pair: same_image(([corners(four) for four in pair], np.ones(1), 3), loops),
    )
    draws = run.pick(quick=150, full=3000)
    yield sampled(
        IMAGES,
        f"{draws} random stacks of integer filters with ReLU and doublings, in integers",
        run.seed,
        draws,
        draw_stack,
        same_image,
    )
    yield certified(
        ATTAINED, "positive integer filters, D = 1 to 4, n = 2D + 1 and 2D + 4", numbers_of_values()
    )


def small_stacks(length: int, most: int) -> Iterator[tuple[str, int]]:
    """Yield every stack of at most ``length`` steps with every side n <= 12 that keeps the image small."""
    for steps in range(length + 1):
        for stack in product("CU", repeat=steps):
            for n in range(1, min(12, most // 2 ** stack.count("U")) + 1):
                yield "".join(stack), n


def doublings_up_to(length: int) -> list[tuple[int, int]]:
    """Return, for each number u of doublings, how many stacks of at most ``length`` steps have it."""
    return [(u, sum(comb(steps, u) for steps in range(length + 1))) for u in range(length + 1)]


def as_layers(stack: str) -> list[ImageLayer]:
    """Return layers of the stack's kinds, for functions that do not look at the filters."""
    return [Doubling() if step == "U" else np.zeros((3, 3, 1, 1)) for step in stack]


def patterns_decide(case: tuple[str, int], less: int = 0) -> bool:
    """Tell whether pixels with the same pattern have the same term, and without doublings only they.

    ``less`` is subtracted from the border depth, for a control.
    """
    stack, n = case
    depth = border_depth(as_layers(stack)) - less
    image = image_on_terms(stack, n)
    pattern = axis_pattern(len(image), depth)
    classes = pattern[:, None] * (2 * depth + 2) + pattern[None, :]
    pairs = np.unique(np.stack([classes.ravel(), image.ravel()]), axis=1).shape[1]
    patterns = len(np.unique(classes))
    determined = pairs == patterns <= (2 * depth + 1) ** 2 and pattern.max() <= 2 * depth
    alternating = stack == "C" * len(stack) or stack == "C" + "UC" * stack.count("U")
    return determined and (not alternating or len(np.unique(image)) == patterns)


def axis_pattern(side: int, depth: int) -> NDArray[np.int64]:
    """Return the pattern of every pixel of an axis; an axis without a middle has all pixels different."""
    return border_pattern(side, depth) if side >= 2 * depth + 1 else np.arange(side)


Integers = NDArray[np.int64]
ImageCase = tuple[list[ImageLayer], Floats, int]


def corners(taps: tuple[float, ...]) -> Floats:
    """Return a filter with four taps, at its corners."""
    filters = np.zeros((3, 3, 1, 1))
    filters[::2, ::2, 0, 0] = np.reshape(taps, (2, 2))
    return filters


def draw_stack(generator: np.random.Generator) -> ImageCase:
    """Draw up to four steps, integer filters with up to 3 channels, an integer value and a side."""
    stack = "".join(generator.choice(["C", "C", "U"], int(generator.integers(1, 5))))
    widths = generator.integers(1, 4, len(stack) + 1).tolist()
    layers: list[ImageLayer] = []
    channels = widths[0]
    for step, outgoing in zip(stack, widths[1:], strict=True):
        if step == "U":
            layers.append(Doubling())
        else:
            layers.append(generator.integers(-3, 4, (3, 3, channels, outgoing)).astype(np.float64))
            channels = outgoing
    return layers, generator.integers(-3, 4, widths[0]).astype(np.float64), int(generator.integers(1, 17))


Convolution = Callable[[Integers, Integers], Integers]


def loops(image: Integers, filters: Integers) -> Integers:
    """Return the zero-padded convolution, pixel by pixel and tap by tap as it is defined."""
    height, width, _ = image.shape
    convolved = np.zeros((height, width, filters.shape[3]), dtype=np.int64)
    for y, x, row, column in product(range(height), range(width), range(3), range(3)):
        above, left = y + row - 1, x + column - 1
        if 0 <= above < height and 0 <= left < width:
            convolved[y, x] += image[above, left] @ filters[row, column]
    return convolved


def correlations(image: Integers, filters: Integers) -> Integers:
    """Return the same by SciPy's correlation of one input channel with one output channel, in integers."""
    from scipy.signal import correlate2d

    incoming, outgoing = filters.shape[2:]
    channels = [
        sum(correlate2d(image[..., i], filters[..., i, o], mode="same") for i in range(incoming))
        for o in range(outgoing)
    ]
    return np.stack(channels, axis=-1)


def integer_image(case: ImageCase, convolution: Convolution) -> Integers:
    """Return what the stack makes of the constant map, in integers and by other code than the lemma's."""
    layers, value, n = case
    image = np.tile(value.astype(np.int64), (n, n, 1))
    convolutions = 0
    for layer in layers:
        if isinstance(layer, Doubling):
            image = np.kron(image, np.ones((2, 2, 1), dtype=np.int64))
            continue
        if convolutions:
            image = np.where(image > 0, image, 0)
        image = convolution(image, layer.astype(np.int64))
        convolutions += 1
    return image


def same_image(case: ImageCase, convolution: Convolution = correlations) -> bool:
    """Compare the image from the small map, and the one of all pixels, with integers; all sums are exact."""
    layers, value, n = case
    expected = integer_image(case, convolution)
    return all(np.array_equal(made(value, layers, n), expected) for made in (collapsed_image, full_image))


def numbers_of_values() -> Claims:
    """Yield the claims that convolutions with positive integer taps tell all border patterns apart."""
    taps = np.array([[1.0, 2, 4], [8, 16, 32], [64, 128, 256]]).reshape(3, 3, 1, 1)
    for depth in range(1, 5):
        for n in (2 * depth + 1, 2 * depth + 4):
            image = full_image(np.ones(1), [taps] * depth, n)
            yield f"D = {depth}, n = {n}", len(np.unique(image)), "==", (2 * depth + 1) ** 2
