"""The mutants of ``lem-partition-of-unity``, ``lem-keys-kernel`` and ``lem-lebesgue``."""

from checks.mutation.mutant import Room

room = Room(
    "reductions.lower_bound.interpolation_weights",
    "lem-partition-of-unity",
    "lem-keys-kernel",
    "lem-lebesgue",
)
KERNEL = "reductions.problems.interpolation"

MUTANTS = (
    room.formula(
        "keys_taps",
        "keys_outer(1 + rest, a)",
        "keys_outer(2 + rest, a)",
        "the last tap is taken one pixel too far",
    ),
    room.index(
        "keys_taps", "keys_inner(rest, a)", "keys_inner(phase, a)", "both inner taps have the same distance"
    ),
    room.index("keys_moment", "range(-1, 3)", "range(-2, 2)", "the taps are placed one pixel too early"),
    room.formula(
        "keys_moment", "offset - phase", "offset + phase", "moments are taken about the wrong point"
    ),
    room.threshold(
        "phase", "position.__floor__()", "position.__ceil__()", "the phase is measured from the next pixel"
    ),
    room.threshold(
        "is_interior",
        "1 <= position",
        "0 <= position",
        "a pixel with one tap off the axis counts as interior",
    ),
    room.threshold(
        "is_interior",
        "position < coarse - 2",
        "position < coarse - 1",
        "a pixel with its last tap off the axis counts as interior",
    ),
    room.threshold(
        "is_interior",
        "1 <= position",
        "1 < position",
        "a sample on the second pixel does not count as interior",
    ),
    room.index("row_norm", "x * y**2 if", "y * x**2 if", "the two border taps change places"),
    room.threshold(
        "row_norm",
        "coarse - 2 else",
        "coarse - 1 else",
        "a tap that falls on the last pixel counts as its own",
    ),
    room.threshold(
        "row_norm",
        "position >= 1",
        "position > 1",
        "a sample on the second pixel counts as a border pixel",
        equivalent="There the phase is 0, and the tap that is left out has the weight 0.",
    ),
    room.threshold("row_norm", "coarse > 1", "coarse > 2", "two pixels are treated like one"),
    room.coefficient("row_norm", "1 + 2 * abs", "1 + abs", "negative weights are counted once, not twice"),
    room.index(
        "lebesgue_bound",
        "q if rule.aligned else p",
        "p if rule.aligned else q",
        "the two conventions change places",
    ),
    room.formula("lebesgue_bound", "Fraction(1, q * q)", "Fraction(1, q)", "the missing part is 1/q"),
    room.coefficient(
        "lebesgue_bound", "/ 2 * (1 - missing)", "/ 2 * (1 + missing)", "the missing part is added"
    ),
    room.coefficient("lebesgue_constant", "/ 2", "/ 3", "the supremum is 1 + |a|/3"),
    room.formula("operator_norm", "norm *=", "norm +=", "the axes' norms are added"),
    room.formula("operator_norm", "*= max(", "*= min(", "the least row norm is taken"),
    room.coefficient(
        "keys_inner", "(a + 3)", "(a + 2)", "a coefficient of the inner piece is wrong", module=KERNEL
    ),
    room.coefficient(
        "keys_outer", "8 * a", "7 * a", "a coefficient of the outer piece is wrong", module=KERNEL
    ),
    room.index(
        "Interpolation.exact_matrix", "first + 4", "first + 3", "the last tap is left out", module=KERNEL
    ),
    room.threshold(
        "Interpolation.exact_matrix",
        "coarse - 1)]",
        "coarse - 2)]",
        "the border is replicated one pixel too early",
        module=KERNEL,
    ),
    room.formula(
        "Interpolation.exact_matrix",
        "] += self",
        "] = self",
        "taps that fall on one pixel are not added",
        module=KERNEL,
    ),
    room.coefficient(
        "Interpolation.position",
        "(2 * i + 1)",
        "(2 * i + 2)",
        "samples lie half a fine pixel too far right",
        module=KERNEL,
    ),
    room.formula(
        "Interpolation.weight",
        "max(1 - distance, Fraction(0))",
        "max(1 - distance / 2, Fraction(0))",
        "the bilinear kernel is twice as wide",
        module=KERNEL,
    ),
    room.threshold(
        "Interpolation.weight",
        "distance <= 1",
        "distance < 2",
        "the inner piece is used everywhere",
        module=KERNEL,
    ),
    room.threshold(
        "Interpolation.weight",
        "distance <= 1",
        "distance < 1",
        "at distance 1 the outer piece is used",
        module=KERNEL,
        equivalent="Both pieces are 0 there.",
    ),
)

UNTOUCHED = {"_require_sizes": "Only refuses sizes that do not fit."}
