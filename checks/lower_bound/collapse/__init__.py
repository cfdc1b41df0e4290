"""The check of ``lem-collapse``: constant maps, the K vectors that describe them, and border patterns."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise, product
from typing import Any

import numpy as np

from checks.evidence import Claims, Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.exact.formal_terms import Operator, Terms, collapsed_on_terms, run_on_terms
from checks.exact.interval_model import enclosed_run
from checks.lower_bound.collapse.border_images import PATTERNS, check_border_images, patterns_decide
from reductions.layers.arrays import Floats
from reductions.lower_bound.collapse import collapsed_run, weighted_run
from reductions.problems.interpolation import Interpolation, Kernel, keys_inner, keys_outer
from reductions.problems.schedule import RELEASED_SIDES, Schedule, square_schedule
from reductions.problems.var_model import FeedForward, Layer, SelfAttention, VarModel

CONSTANTS = "(1) interpolation keeps constants"
CONSTANT_MAPS = "(1) all tokens of a scale are equal, and equal to the collapsed recursion's"
VECTORS = "(2) the K vectors that are computed"
REFUSED = "models with positions, and such as cannot draw, are refused"

RULES = (
    Interpolation(Kernel.NEAREST),
    *(Interpolation(Kernel.BILINEAR, aligned=aligned) for aligned in (False, True)),
    *(
        Interpolation(Kernel.BICUBIC, a, aligned)
        for a in (-1.0, -0.75, -0.3, 0.0)
        for aligned in (False, True)
    ),
)
RULES_IN_WORDS = "all kernels and conventions, a = -1, -3/4, -0.3 and 0"
RELEASED = square_schedule(RELEASED_SIDES)
LAYERS = "fafa"
FOUR_LAYERS = "four layers with any weights"

CLOSE = Fraction(1, 2**30)


@lemma(
    "lem-collapse",
    title="Start only: the maps collapse",
    statement_uses=("def-interpolation", "def-var", "def-avar"),
    proof_uses=("def-attention",),
)
def collapse(run: Run) -> Iterator[Evidence]:
    """Check the lemma part by part."""
    yield partition_of_unity()
    largest = run.pick(quick=12, full=28)
    yield certified(CONSTANTS, f"all 1 <= h <= h' <= {largest}; {RULES_IN_WORDS}", row_sums(largest))
    side = run.pick(quick=3, full=4)
    yield exhaustive(
        CONSTANT_MAPS,
        f"all schedules with sides up to {side}, {FOUR_LAYERS}: formal terms; {RULES_IN_WORDS}",
        product(RULES, all_schedules(side)),
        len(RULES) * count_schedules(side),
        maps_are_constant,
    )
    yield exhaustive(
        CONSTANT_MAPS,
        f"the released schedule, 680 tokens, {FOUR_LAYERS}: formal terms; {RULES_IN_WORDS}",
        product(RULES, [RELEASED]),
        len(RULES),
        maps_are_constant,
    )
    yield certified(
        VECTORS,
        "all tokens of small models with two attention layers, enclosed in intervals, to within 2^-30; "
        f"{RULES_IN_WORDS}",
        enclosed_models(),
    )
    draws = run.pick(quick=40, full=600)
    yield sampled(
        VECTORS,
        f"{draws} random models, some on the released schedule, against the full pyramid in double "
        "precision, to within 1e-9",
        run.seed,
        draws,
        draw_model,
        partial(same_maps, multiplicities=None),
    )
    yield exhaustive(
        REFUSED,
        "schedule 1, 2 with a position table on either scale, or with output tokens of another length",
        [(0, 1), (1, 1), (None, 2)],
        3,
        lambda case: is_refused(*case),
    )
    yield from check_border_images(run)


def partition_of_unity() -> Evidence:
    """The taps of a sample at distance x in [0, 1] from the pixel before it sum to one."""
    import sympy

    a, x = sympy.symbols("a x", real=True)
    four = keys_outer(1 + x, a) + keys_inner(x, a) + keys_inner(1 - x, a) + keys_outer(2 - x, a)
    return symbolic(
        CONSTANTS, "all positions and all a", {"bicubic": four - 1, "bilinear": (1 - x) + (1 - (1 - x)) - 1}
    )


def row_sums(largest: int) -> Claims:
    """Yield the claims that every row of every exact operator sums to one."""
    for rule, fine in product(RULES, range(1, largest + 1)):
        for coarse in range(1, fine + 1):
            for i, row in enumerate(rule.exact_matrix(coarse, fine)):
                yield f"{rule}, {coarse} -> {fine}, row {i}", sum(row), "==", 1


def all_schedules(side: int) -> Iterator[Schedule]:
    """Yield every schedule with sides up to ``side``."""

    def continued(schedule: Schedule) -> Iterator[Schedule]:
        yield schedule
        height, width = schedule[-1]
        for shape in product(range(height, side + 1), range(width, side + 1)):
            if shape != (height, width):
                yield from continued((*schedule, shape))

    for first in product(range(1, side + 1), range(1, side + 1)):
        yield from continued((first,))


def count_schedules(side: int) -> int:
    """Count the same schedules by dynamic programming over their last scale."""
    ending: dict[tuple[int, int], int] = {}
    for h, w in product(range(1, side + 1), repeat=2):
        ending[h, w] = 1 + sum(n for (h2, w2), n in ending.items() if h2 <= h and w2 <= w)
    return sum(ending.values())


@cache
def exact_operator(rule: Interpolation) -> Operator:
    """Return the exact operator of a rule; kept, because all schedules read it."""
    return cache(rule.exact_matrix)


def maps_are_constant(
    case: tuple[Interpolation, Schedule],
    operator: Operator | None = None,
    positions: bool = False,
    raster: bool = False,
) -> bool:
    """Tell whether all tokens of every scale have the collapsed recursion's term, and K <= h + w - 1."""
    rule, schedule = case
    terms = Terms()
    operator = operator or exact_operator(rule)
    maps = run_on_terms(terms, schedule, LAYERS, operator, positions=positions, raster=raster)
    collapsed = collapsed_on_terms(terms, schedule, LAYERS)
    height, width = schedule[-1]
    constant = all(set(tokens) == {term} for tokens, term in zip(maps, collapsed, strict=True))
    return constant and len(schedule) <= height + width - 1


