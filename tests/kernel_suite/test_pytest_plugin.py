from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TEST = """
def test_kernel(attention_kernel, subquartic_instance):
    attention_kernel.require_right(subquartic_instance)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest in a folder with one test, beside user_kernels.py."""
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", f"{root}:{root}/checks/plugin:{Path(__file__).parent}")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(TEST)

    def pytest_run(*options):
        plugin = ("-p", "subquartic.plugin", "--attention-max-tokens", "64")
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


def test_without_a_kernel_the_test_is_skipped_and_the_option_named(run):
    result = run("-k", "test_kernel", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*--attention-kernel names no kernel (MODULE:FUNCTION or FILE.py:FUNCTION)"])


@pytest.mark.parametrize("workers", [(), ("-p", "xdist.plugin", "-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("user_kernels:nothing",), "user_kernels has no nothing"),
        (("nowhere.py:f",), "cannot import nowhere.py: FileNotFoundError"),
        (
            ("user_kernels:exact", "--attention-precision", "bfloat16"),
            "must not be bfloat16",
        ),
    ],
    ids=["function", "file", "convention"],
)
def test_a_kernel_that_cannot_be_loaded_ends_the_run_in_one_line(run, options, message, workers):
    result = run("--attention-kernel", *options, *workers)
    assert result.ret == (2 if workers else pytest.ExitCode.USAGE_ERROR)
    lines = result.stdout.lines + result.stderr.lines
    assert sum(message in line for line in lines) == 1
    assert len(lines) < 12
    result.assert_outcomes()


def test_a_kernel_is_found_beside_its_test(run, pytester):
    folder = pytester.mkdir("suite")
    (folder / "kernels_here.py").write_text("from user_kernels import exact")
    (folder / "test_here.py").write_text(TEST)
    run("--attention-kernel", "kernels_here:exact", folder).assert_outcomes(passed=20, deselected=196)


def test_a_test_may_look_at_an_instance(run, pytester):
    pytester.makepyfile(
        """
        def test_instance(subquartic_instance):
            instance = subquartic_instance
            assert instance.queries.shape == instance.keys.shape == (64, 16)
            assert instance.answer == ("YES" if instance.name.endswith("yes") else "NO")
            assert 0 < instance.margin
            assert not hasattr(instance, "digest")
        """
    )
    run("--attention-kernel", "user_kernels:exact").assert_outcomes(passed=20, deselected=196)


def test_hard_instances_are_one_import_away():
    import reductions

    assert next(reductions.hard_instances("quick")).label.tokens == 64
    with pytest.raises(AttributeError, match="has no attribute 'easy_instances'"):
        _ = reductions.easy_instances
