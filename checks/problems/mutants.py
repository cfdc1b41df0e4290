"""Mutants of the problems' own decisions and of the VAR model, noticed by the statements that use them."""

from checks.mutation.mutant import Room

room = Room("reductions.problems.var_model", "lem-collapse")
model = Room("reductions.problems.var_model", "lem-sat-to-var-inference", "lem-attention-to-var")
formula = Room("reductions.problems.cnf", "lem-split-and-list", "lem-decoder-identity")
vectors = Room("reductions.problems.orthogonal_vectors", "lem-split-and-list", "lem-complement-encoding")
gap = Room(
    "reductions.problems.gap_max_inner_product", "lem-complement-encoding", "lem-gap-max-ip-to-attention"
)
layer = Room("reductions.problems.attention", "lem-gap-max-ip-to-attention")

MUTANTS = (
    # the VAR model
    model.threshold(
        "geometric_sides", "n.bit_length())", "n.bit_length() - 1)", "the last scale is left out"
    ),
    model.formula(
        "token_count",
        "height * width for",
        "height + width for",
        "a scale counts its sides in place of its tokens",
    ),
    model.index(
        "TokenMap.dense",
        "self.positions[:, 0], self.positions[:, 1]",
        "self.positions[:, 1], self.positions[:, 0]",
        "rows and columns are exchanged",
    ),
    room.formula(
        "FeedForward.__call__",
        "np.maximum(tokens @ self.weights, 0.0)",
        "tokens @ self.weights",
        "feed-forward layers are linear",
    ),
    model.index(
        "ChannelSlice.__rmatmul__",
        "self.start : self.stop",
        "self.start + 1 : self.stop + 1",
        "a slice reads one channel too far",
        statements=("lem-attention-to-var",),
    ),
    room.index(
        "VarModel.tokens_of_scale",
        "outputs[-1].reshape",
        "outputs[0].reshape",
        "every scale is drawn from the first",
    ),
    room.index(
        "VarModel.tokens_of_scale",
        "self.schedule[scale - 1], -1)",
        "self.schedule[scale - 1][::-1], -1)",
        "height and width of the coarse map are exchanged",
    ),
    model.index(
        "VarModel.tokens_of_scale",
        "maps[scale - 1]",
        "maps[scale - 2]",
        "the token map of another scale is shown",
        statements=("lem-attention-to-var",),
    ),
    model.formula(
        "VarModel.tokens_of_scale",
        "source.block(start, stop) + table[start:stop]",
        "source.block(start, stop)",
        "positions are not added",
    ),
    model.index(
        "_KeyValueCache.attend",
        "tokens[wanted[here] - start]",
        "tokens[wanted[here]]",
        "beyond the first block of rows the wrong tokens ask",
        statements=("lem-attention-to-var",),
    ),
    room.index(
        "_KeyValueCache.attend",
        "self.filled += source.count",
        "self.filled = source.count",
        "older scales are forgotten from the third on",
    ),
    room.formula("_KeyValueCache.attend", "attended @ layer.output_weights", "attended", "W_O is left out"),
    # formulas
    formula.threshold(
        "CNF.verify",
        "len(witness) != self.variables",
        "len(witness) < self.variables",
        "an assignment that is too long is accepted",
        statements=("lem-sat-to-var-inference",),
    ),
    formula.threshold("CNF.verify", "(x > 0)", "(x < 0)", "signs are read the other way round"),
    formula.index(
        "CNF.verify",
        "witness[abs(x) - 1]",
        "witness[abs(x) - 2]",
        "every literal is read as one of the variable before",
    ),
    formula.formula("CNF.verify", "all(any(", "any(any(", "one satisfied clause is enough"),
    formula.formula(
        "CNF._satisfied", "satisfied &= either", "satisfied |= either", "one satisfied clause is enough"
    ),
    formula.formula("CNF._satisfied", "else ~columns", "else columns", "negation is ignored"),
    formula.index(
        "CNF._models", "number >> t & 1", "number >> (t + 1) & 1", "models are read one bit too high"
    ),
    # vectors
    vectors.formula(
        "OrthogonalVectors.verify",
        "self.left[pair[0]] & self.right[pair[1]]",
        "self.left[pair[0]] | self.right[pair[1]]",
        "only zero vectors are orthogonal",
    ),
    vectors.index(
        "OrthogonalVectors.verify",
        "self.right[pair[1]]",
        "self.right[pair[0]]",
        "the partner of the same number is asked",
    ),
    vectors.index("_orthogonal_blocks", "i + start, j", "j, i + start", "pairs come out the wrong way round"),
    vectors.threshold(
        "index_pair",
        "0 <= i < rows",
        "0 <= i <= rows",
        "an index just beyond is accepted",
        statements=("lem-attention-to-var",),
    ),
    # inner products with a gap
    gap.threshold(
        "GapMaxInnerProduct.verify",
        ">= Fraction",
        "> Fraction",
        "a pair that reaches the threshold exactly is refused",
    ),
    gap.threshold(
        "GapMaxInnerProduct.solve_brute_force",
        "product >= threshold",
        "product > threshold",
        "a pair that reaches the threshold exactly is not found",
    ),
    gap.threshold(
        "GapMaxInnerProduct._first_above_no",
        "product > level",
        "product >= level",
        "pairs at s - gap break the promise",
    ),
    gap.threshold(
        "GapMaxInnerProduct.partner",
        "product >= threshold",
        "product > threshold",
        "a partner that reaches the threshold exactly is not found",
    ),
    gap.index(
        "GapMaxInnerProduct.partner", "pair[1]", "pair[0]", "the row itself is named in place of a partner"
    ),
    gap.index(
        "GapMaxInnerProduct._first_pair",
        "start + int(row)",
        "int(row)",
        "a row is named by its place in its block",
        statements=("lem-gap-max-ip-to-attention", "lem-attention-to-var"),
    ),
    # attention
    layer.formula(
        "AttentionInstance.logit_blocks", " / self.temperature", "", "logits are not divided by tau"
    ),
    layer.formula(
        "AttentionInstance.output", "/ weights.sum(axis=1, keepdims=True)", "", "weights do not sum to 1"
    ),
    layer.formula(
        "AttentionInstance.entry_bound", "float(max(", "float(min(", "R bounds the smaller of Q and K"
    ),
    layer.index(
        "ReferenceKeyAttention.row_answers",
        "logits[:, :-1]",
        "logits",
        "the reference key competes with itself",
    ),
    layer.threshold(
        "ReferenceKeyAttention.row_answers",
        "excess >= self",
        "excess > 2 * self",
        "YES rows need twice the gap",
    ),
    layer.threshold(
        "ReferenceKeyAttention.verify",
        "self.logit_gap - self",
        "2 * self.logit_gap - self",
        "a witness needs twice the gap",
    ),
    layer.index(
        "ReferenceKeyAttention.solve_brute_force",
        "found[0, 1]",
        "found[-1, 1]",
        "the first row's witness is paired with the last row's key",
        statements=("lem-attention-to-var",),
    ),
    layer.threshold(
        "ReferenceKeyAttention.decide_rows",
        "given > float(self.threshold)",
        "given > float(self.tolerated_error)",
        "outputs are compared with 3/10 in place of 1/2",
    ),
    layer.coefficient(
        "ReferenceKeyAttention",
        "Fraction(3, 10)",
        "Fraction(1, 2)",
        "a larger error is tolerated than decides",
    ),
)
