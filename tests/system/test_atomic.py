"""Files appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reductions.instance_files.read_write import InstanceFileError, read_instance, write_instance
from reductions.problems.cnf import RUNNING_EXAMPLE
from reductions.system.atomic import atomic_path, write_text


def test_nothing_is_left_behind_by_an_error_or_an_interrupt(tmp_path):
    path = tmp_path / "t"
    write_text(path, "old")
    for error in (OSError, KeyboardInterrupt):
        with pytest.raises(error), atomic_path(path) as temporary:  # noqa: PT012
            temporary.write_text("half")
            raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_to_be_replaced_is_not(tmp_path):
    path = tmp_path / "t"
    write_text(path, "old")
    with pytest.raises(FileExistsError, match="exists already"):
        write_instance(path, RUNNING_EXAMPLE, overwrite=False)
    assert path.read_text() == "old"
    with pytest.raises(ValueError, match="not a regular file"):
        write_text(tmp_path, "x")
    with pytest.raises(ValueError, match="not a regular file"):
        write_text("/dev/null", "x")
    with pytest.raises(FileNotFoundError, match="no directory"):
        write_text(tmp_path / "a" / "b", "x")
    with pytest.raises(InstanceFileError, match="not a regular file"):
        read_instance("/dev/null")


def test_links_are_followed_and_the_umask_holds(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_instance(link, RUNNING_EXAMPLE)
    assert link.is_symlink()
    assert read_instance(target)[0] == RUNNING_EXAMPLE
    umask = os.umask(0)
    os.umask(umask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask


TAKER = """
import sys
from reductions.system.atomic import atomic_path
with atomic_path(sys.argv[1], overwrite=False) as temporary:
    temporary.write_text(sys.argv[2])
    print("written", flush=True)
    input()
"""


def test_of_two_processes_one_takes_a_free_name_and_one_is_refused(tmp_path):
    path = tmp_path / "t"
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("first", "second")
    ]
    for taker in takers:  # both found the name free, and have written
        assert taker.stdout.readline() == "written\n"
    for taker in takers:
        taker.stdin.write("\n")
        taker.stdin.flush()
    errors = {name: taker.communicate()[1] for name, taker in zip(("first", "second"), takers, strict=True)}
    assert sorted(taker.returncode for taker in takers) == [0, 1]
    (winner,) = (name for name, error in errors.items() if not error)
    (refused,) = (error for error in errors.values() if error)
    assert refused.endswith(f"FileExistsError: {path}: this file exists already.\n")
    assert path.read_text() == winner
    assert list(tmp_path.iterdir()) == [path]


def test_a_free_name_is_taken_where_there_are_no_hard_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "t"
    write_text(path, "new", overwrite=False)
    other = tmp_path / "u"
    with pytest.raises(FileExistsError, match="exists already"), atomic_path(other, overwrite=False) as own:  # noqa: PT012
        own.write_text("own")
        path.rename(other)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["new"]


WRITER = """
import sys
import numpy as np
from reductions.instance_files.read_write import write_instance
from reductions.problems.orthogonal_vectors import OrthogonalVectors
instance = OrthogonalVectors.random(3000, 2000, seed=int(sys.argv[2]))
print("ready", flush=True)
while True:
    write_instance(sys.argv[1], instance)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path):
    path = tmp_path / "t.safetensors"
    whole = 0
    for attempt in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(attempt)], stdout=subprocess.PIPE
        )
        with writer:
            assert writer.stdout.readline() == b"ready\n"
            try:
                writer.wait(0.03 + 0.05 * attempt)
            except subprocess.TimeoutExpired:
                writer.send_signal(signal.SIGKILL)
        assert writer.returncode == -signal.SIGKILL
        if path.exists():  # the writer may not have come to its first file
            assert read_instance(path)[0].sizes == {"N": 3000, "m": 2000}
            whole += 1
    assert whole > 0
    assert all(file == path or file.name.startswith(".") for file in Path(tmp_path).iterdir())
