from __future__ import annotations

import inspect
import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from reductions.kernel_suite.calling import (
    Arrays,
    Convention,
    KernelNotFound,
    Layout,
    Precision,
    Temperature,
    call,
    load_kernel,
)
from reductions.kernel_suite.examination import KernelReport, Verdict, examine_kernel, judge, value_factors
from reductions.kernel_suite.integer_instance import Parameters, build
from reductions.kernel_suite.kernel_process import KernelFailed, KernelProcess
from reductions.kernel_suite.suite import build_instance, hard_instances, suite_parameters

FEW = [
    Parameters(family, 64, 14, planted, Fraction(1, 2))
    for family in ("random", "extremal")
    for planted in (False, True)
]


SMALL = [parameters for parameters in suite_parameters("quick") if parameters.label.tokens == 64]


def verdicts(report):
    return {outcome.verdict for outcome in report.outcomes if outcome.counts}


@pytest.mark.parametrize(
    ("kernel", "convention"),
    [
        ("exact", Convention()),
        ("exact", Convention(precision=Precision.FLOAT64)),
        ("exact_by_scale", Convention()),
        ("exact_by_root", Convention()),
        ("exact_in_heads", Convention(layout=Layout.HEADS)),
        ("exact_in_torch", Convention(Arrays.TORCH, Layout.HEADS)),
        ("exact_in_torch", Convention(Arrays.TORCH, Layout.ROWS)),
        ("exact_in_torch", Convention(Arrays.TORCH, Layout.HEADS, Precision.BFLOAT16)),
        ("exact_in_torch", Convention(Arrays.TORCH, Layout.HEADS, Precision.FLOAT16)),
        ("exact_in_jax", Convention(Arrays.JAX)),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(vars(value).values()),
)
def test_exact_kernels_pass(user_kernels, kernel, convention):
    report = examine_kernel(f"user_kernels:{kernel}", map(build_instance, SMALL), convention)
    assert verdicts(report) == {Verdict.RIGHT}
    assert report.exit_status == 0
    beyond = sum(not outcome.counts for outcome in report.outcomes)
    assert beyond <= (0 if convention.precision in (Precision.FLOAT32, Precision.FLOAT64) else 110)


def test_every_mutant_fails(user_kernels):
    for mutant in user_kernels.MUTANTS:
        kernel = getattr(user_kernels, mutant)
        found = set()
        for parameters in (p for index, p in enumerate(SMALL) if index // 2 % 4 == 0):  # twins stay together
            instance = build_instance(parameters)
            values = instance.values * value_factors(16)
            arrays = (instance.queries, instance.keys, values)
            outcome = judge(
                instance, call(kernel, Convention(), *arrays, instance.temperature), Precision.FLOAT32
            )
            found.add(outcome.verdict)
        assert found & {Verdict.WRONG, Verdict.FAILED}, mutant


@pytest.mark.slow
@pytest.mark.parametrize("precision", [Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT16])
def test_torch_passes_the_quick_suite(user_kernels, precision):
    convention = Convention(Arrays.TORCH, Layout.HEADS, precision)
    report = examine_kernel("user_kernels:exact_in_torch", hard_instances("quick"), convention)
    assert verdicts(report) == {Verdict.RIGHT}


@pytest.mark.slow
def test_every_mutant_fails_the_quick_suite_in_a_process_of_its_own(user_kernels):
    for mutant in user_kernels.MUTANTS:
        report = examine_kernel(f"user_kernels:{mutant}", hard_instances("quick"), decisions_only=True)
        assert report.exit_status == 1, mutant


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("raises", "RuntimeError: no such luck"),
        ("returns_a_row_less", r"ValueError: the output has shape (63, 16) where (64, 16) was due"),
        ("hangs", "no output within 0.5 s"),
        ("ends_its_process", "its process ended with status 3"),
        ("exits", "SystemExit: 3"),
        ("raises_what_cannot_be_told", "Untellable: no message"),
        ("returns_a_tuple", "ValueError: the kernel returned a tuple of 2 where one array was due"),
        ("returns_complex", "ValueError: the output is of complex128 where real numbers were due"),
    ],
)
def test_a_failure_is_one_line_and_the_run_goes_on(user_kernels, kernel, message):
    report = examine_kernel(f"user_kernels:{kernel}", map(build, FEW[:2]), time_limit_s=0.5)
    assert [outcome.message for outcome in report.outcomes] == [message] * 2
    assert verdicts(report) == {Verdict.FAILED}
    assert report.exit_status == 1


