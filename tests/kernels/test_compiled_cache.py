"""What is compiled into a kernel counts as its source: an edit there is never answered from the disk."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from reductions.kernels import tiles
from reductions.kernels.compiled_cache import cached_with

ROOT = Path(__file__).parents[2]
KERNEL = """
import numba
import constants
from reductions.kernels.compiled_cache import cached_with

compiled = cached_with(numba.njit, constants)

@compiled(nogil=True)
def scaled(x):
    return constants.FACTOR * x
"""
ASK = "import kernel; print(kernel.scaled(7), sum(kernel.scaled.stats.cache_hits.values()))"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "kernel.py").write_text(KERNEL)

    def run(factor, **environment):
        (tmp_path / "constants.py").write_text(f"FACTOR = {factor}\n")
        variables = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"} | environment
        result = subprocess.run(
            [sys.executable, "-c", ASK], env=variables, capture_output=True, text=True, check=True
        )
        return tuple(map(int, result.stdout.split()))

    return run


def test_an_edit_elsewhere_is_compiled_in(run, tmp_path):
    assert run(2) == (14, 0)
    assert run(2) == (14, 1)  # from the disk
    assert run(3) == (21, 0)
    assert run(2) == (14, 1)  # the old state again, and its code
    kept = sorted(path.name for path in (tmp_path / "__pycache__").glob("compiled-*"))
    assert len(kept) == 2


def test_the_folder_that_the_user_names(run, tmp_path):
    cache = tmp_path / "elsewhere"
    assert run(2, NUMBA_CACHE_DIR=str(cache)) == (14, 0)
    assert run(2, NUMBA_CACHE_DIR=str(cache)) == (14, 1)
    assert not list((tmp_path / "__pycache__").glob("compiled-*"))


def test_where_nothing_can_be_written_nothing_is_kept(run, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    (tmp_path / "__pycache__").write_text("no folder either")
    assert run(2, XDG_CACHE_HOME=str(tmp_path / "cache")) == (14, 0)
    assert run(2, XDG_CACHE_HOME=str(tmp_path / "cache")) == (14, 1)  # the user's cache
    assert run(2, XDG_CACHE_HOME=str(blocked)) == (14, 0)
    assert run(2, XDG_CACHE_HOME=str(blocked)) == (14, 0)


def test_other_compiled_functions_keep_their_folder():
    before = numba.config.CACHE_DIR
    cached_with(numba.njit, tiles)()(lambda x: x)
    assert before == numba.config.CACHE_DIR
