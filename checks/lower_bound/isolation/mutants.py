"""The mutants of ``lem-isolation``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.isolation", "lem-isolation")

MUTANTS = (
    room.coefficient(
        "", "Kernel.NEAREST: 1", "Kernel.NEAREST: 2", "the nearest pixel's slots are stated two apart"
    ),
    room.coefficient("", "Kernel.BILINEAR: 2", "Kernel.BILINEAR: 3", "bilinear slots are stated three apart"),
    room.coefficient("", "Kernel.BICUBIC: 4", "Kernel.BICUBIC: 3", "bicubic slots are stated three apart"),
    room.index(
        "axis_slots",
        "columns.indptr[j], columns.indptr[j + 1]",
        "columns.indptr[j], columns.indptr[j + 1] - 1",
        "the last fine pixel of a support is not seen",
    ),
    room.formula(
        "axis_slots", "taken[support].any()", "taken[support].all()", "slots may share a fine pixel"
    ),
    room.index(
        "axis_slots", "np.argmax(weights)", "np.argmin(weights)", "the slot lies on its smallest weight"
    ),
    room.formula(
        "axis_slots",
        "np.argmax(weights)",
        "np.argmax(abs(weights - 1))",
        "the slot lies where the weight is farthest from 1",
    ),
    room.index(
        "axis_slots", "int(support[largest])", "largest", "the fine pixel is counted from the support's first"
    ),
    room.threshold(
        "slots_per_axis_at_least",
        "-(-coarse // SPACING[Kernel(kernel)])",
        "coarse // SPACING[Kernel(kernel)]",
        "the number of slots is rounded down",
    ),
    room.coefficient(
        "largest_weight_at_least",
        "Fraction(coarse, 2 * fine)",
        "Fraction(coarse, fine)",
        "the sample is taken a whole fine pixel away",
    ),
    room.threshold(
        "largest_weight_at_least",
        "return Fraction(1)",
        "return Fraction(2)",
        "the nearest pixel's weight is stated as 2",
    ),
    room.formula("capacity", "rows * columns", "rows + columns", "the axes' numbers are added"),
    room.index(
        "grid_slots",
        "np.divmod(np.arange(count), len(columns))",
        "np.divmod(np.arange(count), len(rows))",
        "slots are numbered by the rows' number",
    ),
    room.index(
        "grid_slots",
        "row_fine[row], column_fine[column]",
        "column_fine[column], row_fine[row]",
        "row and column of the fine pixel change places",
    ),
    room.formula(
        "grid_slots",
        "row_weight[row] * column_weight[column]",
        "row_weight[row]",
        "the columns' weight is left out",
    ),
)

UNTOUCHED = {
    "Slots.__post_init__": "Only copies the arrays and forbids writing to them.",
    "Slots.__len__": "Only for display and loops: the number of slots.",
}
