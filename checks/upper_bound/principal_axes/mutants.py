"""The mutants of ``lem-recentring``, ``lem-principal-axes`` and ``lem-feature-plan``."""

from checks.mutation.mutant import Room

room = Room(
    "reductions.upper_bound.principal_axes", "lem-recentring", "lem-principal-axes", "lem-feature-plan"
)
axes = ("lem-principal-axes", "lem-recentring")

MUTANTS = (
    room.formula("regular_moments", "/ len(vectors)", "", "sums are taken for means", statements=axes),
    room.threshold(
        "regular_moments",
        "if mean > 0 else 1.0",
        "if mean > 0 else 0.0",
        "zero vectors have a singular matrix",
        statements=axes,
    ),
    room.index(
        "balanced_axes",
        "roots[1].T @ right.T",
        "roots[0].T @ right.T",
        "queries are turned by their own root",
        statements=axes,
    ),
    room.formula(
        "balanced_axes", "np.sqrt(shares)", "shares", "the coordinates are not balanced", statements=axes
    ),
    room.index(
        "balanced_axes",
        "(queries, keys)]",
        "(queries, queries)]",
        "the keys are not looked at",
        statements=axes,
    ),
    room.formula(
        "identity_axes",
        "np.eye(dimension), np.eye(dimension)",
        "np.eye(dimension), 2 * np.eye(dimension)",
        "keys are doubled",
    ),
    room.formula("recentred", "keys - key_centre", "keys + key_centre", "keys move away from their centre"),
    room.formula(
        "recentred",
        "query_centre / temperature",
        "query_centre * temperature",
        "key weights at another temperature",
    ),
    room.formula(
        "recentred",
        "weights = np.exp(exponents - shift)",
        "weights = np.exp(shift - exponents)",
        "key weights are inverted",
    ),
    room.coefficient(
        "recentred",
        "gamma = 2 * (dimension + 3) * _UNIT",
        "gamma = 0 * (dimension + 3) * _UNIT",
        "roundings are not counted",
    ),
    room.formula(
        "recentred",
        "axes.queries @ axes.keys.T - np.eye(dimension)",
        "axes.queries - axes.queries",
        "coordinates that are not inverse go unnoticed",
    ),
    room.formula(
        "recentred",
        "transformed / temperature + weighted",
        "transformed / temperature",
        "the weights' roundings are not counted",
    ),
    room.index(
        "recentred", "defect * radii[0] * radii[1]", "defect * radii[0]", "the keys' lengths are forgotten"
    ),
    room.threshold("largest_norm", ".max(initial=0.0)", ".min(initial=0.0)", "the shortest row is taken"),
    room.formula("largest_norm", "np.sqrt(squares)", "squares", "squares are taken for lengths"),
    room.index(
        "centre",
        "(step + 1)",
        "(step + 2)",
        "the walk has other steps",
        equivalent="Any point is right: the identity holds for all centres, and only the plan's quality "
        "depends on which one is taken.",
    ),
    room.index(
        "least_half_width",
        "(queries, keys)]",
        "(queries, queries)]",
        "the keys are not looked at",
        statements=axes,
    ),
    room.coefficient(
        "least_half_width",
        "(4 * temperature)",
        "(2 * temperature)",
        "the least half-width is doubled",
        statements=axes,
    ),
    room.threshold(
        "least_half_width", ".max())", ".min())", "the smallest difference is taken", statements=axes
    ),
)

UNTOUCHED: dict[str, str] = {}
