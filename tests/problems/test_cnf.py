from __future__ import annotations

import gzip
import io
import itertools
import tracemalloc

import cnfgen
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysat.formula import CNF as PysatCNF
from pysat.solvers import Solver

from reductions.problems import dimacs
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE, DimacsError, random_k_sat, read_dimacs
from reductions.problems.dimacs import LONGEST_GAP


@st.composite
def formulas(draw, most_variables=7):
    variables = draw(st.integers(0, most_variables))
    literals = [x for x in range(-variables, variables + 1) if x]
    clause = st.lists(st.sampled_from(literals), max_size=4) if literals else st.just(())
    return CNF(variables, tuple(map(tuple, draw(st.lists(clause, max_size=12)))))


def is_satisfiable(formula):
    with Solver("cadical153", bootstrap_with=[list(c) for c in formula.clauses]) as solver:
        return solver.solve()


@given(formulas())
def test_models_are_those_that_verify(formula):
    expected = [m[::-1] for m in itertools.product((False, True), repeat=formula.variables)]
    expected = [m for m in expected if formula.verify(m)]
    assert list(formula.models()) == expected
    assert formula.solve_brute_force() == (expected[0] if expected else None)
    assert (formula.answer() == "YES") == is_satisfiable(formula)


@pytest.mark.parametrize("seed", range(6))
def test_brute_force_agrees_with_a_sat_solver_across_blocks(seed):
    formula = random_k_sat(21, 92, 3, seed)  # 2^21 assignments: two blocks of words
    model = formula.solve_brute_force()
    assert (model is not None) == is_satisfiable(formula)
    assert model is None or formula.verify(model)


def test_the_last_assignment_is_found():
    formula = CNF(22, tuple((i,) for i in range(1, 23)))
    assert formula.solve_brute_force() == (True,) * 22


def test_running_example():
    models = {"".join("01"[bit] for bit in model) for model in RUNNING_EXAMPLE.models()}
    assert models == {"0000", "1010", "1011", "1101"}
    assert RUNNING_EXAMPLE.sizes == {"v": 4, "m": 6}


def test_degenerate_formulas():
    assert CNF(0, ()).solve_brute_force() == ()
    assert CNF(0, ((),)).solve_brute_force() is None
    assert CNF(3, ()).solve_brute_force() == (False,) * 3
    assert CNF(1, ((1, -1), (1, 1))).clauses == ((1, -1), (1, 1))


def test_brute_force_refuses_many_variables():
    with pytest.raises(ValueError, match="at most 28 variables, not 29"):
        CNF(29, ()).solve_brute_force()


@pytest.mark.parametrize("witness", [(), (True,), (True, False, True)])
def test_witnesses_of_a_wrong_length_prove_nothing(witness):
    assert not CNF(2, ()).verify(witness)


@pytest.mark.parametrize(
    ("variables", "clauses", "error", "message"),
    [
        (-1, (), ValueError, "'variables' must be at least 0, not -1"),
        (2, ((1,), (3,)), ValueError, r"literals ±1 to ±2, not 3 \(in clause 2\)"),
        (2, ((0,),), ValueError, "not 0"),
        (2, ((1.0,),), TypeError, "integers, not 1.0"),
        (True, (), TypeError, "integers, not True"),
    ],
)
def test_wrong_arguments(variables, clauses, error, message):
    with pytest.raises(error, match=message):
        CNF(variables, clauses)


def test_integers_of_numpy_are_integers():
    assert CNF(np.int64(2), ([np.int32(-2), 1],)) == CNF(2, ((-2, 1),))


@given(formulas(most_variables=40))
def test_dimacs_round_trip_and_pysat_agrees(formula):
    text = formula.to_dimacs()
    assert CNF.from_dimacs(text) == formula
    oracle = PysatCNF(from_string=text)
    assert tuple(map(tuple, oracle.clauses)) == formula.clauses


@pytest.mark.parametrize(
    "family",
    [
        lambda: cnfgen.PigeonholePrinciple(4, 3),
        lambda: cnfgen.OrderingPrinciple(4),
        lambda: cnfgen.RandomKCNF(3, 12, 50, seed=1),
        lambda: cnfgen.CliqueColoring(4, 3, 2),
        lambda: cnfgen.VanDerWaerden(9, 3, 3),
    ],
)
def test_families_of_cnfgen_are_read_as_pysat_reads_them(family):
    text = family().to_dimacs()
    formula, oracle = CNF.from_dimacs(text), PysatCNF(from_string=text)
    assert tuple(map(tuple, oracle.clauses)) == formula.clauses
    assert formula.variables == family().number_of_variables()


ACCEPTED = CNF(3, ((1, -2), (2, 3, -1), ()))


