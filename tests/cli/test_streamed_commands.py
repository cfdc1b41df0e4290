"""``generate ov --stream``: drawn block by block, the same whatever the threads, checked and refused."""

import json

import pytest


@pytest.mark.parametrize(("flag", "answer"), [("--planted", "YES"), ("--no-instance", "NO")])
def test_a_streamed_instance_verifies_and_is_solved(subquartic, tmp_path, flag, answer):
    # 1.3 million entries per side are two blocks.
    arguments = (
        "generate",
        "ov",
        "--stream",
        flag,
        "-N",
        13_000,
        "-M",
        100,
        "-o",
        "s.safetensors",
        "--force",
    )
    result = subquartic(*arguments, "--threads", 3)
    assert result.stderr == f"s.safetensors: ov with N = 13000, m = 100; answer {answer}\n"
    verification = subquartic("verify", "s.safetensors", "--json")
    assert (verification.returncode, json.loads(verification.stdout)["ok"]) == (0, True)
    assert subquartic("solve", "s.safetensors").stdout.split()[0] == answer


def test_threads_change_nothing(subquartic, tmp_path):
    digests = set()
    for threads in (1, 4):
        arguments = ("--stream", "-N", 3000, "-M", 1000, "--near-threshold", "-o", "s.safetensors")
        subquartic("generate", "ov", *arguments, "--threads", threads)
        manifest = json.loads(subquartic("inspect", "s.safetensors", "--json").stdout)
        digests.add(str(manifest["tensors"]))
        (tmp_path / "s.safetensors").unlink()
    assert len(digests) == 1


def test_streams_that_are_refused(refused, tmp_path):
    stream = ("generate", "ov", "--stream")
    assert "writes an instance file, not text" in refused(*stream, "-o", "x.ov")
    assert "standard output" in refused(*stream, "-o", "-")
    assert "'dimension' must be between" in refused(*stream, "-M", 10**9, "-o", "x")
    assert "No space left on device" in refused(*stream, "-N", 10**15, "-o", "x")
    assert "exclude each other" in refused(*stream, "--planted", "--no-instance", "-o", "x")
    assert refused("generate", "ov", "-N", 10**15, "-o", "x").endswith("--stream draws them block by block.")
    assert list(tmp_path.iterdir()) == []
