from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def user_kernels(monkeypatch):
    """Make user_kernels.py importable, here and in the kernel's process."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    import user_kernels

    return user_kernels
