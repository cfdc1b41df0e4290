"""The statements that are not lemmas: definitions, hypotheses, citations."""

from checks.evidence.registry import Kind, declare

declare("def-seth", kind=Kind.ASSUMED, title="Strong Exponential Time Hypothesis", source="IPZ01")
declare(
    "def-cnf",
    kind=Kind.DEFINITION,
    title="CNF formulas and k-SAT",
    construction="reductions.problems.cnf",
)
declare(
    "def-ov",
    kind=Kind.DEFINITION,
    title="Orthogonal vectors",
    source="Wil05",
    construction="reductions.problems.orthogonal_vectors",
)
declare(
    "def-gap-max-ip",
    kind=Kind.DEFINITION,
    title="Gap maximum inner product",
    construction="reductions.problems.gap_max_inner_product",
)
declare(
    "def-attention",
    kind=Kind.DEFINITION,
    title="Attention with temperature",
    source="AS23",
    construction="reductions.problems.attention",
)
declare(
    "def-aattc",
    kind=Kind.DEFINITION,
    title="Approximate attention computation",
    statement_uses=("def-attention",),
    source="AS23",
    construction="reductions.problems.attention",
)
declare(
    "def-interpolation",
    kind=Kind.DEFINITION,
    title="Up-interpolation",
    source="Key81",
    construction="reductions.problems.interpolation",
)
declare(
    "def-var",
    kind=Kind.DEFINITION,
    title="The VAR model",
    statement_uses=("def-attention", "def-interpolation"),
    source="TJY24",
    construction="reductions.problems.var_model",
)
declare(
    "def-avar",
    kind=Kind.DEFINITION,
    title="Approximate VAR, three readings",
    statement_uses=("def-var", "def-aattc"),
    construction="reductions.problems.approximate_var",
)
