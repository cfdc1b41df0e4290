from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TEST = """
def test_kernel(attention_kernel, hard_instance):
    attention_kernel.require_right(hard_instance)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest in a folder with one test, beside user_kernels.py."""
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", f"{root}:{Path(__file__).parent}")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(TEST)

    def pytest_run(*options):
        plugin = ("-p", "reductions.conformance.pytest_plugin", "--attention-max-tokens", "64")
        return pytester.runpytest_subprocess(*plugin, "-k", "L64 and f1_4 and m14", *options)

    return pytest_run


def test_an_exact_kernel_passes(run):
    run("--attention-kernel", "user_kernels:exact").assert_outcomes(passed=20, deselected=196)


def test_a_wrong_kernel_fails_and_says_by_how_much(run):
    result = run("--attention-kernel", "user_kernels:temperature_doubled")
    result.assert_outcomes(failed=20, deselected=196)
    result.stdout.fnmatch_lines(["*attention-direct-random-L64-f1_4-m14-s0-no: *, worst error * margins*"])


def test_a_kernel_that_decides_right_outside_the_margin_fails(run):
    result = run("--attention-kernel", "user_kernels:forgets_the_temperature")
    result.assert_outcomes(failed=20, deselected=196)
    result.stdout.fnmatch_lines(
        ["*attention-direct-random-L64-f1_4-m14-s0-no: outside, worst error * margins*"]
    )


def test_what_the_precision_cannot_decide_is_skipped(run):
    options = ("--attention-arrays", "torch", "--attention-precision", "bfloat16")
    result = run("--attention-kernel", "user_kernels:exact_in_torch", *options)
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] + outcomes["skipped"] == 20
    assert outcomes["skipped"] > 0


def test_without_a_kernel_the_option_is_named(run):
    result = run()
    result.stdout.fnmatch_lines(["*--attention-kernel MODULE:FUNCTION names the kernel under test*"])
    assert result.ret != 0


def test_a_kernel_that_cannot_be_loaded_is_named(run):
    result = run("--attention-kernel", "user_kernels:nothing")
    result.stdout.fnmatch_lines(["*user_kernels has no nothing*"])
    assert result.ret != 0


def test_hard_instances_are_one_import_away():
    import reductions

    assert next(reductions.hard_instances("quick")).label.tokens == 64
    with pytest.raises(AttributeError, match="has no attribute 'easy_instances'"):
        _ = reductions.easy_instances
