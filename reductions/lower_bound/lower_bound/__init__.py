"""The lower bound, composed: every size, bound and exponent from the hypothesis to the VAR model.

``route`` says how orthogonal vectors become inner products with a gap, ``reading`` what the model is
given. :func:`accounting` keeps the accounts for given numbers; :class:`Budget` the exponents, also for a
symbol q. Big sizes are integers or logarithms, so that n may be as large as one likes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING, Any

from reductions.choices import Route as Route
from reductions.lower_bound.isolation import SPACING
from reductions.lower_bound.lower_bound.sizes import (
    ModelSizes,
    inference_sizes,
    maps_sizes,
    stretch,
    tower_sizes,
)
from reductions.problems.approximate_var import Reading
from reductions.problems.gap_sizes import GapSizes, complement_sizes
from reductions.problems.interpolation import Kernel
from reductions.reduction import size

if TYPE_CHECKING:
    import sympy


TOLERATED = {Reading.MAPS: Fraction(5, 16), Reading.START_AND_POSITIONS: Fraction(7, 16)}
"""Every additive error below this decides: lem-attention-to-var, lem-sat-to-var-inference."""


def require_case(route: Route, reading: Reading) -> None:
    """Raise a ValueError where the theorem says nothing, and name the reason."""
    if reading not in TOLERATED:
        raise ValueError(
            "Argument 'reading' must be 'maps' or 'start+positions', not 'start only': there the maps "
            "collapse and the lower bound is false (lem-collapse)."
        )
    if route is Route.PCP and reading is not Reading.MAPS:
        raise ValueError(
            "Argument 'route' must be 'direct' in reading 'start+positions', not 'pcp': no model here "
            "computes the code words from positions."
        )


@dataclass(frozen=True)
class Budget:
    """The exponents of the proof, as multiples of v; q may be a number or a symbol.

    Attributes
    ----------
    route
        Which instances are made.
    saving
        q of the algorithm that is to be excluded, with time n^(4 - q).
    """

    route: Route
    saving: Any

    @property
    def epsilon(self) -> Any:
        """q/8: the saving for which the hypothesis gives the width k."""
        return self.saving / 8

    @property
    def eta(self) -> Any:
        """q/8 for the gap route, with N^eta messages; 0 for the direct one."""
        return self.saving / 8 if self.route is Route.PCP else self.saving * 0

    @property
    def delta(self) -> Any:
        """q/8, or q/16 where messages must be paid for too: there are 2^(delta v) sparse formulas."""
        return self.epsilon - self.eta / 2

    @property
    def total(self) -> Any:
        """The exponent of all calls: 2^(delta v) formulas, 2^(eta v / 2) messages, 2^((1 - q/4) v) each."""
        return total_exponent(self.saving, self.delta, self.eta)


def total_exponent(saving: Any, delta: Any, eta: Any) -> Any:
    """Return e such that all calls take time 2^(e v): N is 2^(v/2), n is 2^(v/4), up to constant factors."""
    return delta + eta / 2 + (4 - saving) / 4


@dataclass(frozen=True)
class Bounds:
    """d <= dimension log2 n, R^2 <= square (log2 n)^power, b <= logit (log2 n)^power.

    No layer reads or writes more than channels log2 n channels.
    """

    dimension: Any
    square: Any
    logit: Any
    power: int
    channels: Any


def stated_bounds(route: Route, reading: Reading, constant: Any) -> Bounds:
    """Return the theorem's bounds in C (direct) or A (gap), numbers or symbols, at least 1."""
    require_case(route, reading)
    if route is Route.PCP:
        least = constant + 1
        return Bounds(2 * constant * least, 18 * least, 18, 1, 5 * constant * least)
    if reading is Reading.MAPS:
        return Bounds(12 * constant, 108 * constant, 36 * constant, 2, 25 * constant)
    return Bounds(5 * constant, 9 * (4 * constant + 1), 36 * constant, 2, 9 * constant)