def random_model(
    generator: np.random.Generator, rule: Interpolation, schedule: Schedule, layers: str
) -> tuple[VarModel, Floats]:
    """Draw weights for layers "f" and "a", of a size that keeps tokens near 1, and a start token."""
    widths = [*generator.integers(1, 6, len(layers)).tolist()]
    made: list[Layer] = []
    for kind, (incoming, outgoing) in zip(layers, pairwise([*widths, widths[0]]), strict=True):
        d, d_v = generator.integers(1, 4, 2).tolist()

        def weights(*shape: int) -> Floats:
            drawn: Floats = generator.uniform(-1.5, 1.5, shape) / np.sqrt(shape[0])
            return drawn

        if kind == "f":
            made.append(FeedForward(weights(incoming, outgoing)))
        else:
            made.append(
                SelfAttention(
                    weights(incoming, d),
                    weights(incoming, d),
                    weights(incoming, d_v),
                    weights(d_v, outgoing),
                    float(generator.uniform(0.3, 2)),
                )
            )
    return VarModel(schedule, rule, tuple(made)), generator.uniform(-2, 2, widths[0])


def enclosed_models() -> Claims:
    """Yield the claims that computed vectors are close to all the tokens of the real-number model."""
    generator = np.random.default_rng(0)
    for rule, schedule in product(RULES, (square_schedule([1, 2, 3]), ((1, 1), (1, 3), (2, 3)))):
        model, start = random_model(generator, rule, schedule, LAYERS)
        vectors = collapsed_run(model, start)
        for scale, tokens in enumerate(enclosed_run(model, start)):
            for (pixel, token), channel in product(enumerate(tokens), range(model.channels)):
                error = abs(token[channel] - float(vectors[scale, channel]))
                yield f"{rule}, {schedule}, scale {scale}, pixel {pixel}", error, "<=", CLOSE


ModelCase = tuple[VarModel, Floats]


