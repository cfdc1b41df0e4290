"""``subquartic`` reduce, generate, verify, solve and inspect, as a user runs them."""

import json

import pytest

from reductions.instance_files.read_write import formula_digest, read_instance
from reductions.problem import Answer
from reductions.problems.cnf import RUNNING_EXAMPLE, random_k_sat, read_dimacs


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


@pytest.mark.parametrize(
    ("objective", "messages"), [("30", 16), pytest.param("ratio", 64, marks=pytest.mark.slow)]
)
def test_all_messages_of_the_pcp_in_one_instance(subquartic, running_example, tmp_path, objective, messages):
    """At once to every problem, or from an instance file on: the files verify and are solved."""
    pcp = ("--route", "pcp", "--objective", objective, "-q")
    listed, tensors = tmp_path / "ov.safetensors", {}
    subquartic("reduce", running_example, "--to", "ov", "-o", listed, "--solve")
    for problem in ("gap-max-ip", "attention", "var"):
        target = tmp_path / f"{problem}.safetensors"
        arguments = ("--to", problem, "-o", target, "--solve", *pcp)
        result = subquartic("reduce", running_example, *arguments)
        assert (result.returncode, result.stderr) == (0, "")
        instance, manifest = read_instance(target)
        tensors[problem] = manifest.tensors
        assert [step["reduction"] for step in manifest.chain][:2] == ["split-and-list", "distributed-pcp"]
        assert (instance.answer(), manifest.answer, manifest.known_by) == ("YES", "YES", "solver")
        assert json.loads(subquartic("verify", target, "--json").stdout)["ok"]
        assert subquartic("solve", target).stdout.startswith("YES\nwitness ")
    source = read_instance(tmp_path / "gap-max-ip.safetensors")[0]
    assert source.sizes["N_u"] == messages * source.sizes["N_v"] == messages * 4

    target = tmp_path / "from the file.safetensors"
    subquartic("reduce", listed, "--to", "gap-max-ip", "-o", target, *pcp)
    subquartic("reduce", target, "--to", "var", "-o", target, "--force", "-q")
    assert read_instance(target)[1].tensors == tensors["var"]


def test_rectangular_instances_that_are_refused(refused, running_example, tmp_path):
    target = tmp_path / "t.safetensors"
    pcp = ("--route", "pcp", "-o", target)
    assert "no such step from cnf to ov" in refused("reduce", running_example, "--to", "ov", *pcp)
    reading = ("--reading", "start+positions")
    assert "not to start+positions" in refused("reduce", running_example, "--to", "var", *reading, *pcp)
    small = refused("reduce", running_example, "--to", "var", "--memory-limit", "1M", *pcp)
    assert "all 64 messages of the distributed PCP do not fit one instance" in small
    assert small.endswith("`subquartic decide --route pcp` takes one message at a time.")
    twelve = random_k_sat(16, 12, 3, 0).to_dimacs()
    assert "625 messages" in refused("reduce", "-", "--to", "gap-max-ip", *pcp, input=twelve)
    assert "32 coordinates are too many" in refused("generate", "var", *pcp)
    assert "do not fit one" in refused("generate", "var", "-N", 9999, "-M", 12, *pcp)
    assert list(tmp_path.glob("*.safetensors")) == []


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
    ("problem", "flag", "answer", "route"),
    [
        ("ov", "--no-instance", "NO", ()),
        ("gap-max-ip", "--planted", "YES", ()),
        ("attention", "--no-instance", "NO", ()),
        ("var", "--planted", "YES", ()),
        ("gap-max-ip", "--no-instance", "NO", ("--route", "pcp", "--objective", "messages")),
        ("attention", "--planted", "YES", ("--route", "pcp", "--dimension", 6)),
        ("var", "--no-instance", "NO", ("--route", "pcp", "--dimension", 6)),
    ],
)
def test_generated_instances_verify(subquartic, tmp_path, problem, flag, answer, route):
    target = tmp_path / "g.safetensors"
    sizes = ("--vectors", 6, "--dimension", 9, "--near-threshold", "--seed", 4, *route)
    assert subquartic("generate", problem, flag, *sizes, "-o", target, "-q").stderr == ""
    instance, manifest = read_instance(target)
    assert ("distributed-pcp" in [step["reduction"] for step in manifest.chain]) is bool(route)
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
    assert "standard output" in refused("generate", "attention", "-o", "-")
    assert "there is no directory" in refused("generate", "ov", "-o", "absent/x")
    assert "Did you mean 'attention'?" in refused("generate", "atention")
