"""The mutants of ``lem-attention-to-var``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.attention_to_var", "lem-attention-to-var")

MUTANTS = (
    room.coefficient("", "YES_BOUND = 7 / 10", "YES_BOUND = 3 / 4", "more is promised of YES read-outs"),
    room.coefficient("", "THRESHOLD = 3 / 8", "THRESHOLD = 1 / 2", "read-outs are compared with 1/2"),
    room.threshold(
        "", "ENTRY_ERROR = 512 *", "ENTRY_ERROR = 0 *", "numbers that are built are taken for the real ones"
    ),
    room.index(
        "AttentionToVarReduced.map_witness",
        "witness[0]",
        "witness[1]",
        "a pair is sent to the read-out of its key",
    ),
    room.formula(
        "AttentionToVarReduced.extract_solution",
        "self.target.decide_rows(solution)",
        "(~self.target.decide_rows(solution))",
        "every row's answer is turned round",
    ),
    room.threshold(
        "AttentionToVar.schedule_for",
        "math.isqrt(slots - 1) + 1",
        "math.isqrt(slots)",
        "the side is rounded down where the number of slots is no square",
    ),
    room.coefficient(
        "AttentionToVar.schedule_for",
        "geometric_sides(2 * 2 **",
        "geometric_sides(2 **",
        "slots are looked for on the last map, not on the last but one",
    ),
    room.threshold(
        "AttentionToVar.schedule_for",
        "(side - 1).bit_length()",
        "side.bit_length()",
        "n is twice what is needed where the side is a power of two",
    ),
    room.index(
        "AttentionToVar.build", "schedule[-2:]", "schedule[:2]", "tokens are placed by the first two scales"
    ),
    room.coefficient(
        "AttentionToVar.build",
        "math.log(16 * token_count(schedule))",
        "math.log(token_count(schedule))",
        "the gap is ln L, not ln 16 L",
    ),
    room.formula(
        "AttentionToVar.build", "tau / layer.temperature)", "tau)", "the source's temperature is forgotten"
    ),
    room.index(
        "AttentionToVar.build",
        "padded_keys[:-1]",
        "padded_keys[1:]",
        "the reference key stands in the last slot, and the first key nowhere",
    ),
    room.index(
        "AttentionToVar.build",
        "padded_keys[-1], [0.0]",
        "padded_keys[0], [0.0]",
        "the first key is the reference",
    ),
    room.coefficient(
        "AttentionToVar.build",
        "padded_keys[-1], [0.0]",
        "padded_keys[-1], [1.0]",
        "the reference key has the value 1",
    ),
    room.formula(
        "AttentionToVar.build",
        "tokens / slots.weight[:, None]",
        "tokens",
        "slots are not divided by their weight",
    ),
    room.index(
        "AttentionToVar.build",
        "slots.fine[:queries, 0] * fine[1]",
        "slots.fine[:queries, 0] * fine[0]",
        "on maps that are not square the wrong pixels are read",
    ),
    room.formula(
        "AttentionToVar.build", "entry_bound=factor * entry", "entry_bound=entry", "R is that of the source"
    ),
    room.formula(
        "AttentionToVar.build", " + base * entry**2)", ")", "base coordinates are left out of the logit bound"
    ),
    room.coefficient(
        "base_coordinates",
        "3 * source.logit_gap",
        "2 * source.logit_gap",
        "the reference's logit is lifted to 2 g only",
    ),
    room.formula(
        "base_coordinates",
        "math.ceil(missing",
        "math.floor(missing",
        "the number of base coordinates is rounded down",
    ),
    room.threshold(
        "_require_nonnegative_logits",
        "layer.queries >= 0",
        "layer.queries >= -1",
        "negative entries of queries are let through",
    ),
    room.threshold(
        "_require_nonnegative_logits",
        "if smallest < -source.logit_tolerance",
        "if smallest < -2 * source.logit_gap",
        "logits that are a little negative are let through",
    ),
    room.index(
        "_absolute_product_bound",
        "np.abs(layer.keys)",
        "layer.keys",
        "signs are kept where absolute values are summed",
    ),
    room.coefficient(
        "AttentionToVar.parameter_map",
        "(3 * g - rho)",
        "(2 * g - rho)",
        "fewer base coordinates are stated than built",
    ),
    room.formula(
        "AttentionToVar.parameter_map",
        "sympy.ceiling(sympy.sqrt",
        "sympy.floor(sympy.sqrt",
        "the stated side is rounded down",
    ),
    room.coefficient(
        "AttentionToVar.parameter_map", 'size("L_k") - 1', 'size("L_k")', "the reference key is given a slot"
    ),
    room.coefficient(
        "AttentionToVar.error_budget",
        "Rational(5, 16)",
        "Rational(3, 8)",
        "errors are allowed that decide wrongly",
    ),
)

UNTOUCHED = {
    "AttentionToVar.__init__": "It refuses arguments and keeps the others.",
    "AttentionToVar.map_instance": "It calls _require_nonnegative_logits and build, which are changed.",
    "AttentionToVar.parameters": "Names for files and display.",
}
