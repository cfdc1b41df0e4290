"""The mutants of ``thm-lower-bound``: exponents, sizes and accounts."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.lower_bound", "thm-lower-bound")

MUTANTS = (
    room.coefficient(
        "", "Fraction(5, 16)", "Fraction(3, 8)", "too large an error is tolerated with all maps"
    ),
    room.threshold(
        "require_case",
        "if reading not in TOLERATED:",
        "if False:",
        "a start token alone is admitted, where the bound is false",
    ),
    room.threshold(
        "require_case",
        "reading is not Reading.MAPS:",
        "reading is Reading.MAPS:",
        "the gap route is refused where it works",
    ),
    room.coefficient(
        "Budget.epsilon",
        "self.saving / 8",
        "self.saving / 4",
        "the hypothesis is used for half the clause width that is needed",
    ),
    room.coefficient(
        "Budget.eta", "self.saving / 8 if", "self.saving / 4 if", "there are twice as many messages"
    ),
    room.coefficient("Budget.delta", "self.eta / 2", "self.eta", "nothing is left for sparsification"),
    room.formula("Budget.total", "self.delta, self.eta)", "self.delta, 0)", "messages cost nothing"),
    room.coefficient("total_exponent", "(4 - saving) / 4", "(4 - saving) / 2", "n is taken to be 2^(v/2)"),
    room.coefficient(
        "stated_bounds", "12 * constant, 108", "12 * constant, 54", "R^2 is bounded by half of what it is"
    ),
    room.coefficient(
        "stated_bounds",
        "18 * least, 18, 1",
        "18 * least, 18, 2",
        "the gap route loses its gain: b <= C (log n)^2",
    ),
    room.coefficient(
        "stated_bounds", "9 * (4 * constant + 1)", "36 * constant", "the flag's coordinate is left out of R^2"
    ),
    room.coefficient(
        "symbolic_sizes",
        "2 * SPACING[kernel]",
        "SPACING[kernel]",
        "slots are looked for on the last map, not on the last but one",
    ),
    room.threshold(
        "symbolic_sizes", "2 ** sympy.ceiling(v / 4)", "2 ** sympy.floor(v / 4)", "n is rounded down"
    ),
    room.coefficient(
        "symbolic_sizes", "3 * threshold / 4", "threshold / 2", "reference coordinates are counted up to s/2"
    ),
    room.coefficient(
        "symbolic_sizes",
        "(2 * m - 1) * logarithm",
        "2 * m * logarithm",
        "the reference key is left out of the logit bound",
    ),
    room.coefficient(
        "symbolic_sizes",
        "sympy.Max(2 * sympy.ceiling(v / 4)",
        "sympy.Max(2 + sympy.ceiling(v / 4)",
        "a token is said to have one bit for each bit of a side",
    ),
    room.threshold(
        "accounting", "math.floor(c * variables / 2)", "math.ceil(c * variables / 2)", "m is rounded up"
    ),
    room.index(
        "symbolic_sizes",
        "sympy.Max(2 * sympy.ceiling(v / 4) + 2, 2 * m + 1)",
        "2 * m + 1",
        "the channels of a token are forgotten",
    ),
    room.coefficient(
        "accounting", "4 * ((n // factor)", "2 * ((n // factor)", "half the variables are counted"
    ),
    room.coefficient("accounting", "c * variables / 2", "c * variables", "m is c v, not c log2 N"),
    room.index(
        "accounting", "n < 2 * factor", "n < 4 * factor", "the smallest side that fits a variable is refused"
    ),
    room.formula(
        "_steps", "share <= budget.eta", "share >= budget.eta", "too many messages are said to be enough"
    ),
    room.index(
        "_steps",
        "v = {variables}, m = {clauses} clauses",
        "v = {clauses}, m = {variables} clauses",
        "variables and clauses are exchanged",
    ),
    room.index(
        "_steps",
        "N = 2^{variables // 2} a side",
        "N = 2^{variables} a side",
        "as many vectors are said to be listed as there are assignments",
    ),
    room.index(
        "_steps",
        "= {budget.total} = 1 - {budget.epsilon}",
        "= {budget.total} = 1 - {budget.delta}",
        "what is left is said to be 1 - delta",
    ),
)

UNTOUCHED = {
    "Accounting.__repr__": "How accounts are displayed.",
    "Accounting.__str__": "How accounts are displayed.",
    "Accounting._repr_html_": "How accounts are displayed.",
    "_short": "How large numbers are written.",
}
