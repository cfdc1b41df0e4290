"""The suites by name, without loading what they need."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from checks.performance.suite import Bench, Suite, SuiteResult

SUITES = {
    "attention": "time of full attention at 65,536 tokens against exact attention",
    "pyramid": "time of block-causal attention over all scales of a VAR model against exact attention",
    "scaling": "how time grows with the side of the image, fast and exact",
    "peers": "time and worst-case error against other approximations, on four families of data",
    "gemm": "fraction of the speed of a matrix product",
    "dispatcher": "the automatic choice between low rank and exact, and its certificates",
    "principal-axes": "fewer features at equal certified error, by turning to principal axes",
}
"""Names and what they measure."""


def run_suite(name: str, bench: Bench) -> SuiteResult:
    """Run a suite.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    return _load(resolve(name))(bench)


def resolve(name: str) -> str:
    """Return the name that a user meant.

    Raises
    ------
    ValueError
        If there is no such suite; the message suggests one.
    """
    from difflib import get_close_matches

    written = name.replace("_", "-").lower()
    if written in SUITES:
        return written
    near = get_close_matches(written, SUITES, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(SUITES)}."
    raise ValueError(f"No such benchmark: {name}. {hint}")


def _load(name: str) -> Callable[[Bench], SuiteResult]:
    module = import_module(f"checks.performance.suites.{name.replace('-', '_')}")
    run: Suite = module.run
    return run
