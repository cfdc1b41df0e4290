"""The mutants of ``thm-upper-bound``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.upper_bound", "thm-upper-bound")

MUTANTS = (
    room.coefficient(
        "", "MOVED_LOGITS = 1.0", "MOVED_LOGITS = 0.0", "a fast run may leave the polynomial's interval"
    ),
    room.coefficient(
        "Attending.low_rank", "return 4 *", "return 1 *", "the queries' side of the pass is not counted"
    ),
    room.coefficient(
        "Attending.low_rank", "(self.values + 1)", "self.values", "the denominator's column is not counted"
    ),
    room.coefficient(
        "Demand.exact_multiplications",
        "layer.tokens**2",
        "layer.tokens",
        "exact attention is taken for linear",
    ),
    room.formula(
        "Demand.exact_multiplications",
        "layer.dimension + layer.values",
        "layer.dimension",
        "the mean of the values is not counted",
    ),
    room.formula("Account.epsilon", "math.exp(-self", "math.exp(self", "the error asked for is above 1"),
    room.formula("Account.log_precision", "self.log_accuracy", "0.0", "the accuracy is forgotten"),
    room.index("Account.ranks", "self.degree", "self.degree - 1", "the rank of one degree less"),
    room.formula(
        "Account.multiplications", "self.demand.elsewhere + ", "", "work outside of attention is not counted"
    ),
    room.index(
        "Account.exponent",
        "self.multiplications",
        "self.demand.elsewhere",
        "attention is left out of the exponent",
    ),
    room.index("Account.rank_exponent", "max(self.ranks)", "min(self.ranks)", "the smallest rank is taken"),
    room.coefficient("log_precision", "math.log(2 *", "math.log(1 *", "the factor 2 of epsilon is forgotten"),
    room.formula(
        "log_precision", "total + demand.log_values", "total", "the size of the values is forgotten"
    ),
    room.formula("log_precision", " + demand.log_growth", "", "the growth of errors is forgotten"),
    room.formula(
        "account", "demand.half_width + MOVED_LOGITS", "demand.half_width", "the interval is not enlarged"
    ),
    room.index("least_degree", "return high", "return low", "one degree less than is proved to be enough"),
    room.index(
        "least_degree", "middle)[1]", "middle)[0]", "the bound from below is taken for one from above"
    ),
    room.coefficient("explicit_rate", "4 * (precision", "1 * (precision", "the explicit degree is a quarter"),
    room.threshold("explicit_rate", "return max(1", "return min(1", "one of the two conditions is enough"),
    room.formula(
        "rank_rate",
        "dimension_rate / degree_rate",
        "degree_rate / dimension_rate",
        "degree and dimension are exchanged",
    ),
    room.coefficient("family", "else 1), values", "else 2), values", "logits are twice as wide as R^2"),
    room.coefficient("family", "4 * n * n - 1", "4 * n - 1", "the tokens of one side only"),
    room.coefficient(
        "family", "(1 + 2 * square)", "(1 + square)", "attention's Lipschitz constant loses its factor 2"
    ),
    room.coefficient("family", "log2_side + 2, math.log", "1, math.log", "errors come from one stage only"),
    room.formula(
        "_log",
        "math.log(number)",
        "math.log2(number)",
        "exponents are quotients all the same",
        equivalent="It occurs only in quotients of two of its values, where the base of the logarithm "
        "cancels.",
    ),
)

UNTOUCHED = {
    "Account.rows": "It words the account for display.",
    "Account.__str__": "Display.",
    "Account._repr_html_": "Display.",
    "_power": "It words numbers for display.",
    "_short": "It words numbers for display.",
}