@pytest.mark.parametrize(
    "text",
    [
        "p cnf 3 3\n1 -2 0\n2 3 -1 0\n0\n",
        "p cnf 3 3\n1 -2 0 2 3 -1 0 0",
        "p cnf 3 3\r\n1 -2\r\n0 2\r\n3 -1 0\r\n0\r\n",
        "c first\n\n  c second\np  cnf\t3   3 \n1 -2 0\nc between\n2\nc in 1 0 %\n3 -1 0 c end\n0\ncomment",
        "p cnf 3 3\n1 -2 0\n2 3 -1 0\n0\n%\n0\n\n",
        "p cnf 3 3\n1 -2 0\n2 3 -1 0\n0 % garbage \x00 x y\n",
        "p cnf 3 3\n+1 -02 0\n2 3 -1 0\n0",
        "c Erdős and Rényi\np cnf 3 3\n1 -2 0 2 3 -1 0 0",
    ],
)
def test_what_sat_solvers_accept_is_accepted(text, tmp_path):
    path = tmp_path / "formula.cnf"
    path.write_bytes(text.encode())
    assert CNF.from_dimacs(text) == read_dimacs(path) == read_dimacs(str(path)) == ACCEPTED
    path.write_bytes(gzip.compress(text.encode()))
    assert read_dimacs(path) == ACCEPTED
    with path.open("rb") as stream:
        assert read_dimacs(stream) == ACCEPTED
        assert not stream.closed
    assert read_dimacs(io.BytesIO(text.encode())) == ACCEPTED


@pytest.mark.parametrize("text", ["p cnf 0 0", "p cnf 5 0\n", "c\np cnf 0 0\n%"])
def test_empty_formulas(text):
    assert CNF.from_dimacs(text).clauses == ()


def test_one_long_line_and_tokens_across_pieces():
    clauses = tuple((k % 997 + 1, -(k * 31 % 9973 + 1)) for k in range(40_000))
    body = " ".join(f"{a} {b} 0" for a, b in clauses)
    assert CNF.from_dimacs(f"p cnf 9973 40000\n{body}").clauses == clauses
    comment = "c" + " x1 0" * 50_000
    for blanks in range(65_500, 65_560):
        assert CNF.from_dimacs(f"p cnf 98765 1\n{' ' * blanks}-98765 0\n{comment}\n").clauses == ((-98765,),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Line 1: there is no header"),
        ("c only\nc comments\n", "Line 2: there is no header"),
        ("%\n", "Line 1: there is no header"),
        ("c\n1 2 0\np cnf 2 1\n", "Line 2: expected the header 'p cnf VARIABLES CLAUSES', not '1'"),
        ("p cnf 2\n", "Line 1: the header must be"),
        ("p cnf 2 1 0\n", "Line 1: the header must be"),
        ("p dnf 2 1\n", "Line 1: the header must be"),
        ("p cnf -2 1\n", "Line 1: the header must be"),
        ("p cnf 2 x\n", "Line 1: the header must be"),
        ("p cnf 1000000000000 1\n1 0", "Line 1: formulas with more than 10,000,000 variables are not read"),
        ("p cnf 1 1" + "0" * 5000, "Line 1: formulas with more than 10,000,000 clauses are not read"),
        ("p cnf 2 1\n\n1 x 0\n", "Line 3: expected an integer, not 'x'"),
        ("p cnf 2 1\n1_2 0\n", "Line 2: expected an integer, not '1_2'"),
        ("p cnf 2 1\n1.5 0\n", "Line 2: expected an integer"),
        ("p cnf 2 1\n-\n0\n", "Line 2: expected an integer, not '-'"),
        ("p cnf 2 1\n1 é 0\n", r"Line 2: expected an integer, not '\\xc3\\xa9'"),
        ("p cnf 2 2\n1 0\n3 0\n", "Line 3: literal 3 is out of range: the header states 2 variables"),
        ("p cnf 0 1\n-1 0\n", "Line 2: literal -1 is out of range"),
        ("p cnf 2 1\n1 2\n", "Line 2: the last clause is not ended by 0"),
        ("p cnf 2 1\n1 2\n%\n0\n", "Line 3: the last clause is not ended by 0"),
        ("p cnf 2 1\n1 0\n2 0\n", "Line 3: more clauses than the 1"),
        ("p cnf 2 0\n0\n", "Line 2: more clauses than the 0"),
        ("p cnf 2 3\n1 0\n2 0\n", "Line 3: only 2 of the 3 clauses"),
        ("p cnf 2 1\np cnf 2 1\n1 0\n", "Line 2: second header"),
        ("p cnf 2 1\n1 0 p cnf 2 1\n", "Line 2: second header"),
        ("\ufeffp cnf 0 0", r"Line 1: expected the header .* not '\\xef\\xbb\\xbfp'"),
    ],
)
def test_errors_name_the_line(text, message):
    with pytest.raises(DimacsError, match=message):
        CNF.from_dimacs(text)