def symbolic_sizes(route: Route, reading: Reading, kernel: Kernel = Kernel.BICUBIC) -> dict[str, sympy.Expr]:
    """Return n, L, d, R, b and the channels at tau = d as expressions: the theorem's sizes.

    The direct route has the symbols v and m >= 2; the gap route v, D and s, a multiple of 4, with the gap
    s/2. b is an upper bound, exact where there is an orthogonal pair (in reading start+positions: where
    some assignment falsifies all m clauses). The channels are the most that a layer reads or writes.
    """
    import sympy

    require_case(route, reading)
    v, m = size("v"), size("m")
    n = (1 if reading is Reading.START_AND_POSITIONS else 2 * SPACING[kernel]) * 2 ** sympy.ceiling(v / 4)
    tokens = (4 * n**2 - 1) / 3
    logarithm = sympy.log(16 * tokens)
    if route is Route.PCP:
        threshold = size("s")
        d = size("D") + 3 * threshold / 4
        entry, logit = sympy.sqrt(4 * d / threshold * logarithm), 4 * logarithm
    else:
        d = 3 * m if reading is Reading.MAPS else m + 1
        entry = sympy.sqrt(2 * d * logarithm)
        logit = 2 * m * logarithm if reading is Reading.MAPS else (2 * m - 1) * logarithm
    channels = 2 * d + 1
    if reading is Reading.START_AND_POSITIONS:
        channels = sympy.Max(2 * sympy.ceiling(v / 4) + 2, 2 * m + 1)
    return {"n": n, "L": tokens, "d": d, "R": entry, "b": logit, "channels": channels}


@dataclass(frozen=True)
class Step:
    """One line of the accounts: what happens, with which sizes, by which statement, on which ground."""

    what: str
    sizes: str
    rests_on: str
    ground: str


