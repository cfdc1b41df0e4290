"""``subquartic test-kernel`` as a user runs it: in a directory with a file of kernels."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from checks.cli.output import print_table

HERE = Path(__file__).parents[1] / "kernel_suite"


def run_test_kernel(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "checks.cli", "test-kernel", *arguments, "--max-tokens", "64"],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_exact_kernel_is_right_everywhere():
    run = run_test_kernel("user_kernels:exact")
    assert run.returncode == 0, run.stderr
    assert "L = 64: every decision right and every row within the margin up to logit bound" in run.stdout
    assert run.stderr == ""


def test_a_wrong_kernel_ends_with_status_1_and_its_errors_in_json(tmp_path):
    figure = tmp_path / "error.svg"
    run = run_test_kernel("user_kernels:temperature_doubled", "--json", "--plot", str(figure))
    assert run.returncode == 1, run.stderr
    report = json.loads(run.stdout)
    assert report["exit_status"] == 1
    assert report["right_up_to"] == {"64": None}
    assert {outcome["verdict"] for outcome in report["outcomes"]} == {"right", "outside", "wrong"}
    assert figure.read_text().startswith("<?xml")
    assert run_test_kernel("user_kernels:exact", "--plot", str(figure)).returncode == 2  # it exists already


def test_a_kernel_outside_the_margin_ends_with_status_1_unless_only_decisions_are_asked_for():
    arguments = ("user_kernels:forgets_the_temperature", "--json")
    for more, status in (((), 1), (("--decisions-only",), 0)):
        run = run_test_kernel(*arguments, *more)
        report = json.loads(run.stdout)
        assert (run.returncode, report["exit_status"], report["decisions_only"]) == (
            status,
            status,
            bool(more),
        )
        assert {outcome["verdict"] for outcome in report["outcomes"]} == {"right", "outside"}
        assert max(outcome["worst_error"] for outcome in report["outcomes"]) > 1000
    assert run_test_kernel("user_kernels:temperature_doubled", "--decisions-only").returncode == 1


@pytest.mark.parametrize(("kernel", "status"), [("exact_by_scale", 0), ("divides_by_its_scale", 1)])
def test_a_scale_multiplies(kernel, status):
    assert run_test_kernel(f"user_kernels:{kernel}").returncode == status


@pytest.mark.parametrize(
    ("kernel", "seen"),
    [
        ("temperature_doubled", {"right", "outside", "wrong"}),
        ("forgets_the_maximum", {"right", "outside", "failed"}),
    ],
)
def test_the_table_says_what_the_json_says(kernel, seen):
    arguments = (f"user_kernels:{kernel}", "--precision", "float16")
    printed = printed_table(run_test_kernel(*arguments).stdout)
    outcomes = json.loads(run_test_kernel(*arguments, "--json").stdout)["outcomes"]
    regimes = {}
    for outcome in outcomes:
        regime = tuple(outcome[name] for name in ("reading", "route", "tokens", "strength"))
        regimes.setdefault(regime, []).append(outcome)
    for row, (regime, found) in zip(printed, regimes.items(), strict=True):
        assert (row["reading"], row["route"], int(row["L"]), float(row["strength"])) == regime
        bounds = [outcome["logit_bound"] for outcome in found]
        shown = [float(bound) for bound in row["logit bound"].split(" to ")]
        assert shown == pytest.approx([min(bounds), max(bounds)], abs=0.05)
        counted = [outcome for outcome in found if outcome["counts"]]
        assert int(row["beyond"]) == len(found) - len(counted)
        verdicts = [outcome["verdict"] for outcome in counted]
        for verdict in ("right", "outside", "wrong", "failed"):
            assert int(row[verdict]) == verdicts.count(verdict)
        errors = [outcome["worst_error"] for outcome in counted if outcome["worst_error"] is not None]
        assert [float(cell) for cell in row["worst error"].split()] == (
            [pytest.approx(max(errors), rel=0.05)] if errors else []
        )
    assert {verdict for verdict in ("right", "outside", "wrong", "failed") if total(printed, verdict)} == seen
    assert total(printed, "beyond") > 0


def printed_table(text: str) -> list[dict[str, str]]:
    """Return the rows of a printed table; a cell is what stands below its head."""
    heads, rule, *lines = text.splitlines()
    assert set(rule) <= set(" ─")
    found = list(re.finditer(r"\S+(?: \S+)*", heads))
    edges = [*(head.start() for head in found), None]
    rows = [line for line in lines if re.match(r" \S+ +\w+ +\d", line)]
    return [
        {head[0]: line[start:end].strip() for head, (start, end) in zip(found, pairwise(edges), strict=True)}
        for line in rows
    ]


def total(rows: list[dict[str, str]], column: str) -> int:
    return sum(int(row[column]) for row in rows)


@pytest.mark.parametrize("row", [("1",), ("1", "2", "3")])
def test_a_table_whose_rows_do_not_fit_its_heads_is_refused(row):
    with pytest.raises(ValueError, match=f"2 cells in each row, one per column, not {len(row)}"):
        print_table(None, ("left", "right"), [("1", "2"), row])


def test_a_kernel_that_raises_is_told_in_one_line():
    run = run_test_kernel("user_kernels:raises")
    assert run.returncode == 1
    assert (
        "failed 216 times, first on attention-direct-random-L64-f1_16-m14-s0-no: RuntimeError: no such luck\n"
        in run.stdout
    )
    assert "Traceback" not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("user_kernels:nothing",), "subquartic: user_kernels has no nothing"),
        (("nowhere:nothing",), "subquartic: cannot import nowhere: ModuleNotFoundError"),
        (("nowhere",), "subquartic: a kernel is named MODULE:FUNCTION or FILE.py:FUNCTION, not 'nowhere'"),
        (("user_kernels:exact", "--precision", "bfloat16"), "must not be bfloat16 for NumPy arrays"),
        (("user_kernels:exact", "--plot", "figure.png"), "--plot draws SVG"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, message):
    run = run_test_kernel(*arguments)
    assert run.returncode == 2
    assert run.stdout == ""
    assert message in run.stderr
    assert run.stderr.count("\n") == 1
