"""Vectors as text: orthogonal vectors and gap-Max-IP in a format for people and small programs.

The format is in the manner of DIMACS: comments, one header, and then one vector a line, all left vectors
before all right ones. Digits of zero-one vectors may be apart or not; numbers are decimal::

    c three vectors per side with four coordinates       c two u, one v, D = 2, threshold, gap
    p ov 3 4                                           p gap-max-ip 2 1 2 0.5 0.25
    0110                                               0.5 -1
    1 0 0 1                                            1e-3 0
    ...                                                1 1

Blank lines and lines that begin with c are ignored. Vectors without coordinates take no lines. Numbers are
written so that reading gives the same float64, bit for bit. Reading takes gzip, keeps memory bounded, and
names the line that is wrong.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from reductions.problem import Problem
from reductions.problems.dimacs import LONGEST_GAP, decompressed, rejoined, shown
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors

SUFFIXES = {".ov": "ov", ".gmip": "gap-max-ip"}
"""The problem that a text file holds, by the suffix of its name (before ``.gz``)."""

MOST_BYTES = 1 << 28
"""The most bytes that all entries of an instance may take as an array; text is for small instances."""

LARGEST_DIMENSION = 1 << 20

_FORMS = {
    "ov": ("p ov N m", 2, 1),
    "gap-max-ip": ("p gap-max-ip N_u N_v D s gap", 3, 8),
}  # the header, how many of its numbers are counts, and the bytes of an entry
_SPARE = 4096  # bytes of blanks beyond what a line needs
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 32


class VectorTextError(ValueError):
    """A text is no instance in this format; the message is one line that names the line."""


class _Header(NamedTuple):
    problem: str
    counts: tuple[int, ...]
    numbers: tuple[float, ...]


def is_header(line: bytes) -> bool:
    """Tell whether a line is, or tries to be, the header of this format rather than one of DIMACS."""
    tokens = line.split(None, 2)
    return len(tokens) > 1 and tokens[0] == b"p" and tokens[1].decode("latin-1") in _FORMS


def holds_vectors(stream: BinaryIO) -> tuple[bool, BinaryIO]:
    """Tell whether a stream, gzip'd or not, has the header of this format.

    Returns
    -------
    tuple
        The answer, and a stream that holds all that the given one held, what was read included.
    """
    text = decompressed(stream)
    head = []
    length, in_comment, found = 0, False, False
    try:
        while length <= LONGEST_GAP and (piece := text.readline(1 << 16)):
            head.append(piece)
            length += len(piece)
            line = piece.strip()
            if not in_comment and line and not line.startswith(b"c"):
                found = is_header(line)
                break
            in_comment = (in_comment or line.startswith(b"c")) and not piece.endswith(b"\n")
    except (EOFError, zlib.error, gzip.BadGzipFile):  # the damage comes again where it is told of
        pass
    return found, rejoined(b"".join(head), text)


def read_vectors(source: str | BinaryIO) -> OrthogonalVectors | GapMaxInnerProduct:
    """Read an instance from the name of a file or from a binary stream, gzip'd or not.

    Raises
    ------
    VectorTextError
        If it holds no instance in this format; the message names the line.
    OSError
        If it cannot be read.
    """
    if isinstance(source, str):
        with open(source, "rb") as stream:
            return read_vectors(stream)
    try:
        return _Reader(decompressed(source)).read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise VectorTextError(f"The gzip'd file is damaged: {error}.") from None


def parse_vectors(text: str | bytes) -> OrthogonalVectors | GapMaxInnerProduct:
    """Read an instance from a text; raises VectorTextError."""
    return read_vectors(io.BytesIO(text.encode() if isinstance(text, str) else text))


def write_vectors(problem: Problem, stream: BinaryIO, comments: tuple[str, ...] = ()) -> None:
    """Write an instance to a binary stream.

    Parameters
    ----------
    problem
        An instance of ``ov`` or ``gap-max-ip``.
    comments
        Lines that come first, without line breaks.

    Raises
    ------
    TypeError
        If there is no text format for the problem.
    """
    for comment in comments:
        stream.write(b"c " + " ".join(comment.split()).encode() + b"\n")
    if isinstance(problem, OrthogonalVectors):
        vectors, coordinates = problem.left.shape
        stream.write(f"p ov {vectors} {coordinates}\n".encode())
        for rows in (*_blocks(problem.left), *_blocks(problem.right)) if coordinates else ():
            lines = np.full((len(rows), coordinates + 1), ord("\n"), dtype=np.uint8)
            lines[:, :-1] = rows + np.uint8(ord("0"))
            stream.write(lines.tobytes())
        return
    if not isinstance(problem, GapMaxInnerProduct):
        raise TypeError(f"Argument 'problem' must be of {' or '.join(_FORMS)}, not of {problem.name}.")
    counts = f"{len(problem.left)} {len(problem.right)} {problem.left.shape[1]}"
    stream.write(f"p gap-max-ip {counts} {problem.threshold!r} {problem.gap!r}\n".encode())
    for row in (*problem.left, *problem.right) if problem.left.shape[1] else ():
        stream.write(" ".join(map(_short, row.tolist())).encode() + b"\n")


def format_vectors(problem: Problem) -> str:
    """Return an instance as text; raises as :func:`write_vectors`."""
    stream = io.BytesIO()
    write_vectors(problem, stream)
    return stream.getvalue().decode()


def _short(number: float) -> str:
    """Return the shortest text that is read as the same number."""
    return repr(number).removesuffix(".0")


def _blocks(side: NDArray[Any]) -> Iterator[NDArray[Any]]:
    rows = max(1, (1 << 20) // max(1, side.shape[1]))
    for start in range(0, len(side), rows):
        yield side[start : start + rows]


class _Reader:
    """The state of reading: the number of the current line, and how many bytes nobody has used."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.line = 0
        self.gap = 0

    def read(self) -> OrthogonalVectors | GapMaxInnerProduct:
        header = self.header()
        *vectors, dimension = header.counts
        sides: list[NDArray[Any]] = []
        for name, count in zip(("left", "right"), (*vectors, *vectors)[:2], strict=True):
            if header.problem == "ov":
                sides.append(self.digits(name, count, dimension))
            else:
                sides.append(self.numbers(name, count, dimension))
        if self.content(_SPARE) is not None:
            self.fail("more vectors than the header states")
        if header.problem == "ov":
            return OrthogonalVectors(sides[0], sides[1])
        return GapMaxInnerProduct(sides[0], sides[1], *header.numbers)

    def header(self) -> _Header:
        line = self.content(_SPARE)
        tokens = [] if line is None else line.split()
        forms = " or ".join(f"'{form}'" for form, _, _ in _FORMS.values())
        if line is None:
            self.fail(f"there is no header {forms}")
        if not is_header(line):
            self.fail(f"expected the header {forms}, not {shown(line.strip())}")
        problem = tokens[1].decode()
        form, length, size = _FORMS[problem]
        if len(tokens) != len(form.split()):
            self.fail(f"the header must be '{form}', not {shown(b' '.join(tokens))}")
        counts = []
        for token in tokens[2 : 2 + length]:
            if not token.isdigit() or len(token) > _LONGEST_NUMBER:
                self.fail(f"the header's counts must be natural numbers, not {shown(token)}")
            counts.append(int(token))
        *vectors, dimension = counts
        if min(vectors) < 1:
            self.fail("there must be at least one vector per side")
        if dimension > LARGEST_DIMENSION:
            self.fail(f"vectors with more than {LARGEST_DIMENSION:,} coordinates are not read")
        if 2 * sum(vectors) // len(vectors) * max(1, dimension) * size > MOST_BYTES:
            self.fail(f"more than {MOST_BYTES // size:,} entries are not read from text")
        numbers = tuple(map(self.number, tokens[2 + length :]))
        if not np.isfinite(numbers).all():
            self.fail("threshold and gap must be finite")
        if numbers and not numbers[1] > 0:
            self.fail(f"the gap must be positive, not {shown(tokens[-1])}")
        return _Header(problem, tuple(counts), numbers)

    def digits(self, side: str, count: int, dimension: int) -> NDArray[np.uint8]:
        found = bytearray()
        for _ in range(count if dimension else 0):
            line = self.vector(side, count, 2 * dimension + _SPARE)
            digits = line.translate(None, b" \t\r\n")
            if wrong := digits.translate(None, b"01"):
                self.fail(f"expected zeros and ones, not {shown(wrong[:1])}")
            if len(digits) != dimension:
                self.fail(f"expected {dimension} coordinates, not {len(digits)}")
            found += digits
        entries = np.frombuffer(found, dtype=np.uint8) - np.uint8(ord("0"))
        return entries.reshape(count, dimension)

    def numbers(self, side: str, count: int, dimension: int) -> NDArray[np.float64]:
        found = []
        for _ in range(count if dimension else 0):
            tokens = self.vector(side, count, (_LONGEST_NUMBER + 8) * dimension + _SPARE).split()
            if len(tokens) != dimension:
                self.fail(f"expected {dimension} coordinates, not {len(tokens)}")
            row = np.array([self.number(token) for token in tokens])
            outside = np.flatnonzero(~(np.abs(row) <= 1))
            if len(outside):
                self.fail(f"entries must be between -1 and 1, not {shown(tokens[outside[0]])}")
            found.append(row)
        return np.array(found, dtype=np.float64).reshape(count, dimension)

    def number(self, token: bytes) -> float:
        if len(token) > _LONGEST_NUMBER or not _NUMBER.fullmatch(token):
            self.fail(
                f"expected a decimal number of at most {_LONGEST_NUMBER} characters, not {shown(token)}"
            )
        return float(token)

    def vector(self, side: str, count: int, longest: int) -> bytes:
        line = self.content(longest)
        if line is None:
            self.fail(f"the file ends before the {count} {side} vectors that the header states")
        return line

    def content(self, longest: int) -> bytes | None:
        """Return the next line that is neither blank nor a comment, or None at the end."""
        comment, new = False, True
        while piece := self.stream.readline(longest):
            self.line += new
            comment = comment or piece.lstrip().startswith(b"c")
            new = piece.endswith(b"\n")
            if not comment and not piece.isspace():
                if len(piece) == longest and not new:
                    self.fail("the line is too long")
                self.gap = 0
                return piece
            self.gap += max(len(piece), 16)
            if self.gap > LONGEST_GAP:
                self.fail("more than 16 MiB, or a million lines, of comments and blanks in a row")
            comment = comment and not new
        return None

    def fail(self, what: str) -> NoReturn:
        raise VectorTextError(f"Line {max(1, self.line)}: {what}.")
