"""The precision of mpmath's intervals, which is a global setting: raised for a while, never left raised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BITS = 100


@contextmanager
def precision(bits: int = BITS) -> Iterator[Any]:
    """Yield ``mpmath.iv``, at a precision of ``bits`` bits."""
    from mpmath import iv

    before, iv.prec = iv.prec, bits
    try:
        yield iv
    finally:
        iv.prec = before
