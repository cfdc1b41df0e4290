"""``subquartic decide``, as a user runs it."""

import json

import pytest
from pysat.solvers import Cadical153

from checks.cli.decide import comments, literals, value_lines
from checks.cli.options import (
    parse_bytes,
    parse_objective,
    parse_schedule,
)
from reductions.choices import Route
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE, random_k_sat

CONTRADICTION = "p cnf 1 2\n1 0\n-1 0\n"


def test_a_satisfiable_formula(subquartic, running_example):
    result = subquartic("decide", running_example)
    assert (result.returncode, result.stderr) == (10, "")
    lines = result.stdout.splitlines()
    kinds = [line.split()[0] for line in lines]
    assert kinds == sorted(kinds)  # c, s, v
    assert "s SATISFIABLE" in lines
    words = " ".join(line[2:] for line in lines if line.startswith("v ")).split()
    assert words.pop() == "0"
    assert RUNNING_EXAMPLE.verify(tuple(int(word) > 0 for word in words))


def test_an_unsatisfiable_formula_from_standard_input(subquartic):
    result = subquartic("decide", "-", "--quiet", input=CONTRADICTION)
    assert (result.returncode, result.stdout, result.stderr) == (20, "s UNSATISFIABLE\n", "")


@pytest.mark.parametrize(
    "options", [(), ("--reading", "start+positions", "--kernel", "nearest", "--all-rows")]
)
def test_json_agrees_with_a_solver(subquartic, options):
    for seed in (1, 2):
        formula = random_k_sat(6, 34, 3, seed)
        result = subquartic("decide", "-", "--json", *options, input=formula.to_dimacs())
        decision = json.loads(result.stdout)
        with Cadical153(bootstrap_with=formula.clauses) as solver:
            satisfiable = solver.solve()
            assert decision["status"] == ("SATISFIABLE" if satisfiable else "UNSATISFIABLE")
            assert result.returncode == (10 if satisfiable else 20)
            if satisfiable:
                assert solver.solve(assumptions=decision["model"])
        assert isinstance(decision["report"], dict)


def test_one_message_of_the_pcp_after_the_other(subquartic):
    """Four variables and eight clauses, with 5 messages; without a model all of them are tried."""
    for number, formula in enumerate((CNF(2, ((1, 2), (-1, 2), (1, -2), (-1, -2)) * 2), RUNNING_EXAMPLE)):
        options = ("--route", "pcp", "--objective", "30", "--json")
        result = subquartic("decide", "-", *options, input=formula.to_dimacs())
        decision = json.loads(result.stdout)
        report = decision["report"]
        assert (report["route"], result.returncode) == ("pcp", (20, 10)[number])
        assert report["messages_run"] <= report["messages"] <= 30
        assert report["code"]["gap"] >= 1
        assert report["code"]["name"] in report["explanation"]
        assert report["entry_bound"] > 1
        if number:
            assert formula.verify(tuple(literal > 0 for literal in decision["model"]))
        else:
            assert report["messages_run"] == report["messages"]


def test_routes_that_are_refused(refused, running_example):
    pcp = ("decide", running_example, "--route", "pcp")
    assert "in reading start+positions" in refused(*pcp, "--reading", "start+positions")
    assert "'--objective'" in refused(*pcp, "--objective", "0")
    assert "Did you mean pcp?" in refused("decide", running_example, "--route", "pc")
    assert refused("decide", running_example, "--objective", "9").startswith("--objective goes with --route")
    many = random_k_sat(9, 17, 3, 0).to_dimacs()
    assert "at most 16" in refused("decide", "-", "--route", "pcp", input=many)


def test_unknown_where_rounding_could_hide_the_answer(subquartic):
    formula = random_k_sat(10, 3000, 3, 0)
    result = subquartic("decide", "-", "--precision", "float32", "--json", input=formula.to_dimacs())
    assert result.returncode == 0
    assert json.loads(result.stdout)["status"] == "UNKNOWN"


def test_bad_input_is_one_line(refused, running_example):
    assert "absent.cnf: No such file" in refused("decide", "absent.cnf")
    assert refused("decide", "-", input="p cnf 1 1\n2 0\n").startswith("standard input: ")
    assert "MiB" in refused("decide", running_example, "--memory-limit", "1M")
    assert "room for 1 of the 4 vectors" in refused("decide", running_example, "--schedule", "1,2")
    assert "Did you mean bicubic?" in refused("decide", running_example, "--kernel", "bicubik")
    assert "Did you mean --kernel?" in refused("decide", running_example, "--kernal", "bicubic")
    assert "'--schedule'" in refused("decide", running_example, "--schedule", "1,two")
    assert "Is a directory" in refused("decide", ".")


def test_values_are_wrapped_as_in_the_competition():
    model = literals([variable % 3 == 0 for variable in range(1, 301)])
    lines = list(value_lines(model))
    assert max(map(len, lines)) <= 78
    assert all(line.startswith("v ") for line in lines)
    assert " ".join(line[2:] for line in lines).split() == [*map(str, model), "0"]
    assert list(value_lines([])) == ["v 0"]


def test_no_comment_spans_lines():
    report = {"schedule": ((1, 1), (2, 4)), "seconds": {"build": 0.5}, "steps": [{"N": 4}, {"D": 1e-9}]}
    assert list(comments(report)) == [
        "c schedule: 1x1 2x4",
        "c seconds: build = 0.5",
        "c steps: N = 4",
        "c steps: D = 1e-09",
    ]


def test_the_parsers_of_values():
    import typer

    assert parse_schedule("1, 2,4") == ((1, 1), (2, 2), (4, 4))
    assert parse_schedule("1x2,3x4") == ((1, 2), (3, 4))
    assert [parse_bytes(text) for text in ("7", "2K", "1.5M", "1GiB", "1 gb")] == [
        7,
        2048,
        3 * 2**19,
        2**30,
        2**30,
    ]
    objectives = [parse_objective(text, Route.PCP) for text in (None, "ratio", "messages", "12")]
    assert objectives == ["ratio", "ratio", "messages", 12]
    for parse, wrong in (
        (lambda text: parse_objective(text, Route.PCP), ("", "0", "-1", "least", "1.5")),
        (parse_schedule, ("", "0", "1,,2", "-1", "1x", "2x2x2")),
        (parse_bytes, ("", "-1", "G", "0", "1Q")),
    ):
        for text in wrong:
            with pytest.raises(typer.BadParameter):
                parse(text)


def test_an_empty_formula_is_satisfiable(subquartic):
    result = subquartic("decide", "-", "-q", input=CNF(0, ()).to_dimacs())
    assert (result.returncode, result.stdout) == (10, "s SATISFIABLE\nv 0\n")
