"""Refuse work that does not fit the memory, before anything is allocated."""

from __future__ import annotations

import os
from pathlib import Path

BYTES = ("bytes", "KiB", "MiB", "GiB", "TiB")


def in_words(count: int) -> str:
    """Return a number of bytes in the largest unit that keeps it at least 1, or as a power of two.

    >>> in_words(1024), in_words(159 * 2**20), in_words(2**80)
    ('1 KiB', '159 MiB', '2^80 bytes')
    """
    if count >= 2**60:
        return f"2^{count.bit_length() - 1} bytes"
    unit = min(max(count.bit_length() - 1, 0) // 10, len(BYTES) - 1)
    return f"{count / 2 ** (10 * unit):,.0f} {BYTES[unit]}"


def require_memory(needed: int, what: str) -> None:
    """Raise ValueError where ``what`` needs more bytes than are available.

    Parameters
    ----------
    needed
        Bytes.
    what
        The beginning of the sentence that the message is.
    """
    available = available_memory()
    if needed > available:
        raise ValueError(
            f"{what} need about {in_words(needed)} of memory; {in_words(available)} are available."
        )


def available_memory() -> int:
    """Return the bytes of memory that can be had without swapping, as far as the system tells."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
