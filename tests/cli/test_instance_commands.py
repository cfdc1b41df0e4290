"""``subquartic`` reduce, generate, verify, solve and inspect, as a user runs them."""

import json

import pytest

from reductions.instance_file import formula_digest, read_instance
from reductions.problem import Answer
from reductions.problems.cnf import RUNNING_EXAMPLE, read_dimacs


def test_a_formula_is_reduced_step_by_step_or_at_once(subquartic, running_example, tmp_path):
    steps = ["ov", "gap-max-ip", "attention", "var"]
    source = running_example
    for problem in steps:
        target = tmp_path / f"{problem}.safetensors"
        result = subquartic("reduce", source, "--to", problem, "-o", target, *["--solve"] * (problem == "ov"))
        assert (result.returncode, result.stdout) == (0, "")
        assert result.stderr.startswith(f"{target}: {problem} with ")
        source = target
    manifest = read_instance(source)[1]
    assert [step["reduction"] for step in manifest.chain] == [
        "split-and-list",
        "complement-encoding",
        "gap-max-ip-to-attention",
        "attention-to-var",
    ]
    assert (manifest.answer, manifest.known_by) == ("YES", "solver")
    assert manifest.witness is not None
    assert manifest.formula_sha256 == formula_digest(RUNNING_EXAMPLE.to_dimacs())

    at_once = tmp_path / "at once.safetensors"
    subquartic("reduce", "-", "--to", "var", "-o", at_once, "-q", input=running_example.read_text())
    direct = read_instance(at_once)[1]
    assert direct.tensors == manifest.tensors
    assert direct.chain == manifest.chain
    assert (direct.answer, direct.witness) == ("unknown", None)
    assert "'at once.safetensors'" in direct.command_line.replace(f"{tmp_path}/", "")

    shown = subquartic("inspect", source)
    assert "split-and-list" in shown.stdout
    assert json.loads(subquartic("inspect", source, "--json").stdout)["answer"] == "YES"
    assert subquartic("solve", source).stdout.startswith("YES\nwitness ")


def test_reading_start_and_positions(subquartic, running_example, tmp_path):
    target = tmp_path / "v.safetensors"
    arguments = ("--to", "var", "--reading", "start+positions", "-o", target, "--solve", "-q")
    assert subquartic("reduce", running_example, *arguments).returncode == 0
    assert read_instance(target)[0].answer() is Answer.YES
    assert [step["reduction"] for step in read_instance(target)[1].chain] == ["sat-to-var-inference"]


def test_reductions_that_are_refused(refused, running_example, tmp_path):
    target = ("-o", tmp_path / "t.safetensors")
    assert "--kernel" in refused("reduce", running_example, "--to", "ov", "--kernel", "nearest", *target)
    assert "--temperature" in refused("reduce", running_example, "--to", "ov", "--temperature", "2", *target)
    huge = "p cnf 90 1\n1 0\n"
    assert "2^45 vectors" in refused("reduce", "-", "--to", "var", *target, input=huge)
    assert "Did you mean attention?" in refused("reduce", running_example, "--to", "atention", *target)
    assert "Missing option '--output'" in refused("reduce", running_example, "--to", "ov")
    assert list(tmp_path.glob("*.safetensors")) == []


@pytest.mark.parametrize(
    ("problem", "flag", "answer"),
    [
        ("ov", "--no-instance", "NO"),
        ("gap-max-ip", "--planted", "YES"),
        ("attention", "--no-instance", "NO"),
        ("var", "--planted", "YES"),
    ],
)
def test_generated_instances_verify(subquartic, tmp_path, problem, flag, answer):
    target = tmp_path / "g.safetensors"
    sizes = ("--vectors", 6, "--dimension", 9, "--near-threshold", "--seed", 4)
    assert subquartic("generate", problem, flag, *sizes, "-o", target, "-q").stderr == ""
    instance, manifest = read_instance(target)
    assert (instance.answer(), manifest.answer, manifest.known_by) == (answer, answer, "planted")
    assert manifest.seed == 4
    result = subquartic("verify", target, "--json")
    assert result.returncode == 0
    verification = json.loads(result.stdout)
    assert verification["ok"]
    outcomes = {check["name"]: check["outcome"] for check in verification["checks"]}
    assert outcomes["answer"] == "ok"
    assert outcomes["witness"] == ("ok" if answer == "YES" else "skipped")


def test_a_damaged_file_fails_verification_and_is_not_solved(subquartic, refused, tmp_path):
    target = tmp_path / "g.safetensors"
    subquartic("generate", "ov", "-o", target)
    content = bytearray(target.read_bytes())
    content[-1] ^= 1
    target.write_bytes(content)
    assert refused("verify", target).startswith(f"{target}: the SHA-256 of tensor 'right'")
    as_json = subquartic("verify", target, "--json")
    assert (as_json.returncode, json.loads(as_json.stdout)["ok"]) == (2, False)
    assert refused("solve", target).startswith(f"{target}: the SHA-256")
    assert refused("verify", tmp_path / "absent").endswith("absent: No such file or directory.")


def test_an_existing_file_is_kept_unless_forced(subquartic, refused, tmp_path):
    target = tmp_path / "f.cnf"
    target.write_text("precious")
    assert refused("generate", "cnf", "-o", target).endswith("f.cnf: this file exists already.")
    assert target.read_text() == "precious"
    assert (
        subquartic("generate", "cnf", "--planted", "-v", 9, "-m", 30, "-o", target, "--force").returncode == 0
    )
    assert read_dimacs(target).sizes == {"v": 9, "m": 30}


def test_generators_that_are_refused(refused):
    assert "exclude each other" in refused("generate", "ov", "--planted", "--no-instance", "-o", "x")
    assert "standard output" in refused("generate", "ov", "-o", "-")
    assert "there is no directory" in refused("generate", "ov", "-o", "absent/x")
    assert "Did you mean 'attention'?" in refused("generate", "atention")
