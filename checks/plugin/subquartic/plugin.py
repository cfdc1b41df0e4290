"""A pytest plugin: test an attention kernel against the hard instances.

    def test_my_kernel(attention_kernel, subquartic_instance):
        attention_kernel.require_right(subquartic_instance)

    pytest --attention-kernel my_kernels.py:flash --attention-suite quick

A test that uses ``subquartic_instance`` runs once per instance. It is skipped where exact attention in the
kernel's precision is too coarse for the instance, which then says nothing about the kernel, and where no
kernel is named; until then nothing but this file is imported.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

_CHOICES = {
    "--attention-suite": ("quick", ("quick", "full"), "suite of hard instances"),
    "--attention-arrays": ("numpy", ("numpy", "torch", "jax"), "whose arrays the kernel takes"),
    "--attention-layout": ("ld", ("ld", "bhld"), "shape of its arrays: (L, d) or (1, 1, L, d)"),
    "--attention-precision": ("float32", ("float16", "bfloat16", "float32", "float64"), "of its arrays"),
}

_NO_KERNEL = "--attention-kernel names no kernel (MODULE:FUNCTION or FILE.py:FUNCTION)"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("attention kernels (subquartic)")
    group.addoption(
        "--attention-kernel",
        metavar="KERNEL",
        help="the kernel under test: MODULE:FUNCTION or FILE.py:FUNCTION",
    )
    for option, (default, choices, help) in _CHOICES.items():
        group.addoption(option, default=default, choices=choices, help=f"{help} (default: {default})")
    group.addoption(
        "--attention-max-tokens", type=int, metavar="L", help="leave out instances with more tokens"
    )
    group.addoption(
        "--attention-time-limit", type=float, default=60.0, metavar="S", help="seconds for one call"
    )


class _Judge:
    """The process that judges; see :mod:`subquartic.judge`."""

    def __init__(self, config: pytest.Config) -> None:
        command = (sys.executable, "-P", "-m", "subquartic.judge")
        directory = config.invocation_params.dir
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=directory
        )
        config.add_cleanup(self._end)
        self._send((config.getoption("--attention-suite"), config.getoption("--attention-max-tokens")))

    def ask(self, method: str, *arguments: object) -> Any:
        """Return what a method of :class:`subquartic.judge.Judge` returns."""
        assert self._process.stdout is not None
        try:
            self._send((method, arguments))
            error, answer = pickle.load(self._process.stdout)
        except (EOFError, OSError):
            raise pytest.UsageError("the process that judges has ended") from None
        if error is not None:
            raise pytest.UsageError(error)
        return answer

    def _send(self, question: object) -> None:
        assert self._process.stdin is not None
        pickle.dump(question, self._process.stdin)
        self._process.stdin.flush()

    def _end(self) -> None:
        self._process.terminate()  # it may be waiting for a kernel
        self._process.communicate()


_judge = pytest.StashKey[_Judge]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses ``subquartic_instance`` once per instance of the suite."""
    if "subquartic_instance" not in metafunc.fixturenames:
        return
    config = metafunc.config
    if config.getoption("--attention-kernel") is None:
        none = pytest.param(None, id="no-kernel", marks=pytest.mark.skip(reason=_NO_KERNEL))
        metafunc.parametrize("subquartic_instance", [none], indirect=True)
        return
    if _judge not in config.stash:
        config.stash[_judge] = _Judge(config)
    metafunc.parametrize("subquartic_instance", config.stash[_judge].ask("names"), indirect=True)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist tells that tests are ready
def pytest_collection_finish(session: pytest.Session) -> None:
    """Load the kernel when all places of modules are known; one that is not there ends the run at once."""
    config = session.config
    used = any("subquartic_instance" in getattr(item, "fixturenames", ()) for item in session.items)
    if not used or _judge not in config.stash or config.option.collectonly:
        return
    words = tuple(config.getoption(f"--attention-{name}") for name in ("arrays", "layout", "precision"))
    kernel, limit_s = config.getoption("--attention-kernel"), config.getoption("--attention-time-limit")
    try:
        config.stash[_judge].ask("load", kernel, sys.path, words, limit_s)
    except pytest.UsageError as error:
        if not hasattr(config, "workerinput"):
            raise
        session.shouldfail = str(error)  # which a worker of pytest-xdist passes on, but no usage error
        raise session.Failed(session.shouldfail) from None


class Instance:
    """A hard instance: its name, and what :data:`subquartic.judge.SHOWN` lists, asked of the judge when used.

    See :class:`reductions.kernel_suite.hard_instance.HardInstance`.
    """

    def __init__(self, name: str, judge: _Judge) -> None:
        self.name = name
        self._judge = judge

    def __getattr__(self, attribute: str) -> Any:
        from subquartic.judge import SHOWN

        if attribute not in SHOWN:
            raise AttributeError(f"an instance has no {attribute!r} but name, {', '.join(SHOWN)}")
        return self._judge.ask("attribute", self.name, attribute)


@pytest.fixture
def subquartic_instance(request: pytest.FixtureRequest) -> Instance:
    """A hard instance of the suite."""
    return Instance(request.param, request.config.stash[_judge])


@dataclass(frozen=True)
class AttentionKernel:
    """The kernel under test, in a process of its own."""

    judge: _Judge

    def require_right(self, instance: Instance) -> None:
        """Fail the test unless the kernel decides right with every judged row within the margin."""
        verdict, sentence = self.judge.ask("verdict", instance.name)
        if verdict == "beyond":
            pytest.skip(sentence)
        if verdict == "fault":
            pytest.fail(sentence, pytrace=False)


@pytest.fixture(scope="session")
def attention_kernel(request: pytest.FixtureRequest) -> AttentionKernel:
    """The kernel that ``--attention-kernel`` names."""
    if _judge not in request.config.stash:
        pytest.skip(_NO_KERNEL)
    return AttentionKernel(request.config.stash[_judge])
