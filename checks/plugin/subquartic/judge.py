"""The process that judges for the pytest plugin: pytest's sees the user's packages, this one sees ours."""

from __future__ import annotations

import pickle
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import lru_cache
from typing import Any

from subquartic import own_packages_first

SHOWN = (
    *("queries", "keys", "values", "temperature", "scale_ends"),
    *("decisive", "rows", "reference", "margin", "logit_bound", "answer"),
)
"""What a test may ask of an instance."""


class Judge:
    """A suite of hard instances, and the kernel that is judged on them; its methods return plain data."""

    def __init__(self, stack: ExitStack, suite: str, most_tokens: int | None) -> None:
        from reductions.kernel_suite.suite import build_instance, suite_parameters

        self._stack = stack  # ends the kernel's process
        self._parameters = {
            parameters.label.name: parameters
            for parameters in suite_parameters(suite)
            if most_tokens is None or parameters.label.tokens <= most_tokens
        }
        self._build = lru_cache(maxsize=1)(lambda name: build_instance(self._parameters[name]))

    def names(self) -> list[str]:
        """Return the names of the instances."""
        return list(self._parameters)

    def load(self, target: str, path: Sequence[str], words: tuple[str, str, str], limit_s: float) -> None:
        """Start the kernel's process.

        Parameters
        ----------
        target, path
            As of :class:`~reductions.kernel_suite.kernel_process.KernelProcess`.
        words
            Arrays, layout and precision of the convention.
        limit_s
            Seconds for one call.

        Raises
        ------
        ValueError
            If there is no such kernel, or it cannot be called so.
        """
        from reductions.kernel_suite.calling import Arrays, Convention, Layout, Precision
        from reductions.kernel_suite.kernel_process import KernelProcess

        arrays, layout, precision = words
        convention = Convention(Arrays(arrays), Layout(layout), Precision(precision))
        self._process = self._stack.enter_context(KernelProcess(target, convention, limit_s, path))

    def attribute(self, name: str, attribute: str) -> Any:
        """Return an attribute of an instance, one of :data:`SHOWN`."""
        found = getattr(self._build(name), attribute)
        return str(found) if attribute == "answer" else found

    def verdict(self, name: str) -> tuple[str, str]:
        """Return "right", "beyond" (what the kernel's precision can decide) or "fault", and a sentence."""
        from reductions.kernel_suite.examination import outcomes

        (outcome,) = outcomes(self._process, [self._build(name)])
        if not outcome.counts:
            error = outcome.baseline_error
            return "beyond", f"exact attention in this precision errs by {error:.2g} margins here"
        worst = "" if outcome.worst_error is None else f", worst error {outcome.worst_error:.3g} margins"
        sentence = f"{outcome.name}: {outcome.verdict}{worst} {outcome.message}".rstrip()
        return ("right" if outcome.passes() else "fault"), sentence


def serve() -> None:
    """Answer the plugin: (method, arguments) comes in, (error, answer) goes out, one of the two None."""
    own_packages_first()
    from reductions.kernel_suite.calling import pickles

    questions, write = pickles()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is pytest's, which then ends this process
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with ExitStack() as stack, suppress(EOFError):
        judge = Judge(stack, *pickle.load(questions))
        while True:
            method, arguments = pickle.load(questions)
            try:
                write((None, getattr(judge, method)(*arguments)))
            except ValueError as error:
                write((str(error), None))


if __name__ == "__main__":
    serve()
