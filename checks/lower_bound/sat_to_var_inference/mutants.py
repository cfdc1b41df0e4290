"""The mutants of ``lem-sat-to-var-inference``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.sat_to_var_inference", "lem-sat-to-var-inference")
var = "reductions.problems.var_model"

MUTANTS = (
    room.coefficient(
        "",
        "YES_BOUND = 16 / 17",
        "YES_BOUND = 15 / 16",
        "less is promised of YES read-outs than the lemma promises",
    ),
    room.coefficient("", "THRESHOLD = 1 / 2", "THRESHOLD = 1 / 3", "read-outs are compared with 1/3"),
    room.coefficient(
        "",
        "ENTRY_ERROR = 8 *",
        "ENTRY_ERROR = 9 *",
        "a larger entry error is declared",
        equivalent="Entries that are within 8 units of the stated reals are within 9, so the "
        "larger number is a bound as well; the lemma states no entry error.",
    ),
    room.threshold(
        "pixel_bits",
        "pixels.bit_length() - 1",
        "(pixels - 1).bit_length()",
        "for P no power of two one bit too many is read",
    ),
    room.index(
        "position_table",
        ">> np.arange(bits)",
        ">> np.arange(1, bits + 1)",
        "pixels know their bits from bit 1 on",
    ),
    room.index("position_table", "table[:, bits] = 1", "table[1:, bits] = 1", "pixel 0 has no flag"),
    room.threshold(
        "clause_weights",
        "(formula.variables + 1) // 2",
        "formula.variables // 2",
        "for odd v the middle variable is read on the right",
    ),
    room.index(
        "clause_weights",
        "abs(literal) - 1",
        "abs(literal) - 2",
        "every literal is read as one of the variable before",
    ),
    room.formula(
        "clause_weights",
        "side * clauses + column",
        "(1 - side) * clauses + column",
        "left and right halves are exchanged",
    ),
    room.formula(
        "clause_weights",
        "weights[bits, at] -= 1",
        "weights[bits, at] = 0",
        "several negative literals of a clause take the flag away only once",
    ),
    room.coefficient(
        "clause_weights",
        "weights[bit, at] -= 1",
        "weights[bit, at] -= 2",
        "a positive literal counts twice",
        equivalent="Bits are 0 or 1 and f = 1. A satisfied clause has max(0, 1 - lambda) = 0 for "
        "every lambda >= 1, so counting a satisfied literal twice changes nothing; one that is "
        "not satisfied counts 0 either way.",
    ),
    room.threshold(
        "SatToVarInference.schedule_for",
        "(bits + 1) // 2",
        "bits // 2",
        "the last scale has half the pixels where the number of bits is odd",
    ),
    room.formula(
        "SatToVarInference.schedule_for",
        "2 ** max(1,",
        "2 * max(1,",
        "the side grows linearly with the number of variables",
    ),
    room.threshold(
        "SatToVarInference.schedule_for",
        "pixel_bits(height * width) < bits",
        "pixel_bits(height * width) + 1 < bits",
        "a scale with half the pixels is accepted",
    ),
    room.coefficient(
        "SatToVarInference.map_instance",
        "2 * tau * math.log(16",
        "2 * tau * math.log(8",
        "the logarithm is that of 8 L",
    ),
    room.coefficient(
        "SatToVarInference.map_instance", "2 * tau * math.log", "tau * math.log", "beta is halved"
    ),
    room.coefficient(
        "SatToVarInference.map_instance",
        "root / 2",
        "root",
        "one falsified clause more than none ties with the reference",
    ),
    room.formula(
        "SatToVarInference.map_instance",
        "-root * np.eye(clauses)",
        "root * np.eye(clauses)",
        "falsified clauses raise a logit",
    ),
    room.index(
        "SatToVarInference.map_instance",
        "key_weights[clauses:-1, :clauses]",
        "key_weights[:clauses, :clauses]",
        "keys read the left halves, as queries do",
    ),
    room.formula(
        "SatToVarInference.map_instance",
        "beta / tau * (clauses + 0.5)",
        "beta / tau * (clauses - 0.5)",
        "b bounds the logits but not sums of absolute products",
    ),
    room.index("SatToVarInferenceReduced.map_witness", "[0])", "[1])", "a model is sent to its right half"),
    room.index(
        "SatToVarInferenceReduced.extract_solution",
        "vectors.left[yes[0]]",
        "vectors.left[yes[-1]]",
        "the partner is that of the last YES row",
    ),
    room.threshold(
        "SatToVarInferenceReduced.extract_solution",
        "if not len(partners):",
        "if False:",
        "read-outs that no formula has are taken at their word",
    ),
    room.coefficient(
        "SatToVarInference.parameter_map",
        "2 * tau * sympy.log(16",
        "2 * tau * sympy.log(17",
        "the entry bound is stated too large",
    ),
    room.index(
        "SatToVarInference.parameter_map",
        "max(height, width)",
        "min(height, width)",
        "n is the shorter side of the last scale",
    ),
    room.coefficient(
        "SatToVarInference.error_budget",
        "Rational(7, 16)",
        "Rational(1, 2)",
        "errors are allowed that decide wrongly",
    ),
    room.index(
        "FeedForward.__call__", "0.0)", "-1.0)", "feed-forward layers cut off at -1 in place of 0", module=var
    ),
)

UNTOUCHED = {
    "SatToVarInference.__init__": "It refuses arguments and keeps the others.",
    "SatToVarInference.parameters": "Names for files and display.",
}
