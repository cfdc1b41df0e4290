"""The mutants of the Lipschitz constants of layers and of ``lem-error-composition``."""

from checks.mutation.mutant import Room

room = Room(
    "reductions.upper_bound.error_propagation",
    "lem-lipschitz-attention",
    "lem-error-composition",
)
linear = Room(
    "reductions.upper_bound.error_propagation",
    "lem-lipschitz-interpolation",
    "lem-lipschitz-feed-forward",
    "lem-lipschitz-convolution",
)

MUTANTS = (
    linear.index(
        "interpolation_lipschitz",
        "operator_norm(rule, coarse_shape, fine_shape)",
        "operator_norm(rule, coarse_shape, fine_shape[::-1])",
        "the sides of the fine map are exchanged",
    ),
    linear.formula(
        "interpolation_lipschitz",
        "up_fraction(operator_norm(rule, coarse_shape, fine_shape))",
        "float(operator_norm(rule, coarse_shape, fine_shape))",
        "the norm is rounded to the nearest float, at times below it",
    ),
    linear.threshold(
        "convolution_lipschitz",
        "convolution.norm(shape)",
        "convolution.norm(None)",
        "maps too thin to show all taps get the constant of large ones",
    ),
    linear.coefficient(
        "convolution_lipschitz", "(1 + 2 * (terms + 2)", "(1 - 2 * (terms + 2)", "the bound is rounded down"
    ),
    linear.index(
        "feed_forward_lipschitz",
        "column_norm(weights)",
        "column_norm(np.asarray(weights).T)",
        "rows are summed in place of columns",
    ),
    room.coefficient("attention_lipschitz", "2 * d * R", "d * R", "only the queries move, the keys do not"),
    room.formula("attention_lipschitz", "R * R", "R", "the bound on keys is forgotten"),
    room.formula("attention_lipschitz", "up(w *", "(w *", "the constant is not rounded up"),
    room.formula(
        "AttentionMagnitudes.measured",
        "largest_product(seen, [np.asarray(layer.key_weights)])",
        "largest_product(tokens, [np.asarray(layer.key_weights)])",
        "keys are measured on the tokens that ask, older scales left out",
    ),
    room.formula("AttentionMagnitudes.measured", "[values, outputs]", "[values]", "W_O is left out of U"),
    room.formula(
        "AttentionMagnitudes.join", "max(pair)", "min(pair)", "joint bounds hold for one of the two only"
    ),
    room.formula(
        "LipschitzStage.growth",
        "times(self.constant, error)",
        "self.constant + error",
        "the constant is added in place of multiplied",
    ),
    room.formula(
        "LipschitzStage.growth",
        "up(times(self.constant, error))",
        "times(self.constant, error)",
        "the product is not rounded up",
    ),
    room.formula(
        "AttentionStage.of",
        "product_norm(np.asarray(layer.value_weights), ",
        "column_norm(np.asarray(layer.value_weights)) * column_norm(",
        "the norms of W_V and W_O are multiplied: a bound, but not the stated w",
    ),
    room.index(
        "AttentionStage.of",
        "column_norm(np.asarray(layer.key_weights))",
        "column_norm(np.asarray(layer.key_weights).T)",
        "w_K sums rows in place of columns",
    ),
    room.index(
        "AttentionStage.lipschitz",
        "times(self.query_norm, m.key) + times(self.key_norm, m.query)",
        "times(self.query_norm, m.query) + times(self.key_norm, m.key)",
        "each norm meets the other one's magnitude",
    ),
    room.formula("AttentionStage.lipschitz", "self.dimension * slope", "slope", "d is left out of Lambda"),
    room.formula(
        "AttentionStage.logit_move",
        " + times(queries, keys)",
        "",
        "the second-order term is dropped though magnitudes are of one run",
    ),
    room.index(
        "AttentionStage.logit_move",
        "times(self.key_norm, seen_error)",
        "times(self.key_norm, error)",
        "keys are taken to be off by no more than the tokens that ask",
    ),
    room.formula(
        "AttentionStage.growth",
        "times(self.value_norm, seen_error)",
        "times(self.value_norm, error)",
        "values are taken to be off by no more than the tokens that ask",
    ),
    room.coefficient(
        "AttentionStage.growth",
        "logit_error(self.magnitudes.output, moved)",
        "logit_error(self.magnitudes.output, moved / 2)",
        "tanh of eta/4 in place of eta/2",
    ),
    room.formula("ResidualStage.growth", "up(error + inner)", "up(inner)", "the straight path is forgotten"),
    room.index(
        "ResidualStage.growth",
        "stage.growth(inner)",
        "stage.growth(error)",
        "only the last stage of the branch counts",
    ),
    room.formula(
        "propagate",
        "up(local + grown)",
        "up(max(local, grown))",
        "the larger of two errors in place of their sum",
    ),
    room.index(
        "propagate",
        "stage.growth(errors[-1])",
        "stage.growth(errors[0])",
        "every stage starts from the initial error",
    ),
    room.threshold(
        "propagate",
        "if local else grown",
        "if grown else grown",
        "the first error of a chain is lost: nothing grew into it",
    ),
)

UNTOUCHED = {
    "AttentionMagnitudes.__post_init__": "It only refuses arguments.",
    "Stage.growth": "A protocol: it has no body.",
    "require_error": "It only refuses arguments.",
}
