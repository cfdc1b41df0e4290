"""The demonstration of lem-pcp-asymptotics, which is cited: its constants, from the tower's sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

from checks.evidence import Evidence, Relation, certified, exhaustive, symbolic
from checks.evidence.registry import Kind, Run, lemma
from checks.lower_bound.pcp_asymptotics.tower import (
    CHOICES,
    has_counted_points,
    has_stated_alphabet,
    is_first_level,
    is_stated_choice,
    tower_claims,
)
from reductions.codes.evaluation_codes import EvaluationCode, elliptic, hermitian, reed_solomon
from reductions.codes.finite_field import FiniteField, zero_sum_free
from reductions.codes.proof_system import ProofSystem
from reductions.lower_bound.pcp_asymptotics import (
    AsymptoticPCP,
    TowerCode,
    choose,
    tower_code,
    tower_genus,
    tower_points,
)

CODE = "demonstration: on a tower of these genera and numbers of points a code of 4 (s0 + genus) points fits"
MESSAGES = "demonstration: with the chosen T and l there are at most N^eta messages from the stated N on"
SYSTEM = "demonstration: the finite systems obey the bounds on D and the messages that the proof uses"
TOWER = "demonstration: genera and points of the first four curves are those of Garcia and Stichtenoth"
ALPHABET = "demonstration: D = len l^(2T), and log2 of l^(2T) is at most 2 T beta"
CHOSEN = "demonstration: the curve is the first that serves, T and l are the least, s0 is rounded up"
ALGEBRA = "demonstration: the constants 36, 72 and 76 of the proof"

ROOTS = (11, 13, 17, 31, 101)
GRID = tuple(product((Fraction(1, 2), Fraction(1), Fraction(10)), (Fraction(1), Fraction(1, 10))))
"""Pairs c and eta."""
TIGHT = Fraction(2, 27), Fraction(1)
"""72 c beta = eta T at T = 32, l = 37, beta = 6: with < in place of <= it would be T = 64."""

Case = tuple[int, int]


def fits(code: TowerCode) -> bool:
    """Enough points, enough dimension, degree at most 9 s0, and half of the points as the gap."""
    return (
        code.length <= tower_points(code.root, code.level)
        and code.degree + 1 - code.genus >= code.block
        and code.degree <= 9 * code.block
        and 2 * (code.length - code.squared_degree) == code.length
        and tower_genus(code.root, code.level) < code.root**code.level
    )


def message_claims(
    chosen: AsymptoticPCP, multiples: range
) -> Iterator[tuple[str, int | Fraction, Relation, int | Fraction]]:
    """Yield: l is large enough, and the messages of some large N, all bounds on logarithms being integers."""
    name = f"c = {chosen.density}, eta = {chosen.loss}"
    yield f"{name}: no zero sum", chosen.root, ">", chosen.blocks
    yield f"{name}: slope", 72 * chosen.density * chosen.bits, "<=", chosen.loss * chosen.blocks
    for multiple in multiples:
        logarithm = multiple * chosen.from_log_vectors
        bound = chosen.loss * logarithm
        yield f"{name}: log2 N = {logarithm}", chosen.log_messages(logarithm), "<=", bound


def algebra() -> dict[str, Any]:
    """The two bounds on logarithms of the proof, and the genus from l/(l - 5) <= 11/6."""
    import sympy

    c, x, b, eta, s0 = sympy.symbols("c x beta eta s0", positive=True)
    digits = 2 * (2 * 9 * s0 + 1)
    blocks = 72 * c * b / eta
    exponent = b * digits.subs(s0, c * x / blocks + 1)
    return {
        "messages are at most l^(36 s0 + 2)": digits - (36 * s0 + 2),
        "half of eta for the slope, and 38 beta": exponent - (eta * x / 2 + 38 * b),
        "from log2 N = 76 beta / eta on": (exponent - eta * x).subs(x, 76 * b / eta),
        "genus below 22/3 s0, degree below 9 s0": sympy.Lt(4 * sympy.Rational(11, 6) + 1, 9),
    }


def systems() -> list[ProofSystem]:
    """Finite systems on a line, an elliptic and a Hermitian curve."""
    codes: list[tuple[EvaluationCode, int]] = [
        (reed_solomon(FiniteField(3), 2), 2),
        (reed_solomon(FiniteField(5), 3), 2),
        (reed_solomon(FiniteField(8), 4), 3),
        (elliptic(FiniteField(5), 4), 2),
        (elliptic(FiniteField(7), 4), 3),
        (hermitian(FiniteField(9), 4), 2),
    ]
    return [ProofSystem(code, blocks, zero_sum_free(code.field, blocks)) for code, blocks in codes]


def obeys(system: ProofSystem) -> bool:
    """D <= len q^T, and at most q^(deg + 1) messages, in a system that is built."""
    code, order = system.code, system.code.field.order
    return (
        system.dimension <= code.length * order**system.blocks
        and system.message_count <= order ** (code.squared_degree + 1)
        and system.gap == code.length - code.squared_degree > 0
    )


def _all_codes(most: int, build: Callable[[int, int], TowerCode]) -> Iterator[TowerCode]:
    for root, block in product(ROOTS, range(1, most + 1)):
        yield build(root, block)


@lemma(
    "lem-pcp-asymptotics",
    kind=Kind.CITED,
    title="The distributed PCP, asymptotically",
    statement_uses=("def-ov", "def-gap-max-ip"),
    proof_uses=("lem-distributed-pcp",),
    source="GS96, ARW17, Rub18",
)
def pcp_asymptotics(run: Run) -> Iterator[Evidence]:
    """No code of the tower is built: its sizes are computed, and finite systems are compared."""
    most = run.pick(quick=1000, full=20_000)
    words = f"l = 11, 13, 17, 31, 101 and s0 = 1, ..., {most}"
    yield certified(
        TOWER, "l = 2, 3, 11, 13, 17, 31, 101, levels 1 to 4: written down", tower_claims((2, 3, *ROOTS))
    )
    scope = "l = 2, 3, 5, 7, levels 1 to 4: all points over the field, from the equations"
    yield exhaustive(TOWER, scope, (2, 3, 5, 7), 4, has_counted_points)
    scope = "c and eta of 1 and 1, 1 and 1/8, 10 and 1/10"
    yield exhaustive(ALPHABET, scope, CHOICES, 3, has_stated_alphabet)
    yield exhaustive(CODE, words, _all_codes(most, tower_code), len(ROOTS) * most, fits)
    yield exhaustive(CHOSEN, words, _all_codes(most, tower_code), len(ROOTS) * most, is_first_level)
    scope = "c = 1/1000, 1/2, 1, 10 and eta = 1, 1/10, 3/7; c = 2/27 and eta = 1, where T just serves"
    densities = (Fraction(1, 1000), Fraction(1, 2), Fraction(1), Fraction(10))
    choices = [*product(densities, (Fraction(1), Fraction(1, 10), Fraction(3, 7))), TIGHT]
    yield exhaustive(CHOSEN, scope, choices, len(choices), is_stated_choice)
    yield certified(
        MESSAGES,
        "c = 1/2, 1, 10, eta = 1, 1/10, and 50 values of N each",
        (claim for pair in GRID for claim in message_claims(choose(*pair), range(1, 51))),
    )
    yield symbolic(ALGEBRA, "all c, eta and N", algebra())
    built = systems()
    yield exhaustive(SYSTEM, "six systems on lines, elliptic curves and a Hermitian curve", built, 6, obeys)


@pcp_asymptotics.control("one level further up the tower")
def next_level(run: Run) -> Evidence:
    """The genus is then far above s0, and messages get l times as long."""

    def build(root: int, block: int) -> TowerCode:
        return TowerCode(root, tower_code(root, block).level + 1, block)

    return exhaustive(
        CODE, "l = 11, ..., 101 and s0 = 1, ..., 50", _all_codes(50, build), 50 * len(ROOTS), fits
    )


@pcp_asymptotics.control("one level down")
def previous_level(run: Run) -> Evidence:
    """The curve has too few points."""
    codes = (TowerCode(11, tower_code(11, block).level - 1, block) for block in range(17, 67))
    return exhaustive(CODE, "l = 11 and s0 = 17, ..., 66", codes, 50, fits)


@pcp_asymptotics.control("T does not grow with c")
def constant_blocks(run: Run) -> Evidence:
    """Then the messages of c = 10 are N^10, N^eta being allowed."""
    one = choose(Fraction(1), Fraction(1))
    broken = AsymptoticPCP(Fraction(10), Fraction(1), one.blocks, one.root)
    return certified(MESSAGES, "c = 10 with the T of c = 1", message_claims(broken, range(1, 51)))


@pcp_asymptotics.control("Reed-Solomon codes: the field grows with s0")
def reed_solomon_field(run: Run) -> Evidence:
    """A line over F_q has q + 1 points, and 4 s0 points are asked for: D/s = q^T is no constant."""
    return exhaustive(
        "D/s is the same for all s0",
        "s0 = 1, ..., 8, T = 2, the least field with 4 s0 points",
        range(1, 9),
        8,
        lambda block: line_alphabet(block) == line_alphabet(1),
    )


def line_alphabet(block: int, blocks: int = 2) -> int:
    """Return q^T for the least prime q with q + 1 >= 4 s0."""
    from sympy import nextprime

    return int(pow(int(nextprime(4 * block - 2)), blocks))
