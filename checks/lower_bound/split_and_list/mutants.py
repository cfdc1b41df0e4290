"""The mutants of ``lem-split-and-list``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.split_and_list", "lem-split-and-list")

MUTANTS = (
    room.formula("halves", "-(-variables // 2)", "variables // 2", "for odd v the longer half comes second"),
    room.index("halves", "range(first + 1,", "range(first,", "one variable stands in both halves"),
    room.index("halves", "range(1, first + 1)", "range(1, first)", "one variable stands in neither half"),
    room.index("half_assignment", "index >> t & 1", "index >> t + 1 & 1", "bits are read one place too high"),
    room.index(
        "falsified_clauses", "index >> t & 1", "index >> t + 1 & 1", "bits are listed one place too high"
    ),
    room.formula("falsified_clauses", "row &=", "row |=", "one false literal falsifies a clause"),
    room.threshold(
        "falsified_clauses",
        "literal > 0",
        "literal < 0",
        "literals are read with the opposite sign",
    ),
    room.threshold(
        "falsified_clauses",
        "literal > 0",
        "literal >= 0",
        "a literal 0 would count as positive",
        equivalent="A clause holds no literal 0: CNF refuses it when it is made.",
    ),
    room.coefficient("SplitAndList.parameter_map", 'size("v") / 2', 'size("v") / 3', "N is stated too small"),
    room.formula("SplitAndList.parameter_map", "sympy.ceiling", "sympy.floor", "N is rounded down"),
    room.index(
        "SplitAndListReduced.map_witness",
        "variable - 1",
        "variable - 2",
        "a witness is read one variable off",
    ),
    room.index(
        "SplitAndListReduced.extract_solution", "solution[1]", "solution[0]", "the first index is used twice"
    ),
    room.formula(
        "SplitAndList.map_instance", "1 << len(first)", "2 << len(first)", "every vector is listed twice"
    ),
)

UNTOUCHED: dict[str, str] = {}
