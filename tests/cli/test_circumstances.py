"""Full disks, directories without permission, closed streams, hostile names: one line and status 2."""

import os
import signal
import sys

import pytest

from reductions.system.atomic import atomic_path, refuse_unwritable

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="uses what Linux has")


def no_room():
    """Let no file of this process grow beyond 100 bytes: a full disk as a program sees it."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


@LINUX
@pytest.mark.parametrize("arguments", [("ov", "-o", "t.safetensors"), ("cnf", "-o", "t.cnf")])
def test_a_disk_without_room_is_one_line_about_the_target(refused, tmp_path, arguments):
    line = refused("generate", *arguments, before=no_room, environment={"PYTHONDONTWRITEBYTECODE": "1"})
    assert line == f"{arguments[-1]}: File too large."
    assert list(tmp_path.iterdir()) == []


@LINUX
def test_a_directory_that_takes_no_file_is_refused_before_the_work(refused):
    line = refused("check", "--ledger", "/proc/l.json", "--jobs", 1)
    assert line == "/proc/l.json: No such file or directory."  # what Linux says of new files there
    assert refused("generate", "ov", "-o", "/proc/t.safetensors").startswith("/proc/t.safetensors: ")


def test_a_refusal_names_the_target(tmp_path, monkeypatch):
    def denied(path, *arguments):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", denied)
    target = tmp_path / "t.txt"
    with pytest.raises(PermissionError) as caught:
        refuse_unwritable(target, overwrite=False)
    assert caught.value.filename == str(target)
    with pytest.raises(PermissionError) as caught, atomic_path(target):
        pass
    assert caught.value.filename == str(target)


def test_looking_whether_a_directory_can_be_written_leaves_nothing_behind(tmp_path):
    refuse_unwritable(tmp_path / "t", overwrite=False)
    refuse_unwritable(tmp_path / ("ä" * 120), overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="closes a descriptor")
@pytest.mark.parametrize("command", ["decide", "solve"])
def test_a_closed_standard_input(refused, command):
    assert refused(command, "-", before=lambda: os.close(0)) == "standard input: it is closed."


@pytest.mark.skipif(os.name != "posix", reason="removes the directory it is in")
def test_a_deleted_working_directory(refused, running_example, tmp_path):
    def delete():
        os.mkdir("gone")
        os.chdir("gone")
        os.rmdir("../gone")

    line = refused("generate", "ov", "-o", "t.safetensors", before=delete)
    assert line == "the working directory no longer exists."


def test_control_characters_are_shown_not_obeyed(refused):
    assert refused("decide", "a\x1b[31mb\x9b") == "a\\x1b[31mb\\x9b: No such file or directory."
    assert refused("decide", os.fsdecode(b"\xff")) == "\\udcff: No such file or directory."
    assert "\x1b" not in refused("decide", "-", "--kernel", "\x1bx")


def test_instance_files_where_a_formula_goes_and_the_other_way_round(subquartic, refused, tmp_path):
    file = tmp_path / "f.safetensors"
    subquartic("generate", "cnf", "-o", file)
    assert refused("decide", file).endswith("f.safetensors: this is an instance file; "
                                            "a formula in DIMACS format goes here.")  # fmt: skip
    for arguments in (("decide", "-"), ("solve", "-"), ("reduce", "-", "--to", "ov", "-o", "x")):
        with file.open() as stream:
            line = refused(*arguments, stdin=stream, input=None)
        assert line.startswith("standard input: this is an instance file"), arguments
    for command in ("verify", "inspect"):
        assert refused(command, "-") == "an instance file is not read from standard input; name the file."


@LINUX
def test_a_formula_by_way_of_a_pipe_with_a_name_is_read_once(subquartic):
    result = subquartic("solve", "/dev/stdin", input="p cnf 1 1\n-1 0\n")
    assert (result.returncode, result.stdout) == (0, "YES\nwitness 0\n")
