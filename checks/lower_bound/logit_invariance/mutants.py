"""The mutants of ``lem-logit-invariance``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.logit_invariance", "lem-logit-invariance")

MUTANTS = (
    room.formula(
        "rescale",
        "alpha * gamma * instance.temperature",
        "alpha * alpha * instance.temperature",
        "the temperature takes the square of the queries' factor",
    ),
    room.formula(
        "rescale", "gamma * instance.keys", "alpha * instance.keys", "the keys take the queries' factor"
    ),
    room.formula(
        "rescale",
        "alpha * instance.queries",
        "abs(alpha) * instance.queries",
        "a negative factor loses its sign on one side",
    ),
    room.formula("rescale", "instance.values,", "alpha * instance.values,", "the values are scaled too"),
    room.formula(
        "at_temperature",
        "math.sqrt(temperature / instance.temperature)",
        "temperature / instance.temperature",
        "queries and keys take the whole factor each",
    ),
    room.formula(
        "at_temperature",
        "temperature / instance.temperature",
        "instance.temperature / temperature",
        "the factor is turned over",
    ),
    room.index(
        "at_temperature",
        "instance.values, temperature)",
        "instance.values, instance.temperature)",
        "the temperature stays as it was",
    ),
    room.formula(
        "equivalent_entry_bound",
        "other / temperature",
        "temperature / other",
        "the two temperatures change places",
    ),
    room.formula(
        "equivalent_entry_bound",
        "math.sqrt(other / temperature)",
        "other / temperature",
        "the entry bound moves like the temperature, not like its root",
    ),
    room.coefficient("largest_logit", "entry_bound**2", "entry_bound", "R in the place of its square"),
    room.formula(
        "largest_logit", "d * entry_bound", "d**0.5 * entry_bound", "the root of the dimension in its place"
    ),
    room.index(
        "half_spread", "axis=1", "axis=0", "the logits of one key are compared, not those of one query"
    ),
    room.formula("half_spread", "axis=1).max()", "axis=1).min()", "the query with the least spread counts"),
    room.formula("half_spread", "return max(", "return min(", "of rows held apart the least spread counts"),
    room.coefficient("half_spread", ") / 2", ")", "the whole spread is returned"),
    room.formula("saturating_instance", "[query, -query]", "[query, 0 * query]", "the second key is zero"),
    room.coefficient(
        "saturating_instance", "float(entry_bound)", "float(entry_bound) / 2", "entries reach only half of R"
    ),
    room.formula(
        "cancelling_instance", "entry_bound, -entry_bound", "entry_bound, entry_bound", "nothing cancels"
    ),
    room.index("cancelling_instance", "query[0, :2]", "query[0, :1]", "the query has one entry only"),
)

UNTOUCHED: dict[str, str] = {}
