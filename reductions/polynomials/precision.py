"""Working precision of Arb, which is a global setting: one computation at a time may change it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

_LOCK = RLock()


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Run Arb at ``bits`` bits; other threads wait, so that results do not depend on them."""
    import flint

    with _LOCK, flint.ctx.workprec(int(bits)):
        yield


def float_below(ball: Any) -> float:
    """Return a float at most every point of a ball."""
    lowest = ball.lower()
    nearest = float(lowest)
    return math.nextafter(nearest, -math.inf) if nearest or lowest < 0 else 0.0


def float_above(ball: Any) -> float:
    """Return a float at least every point of a ball."""
    return math.nextafter(float(ball.upper()), math.inf)