@pytest.mark.parametrize("cut", [3, 12, 25])
def test_damaged_gzip_files(cut):
    with pytest.raises(DimacsError, match="gzip"):
        CNF.from_dimacs(gzip.compress(b"p cnf 3 1\n1 2 3 0\n")[:cut])
    with pytest.raises(DimacsError, match="gzip"):
        CNF.from_dimacs(b"\x1f\x8b" + b"noise" * cut)


class Endless(io.RawIOBase):
    """A stream that repeats a block of bytes for ever, after a head."""

    def __init__(self, head, block):
        self.pending, self.block, self.given = head, block, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.pending:
            self.pending = self.block
        part = self.pending[: len(buffer)]
        self.pending = self.pending[len(part) :]
        buffer[: len(part)] = part
        self.given += len(part)
        return len(part)


RANDOM_BYTES = np.random.default_rng(0).bytes(1 << 20)


@pytest.mark.parametrize("head", [b"", b"p cnf 3 1\n", b"c comment\n"])
@pytest.mark.parametrize(
    "block",
    [b"a" * 4096, b"\0" * 4096, b"line\n" * 1000, b"1" * 4096, b"7 8 9\n" * 999, RANDOM_BYTES],
    ids=["one line", "zeros", "lines", "digits", "numbers", "random bytes"],
)
def test_endless_noise_is_refused_at_once(head, block):
    stream = Endless(head, block)
    with pytest.raises(DimacsError, match=r"Line \d+: "):
        read_dimacs(stream)
    assert stream.given < 1 << 18


@pytest.mark.parametrize(
    ("head", "block"),
    [(b"", b" " * 4096), (b"p cnf 1 1\n", b"\n" * 4096), (b"c", b"c" * 4096), (b"", b"c x\n" * 9999)],
)
def test_endless_comments_and_blanks_are_refused_in_bounded_memory(head, block, monkeypatch):
    monkeypatch.setattr(dimacs, "LONGEST_GAP", 1 << 20)
    stream = Endless(head, block)
    tracemalloc.start()
    try:
        with pytest.raises(DimacsError, match="comments and blanks in a row"):
            read_dimacs(stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert stream.given < 1 << 21
    assert peak < 1 << 20


def test_a_small_gzip_file_that_unpacks_to_much_is_refused():
    bomb = gzip.compress(b"p cnf 1 1\n" + b" " * (LONGEST_GAP + (1 << 20)))
    with pytest.raises(DimacsError, match="comments and blanks"):
        CNF.from_dimacs(bomb)


def test_an_endless_clause_is_refused(monkeypatch):
    monkeypatch.setattr(dimacs, "LARGEST_COUNT", 100_000)
    with pytest.raises(DimacsError, match="more than 100,000 literals"):
        read_dimacs(Endless(b"p cnf 1 1\n", b"1 -1 " * 9999))


def test_a_large_header_allocates_nothing():
    tracemalloc.start()
    try:
        with pytest.raises(DimacsError, match="only 0 of the 10000000"):
            CNF.from_dimacs("p cnf 10000000 10000000\n")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_random_k_sat_draws_what_it_says():
    formula = random_k_sat(7, 200, 3, 0)
    assert formula.sizes == {"v": 7, "m": 200}
    assert all(len({abs(x) for x in clause}) == 3 for clause in formula.clauses)
    assert {x for clause in formula.clauses for x in clause} == {s * i for i in range(1, 8) for s in (1, -1)}
    assert formula == random_k_sat(7, 200, 3, np.random.default_rng(0)) != random_k_sat(7, 200, 3, 1)
    with pytest.raises(ValueError, match="'k' must be at most the number 2 of variables, not 3"):
        random_k_sat(2, 1, 3, 0)
    with pytest.raises(ValueError, match="'clauses' must be at least 0, not -1"):
        random_k_sat(2, -1, 1, 0)


@pytest.mark.parametrize(
    ("text", "line"),
    [("p cnf 2 1\n1 c2 0\n-1 0\n", 2), ("p cnf 2 1\n1 %2 0\n", 2), ("p cnf 2 1\n1 -0\n", 2)],
)
def test_noise_inside_a_clause_is_no_comment(text, line):
    with pytest.raises(DimacsError, match=f"Line {line}: expected an integer"):
        CNF.from_dimacs(text)


@pytest.mark.parametrize(
    "text", ["comment\np cnf 2 1\nc1 2 0\n1 c 2\n-2 0\n", "p cnf 2 1\n1 -2 0 c why\n%\n0\n"]
)
def test_comments_and_the_end_mark(text):
    assert CNF.from_dimacs(text) == CNF(2, ((1, -2),))
