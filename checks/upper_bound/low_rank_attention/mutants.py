"""The mutants of ``lem-low-rank-attention`` and ``lem-low-rank-rounding``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.low_rank_attention", "lem-low-rank-attention", "lem-low-rank-rounding")

MUTANTS = (
    room.index(
        "low_rank_attention",
        "sums[:, :-1] / sums[:, -1:]",
        "sums[:, :-1] / sums[:, :1]",
        "the first column of values is the denominator",
    ),
    room.formula(
        "low_rank_attention",
        "weighted = state * like",
        "weighted = state + like",
        "weights are added to the state",
    ),
    room.coefficient(
        "low_rank_attention",
        "polynomial.coefficients, temperature)",
        "polynomial.coefficients, 2 * temperature)",
        "logits are halved",
    ),
    room.index(
        "low_rank_attention",
        "total_degree(keys.shape[1], polynomial.degree)",
        "total_degree(keys.shape[1], polynomial.degree - 1)",
        "the highest degree is dropped",
    ),
    room.formula(
        "key_sums", "state = state + monomials", "state = monomials", "only the last block of keys counts"
    ),
    room.formula("key_sums", "xp.ones_like", "xp.zeros_like", "the denominator is zero"),
    room.index(
        "key_sums",
        "xp.concat([values[tokens, :], xp.ones_like(values[tokens, :1])]",
        "xp.concat([xp.ones_like(values[tokens, :1]), values[tokens, :]]",
        "the denominator stands in the first column",
    ),
    room.index(
        "_blocks",
        "range(0, count, block)",
        "range(block, count, block)",
        "the first block of tokens is left out",
    ),
    room.threshold(
        "_blocks",
        "min(start + block, count)",
        "min(start + block - 1, count)",
        "the last token of each block is left out",
    ),
    room.formula("like", "asarray(numbers, ", "asarray(abs(numbers), ", "negative weights become positive"),
    room.threshold(
        "approximation_error",
        "polynomial.error < 1",
        "polynomial.error < 2",
        "errors beyond 1 are taken for bounds",
    ),
    room.coefficient("approximation_error", "value_range / 2", "value_range / 4", "the bound is halved"),
    room.coefficient(
        "operation_count", "tokens * (rank - 1)", "tokens * rank", "the monomial 1 costs a product"
    ),
    room.coefficient(
        "operation_count", "(tokens + 1) * rank", "tokens * rank", "weighting the state is free"
    ),
    room.coefficient("operation_count", "value_dimension + 1", "value_dimension", "the denominator is free"),
    room.coefficient(
        "exact_operation_count",
        "dimension + 2 + value_dimension + 1",
        "dimension + 1 + value_dimension + 1",
        "exponentials are free",
    ),
)

UNTOUCHED: dict[str, str] = {}
