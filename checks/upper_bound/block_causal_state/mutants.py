"""The mutants of ``lem-block-causal-state``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.block_causal_state", "lem-block-causal-state")

MUTANTS = (
    room.coefficient(
        "multiplications",
        "r - 1 - d if degree",
        "r - d if degree",
        "forming monomials costs one multiplication too many",
    ),
    room.coefficient("multiplications", "2 * formed", "formed", "only one of query and key forms monomials"),
    room.index(
        "multiplications",
        "(r - 1) * (2 * value_dimension + 1)",
        "r * (2 * value_dimension + 1)",
        "the constant monomial is multiplied by",
    ),
    room.formula("multiplications", "len(schedule) * r", "r", "the state is weighted once, not once a scale"),
    room.threshold(
        "multiplications",
        "formed = r - 1 - d if degree else 0",
        "formed = r - 1 - d",
        "degree 0 is said to save d multiplications",
    ),
    room.index(
        "exact_weights",
        "if p else c",
        "if p > 1 else c",
        "the linear monomials are not divided by the temperature",
    ),
    room.formula(
        "exact_weights",
        "inverse_temperature**p",
        "inverse_temperature",
        "every degree is divided by tau once",
    ),
    room.formula("exact_weights", "scaled[p] * int(count)", "scaled[p]", "multinomials are left out"),
    room.index(
        "ReadableState.__init__",
        "(value_dimension + 1)",
        "(value_dimension)",
        "the state has no column for the denominator",
    ),
    room.formula(
        "ReadableState.absorb",
        "seen = [*value, 1]",
        "seen = [*value, 2]",
        "every key counts twice in the denominator",
    ),
    room.index(
        "ReadableState.absorb",
        "monomial if c == len(value) else",
        "monomial if c == 0 else",
        "the first value is taken to be 1, in place of the last column's",
    ),
    room.formula(
        "ReadableState.attend", "[weight * x for x in row]", "[x for x in row]", "monomials are not weighted"
    ),
    room.index(
        "ReadableState.attend",
        "(sums[:-1], sums[-1])",
        "(sums[1:], sums[0])",
        "the first value is divided by in place of the denominator",
    ),
    room.index(
        "ReadableState._monomials",
        "found[parent] * vector[axis]",
        "found[parent] * vector[0]",
        "every monomial goes on with the first coordinate",
    ),
    room.index(
        "masked_sums",
        "zip(keys[:stop], values[:stop], strict=True)",
        "zip(keys[:start], values[:start], strict=True)",
        "a token does not see its own scale",
    ),
    room.index("masked_sums", "reversed(coefficients)", "coefficients", "coefficients are read backwards"),
    room.formula("masked_sums", ")) * inverse_temperature", "))", "logits are not divided by tau"),
    room.formula(
        "BlockCausalState.absorb",
        "self.sums += key_state",
        "self.sums = key_state",
        "the state is begun anew at every scale",
    ),
    room.index(
        "BlockCausalState.attend",
        "total_degree(self.dimension, len(coefficients) - 1)",
        "total_degree(self.dimension, self.degree)",
        "a polynomial of lower degree meets all monomials of the state",
    ),
    room.index(
        "block_causal_attention",
        "len(coefficients) - 1,",
        "len(coefficients) + 1,",
        "the state has two degrees more than the polynomial",
        equivalent="Monomials are sorted by degree and a query reads the first ones only, those of the "
        "polynomial's degree; their sums do not depend on which others are kept.",
    ),
    room.index(
        "block_causal_attention",
        "state.attend(queries[start:stop]",
        "state.attend(queries[:stop]",
        "queries of older scales answer again",
    ),
    room.formula(
        "block_causal_attention",
        "state.absorb(keys[start:stop], values[start:stop])",
        "state.absorb(keys[:stop], values[:stop])",
        "older scales are absorbed again",
    ),
)

UNTOUCHED = {
    "BlockCausalState.__init__": "It only keeps sizes and zeros; what they do, absorb and attend show.",
}
