"""The wheel, installed without extras, runs every command; what needs an extra says which in one line.

Installed or not, editable or not, it leaves the names ``reductions`` and ``checks`` to those who use them.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from reductions.problems.cnf import RUNNING_EXAMPLE
from reductions.system.source_digest import source_digest

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
        (("mutants", "split-and-list", "--each", "1", "--jobs", "1"), 0),
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


@pytest.fixture(
    scope="module",
    params=["checkout", *(pytest.param(how, marks=pytest.mark.slow) for how in ("wheel", "editable"))],
)
def installation(request, tmp_path_factory):
    """Return a Python, and the environment in which it finds this project in one of three ways."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYT")}
    if request.param == "checkout":
        return sys.executable, environment | {
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "checks/plugin"))),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "-p subquartic.plugin",
        }
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    how = ("--editable",) if request.param == "editable" else ()
    pip(python, "install", "--quiet", "--no-deps", *how, ROOT)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    # The dependencies; files *.pth in there are not read, so no editable install is found through it.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python, environment


OWN_TEST = """
import sys
import pytest
from checks import flash
from reductions.sums import total

@pytest.fixture
def hard_instance():
    return [1, 2]

def test_own(hard_instance):
    assert total(hard_instance) == 3
    assert {"numpy", "subquartic.judge"}.isdisjoint(sys.modules)
"""

KERNEL_TEST = """
def test_kernel(attention_kernel, subquartic_instance):
    attention_kernel.require_right(subquartic_instance)
"""


@pytest.fixture
def user(tmp_path, installation):
    """Run Python in the folder of a user whose packages are called as ours are."""
    python, environment = installation
    (tmp_path / "reductions").mkdir()
    (tmp_path / "reductions/__init__.py").touch()
    (tmp_path / "reductions/sums.py").write_text("total = sum")
    (tmp_path / "kernels.py").write_text("import reductions.sums\n" + KERNEL)
    (tmp_path / "checks.py").write_text(
        "def flash(*arrays, temperature):\n    import kernels\n"
        "    return kernels.attention(*arrays, temperature)\n"
    )

    def run(*arguments, **variables):
        return subprocess.run(
            [python, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment | variables,
        )

    return run


def test_a_suite_with_packages_and_a_fixture_of_our_names_runs_as_ever(user, tmp_path):
    (tmp_path / "test_own.py").write_text(OWN_TEST)
    result = user("-m", "pytest", "-q")
    assert "\n1 passed" in result.stdout, result


def test_a_kernel_is_judged_beside_packages_of_our_names(user, tmp_path):
    (tmp_path / "test_kernel.py").write_text(KERNEL_TEST)
    few = ("-q", "--attention-max-tokens", "64", "-k", "direct-random-L64-f1_4-m14")
    for kernel in ("checks:flash", "kernels.py:attention"):
        result = user("-m", "pytest", "--attention-kernel", kernel, *few)
        assert "\n4 passed, 212 deselected" in result.stdout, result


@pytest.mark.parametrize("path", [False, True], ids=["", "path"])
def test_the_command_runs_beside_packages_of_our_names(user, installation, tmp_path, path):
    before = installation[1].get("PYTHONPATH", "")
    variables = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{before}"} if path else {}
    result = user("-m", "subquartic", "test-kernel", "checks:flash", "--max-tokens", "64", **variables)
    assert (result.returncode, result.stderr) == (0, ""), result


def test_the_source_digest_is_that_of_the_checkout(user):
    """Or a ledger of the one could not be audited, nor work shared, with the other."""
    result = user(
        "-P", "-c", "from reductions.system.source_digest import source_digest; print(source_digest())"
    )
    assert result.stdout.strip() == source_digest()
