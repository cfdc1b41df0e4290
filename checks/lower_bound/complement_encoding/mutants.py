"""The mutants of ``lem-complement-encoding``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.complement_encoding", "lem-complement-encoding")

MUTANTS = (
    room.formula(
        "ComplementEncoding.map_instance",
        "[1 - a, a]",
        "[a, 1 - a]",
        "the two blocks of the queries change places, those of the keys do not",
    ),
    room.formula(
        "ComplementEncoding.map_instance",
        "np.ones_like(b), 1 - b",
        "np.ones_like(b), b",
        "the right vectors are not complemented",
    ),
    room.formula(
        "ComplementEncoding.map_instance",
        "0 - a",
        "1 - a",
        "the signed variant complements instead of negating",
    ),
    room.threshold(
        "ComplementEncoding.map_instance",
        "threshold=a.shape[1]",
        "threshold=a.shape[1] - 1",
        "a pair with one common coordinate reaches the threshold",
    ),
    room.index(
        "ComplementEncoding.map_instance",
        "threshold=a.shape[1]",
        "threshold=a.shape[0]",
        "the threshold is the number of vectors, not of coordinates",
    ),
    room.threshold(
        "ComplementEncoding.map_instance",
        "threshold=0, gap=1",
        "threshold=0, gap=2",
        "the signed variant states the gap 2",
    ),
    room.coefficient(
        "ComplementEncoding.map_instance",
        "threshold=a.shape[1], gap=1",
        "threshold=a.shape[1], gap=0.5",
        "the gap is stated too small",
    ),
    room.coefficient(
        "ComplementEncoding.parameter_map",
        "2 * coordinates",
        "coordinates",
        "D is stated without its factor 2",
    ),
    room.coefficient(
        "ComplementEncoding.parameter_map",
        "sympy.Integer(0) if",
        "coordinates if",
        "the signed variant states the threshold m",
    ),
    room.coefficient(
        "ComplementEncoding.parameter_map",
        '"gap": sympy.Integer(1)',
        '"gap": sympy.Integer(2)',
        "the gap 2 is stated",
    ),
    room.index(
        "ComplementEncodingReduced.map_witness",
        "int(witness[0]), int(witness[1])",
        "int(witness[1]), int(witness[0])",
        "the indices of a witness change places",
    ),
    room.index(
        "ComplementEncodingReduced.extract_solution",
        "int(solution[1])",
        "int(solution[0])",
        "the first index is used twice",
    ),
    room.threshold(
        "ComplementEncoding.__init__",
        "self.signed = signed",
        "self.signed = False",
        "the signed variant is never built",
    ),
)

UNTOUCHED = {"ComplementEncoding.parameters": "Only for display: how the reduction was made."}
