"""The mutants of ``lem-token-count``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.token_count", "lem-token-count")

MUTANTS = (
    room.formula("visible_pairs", "height * width", "height + width", "sides are added, not multiplied"),
    room.index(
        "visible_pairs",
        "accumulate(areas)",
        "accumulate([0, *areas[:-1]])",
        "a scale does not attend to itself",
    ),
    room.formula(
        "visible_pairs", "area * seen", "seen * seen", "every scale counts as large as all before it"
    ),
    room.formula(
        "multiplications",
        "(d + value_dimension)",
        "(d * value_dimension)",
        "the two dimensions are multiplied",
    ),
    room.coefficient(
        "multiplications", "d + value_dimension", "2 * d + value_dimension", "logits cost twice as much"
    ),
    room.formula("least_growth", "return min(", "return max(", "the largest growth is taken"),
    room.index("least_growth", "sides[window:]", "sides[window - 1 :]", "windows are one scale too short"),
    room.formula("least_growth", "Fraction(later, side)", "Fraction(side, later)", "growth is turned over"),
    room.coefficient("token_bound", "window * n**2", "n**2", "the window is left out"),
    room.formula("token_bound", "(square - 1)", "square", "the geometric series has one term only"),
    room.coefficient(
        "pair_bound", "n**4 * square**3", "n**4 * square**4", "the numerator has a power of g too many"
    ),
    room.coefficient("pair_bound", "(square - 1) ** 2", "(square - 1)", "one factor g^2 - 1 is missing"),
    room.formula("pair_bound", "(square + 1)", "(square - 1)", "the sign of one factor is wrong"),
    room.coefficient("_square", "Fraction(growth) ** 2", "Fraction(growth)", "g in the place of its square"),
    room.index("textbook_attention", "keys[:stop]", "keys[:start]", "a scale does not see itself"),
    room.index(
        "textbook_attention", "zip(keys[:stop], values[:stop]", "zip(keys, values", "later scales are seen"
    ),
    room.formula("textbook_attention", "logit / temperature", "logit", "the temperature is left out"),
    room.formula(
        "textbook_attention", "normaliser + weight", "normaliser + 1", "the weights are not normalised"
    ),
)

UNTOUCHED: dict[str, str] = {}
