"""The command ``subquartic bench``."""

import json
import os
import signal
import sys
import time

import pytest

from checks.performance.environment import machine, process_environment, require_peers
from checks.performance.report import decode_document

pytest.importorskip("torch")
pytest.importorskip("sklearn")


def test_a_tiny_run_as_a_table_and_as_json(subquartic, refused, tmp_path):
    result = subquartic("bench", "pyramid", "attention", "--size", "tiny", "--threads", 1, "--json", "b.json")
    assert result.returncode == 0, result.stderr
    for word in ("torch SDPA", "low rank, g = 2", "speed-up", "Targets", "not measured", "size tiny"):
        assert word in result.stdout
    assert "b.json: written" in result.stderr
    content = json.loads((tmp_path / "b.json").read_text())
    decode_document(content)
    assert [suite["name"] for suite in content["suites"]] == ["pyramid", "attention"]
    assert content["machine"]["threads"] == 1
    assert str(tmp_path) not in json.dumps(content)
    assert "b.json" in refused("bench", "pyramid", "--size", "tiny", "--json", "b.json")


def test_json_on_standard_output(subquartic):
    result = subquartic("bench", "scaling", "--size", "tiny", "--seed", 3, "--quiet", "--json", "-")
    assert (result.returncode, result.stderr) == (0, "")
    content = json.loads(result.stdout)
    decode_document(content)
    assert content["seed"] == 3


def test_a_misspelt_name(refused):
    assert refused("bench", "atention") == "No such benchmark: atention. Did you mean attention?"
    assert "Did you mean quick?" in refused("bench", "--size", "quik")
    assert "absent" in refused("bench", "pyramid", "--json", "absent/b.json")


@pytest.mark.parametrize(("missing", "named"), [("torch", "torch"), ("sklearn", "scikit-learn")])
def test_without_a_peer(missing, named, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        "checks.performance.environment.find_spec", lambda name: None if name == missing else find(name)
    )
    with pytest.raises(RuntimeError, match=rf"bench needs {named}: .*'subquartic\[bench\]'"):
        require_peers()


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_an_interrupt_ends_the_process_that_measures(start):
    process = start("bench", "--size", "full", start_new_session=True)
    with process:
        line = process.stderr.readline()  # the measuring process has begun
        assert line.startswith("[")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "")
    assert errors.splitlines()[-1] == "subquartic: interrupted"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("the process that measures is still there")


def test_the_environment_of_the_process():
    environment = process_environment(3)
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["OMP_WAIT_POLICY"] == "passive"
    assert environment["NUMBA_NUM_THREADS"] == environment["OMP_NUM_THREADS"] == "3"
    assert set(sys.path) - {""} <= set(environment["PYTHONPATH"].split(os.pathsep))


def test_the_machine_is_described_without_names():
    import platform

    described = machine(2)
    assert described["threads"] == 2
    assert {"numpy", "numba", "torch"} <= set(described["packages"])
    text = json.dumps(described)
    assert platform.node() not in text
    assert os.getcwd() not in text
