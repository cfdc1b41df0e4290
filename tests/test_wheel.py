"""The wheel, installed without extras, runs every command; what needs an extra says which in one line."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from reductions.problems.cnf import RUNNING_EXAMPLE

ROOT = Path(__file__).parents[1]

KERNEL = """
import numpy as np
def attention(q, k, v, temperature):
    weights = np.exp(q @ k.T / temperature - (q @ k.T / temperature).max(axis=1, keepdims=True))
    return weights @ v / weights.sum(axis=1, keepdims=True)
"""

WITHOUT = """
import sys
for package in ("matplotlib", "torch", "jax", "sklearn", "pygraphviz"):
    sys.modules[package] = None
from checks.cli import main
main(sys.argv[1:])
"""

NEED_AN_EXTRA = {
    ("test-kernel", "kernels:attention", "--plot", "x.svg"): "subquartic[plot]",
    ("test-kernel", "kernels:attention", "--arrays", "torch"): "subquartic[torch]",
    ("test-kernel", "kernels:attention", "--arrays", "jax"): "subquartic[jax]",
    ("bench", "gemm", "--size", "tiny"): "subquartic[bench]",
    ("lemmas", "--graph", "x.svg"): "subquartic[book]",
}


@pytest.mark.parametrize("arguments", NEED_AN_EXTRA, ids=" ".join)
def test_a_missing_extra_is_named_in_one_line(tmp_path, arguments):
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert f"pip install '{NEED_AN_EXTRA[arguments]}'" in line
    assert list(tmp_path.iterdir()) == []


def pip(python, *arguments):
    result = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if "No matching distribution found" in result.stderr or "ConnectionError" in result.stderr:
        pytest.skip("there is no package index")
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="looks for bin/subquartic")
def test_the_installed_wheel_runs_without_extras(tmp_path):
    pip(sys.executable, "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    pip(python, "install", "--quiet", "--constraint", ROOT / "requirements.lock", wheel)
    (tmp_path / "f.cnf").write_text(RUNNING_EXAMPLE.to_dimacs())
    (tmp_path / "kernels.py").write_text(KERNEL)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    kernel = ("test-kernel", "kernels:attention")
    expected = [
        (("decide", "f.cnf"), 10),
        (("decide", "f.cnf", "--route", "pcp"), 10),
        (("generate", "cnf", "-o", "g.cnf"), 0),
        (("generate", "var", "--planted", "-o", "v.safetensors"), 0),
        (("generate", "ov", "--stream", "--no-instance", "-o", "s.safetensors"), 0),
        (("generate", "gap-max-ip", "-o", "x.gmip"), 0),
        (("verify", "v.safetensors"), 0),
        (("solve", "x.gmip"), 0),
        (("inspect", "s.safetensors"), 0),
        (("reduce", "f.cnf", "--to", "attention", "-o", "a.safetensors"), 0),
        (("check", "split-and-list", "low-rank-attention", "--jobs", "1"), 0),
        (("lemmas",), 0),
        (("criterion", "--schedule", "1,2,4", "--head-dim", "8", "--logit-bound", "1"), 0),
        ((*kernel, "--max-tokens", "64"), 0),
        ((*kernel, "--arrays", "torch"), 2),
        (("bench", "gemm", "--size", "tiny"), 2),
        (("lemmas", "--graph", "x.svg"), 2),
    ]
    for arguments, status in expected:
        result = subprocess.run(
            [python.with_name("subquartic"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
        )
        assert result.returncode == status, (arguments, result)
        assert "Traceback" not in result.stderr