@dataclass(frozen=True, repr=False)
class Accounting:
    """The accounts for given numbers; ``print`` shows them as a table, and so does a notebook."""

    route: Route
    reading: Reading
    budget: Budget
    sizes: ModelSizes
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        # Not the fields: Python writes no integer of more than 4300 digits.
        return f"Accounting({self.route}, {self.reading}, n = 2^{self.sizes.log_side})"

    def __str__(self) -> str:
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("step", max_width=24)
        table.add_column("sizes", overflow="fold")
        for heading in ("by", "ground"):
            table.add_column(heading, no_wrap=True)
        for step in self.steps:
            table.add_row(step.what, step.sizes, step.rests_on, step.ground)
        console = Console(width=106, color_system=None, force_terminal=False)
        with console.capture() as capture:
            console.print(table)
        return capture.get().rstrip()

    def _repr_html_(self) -> str:
        rows = ["<th>step</th><th>sizes</th><th>by</th><th>ground</th>"]
        for step in self.steps:
            cells = (step.what, step.sizes, step.rests_on, step.ground)
            rows.append("".join(f"<td>{escape(cell)}</td>" for cell in cells))
        return '<table class="table">' + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def accounting(
    route: Route,
    reading: Reading,
    *,
    n: int,
    c: Fraction,
    q: Fraction,
    kernel: Kernel = Kernel.BICUBIC,
    encoding: GapSizes | None = None,
) -> Accounting:
    """Keep the accounts of the theorem for given numbers.

    Parameters
    ----------
    route, reading
        The case.
    n
        The side of the last map, a power of two that at least one variable fits into.
    c
        The dimension of the vectors is m = floor(c log2 N), at least 2.
    q
        The saving that is excluded.
    kernel
        Of the up-interpolation; counts in reading maps only.
    encoding
        For the gap route; None for the tower of curves.

    Raises
    ------
    ValueError
        If the theorem does not cover the case, or a number is out of range.
    """
    require_case(route, reading)
    factor = stretch(reading, kernel)
    if n < 2 * factor or n & (n - 1):
        raise ValueError(f"Argument 'n' must be a power of two from {2 * factor} on, not {_short(n)}.")
    if not 0 < q <= 1:
        raise ValueError(f"Argument 'q' must be in (0, 1], not {q}.")
    if not c > 0:
        raise ValueError(f"Argument 'c' must be positive, not {c}.")
    variables = 4 * ((n // factor).bit_length() - 1)
    clauses = math.floor(c * variables / 2)
    if clauses < 2:
        raise ValueError(f"Arguments 'c' and 'n' must make m = floor(c log2 N) at least 2, not {clauses}.")
    budget = Budget(route, Fraction(q))
    chosen = None
    if reading is Reading.MAPS:
        chosen = encoding or complement_sizes(clauses)
        if route is Route.PCP and encoding is None:
            chosen = tower_sizes(Fraction(c), budget.eta, variables // 2)
        sizes = maps_sizes(chosen, variables // 2, kernel)
    else:
        sizes = inference_sizes(variables, clauses)
    steps = tuple(_steps(route, reading, budget, variables, clauses, chosen, sizes))
    return Accounting(route, reading, budget, sizes, steps)


PROVED, CITED, ASSUMED = "proved", "cited", "assumed"


def _steps(
    route: Route,
    reading: Reading,
    budget: Budget,
    variables: int,
    clauses: int,
    encoding: GapSizes | None,
    sizes: ModelSizes,
) -> Iterator[Step]:
    yield Step("hypothesis", f"some k: no k-SAT in 2^((1 - {budget.epsilon}) v)", "def-seth", ASSUMED)
    yield Step(
        "sparse formulas",
        f"2^({budget.delta} v) of them, v = {variables}, m = {clauses} clauses",
        "lem-sparsification",
        CITED,
    )
    yield Step(
        "vectors", f"N = 2^{variables // 2} per side, dimension {clauses}", "lem-split-and-list", PROVED
    )
    if encoding is not None:
        yield from _encoding_steps(route, budget, variables, encoding)
    yield from _model_steps(route, reading, variables, clauses, encoding, sizes)
    q, reached = budget.saving, True
    if route is Route.PCP and encoding is not None:
        reached = _message_share(encoding, variables) <= budget.eta
    yield Step(
        "time of one call",
        f"n^(4 - {q}): at most 2^({1 - q / 4} v), constant factor aside",
        "lem-sat-to-ov-exponents",
        PROVED,
    )
    messages = f" + {budget.eta / 2}" if route is Route.PCP else ""
    words = f"exponent {1 - q / 4} + {budget.delta}{messages} = {budget.total} = 1 - {budget.epsilon}"
    yield Step(
        "time of all calls", words if reached else "not reached at this size", "thm-lower-bound", CITED
    )


def _message_share(encoding: GapSizes, variables: int) -> float:
    """Return x where N^x messages are sent, N = 2^(v/2)."""
    return encoding.log_instances / (variables / 2)


def _encoding_steps(route: Route, budget: Budget, variables: int, encoding: GapSizes) -> Iterator[Step]:
    by_encoding = "lem-complement-encoding"
    if route is Route.PCP:
        by_encoding = "lem-pcp-asymptotics" if encoding.cited else "lem-distributed-pcp"
    yield Step(
        encoding.name,
        f"D = {_short(encoding.dimension)}, s = {encoding.threshold}, gap {encoding.gap}",
        by_encoding,
        CITED if encoding.cited else PROVED,
    )
    if route is Route.PCP:
        share = _message_share(encoding, variables)
        allowed = "enough" if share <= budget.eta else "too many at this size"
        yield Step(
            "messages",
            f"N^{share:.3g} of them; the proof needs N^({budget.eta}): {allowed}",
            by_encoding,
            CITED if encoding.cited else PROVED,
        )
    yield Step(
        "attention",
        f"N queries, N + 1 keys, dimension {_short(encoding.var_dimension - encoding.base)}",
        "lem-gap-max-ip-to-attention",
        PROVED,
    )


def _model_steps(
    route: Route, reading: Reading, variables: int, clauses: int, encoding: GapSizes | None, sizes: ModelSizes
) -> Iterator[Step]:
    last = "lem-attention-to-var" if reading is Reading.MAPS else "lem-sat-to-var-inference"
    yield Step(
        f"VAR, reading {reading}",
        f"n = 2^{sizes.log_side}, L = {_short(sizes.tokens)}, d = tau = {_short(sizes.dimension)}",
        last,
        PROVED,
    )
    constant = max(Fraction(1), Fraction(clauses, variables))
    if route is Route.PCP and encoding is not None:
        ratios = (
            Fraction(encoding.dimension, encoding.threshold),
            Fraction(2 * encoding.threshold, variables),
        )
        constant = max(Fraction(1), *ratios)
    most = math.floor(stated_bounds(route, reading, constant).channels * sizes.log_side)
    words = f"{_short(sizes.channels)} or fewer per layer; stated: {_short(most)}"
    yield Step("channels", words, last, PROVED)
    if sizes.log2_entry_bound < 40:
        bound, root = sizes.entry_bound, math.sqrt(sizes.log_side)
        words = f"R = {bound:.4g} = {bound / root:.4g} sqrt(log2 n) = {bound / root**2:.4g} log2 n"
    else:
        words = f"R = 2^{sizes.log2_entry_bound:.6g}"
    yield Step("entry bound at tau = d", words, last, PROVED)
    logit = sizes.logit_bound
    words = f"b = {logit:.4g} = {logit / sizes.log_side:.4g} log2 n"
    yield Step("logit bound", words, "lem-logit-invariance", PROVED)
    yield Step("additive error", f"any below {TOLERATED[reading]}", last, PROVED)


def _short(number: int) -> str:
    return f"{number:,}" if number < 10**12 else f"2^{math.log2(number):,.1f}"