def draw_model(generator: np.random.Generator) -> ModelCase:
    """Draw a rule, a schedule, layers of which one is attention, weights and a start token."""
    rule = RULES[generator.integers(len(RULES))]
    schedule = RELEASED
    if generator.integers(3):
        steps = generator.integers(0, 4, (generator.integers(1, 9), 2))
        sides = np.cumsum(steps[steps.any(axis=1)], axis=0) + generator.integers(1, 3, 2)
        schedule = tuple((int(h), int(w)) for h, w in sides) or ((1, 1),)
    layers = "".join(generator.choice(["f", "a"], int(generator.integers(0, 4)))) + "a"
    return random_model(generator, rule, schedule, layers)


def same_maps(case: ModelCase, multiplicities: Floats | None) -> bool:
    """Compare the full pyramid with the K vectors; other multiplicities than h w are for a control."""
    model, start = case
    vectors = (
        collapsed_run(model, start) if multiplicities is None else weighted_run(model, start, multiplicities)
    )
    pyramid = model.run(start)
    return all(
        bool((abs(tokens - vector) <= 1e-9).all()) for tokens, vector in zip(pyramid, vectors, strict=True)
    )


def is_refused(positions_on: int | None, outgoing: int) -> bool:
    """A model that need not collapse, or cannot run, is refused with a ValueError."""
    layer = SelfAttention(np.eye(1), np.eye(1), np.eye(1), np.ones((1, outgoing)), 1.0)
    schedule = square_schedule([1, 2])
    table = [None if scale != positions_on else np.zeros((h * w, 1)) for scale, (h, w) in enumerate(schedule)]
    model = VarModel(schedule, Interpolation(), (layer,), tuple(table))
    try:
        collapsed_run(model, np.ones(1))
    except ValueError as error:
        return str(error).startswith("Argument 'model' must")
    return False


def broken_maps(**broken: Any) -> Evidence:
    """Put a broken model to the test of constant maps."""
    return exhaustive(
        CONSTANT_MAPS,
        "bicubic with a = -3/4, schedule 1, 2, 3, formal terms",
        [(Interpolation(), square_schedule([1, 2, 3]))],
        1,
        partial(maps_are_constant, **broken),
    )


@collapse.control("a position table is added to the tokens")
def _(run: Run) -> Evidence:
    return broken_maps(positions=True)


@collapse.control("a token sees the tokens before it only, not its whole scale")
def _(run: Run) -> Evidence:
    return broken_maps(raster=True)


def zero_padded(coarse: int, fine: int) -> list[list[Fraction]]:
    """Return the operator of bicubic interpolation that drops taps beyond the border."""
    rule = Interpolation()
    rows = []
    for i in range(fine):
        position = rule.position(i, coarse, fine)
        rows.append([rule.weight(position - j) for j in range(coarse)])
    return rows


@collapse.control("interpolation pads with zeros instead of replicating the border")
def _(run: Run) -> Evidence:
    return broken_maps(operator=zero_padded)


@collapse.control("every scale counts once, whatever its number of tokens")
def _(run: Run) -> Evidence:
    one = np.eye(1)
    layer = SelfAttention(one, one, one, 2 * one, 1.0)

    def same(schedule: Schedule) -> bool:
        model = VarModel(schedule, Interpolation(), (layer,))
        return same_maps((model, np.ones(1)), multiplicities=np.ones(len(schedule)))

    return exhaustive(
        VECTORS, "one attention layer of width 1, schedule 1, 2, 4", [square_schedule([1, 2, 4])], 1, same
    )


def broken_patterns(stack: str, n: int) -> Evidence:
    """Put patterns one pixel too thin to the test."""
    return exhaustive(
        PATTERNS,
        f"stack {stack} on side {n}, formal terms",
        [(stack, n)],
        1,
        partial(patterns_decide, less=1),
    )


@collapse.control("the border pattern of depth D - 1 for D convolutions")
def _(run: Run) -> Evidence:
    return broken_patterns("CCC", 12)


@collapse.control("a doubling carries the border one pixel less than twice as far")
def _(run: Run) -> Evidence:
    return broken_patterns("CUC", 12)
