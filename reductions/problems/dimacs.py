"""The DIMACS reader: streams, with bounded memory, and says in which line a file is wrong.

It accepts what SAT solvers accept: comments (a line that starts with c, or the rest of a line after a
lone c), any spacing, several clauses a line, clauses over several lines, a lone ``%`` after which the
rest is ignored (SATLIB's files end so), gzip. It is as strict as the strict ones: the numbers of the
header must hold.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

Clause = tuple[int, ...]

LARGEST_COUNT = 10_000_000
"""The most variables, clauses and literals of a formula that is read."""

LONGEST_GAP = 1 << 24
"""The most bytes of comments and blanks in a row; a line counts as at least 16 bytes."""

_PIECE = 1 << 16
_LONGEST_TOKEN = 32
_GZIP_MAGIC = b"\x1f\x8b"


class DimacsError(ValueError):
    """A file or text that is not a CNF formula in DIMACS format; the message names the line."""


def parse_dimacs(stream: BinaryIO) -> tuple[int, tuple[Clause, ...]]:
    """Read a formula from a binary stream; return its number of variables and its clauses.

    A file that is no formula is refused at its first wrong byte, without reading on.

    Raises
    ------
    DimacsError
        If the stream holds no DIMACS formula; the message names the line.
    """
    try:
        return _Parser().parse(_pieces(decompressed(stream)))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DimacsError(f"The gzip'd file is damaged: {error}.") from None


class _Parser:
    """The state between two pieces of the input."""

    def __init__(self) -> None:
        self.line = 1
        self.header: tuple[int, int] | None = None
        self.clauses: list[Clause] = []
        self.clause: list[int] = []
        self.literals = 0

    def parse(self, pieces: Iterator[tuple[int, bytes]]) -> tuple[int, tuple[Clause, ...]]:
        gap = 0
        in_comment = 0  # the number of the line whose comment goes on, or 0
        last_line = 0
        for self.line, piece in pieces:
            starts_line, last_line = self.line != last_line, self.line
            gap += max(len(piece), 16)
            if gap > LONGEST_GAP:
                raise self.error("more than 16 MiB, or a million lines, of comments and blanks in a row")
            if in_comment == self.line:
                continue
            tokens, comment, ended = self.split(piece, starts_line)
            in_comment = self.line if comment else 0
            if tokens:
                gap = 0
                self.take(tokens)
            if ended:
                break
        return self.finish()

    def split(self, piece: bytes, starts_line: bool) -> tuple[list[bytes], bool, bool]:
        """Return a piece's tokens, whether it ends in a comment, and whether ``%`` ends the formula."""
        tokens = piece.split()
        if not tokens or tokens[0] == b"p":
            return tokens, False, False
        if b"c" in piece or b"%" in piece:
            for position, token in enumerate(tokens):
                # A word like c0mment starts a comment only where a line does; inside a line it is noise.
                if token == b"c" or (position == 0 and starts_line and token.startswith(b"c")):
                    return tokens[:position], True, False
                if token == b"%":
                    return tokens[:position], False, True
        return tokens, False, False

    def take(self, tokens: list[bytes]) -> None:
        if tokens[0] == b"p":
            self.take_header(tokens)
        elif self.header is None:
            raise self.error(f"expected the header 'p cnf VARIABLES CLAUSES', not {shown(tokens[0])}")
        else:
            self.take_literals(tokens)

    def take_header(self, tokens: list[bytes]) -> None:
        if self.header is not None:
            raise self.error("second header")
        if len(tokens) != 4 or tokens[1] != b"cnf" or not all(t.isdigit() for t in tokens[2:]):
            raise self.error(f"the header must be 'p cnf VARIABLES CLAUSES', not {shown(b' '.join(tokens))}")
        for token, what in zip(tokens[2:], ("variables", "clauses"), strict=True):
            if len(token) > _LONGEST_TOKEN or int(token) > LARGEST_COUNT:
                raise self.error(f"formulas with more than {LARGEST_COUNT:,} {what} are not read")
        self.header = (int(tokens[2]), int(tokens[3]))

    def take_literals(self, tokens: list[bytes]) -> None:
        assert self.header is not None
        variables, stated = self.header
        self.literals += len(tokens)
        for token in tokens:
            literal = self.integer(token)
            if literal == 0:
                if len(self.clauses) == stated:
                    raise self.error(f"more clauses than the {stated} that the header states")
                self.clauses.append(tuple(self.clause))
                self.clause.clear()
            elif abs(literal) > variables:
                raise self.error(
                    f"literal {literal} is out of range: the header states {variables} variables"
                )
            else:
                self.clause.append(literal)
        if self.literals - len(self.clauses) > LARGEST_COUNT:
            raise self.error(f"formulas with more than {LARGEST_COUNT:,} literals are not read")

    def integer(self, token: bytes) -> int:
        digits = token[1:] if token.startswith((b"-", b"+")) else token
        if not digits.isdigit() or len(digits) > _LONGEST_TOKEN or token == b"-0":
            if token == b"p":
                raise self.error("second header")
            raise self.error(f"expected an integer, not {shown(token)}")
        return int(token)

    def finish(self) -> tuple[int, tuple[Clause, ...]]:
        if self.header is None:
            raise self.error("there is no header 'p cnf VARIABLES CLAUSES'")
        if self.clause:
            raise self.error("the last clause is not ended by 0")
        variables, stated = self.header
        if len(self.clauses) < stated:
            raise self.error(f"only {len(self.clauses)} of the {stated} clauses that the header states")
        return variables, tuple(self.clauses)

    def error(self, what: str) -> DimacsError:
        return DimacsError(f"Line {self.line}: {what}.")


def _pieces(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield (line number, part of that line): whole lines where they are short, never half a token."""
    line, rest = 1, b""
    while piece := stream.readline(_PIECE):
        ended = piece.endswith(b"\n")
        cut = len(piece) == _PIECE and not ended
        piece, rest = rest + piece, b""
        if cut and not piece[-1:].isspace():
            last = piece.rsplit(None, 1)[-1]
            if len(last) <= _LONGEST_TOKEN:  # a longer one is no integer: it need not be kept whole
                piece, rest = piece[: -len(last)], last
        yield line, piece
        line += ended
    if rest:
        yield line, rest


def decompressed(stream: BinaryIO) -> BinaryIO:
    """Return a reader of ``stream``, through gzip where its first two bytes ask for it."""
    head = b""
    while len(head) < len(_GZIP_MAGIC) and (more := stream.read(len(_GZIP_MAGIC) - len(head))):
        head += more
    whole = rejoined(head, stream)
    if head != _GZIP_MAGIC:
        return whole
    return io.BufferedReader(gzip.GzipFile(fileobj=whole), _PIECE)


def rejoined(head: bytes, stream: BinaryIO) -> BinaryIO:
    """Return a reader of bytes that were already read from ``stream``, and then of the stream."""
    return io.BufferedReader(_Joined(head, stream), _PIECE)


class _Joined(io.RawIOBase):
    """Bytes already read from a stream, and then the stream, which stays open (it may be stdin)."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self.head = head
        self.stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.head[: len(buffer)] or self.stream.read(len(buffer))
        self.head = self.head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def shown(token: bytes) -> str:
    """Return a token for an error message: printable ASCII, and not too much of it."""
    cut = token[:_LONGEST_TOKEN]
    shown = "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in cut)
    return f"'{shown}'" + ("..." if len(token) > len(cut) else "")
