"""The cores that a process may use."""

import os

import pytest

from reductions.system.threads import usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
def test_a_process_bound_to_one_core_uses_one():
    bound = os.sched_getaffinity(0)
    assert usable_cores() == len(bound)
    try:
        os.sched_setaffinity(0, {min(bound)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, bound)
