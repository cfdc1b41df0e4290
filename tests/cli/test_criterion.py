"""``subquartic criterion``: what it prints and what it refuses."""

from __future__ import annotations

import json

import pytest

SCHEDULE = "1,2,3,4,5,6,8,10,13,16"


def test_the_released_model(subquartic):
    result = subquartic(
        "criterion", "--schedule", SCHEDULE, "--head-dim", 64, "--logit-bound", 4, "--tolerance", "1e-3"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "680, scales 10" in result.stdout
    assert "97,082,021,465" in result.stdout
    assert "36,663,552 multiplications" in result.stdout
    assert "Verdict: exact attention on every scale" in result.stdout


def test_json(subquartic):
    result = subquartic("criterion", "-b", 1, "-d", 8, "--schedule", "1,2,4,8,16,32,64", "--json")
    content = json.loads(result.stdout)
    assert content["tokens"] == 5461
    assert (content["degree"], content["rank"]) == (4, 495)
    assert content["pays"] is True
    assert [scale["method"] for scale in content["scales"]] == ["exact"] * 4 + ["low-rank"] * 3
    planned = sum(s["exact"] if s["method"] == "exact" else s["low_rank"] for s in content["scales"])
    assert content["multiplications"]["planned"] == planned + content["state"]
    assert content["certified_coefficients"] is True
    assert content["error"] <= content["epsilon"]


def test_logits_beyond_float_coefficients(subquartic):
    content = json.loads(subquartic("criterion", "-b", 100, "--json").stdout)
    assert content["certified_coefficients"] is False
    assert content["least_degree"] <= content["degree"]
    assert content["rank"] > 10**40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-b", "-1"), "--logit-bound must be between 0 and 10000, not -1.0."),
        (("-b", "nan"), "--logit-bound must be between 0 and 10000, not nan."),
        (("-b", "1", "-t", "0"), "--tolerance must be above 0 and below 2, not 0.0: "),
        (("-b", "1", "-t", "inf"), "--tolerance must be above 0 and below 2, not inf: "),
        (("-b", "1", "--schedule", "4,2"), "Argument 'schedule' must increase"),
        (("-b", "1", "--schedule", "a"), "Invalid value for '--schedule'"),
        (("-b", "1", "-d", "0"), "Invalid value for '--head-dim'"),
        ((), "Missing option '--logit-bound'"),
    ],
)
def test_bad_input(refused, arguments, message):
    assert refused("criterion", *arguments).startswith(message)
