"""Vectors as text on the command line: written, solved, reduced, and refused where they do not belong."""

import gzip
import json

import pytest

from reductions.instance_files.read_write import read_instance
from reductions.problems.vector_text import read_vectors


@pytest.mark.parametrize(
    ("problem", "name"),
    [("ov", "x.ov"), ("ov", "x.ov.gz"), ("gap-max-ip", "x.gmip"), ("gap-max-ip", "x.gmip.gz")],
)
def test_text_holds_the_instance_of_the_instance_file(subquartic, tmp_path, problem, name):
    arguments = ("generate", problem, "--planted", "-N", 9, "-M", 20, "--seed", 5, "-o")
    result = subquartic(*arguments, name)
    assert result.stderr.startswith(f"{name}: {problem} with N")
    subquartic(*arguments, "x.safetensors")
    from_text = read_vectors(str(tmp_path / name))
    instance, manifest = read_instance(tmp_path / "x.safetensors")
    assert from_text.sizes == instance.sizes
    assert (from_text.left.tobytes(), from_text.right.tobytes()) == (
        instance.left.tobytes(),
        instance.right.tobytes(),
    )
    content = (tmp_path / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    i, j = manifest.witness
    assert f"\nc answer YES, witness {i} {j}\n" in text
    solved = [subquartic("solve", file, "--json").stdout for file in (name, "x.safetensors")]
    assert solved[0] == solved[1]
    assert json.loads(solved[0])["answer"] == "YES"


def test_text_goes_through_pipes_and_along_the_chain(subquartic, tmp_path):
    text = subquartic("generate", "ov", "--no-instance", "-N", 5, "-M", 9, "-o", "-", "-q").stdout
    assert subquartic("solve", "-", input=text).stdout == "NO\n"
    for source, options in ((("-"), {"input": text}), ("x.ov", {})):
        (tmp_path / "x.ov").write_text(text)
        result = subquartic(
            "reduce", source, "--to", "gap-max-ip", "-o", "y.gmip", "--solve", "-f", **options
        )
        assert result.returncode == 0, result
        assert "\nc answer NO\n" in (tmp_path / "y.gmip").read_text()
    subquartic("reduce", "y.gmip", "--to", "attention", "--solve", "-o", "z.safetensors")
    instance, manifest = read_instance(tmp_path / "z.safetensors")
    assert (instance.answer(), manifest.answer, manifest.known_by) == ("NO", "NO", "solver")


def test_text_where_it_does_not_belong(refused, running_example, tmp_path):
    assert "text with ov, not for attention" in refused("generate", "attention", "-o", "x.ov")
    assert "text with gap-max-ip, not for ov" in refused("generate", "ov", "-o", "x.gmip.gz")
    assert "text with ov, not for var" in refused("reduce", running_example, "--to", "var", "-o", "x.ov")
    (tmp_path / "x.ov").write_text("p ov 1 2\n01\n0?\n")
    for source in ("x.ov", tmp_path / "x.ov"):
        assert refused("solve", source) == f"{source}: Line 3: expected zeros and ones, not '?'."
    assert refused("solve", "-", input="p ov 1 2\n01\n") == (
        "standard input: Line 2: the file ends before the 1 right vectors that the header states."
    )
    assert "the header must be 'p cnf VARIABLES CLAUSES'" in refused("decide", "x.ov")
    assert "exists already" in refused("generate", "ov", "-o", "x.ov")
