from __future__ import annotations

import os
import subprocess
import sys

import pytest

from reductions.kernel_suite.integer_instance import Parameters
from reductions.kernel_suite.suite import (
    build_instance,
    hard_instances,
    suite_manifest,
    suite_parameters,
)


def test_the_quick_suite_is_what_it_always_was():
    manifest = suite_manifest("quick")
    assert len(manifest["instances"]) == len(set(manifest["instances"].values())) == 720
    # A change of this hash is a change of the suite: raise SUITE_VERSION with it.
    assert manifest["version"] == 2
    assert manifest["sha256"] == "f1c9788d9c5e4218625f1efd90f5c49fee98fd1d7a1898222d0137bca368756d"


def test_the_same_bits_in_other_processes_with_other_threads_and_hash_seeds():
    code = (
        "from reductions.kernel_suite.suite import *;"
        "print(*(build_instance(p).digest for p in list(suite_parameters())[::37]))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-1]
        for threads in ("1", "4")
    }
    assert found == {build_instance(list(suite_parameters())[::37][-1]).digest}


def test_both_readings_and_both_routes_are_in_the_suite():
    labels = {(p.label.reading, p.label.route) for p in suite_parameters("quick")}
    assert labels == {
        ("attention", "direct"),
        ("attention", "pcp"),
        ("maps", "direct"),
        ("start+positions", "inference"),
    }


def test_names_tell_instances_apart():
    names = [parameters.label.name for parameters in suite_parameters("full", seeds=2)]
    assert len(set(names)) == len(names)
    sizes = {p.tokens for p in suite_parameters("full") if isinstance(p, Parameters)}
    assert sizes == {64, 100, 256, 1024, 4096, 16384, 65536}


def test_seeds_multiply_a_suite():
    assert len(list(suite_parameters("quick", seeds=3))) == 3 * 720
    first, second = (next(hard_instances("quick", seeds=2)) for _ in range(2))
    assert first.digest == second.digest


@pytest.mark.slow
def test_the_largest_instance_has_an_exact_reference():
    parameters = next(p for p in suite_parameters("full") if p.label.tokens == 65536)
    instance = build_instance(parameters)
    assert instance.queries.shape == (65536, 64)
    assert instance.decide(instance.reference) is instance.answer
    assert instance.margin > 0


@pytest.mark.parametrize(
    ("suite", "seeds", "message"), [("slow", 1, "'suite' must be"), ("quick", 0, "'seeds'")]
)
def test_wrong_suites(suite, seeds, message):
    with pytest.raises(ValueError, match=message):
        list(suite_parameters(suite, seeds))
