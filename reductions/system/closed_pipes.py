"""Ignore a closed pipe (EPIPE), as in ``| head``."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Forgiving(io.FileIO):
    """A file that throws away what is written after the reader of the pipe has gone."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            _discard(self.fileno())
            return memoryview(data).nbytes


def forgive_closed_pipes() -> None:
    """Replace standard output and error; one that is closed is replaced by one that goes nowhere."""
    sys.stdout = _forgiving(sys.stdout, line_buffering=False)
    sys.stderr = _forgiving(sys.stderr, line_buffering=True)


def _forgiving(stream: TextIO | None, *, line_buffering: bool) -> TextIO:
    descriptor = os.open(os.devnull, os.O_WRONLY) if stream is None else stream.fileno()
    return io.TextIOWrapper(
        io.BufferedWriter(_Forgiving(descriptor, "w", closefd=False)),
        encoding=stream.encoding if stream else "utf-8",
        errors="replace",  # of an encoding without the rules of tables
        line_buffering=line_buffering or os.isatty(descriptor),
    )


def finish(status: int, bad_output: int = 2) -> int:
    """Flush both streams and return the exit status: ``bad_output`` where standard output took not all."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if status != bad_output:
            with contextlib.suppress(OSError):
                print(f"subquartic: standard output: {error.strerror}", file=sys.stderr)
            status = bad_output
        _discard(sys.stdout.fileno())  # Python flushes once more when it exits
    try:
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr.fileno())
    return status


def _discard(descriptor: int) -> None:
    """Let a descriptor lead nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
