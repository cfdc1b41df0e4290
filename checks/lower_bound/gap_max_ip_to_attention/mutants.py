"""The mutants of ``lem-gap-max-ip-to-attention``, and of what decides the rows of its attention."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.gap_max_ip_to_attention", "lem-gap-max-ip-to-attention")
ATTENTION = "reductions.problems.attention"

MUTANTS = (
    room.threshold(
        "reference_coordinates",
        "math.ceil(abs(middle))",
        "math.floor(abs(middle))",
        "one reference coordinate too few, and the last above 1",
    ),
    room.formula(
        "reference_coordinates",
        "math.copysign(1.0, middle) * coordinates",
        "coordinates",
        "a negative middle is taken for a positive one",
    ),
    room.coefficient(
        "reference_coordinates",
        "(len(coordinates) - 1)",
        "len(coordinates)",
        "the coordinates sum to one less than the middle",
    ),
    room.coefficient(
        "GapMaxIPToAttention.map_instance",
        "source.threshold - source.gap / 2",
        "source.threshold - source.gap",
        "the reference key is at the lower end of the gap",
    ),
    room.coefficient(
        "GapMaxIPToAttention.map_instance",
        "math.log(4 * keys)",
        "math.log(3 * keys)",
        "ln 3N in the place of ln 4N",
    ),
    room.index(
        "GapMaxIPToAttention.map_instance",
        "math.log(4 * keys)",
        "math.log(4 * queries)",
        "the queries are counted, not the keys",
    ),
    room.formula(
        "GapMaxIPToAttention.map_instance",
        "2 * temperature * logit_gap",
        "2 * logit_gap",
        "the scale lacks the temperature",
    ),
    room.coefficient(
        "GapMaxIPToAttention.map_instance",
        "beta = 2 * temperature",
        "beta = temperature",
        "the scale is half as large",
    ),
    room.formula(
        "GapMaxIPToAttention.map_instance",
        "np.zeros((keys, len(reference)))",
        "np.ones((keys, len(reference)))",
        "every key sees the reference coordinates",
    ),
    room.index(
        "GapMaxIPToAttention.map_instance",
        "[np.ones(keys), np.zeros(1)]",
        "[np.zeros(1), np.ones(keys)]",
        "the value 0 belongs to the first key",
    ),
    room.coefficient(
        "GapMaxIPToAttention.map_instance",
        "float(dimension + len(reference))",
        "float(dimension)",
        "the default temperature leaves the reference coordinates out",
    ),
    room.coefficient(
        "GapMaxIPToAttention.parameter_map",
        '"L_k": size("N_v") + 1',
        '"L_k": size("N_v")',
        "the reference key is not counted",
    ),
    room.threshold(
        "GapMaxIPToAttention.parameter_map",
        "sympy.ceiling(sympy.Abs(middle))",
        "sympy.floor(sympy.Abs(middle))",
        "the number of reference coordinates is rounded down",
    ),
    room.coefficient(
        "GapMaxIPToAttention.logit_bound",
        "sympy.Max(size",
        "sympy.Min(size",
        "the smaller of the two bounds is stated",
    ),
    room.index(
        "GapMaxIPToAttention.error_budget",
        "(tolerated.numerator, tolerated.denominator)",
        "(tolerated.numerator, tolerated.denominator + 1)",
        "the budget is stated as 3/11",
    ),
    room.threshold(
        "GapMaxIPToAttention.__init__",
        "self.temperature = temperature",
        "self.temperature = None",
        "a stated temperature is not used",
    ),
    room.index(
        "GapMaxIPReduced.map_witness",
        "int(row), int(column)",
        "int(column), int(row)",
        "query and key change places",
    ),
    room.index(
        "GapMaxIPReduced.extract_solution",
        "partner(row)",
        "partner(int(rows[0]))",
        "only the first row's keys are scanned",
    ),
    room.threshold(
        "ReferenceKeyAttention.decide_rows",
        "given > float(self.threshold)",
        "given > float(self.threshold) + 0.01",
        "the threshold is 51/100",
        module=ATTENTION,
    ),
    room.threshold(
        "ReferenceKeyAttention.decide_rows",
        "given >= -error",
        "given >= -2 * error",
        "outputs as low as -3/5 are read",
        module=ATTENTION,
    ),
    room.coefficient(
        "ReferenceKeyAttention.decide_rows",
        "1 + error)).all",
        "1 + 2 * error)).all",
        "outputs as high as 8/5 are read",
        module=ATTENTION,
    ),
)

UNTOUCHED = {"GapMaxIPToAttention.parameters": "Only for display: how the reduction was made."}