def test_outputs_that_are_not_finite_fail(user_kernels):
    report = examine_kernel("user_kernels:returns_nan", map(build, FEW))
    assert {outcome.verdict for outcome in report.outcomes} == {Verdict.FAILED}
    assert "64 of 64 rows are not finite" in report.outcomes[0].message


def test_a_kernel_that_fails_sometimes_is_judged_on_the_rest(user_kernels):
    instances = map(build, [FEW[0], Parameters("random", 128, 14, False, Fraction(1, 2))])
    report = examine_kernel("user_kernels:fails_on_64_tokens", instances)
    assert [outcome.verdict for outcome in report.outcomes] == [Verdict.FAILED, Verdict.RIGHT]
    assert report.right_up_to(64) is None
    assert report.right_up_to(128) == report.outcomes[1].logit_bound


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("user_kernels", "a kernel is named MODULE:FUNCTION or FILE.py:FUNCTION, not 'user_kernels'"),
        ("no_such_file.py:f", "cannot import no_such_file.py: FileNotFoundError"),
        (":exact", "a kernel is named MODULE:FUNCTION or FILE.py:FUNCTION, not ':exact'"),
        ("no_such_module:f", "cannot import no_such_module: ModuleNotFoundError"),
        ("user_kernels:nothing", "user_kernels has no nothing"),
        ("user_kernels:not_callable", "is no function but of type int"),
    ],
)
def test_kernels_that_cannot_be_loaded(user_kernels, target, message):
    with pytest.raises(KernelNotFound, match=message):
        load_kernel(target)
    with pytest.raises(KernelNotFound, match=message), KernelProcess(target, Convention()):
        pass


def test_a_kernel_may_be_named_by_its_file(user_kernels, tmp_path):
    (tmp_path / "beside.py").write_text("from user_kernels import exact")
    file = tmp_path / "numpy.py"  # whose name another module has
    file.write_text("from beside import exact\nimport numpy as real\nassert real.ones(1) == 1\n")
    report = examine_kernel(f"{file}:exact", map(build, FEW))
    assert verdicts(report) == {Verdict.RIGHT}


def test_the_process_of_a_kernel_imports_nothing_of_ours(tmp_path):
    file = tmp_path / "kernel.py"
    file.write_text(
        "import sys\n"
        "def kernel(q, k, v):\n"
        "    raise ValueError(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'reductions', 'checks', 'subquartic', 'numpy'}))\n"
    )
    report = examine_kernel(f"{file}:kernel", map(build, FEW[:1]))
    assert report.outcomes[0].message == "ValueError: ['numpy']"


def test_the_process_starts_again_after_a_failure(user_kernels):
    instance = build(FEW[0])
    arguments = (instance.queries, instance.keys, instance.values, instance.temperature)
    with KernelProcess("user_kernels:ends_its_process", Convention()) as process:
        for _ in range(2):
            with pytest.raises(KernelFailed, match="status 3"):
                process.call(*arguments)


@pytest.mark.parametrize("kernel", ["exact", "exact_by_scale", "exact_by_root"])
def test_block_causal_attention_is_one_call_a_scale(user_kernels, kernel):
    generator = np.random.default_rng(0)
    q, k, v = (generator.standard_normal((21, 16)) for _ in range(3))
    ends = (1, 5, 21)
    scale_of = np.searchsorted(ends, np.arange(21), side="right")
    logits = np.where(scale_of[:, None] >= scale_of, q @ k.T / 3.0, -np.inf)
    convention = Convention(precision=Precision.FLOAT64)
    found = call(getattr(user_kernels, kernel), convention, q, k, v, 3.0, ends)
    assert np.abs(found - user_kernels.weighted(logits, v)).max() < 1e-13


def test_a_kernel_that_knows_scales_is_told_them():
    def kernel(q, k, v, scale_ends):
        return np.full((len(q), v.shape[1]), sum(scale_ends))

    array = np.ones((5, 4))
    assert (call(kernel, Convention(), array, array, array, 1.0, (1, 5)) == 6).all()


@pytest.mark.parametrize(
    ("name", "told"),
    [("temperature", 8), ("tau", 8), ("scale", 1 / 8), ("sm_scale", 1 / 8), ("softmax_scale", 1 / 8)],
)
def test_a_temperature_divides_and_a_scale_multiplies(name, told):
    heard = {}

    def kernel(q, k, v, **given):
        heard.update(given)
        return v

    kernel.__signature__ = inspect.Signature([inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)])
    array = np.ones((5, 4))
    call(kernel, Convention(), array, array, array, 8.0)
    assert heard == {name: told}


