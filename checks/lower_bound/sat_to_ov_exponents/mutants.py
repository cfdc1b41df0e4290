"""The mutants of ``lem-sat-to-ov-exponents``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.sat_to_ov_exponents", "lem-sat-to-ov-exponents")

MUTANTS = (
    room.coefficient(
        "", '"N", 2, Fraction(1, 2)', '"N", 2, Fraction(1, 4)', "of a saving for OV a quarter is passed on"
    ),
    room.coefficient(
        "", '"n", 4, Fraction(1, 4)', '"n", 2, Fraction(1, 4)', "VAR inference counts as quadratic in n"
    ),
    room.index("", '("n", 4,', '("L", 4,', "the number of tokens is taken for the side of the last map"),
    room.index(
        "Target.size", "self.value[0]", "self.value[1]", "the exponent is given as the name of the size"
    ),
    room.index("Target.exponent", "self.value[1]", "self.value[2]", "the share is taken for the exponent"),
    room.index("Target.share", "self.value[2]", "self.value[1]", "the exponent is taken for the share"),
    room.threshold(
        "Target.built_size", "is Target.OV", "is Target.VAR", "the sizes of the two reductions change places"
    ),
    room.threshold("Target.log_size", "-(-variables // 2)", "variables // 2", "odd v is rounded down"),
    room.threshold(
        "Target.log_size", "-(-variables // 4)", "variables // 4", "v is rounded down to a multiple of four"
    ),
    room.coefficient("Target.log_size", "variables // 2", "variables // 3", "N is 2^(v/3)"),
    room.threshold(
        "Target.log_size",
        "max(1,",
        "max(2,",
        "the last map has a side of at least four",
    ),
    room.threshold(
        "Target.log_size",
        "max(1, -(-variables // 4))",
        "-(-variables // 4)",
        "no variables would make a map with one pixel",
        equivalent="For every v >= 1, all that the statement speaks of, ceil(v/4) is at least 1.",
    ),
    room.formula(
        "sat_exponent",
        "share * saving + sparsified",
        "share * saving - sparsified",
        "sparsification saves time",
    ),
    room.formula(
        "overhead", "(target.exponent - saving)", "target.exponent", "the time of one call has no saving"
    ),
    room.formula("overhead", "(1 - target.share * saving)", "(1 - saving)", "the whole saving is passed on"),
    room.formula("largest_overhead", "(1 - target.share)", "1", "one variable is taken for none"),
    room.coefficient(
        "Constants.epsilon", "self.saving / 2", "self.saving / 3", "epsilon is a third of the saving"
    ),
    room.coefficient(
        "Constants.delta", "return self.epsilon", "return 2 * self.epsilon", "sparsification eats the saving"
    ),
    room.coefficient(
        "Constants.dimension",
        "density / self.target.share",
        "density / self.target.share + 1",
        "the dimension is stated too large",
    ),
    room.formula("Constants.dimension", "density / self", "density * self", "C/2 in the place of 2C"),
)

UNTOUCHED = {
    "Target.__repr__": "Only for display.",
    "Constants.__post_init__": "Only refuses a saving that is not positive.",
}
