"""A user's kernel in a process of its own: it may raise, hang or crash, and the test goes on."""

from __future__ import annotations

import multiprocessing
import os
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.conformance.calling import Convention, KernelNotFound, call, load_kernel, one_line

START_LIMIT_S = 120.0
"""Importing a kernel's module may load a large library, once."""


END_LIMIT_S = 5.0
"""A process that has closed its pipe is about to end."""


class KernelFailed(Exception):
    """One call gave no output; the message is one line."""


@dataclass(frozen=True)
class Answered:
    """An output, and how long the call took as the kernel's process measured it."""

    output: NDArray[np.float64]
    seconds: float


class KernelProcess:
    """A context in which a kernel can be called; it starts, and after a failure restarts, the process.

    Parameters
    ----------
    target
        MODULE:FUNCTION.
    convention
        How the kernel is called.
    time_limit_s
        Seconds that one call may take.
    """

    def __init__(self, target: str, convention: Convention, time_limit_s: float = 60.0) -> None:
        if not time_limit_s > 0:
            raise ValueError(f"Argument 'time_limit_s' must be positive, not {time_limit_s}.")
        self.target, self.convention, self.time_limit_s = target, convention, time_limit_s
        self._process: Any = None
        self._pipe: Connection[Any, Any] | None = None

    def __enter__(self) -> KernelProcess:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def call(
        self,
        queries: NDArray[np.float64],
        keys: NDArray[np.float64],
        values: NDArray[np.float64],
        temperature: float,
        scale_ends: tuple[int, ...] | None = None,
    ) -> Answered:
        """Call the kernel; see :func:`reductions.conformance.calling.call`.

        Raises
        ------
        KernelFailed
            If it raised, ran out of time, or took its process down.
        """
        if self._process is None:
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send((queries, keys, values, temperature, scale_ends))
            if not self._pipe.poll(self.time_limit_s):
                self._stop()
                raise KernelFailed(f"no output within {self.time_limit_s:g} s")
            failure, output, seconds = self._pipe.recv()
        except (EOFError, OSError):
            process = self._process
            process.join(END_LIMIT_S)  # or the status would be that of our signal
            self._stop()
            raise KernelFailed(f"its process ended with status {process.exitcode}") from None
        if failure is not None:
            raise KernelFailed(failure)
        return Answered(output, seconds)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a clean process: threads do not survive a fork
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self.target, self.convention), daemon=True
        )
        self._process.start()
        theirs.close()
        refusal: str | None = "its process ended while it was loaded"
        try:
            if self._pipe.poll(START_LIMIT_S):
                refusal = self._pipe.recv()
            else:
                refusal = f"it was not loaded within {START_LIMIT_S:g} s"
        except (EOFError, OSError):
            pass
        if refusal is not None:
            self._stop()
            raise KernelNotFound(refusal)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


def _serve(pipe: Connection[Any, Any], target: str, convention: Convention) -> None:
    """Run in the kernel's process: load it, then answer one call after the other."""
    os.dup2(2, 1)  # what a kernel prints must not get into the report
    warnings.simplefilter("ignore")  # nor its warnings between the lines of progress
    try:
        kernel = load_kernel(target)
    except KernelNotFound as error:
        pipe.send(str(error))
        return
    pipe.send(None)
    process = os.getpid()
    while True:
        try:
            arguments = pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        start = time.perf_counter()
        answer: tuple[str | None, NDArray[np.float64] | None, float]
        try:
            output = call(kernel, convention, *arguments)
            answer = (None, output, time.perf_counter() - start)
        except KeyboardInterrupt:
            return
        except (Exception, SystemExit) as error:  # whatever a user's kernel raises is its result
            answer = (f"{type(error).__name__}: {one_line(error)}", None, 0.0)
        if os.getpid() != process:  # the kernel forked: two answers to one call would shift all that follow
            os._exit(0)
        pipe.send(answer)
