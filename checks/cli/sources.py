"""Reading the inputs of commands: DIMACS formulas, vectors as text, instance files, standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from reductions.instance_files.manifest import Manifest
    from reductions.problem import Problem
    from reductions.problems.cnf import CNF

STANDARD_INPUT = "-"


def read_formula(source: str) -> CNF:
    """Read a DIMACS formula from a file, or from standard input where ``source`` is "-".

    Raises
    ------
    ValueError
        If it is none; the message begins with the source's name.
    OSError
        If it cannot be read.
    """
    from reductions.problems.cnf import read_dimacs

    with _text(source) as stream:
        return read_dimacs(stream)


def read_source(source: str) -> tuple[Problem, Manifest | None]:
    """Read an instance file, or a text, which has no manifest: a DIMACS formula or vectors.

    Raises
    ------
    ValueError
        If it is none of these; the message begins with the source's name.
    OSError
        If it cannot be read.
    """
    if source != STANDARD_INPUT and _is_instance_file(Path(source)):
        from reductions.instance_files.read_write import read_instance

        return read_instance(source)
    from reductions.problems.cnf import read_dimacs
    from reductions.problems.vector_text import holds_vectors, read_vectors

    with _text(source) as stream:
        vectors, stream = holds_vectors(stream)
        return (read_vectors(stream) if vectors else read_dimacs(stream)), None


@contextmanager
def _text(source: str) -> Iterator[BinaryIO]:
    """Open a source that must be text; errors in it get its name."""
    from reductions.problems.dimacs import DimacsError
    from reductions.problems.vector_text import VectorTextError

    name = "standard input" if source == STANDARD_INPUT else source
    try:
        if source != STANDARD_INPUT:
            if _is_instance_file(Path(source)):
                raise ValueError(f"{name}: this is an instance file; a formula in DIMACS format goes here.")
            with open(source, "rb") as stream:
                yield stream
            return
        if sys.stdin is None:
            raise ValueError("standard input: it is closed.")
        if _begins_instance_file(_peek(sys.stdin.buffer)):
            raise ValueError(f"{name}: this is an instance file; it is read from a named file only.")
        yield sys.stdin.buffer
    except (DimacsError, VectorTextError) as error:
        raise type(error)(f"{name}: {error}") from None
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, name) from None


def require_file(path: Path) -> None:
    """Raise ValueError where ``path`` is "-": tensors are mapped from a file, not read from a pipe."""
    if str(path) == STANDARD_INPUT:
        raise ValueError("an instance file is not read from standard input; name the file.")


def _is_instance_file(path: Path) -> bool:
    if path.suffix == ".safetensors":
        return True
    if not path.is_file():  # of a pipe nothing must be read twice
        return False
    with path.open("rb") as file:
        return _begins_instance_file(file.read(9))


def _begins_instance_file(start: bytes) -> bool:
    # Eight bytes of length, of which the upper ones are zero, and the brace that opens the header.
    return len(start) >= 9 and start[7] == 0 and start[8:9] == b"{"


def _peek(stream: object) -> bytes:
    """Return what a buffered stream holds next, without taking it."""
    return stream.peek(9) if isinstance(stream, BufferedReader) else b""
