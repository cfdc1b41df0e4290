"""Working precision of Arb, which is a global setting: one computation at a time may change it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_LOCK = RLock()


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Run Arb at ``bits`` bits; other threads wait, so that results do not depend on them."""
    import flint

    with _LOCK, flint.ctx.workprec(int(bits)):
        yield
