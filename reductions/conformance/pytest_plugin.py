"""A pytest plugin: test an attention kernel against the hard instances.

    def test_my_kernel(attention_kernel, hard_instance):
        attention_kernel.require_right(hard_instance)

    pytest --attention-kernel my_kernels:flash --attention-suite quick

A test that uses ``hard_instance`` runs once an instance. Where exact attention in the kernel's precision is
too coarse for an instance the test is skipped: it says nothing about the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from reductions.conformance.hard_instance import HardInstance
    from reductions.conformance.kernel_process import KernelProcess

_CHOICES = {
    "--attention-suite": ("quick", ("quick", "full"), "suite of hard instances"),
    "--attention-arrays": ("numpy", ("numpy", "torch", "jax"), "whose arrays the kernel takes"),
    "--attention-layout": ("ld", ("ld", "bhld"), "shape of its arrays: (L, d) or (1, 1, L, d)"),
    "--attention-precision": ("float32", ("float16", "bfloat16", "float32", "float64"), "of its arrays"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("attention kernels (subquartic)")
    group.addoption("--attention-kernel", metavar="MODULE:FUNCTION", help="the kernel under test")
    for option, (default, choices, help) in _CHOICES.items():
        group.addoption(option, default=default, choices=choices, help=f"{help} (default: {default})")
    group.addoption(
        "--attention-max-tokens", type=int, metavar="L", help="leave out instances with more tokens"
    )
    group.addoption(
        "--attention-time-limit", type=float, default=60.0, metavar="S", help="seconds for one call"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses ``hard_instance`` once an instance of the suite."""
    if "hard_instance" not in metafunc.fixturenames:
        return
    from reductions.conformance.suite import suite_parameters

    most = metafunc.config.getoption("--attention-max-tokens")
    chosen = [
        parameters
        for parameters in suite_parameters(metafunc.config.getoption("--attention-suite"))
        if most is None or parameters.label.tokens <= most
    ]
    metafunc.parametrize("hard_instance", chosen, ids=lambda p: p.label.name, indirect=True)


@pytest.fixture
def hard_instance(request: pytest.FixtureRequest) -> HardInstance:
    """A hard instance of the suite; see :class:`reductions.conformance.hard_instance.HardInstance`."""
    from reductions.conformance.suite import build_instance

    return build_instance(request.param)


@dataclass(frozen=True)
class AttentionKernel:
    """The kernel under test, in its process."""

    process: KernelProcess

    def require_right(self, instance: HardInstance) -> None:
        """Fail the test unless the kernel decides right with every judged row within the margin."""
        from reductions.conformance.examination import outcomes

        (outcome,) = outcomes(self.process, [instance])
        if not outcome.counts:
            pytest.skip(
                f"exact attention in this precision errs by {outcome.baseline_error:.2g} margins here"
            )
        if not outcome.passes():
            error = "" if outcome.worst_error is None else f", worst error {outcome.worst_error:.3g} margins"
            pytest.fail(f"{outcome.name}: {outcome.verdict}{error} {outcome.message}".rstrip(), pytrace=False)


@pytest.fixture(scope="session")
def attention_kernel(request: pytest.FixtureRequest) -> Iterator[AttentionKernel]:
    """The kernel that ``--attention-kernel`` names, in a process of its own."""
    from reductions.conformance.calling import Arrays, Convention, KernelNotFound, Layout
    from reductions.conformance.kernel_process import KernelProcess
    from reductions.conformance.low_precision import Precision

    def option(name: str) -> Any:
        return request.config.getoption(f"--attention-{name}")

    if option("kernel") is None:
        raise pytest.UsageError("--attention-kernel MODULE:FUNCTION names the kernel under test")
    try:
        convention = Convention(
            Arrays(option("arrays")), Layout(option("layout")), Precision(option("precision"))
        )
        with KernelProcess(option("kernel"), convention, option("time-limit")) as process:
            yield AttentionKernel(process)
    except (KernelNotFound, ValueError) as error:
        raise pytest.UsageError(str(error)) from None
