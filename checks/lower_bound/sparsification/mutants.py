"""The mutants of the demonstration of ``lem-sparsification``; the theorem itself is cited."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.sparsification", "lem-sparsification")

MUTANTS = (
    room.formula(
        "irredundant",
        "-literal in clause",
        "literal in clause",
        "every clause but the empty one counts as a tautology",
    ),
    room.threshold(
        "irredundant", "not tautology and", "not tautology or", "a clause stays beside one that it contains"
    ),
    room.threshold(
        "irredundant",
        "shorter <= clause",
        "shorter < clause",
        "a clause no longer makes its own copy redundant",
        equivalent="The clauses are taken from a set, so that no earlier one equals a later one.",
    ),
    room.index(
        "find_sunflower",
        "sorted({len(clause) for clause in clauses})",
        "sorted({len(clause) for clause in clauses}, reverse=True)",
        "longer clauses come first",
    ),
    room.threshold(
        "find_sunflower", "range(1, min(", "range(2, min(", "petals of one literal are not looked for"
    ),
    room.index(
        "find_sunflower",
        "thresholds[petal - 1]",
        "thresholds[petal - 2]",
        "the threshold of the petals one shorter is used",
    ),
    room.threshold(
        "find_sunflower", "len(petals) >=", "len(petals) >", "a sunflower at its threshold is left"
    ),
    room.threshold(
        "find_sunflower", "len(thresholds) + 1", "len(thresholds)", "the last threshold is not used"
    ),
    room.formula(
        "branches", "clauses | {sunflower.heart}", "{sunflower.heart}", "the heart replaces all clauses"
    ),
    room.formula(
        "branches",
        "clauses | set(sunflower.petals)",
        "set(sunflower.petals)",
        "the petals replace all clauses",
    ),
    room.threshold(
        "_contradicts_itself",
        "len(clause) == 1",
        "len(clause) <= 2",
        "two clauses of two literals count as a contradiction",
    ),
    room.formula(
        "_contradicts_itself",
        "frozenset() in clauses or",
        "frozenset() in clauses and",
        "opposite unit clauses are not noticed",
    ),
    room.index(
        "sparsify", "stack.pop()", "stack.pop(); stack[:-1] = []", "of the open branches only one is kept"
    ),
    room.formula(
        "most_occurrences", "set(clause)", "clause", "a literal that a clause repeats is counted twice"
    ),
    room.coefficient("most_occurrences", "+= 1", "+= 2", "every occurrence counts double"),
    room.coefficient(
        "occurrence_bound",
        "threshold - 1",
        "threshold",
        "a sunflower may have as many petals as its threshold",
    ),
    room.threshold(
        "occurrence_bound", "max(0, width - 1)", "max(0, width)", "one threshold too many is added up"
    ),
    room.threshold(
        "occurrence_bound", "return max(1,", "return max(2,", "a unit clause's literal may occur twice"
    ),
    room.coefficient("illustrative_density", "3 * width", "2 * width", "the exponent is 2k"),
    room.coefficient(
        "most_possible_occurrences",
        "2 ** (width - 1)",
        "2**width",
        "the given literal's sign is counted as free",
    ),
    room.threshold("vacuous_below", "return high", "return low", "the number is one too small"),
)

UNTOUCHED: dict[str, str] = {}