def test_the_temperature_argument_can_be_forced():
    def kernel(q, k, v, **given):
        ((name, value),) = given.items()
        return np.full((len(q), v.shape[1]), value if name == "temperature" else -value)

    array = np.ones((5, 4))
    for how, expected in ((Temperature.TEMPERATURE, 8), (Temperature.SCALE, -1 / 8)):
        found = call(kernel, Convention(temperature=how), array, array, array, 8.0)
        assert (found == expected).all()


def test_numpy_has_no_bfloat16():
    with pytest.raises(ValueError, match="must not be bfloat16 for NumPy arrays"):
        Convention(precision=Precision.BFLOAT16)


def test_a_time_limit_is_positive():
    with pytest.raises(ValueError, match="'time_limit_s' must be positive, not 0"):
        KernelProcess("m:f", Convention(), 0)


def test_an_error_beyond_the_margin_with_the_right_decision_is_outside():
    instance = build(FEW[0])
    outputs = np.zeros((64, 1))
    outputs[instance.rows, 0] = instance.reference
    assert judge(instance, outputs, Precision.FLOAT32).verdict is Verdict.RIGHT
    other = next(row for row in instance.rows if row != instance.decisive)
    outputs[other] += 1.1 * instance.margin
    assert judge(instance, outputs, Precision.FLOAT32).verdict is Verdict.OUTSIDE
    outputs[instance.decisive] += 1.1 * instance.margin
    assert judge(instance, outputs, Precision.FLOAT32).verdict is Verdict.WRONG


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("verdict", Verdict)
def test_what_counts_must_be_right_or_at_least_decided_right(verdict, counts):
    outputs = np.zeros((64, 1))
    outcome = replace(judge(build(FEW[0]), outputs, Precision.FLOAT32), verdict=verdict, counts=counts)
    for decisions_only, accepted in ((False, "right"), (True, "right outside")):
        passes = not counts or verdict in accepted.split()
        assert outcome.passes(decisions_only=decisions_only) == passes
        report = KernelReport("m:f", Convention(), (outcome,), decisions_only)
        assert report.exit_status == int(not passes)


def test_a_kernel_that_forks_answers_once(user_kernels):
    report = examine_kernel("user_kernels:forks", map(build, FEW))
    assert verdicts(report) == {Verdict.RIGHT}


def test_arguments_that_a_kernel_writes_into_are_its_own(user_kernels):
    array = np.random.default_rng(0).standard_normal((21, 16))
    for convention in (
        Convention(precision=Precision.FLOAT64),
        Convention(Arrays.TORCH, precision=Precision.FLOAT64),
    ):
        before = array.copy()
        call(user_kernels.writes_into_its_arguments, convention, array, array, array, 4.0, (1, 5, 21))
        assert (array == before).all()


def test_every_row_must_be_finite():
    instance = build(FEW[0])
    outputs = np.zeros((64, 1))
    outputs[instance.rows, 0] = instance.reference
    outputs[np.setdiff1d(np.arange(64), instance.rows)] = np.nan
    outputs[0] = np.nan
    outcome = judge(instance, outputs, Precision.FLOAT32)
    assert outcome.verdict is Verdict.FAILED
    assert outcome.message == "1 of 64 rows are not finite"


@pytest.mark.parametrize(
    "kernel",
    [
        "only_the_first_column",
        "values_unsigned",
        "outputs_in_0_1",
        "forgets_the_last_query",
        "pads_with_zeros",
    ],
)
def test_subtler_mutants_are_not_right(user_kernels, kernel):
    few = [
        p
        for p in suite_parameters("quick")
        if p.label.tokens in (100, 341) and p.label.strength in (Fraction(1, 8), Fraction(1, 4))
    ]
    report = examine_kernel(f"user_kernels:{kernel}", map(build_instance, few))
    assert verdicts(report) & {Verdict.WRONG, Verdict.OUTSIDE}


def test_a_report_is_plain_data(user_kernels):
    report = examine_kernel("user_kernels:constant", map(build, FEW))
    content = json.loads(json.dumps(report.as_dict()))
    assert content["exit_status"] == 1
    assert [outcome["name"] for outcome in content["outcomes"]] == [p.label.name for p in FEW]
    assert [(regime.route, regime.tokens, regime.strength) for regime in report.regimes] == [
        ("direct", 64, 0.5)
    ]
    assert report.regimes[0].count(Verdict.WRONG) == 2
