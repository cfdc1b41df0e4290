"""A user's kernel in a process of its own: it may raise, hang or crash, and the test goes on."""

from __future__ import annotations

import contextlib
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from reductions.kernel_suite import calling
from reductions.kernel_suite.calling import Convention, KernelNotFound

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
        MODULE:FUNCTION or FILE.py:FUNCTION.
    convention
        How the kernel is called.
    time_limit_s
        Seconds that one call may take.
    path
        Where the process looks for modules before it looks where Python does; by default as this process.
    """

    def __init__(
        self,
        target: str,
        convention: Convention,
        time_limit_s: float = 60.0,
        path: Sequence[str] | None = None,
    ) -> None:
        if not time_limit_s > 0:
            raise ValueError(f"Argument 'time_limit_s' must be positive, not {time_limit_s}.")
        self.target, self.convention, self.time_limit_s = target, convention, time_limit_s
        self.path = tuple(sys.path if path is None else path)
        self._process: subprocess.Popen[bytes] | None = None

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
        """Call the kernel; see :func:`reductions.kernel_suite.calling.call`.

        Raises
        ------
        KernelFailed
            If it raised, ran out of time, or took its process down.
        """
        if self._process is None:
            self._start()
        try:
            failure, output, seconds = self._ask(
                (queries, keys, values, temperature, scale_ends), self.time_limit_s
            )
        except queue.Empty:
            self._stop()
            raise KernelFailed(f"no output within {self.time_limit_s:g} s") from None
        except (EOFError, OSError):
            process = self._process
            assert process is not None
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_LIMIT_S)  # or the status would be that of our signal
            self._stop()
            raise KernelFailed(f"its process ended with status {process.returncode}") from None
        if failure is not None:
            raise KernelFailed(failure)
        return Answered(output, seconds)

    def _start(self) -> None:
        # A file, no module: whatever is called `reductions` on the user's path is the user's.
        command = (sys.executable, "-P", calling.__file__)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._reader = threading.Thread(target=_read, args=(self._process.stdout, self._answers), daemon=True)
        self._reader.start()
        how = self.convention
        words = tuple(map(str, (how.arrays, how.layout, how.precision, how.temperature)))
        try:
            refusal = self._ask((self.path, self.target, words), START_LIMIT_S)
        except queue.Empty:
            refusal = f"it was not loaded within {START_LIMIT_S:g} s"
        except (EOFError, OSError):
            refusal = "its process ended while it was loaded"
        if refusal is not None:
            self._stop()
            raise KernelNotFound(refusal)

    def _ask(self, question: object, limit_s: float) -> Any:
        """Return the answer to a question; queue.Empty: none in time, EOFError, OSError: none at all."""
        assert self._process is not None
        assert self._process.stdin is not None
        pickle.dump(question, self._process.stdin)
        self._process.stdin.flush()
        answer = self._answers.get(timeout=limit_s)
        if answer is _ENDED:
            raise EOFError
        return answer

    def _stop(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.kill()
            self._process.wait()
            with contextlib.suppress(BrokenPipeError):  # a question that was not read
                self._process.stdin.close()
            self._reader.join(END_LIMIT_S)  # longer only where the kernel has started processes that live on
            self._process = None


_ENDED = object()


def _read(answers: IO[bytes], into: queue.SimpleQueue[Any]) -> None:
    """Put answers into a queue, where one can wait for them for a limited time on every system."""
    with answers:
        try:
            while True:
                into.put(pickle.load(answers))
        except Exception:  # the process has ended, perhaps in the middle of an answer
            into.put(_ENDED)
