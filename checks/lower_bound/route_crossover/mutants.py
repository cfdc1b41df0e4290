"""The mutants of ``lem-route-crossover``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.route_crossover", "lem-route-crossover")

MUTANTS = (
    room.threshold(
        "Route.reference", "math.ceil", "math.floor", "the number of reference coordinates is rounded down"
    ),
    room.coefficient(
        "Route.reference", "Fraction(self.gap, 2)", "self.gap", "the reference is at the lower end of the gap"
    ),
    room.coefficient("Route.base", "2 * self.gap", "self.gap", "base coordinates are never needed"),
    room.threshold("Route.base", "return max(0,", "return max(1,", "there is always a base coordinate"),
    room.index(
        "Route.logit_ratio", "self.threshold", "self.dimension", "the dimension in the place of the threshold"
    ),
    room.formula(
        "Route.entry_ratio",
        "self.dimension + self.reference",
        "self.dimension",
        "the reference coordinates are left out",
    ),
    room.formula(
        "Route.var_logit_ratio",
        "self.threshold + self.base",
        "self.threshold",
        "base coordinates are left out of b in the VAR model",
    ),
    room.formula(
        "Route.var_entry_ratio",
        "+ Fraction(self.base, self.gap)",
        "- Fraction(self.base, self.gap)",
        "base coordinates are taken off",
    ),
    room.coefficient("Route.entry_bound", "4 * keys", "2 * keys", "ln 2N in the place of ln 4N"),
    room.coefficient(
        "Route.logit_bound",
        "- (not orthogonal)",
        "- 2 * (not orthogonal)",
        "without an orthogonal pair b is stated too small",
    ),
    room.coefficient("Route.var_entry_bound", "16 * tokens", "8 * tokens", "ln 8L in the place of ln 16L"),
    room.threshold("Route.var_logit_bound", "(not orthogonal)", "orthogonal", "the two cases change places"),
    room.coefficient(
        "direct_route",
        "2 * coordinates, coordinates, 1",
        "2 * coordinates, coordinates, 2",
        "the gap of the direct route is 2",
    ),
    room.index("gap_route", "system.code.length,", "system.code.length - 1,", "one point is left out"),
    room.formula("full_alphabet_route", "order**blocks", "order * blocks", "q T in the place of q^T"),
    room.formula("full_alphabet_route", "length - bound", "length - bound + 1", "the gap is one too large"),
    room.formula(
        "entry_crossover",
        "(symbols + 1)",
        "symbols",
        "the reference coordinates are left out of the crossover",
    ),
    room.coefficient(
        "entry_crossover", "3 * Fraction(epsilon)", "2 * Fraction(epsilon)", "2 in the place of 3"
    ),
    room.formula(
        "exponent_loss", "message_bits / log_keys", "log_keys / message_bits", "the loss is turned over"
    ),
    room.threshold(
        "least_blocks", "sympy.ceiling", "sympy.floor", "the least number of blocks is rounded down"
    ),
    room.formula(
        "least_blocks",
        "1 + Fraction(genus_share)",
        "Fraction(genus_share)",
        "messages are counted without their s0 digits",
    ),
)

UNTOUCHED = {"Route.__post_init__": "Only refuses sizes that do not fit."}
