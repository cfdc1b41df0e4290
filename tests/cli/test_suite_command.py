"""``subquartic suite``, and ``--scheduler`` where it leads nowhere."""

from __future__ import annotations

import json

import pytest

from checks.cli import suite as command
from reductions.kernel_suite import sweep
from reductions.kernel_suite.suite import SUITE_VERSION, suite_parameters
from reductions.problems.orthogonal_vectors import OrthogonalVectors


@pytest.fixture
def eight_instances(monkeypatch):
    monkeypatch.setattr(sweep, "suite_parameters", lambda *_: list(suite_parameters("quick"))[:8])


def run(capsys, **options):
    command.suite(jobs=1, quiet=True, **options)
    return capsys.readouterr().out


def test_the_hash_and_the_number_verified_are_printed(eight_instances, capsys):
    text = run(capsys)
    manifest = json.loads(run(capsys, json=True))
    head = f"suite quick, version {SUITE_VERSION}, seeds 0 to 0"
    assert text == f"{head}\nSHA-256 {manifest['sha256']}\nverified 8 of 8\n"
    assert len(manifest["instances"]) == manifest["verified"] == 8
    assert manifest["faults"] == []


def test_a_fault_ends_with_status_1(eight_instances, capsys, monkeypatch):
    from typer import Exit

    monkeypatch.setattr(
        "reductions.kernel_suite.recheck._ov_faults", lambda *_: iter(["it is no such thing"])
    )
    with pytest.raises(Exit) as ended:
        run(capsys)
    assert ended.value.exit_code == 1
    first, *_ = (line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED"))
    assert first == "FAILED attention-direct-random-L64-f1_16-m14-s0-no: it is no such thing"


@pytest.mark.parametrize("arguments", [("check", "def-ov"), ("suite", "quick")])
def test_a_scheduler_that_is_none_is_refused(refused, arguments):
    assert refused(*arguments, "--scheduler", "nonsense") == (
        "Argument 'scheduler' must be an address such as tcp://host:8786, not 'nonsense'."
    )
    assert refused(*arguments, "--scheduler", "127.0.0.1:1") == (
        "No Dask scheduler answers at 127.0.0.1:1: nothing came in 3 s."
    )
    assert refused(*arguments, "--scheduler", "127.0.0.1:1", "--jobs", 2) == (
        "--jobs is for this machine; leave it out with --scheduler."
    )


def test_solve_shares_out_orthogonal_vectors_alone(refused, running_example, tmp_path):
    assert refused("solve", running_example, "--scheduler", "127.0.0.1:1") == (
        "--scheduler shares out the search for orthogonal vectors; this is cnf."
    )
    from reductions.instance_files.read_write import write_instance

    write_instance(tmp_path / "ov.safetensors", OrthogonalVectors.random(8, 4))
    assert refused("solve", "ov.safetensors", "--scheduler", "127.0.0.1:1").startswith("No Dask scheduler")


def test_without_the_extra_it_says_what_to_install(subquartic, tmp_path):
    (tmp_path / "distributed.py").write_text("raise ImportError('as if it were not installed')\n")
    result = subquartic("check", "def-ov", "--scheduler", "127.0.0.1:1")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "subquartic: A scheduler needs Dask: pip install 'subquartic[dask]'.\n"
