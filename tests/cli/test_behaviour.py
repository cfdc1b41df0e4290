"""What every command has in common: help, completion, pipes, interrupts, exit statuses."""

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

HEAVY = ("numpy", "scipy", "sympy", "networkx", "mpmath", "matplotlib", "torch")


def test_help_and_version_load_nothing_heavy(subquartic):
    program = (
        "import sys\n"
        "from checks.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        f"except SystemExit: print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    for arguments in (["--help"], ["--version"], ["decide", "--help"], ["generate"], []):
        result = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
        )
        assert result.stdout.splitlines()[-1] == "[]"
        assert result.stderr == ""
    assert "decide" in subquartic("--help").stdout


def test_misspelt_commands(refused):
    assert "Did you mean 'decide'?" in refused("decid")
    assert refused("decide").startswith("Missing argument 'FORMULA.cnf|-'. See 'subquartic decide --help'")


def test_completion(subquartic):
    def complete(words):
        variables = {
            "_SUBQUARTIC_COMPLETE": "complete_bash",
            "COMP_WORDS": f"subquartic {words}",
            "COMP_CWORD": str(len(words.split(" "))),
        }
        return subquartic(environment=variables).stdout.split()

    assert complete("de") == ["decide"]
    assert complete("decide --kernel b") == ["bilinear", "bicubic"]
    assert "lem-split-and-list" in complete("check lem-s")


@pytest.mark.parametrize("arguments", [("--help",), ("decide", "-"), ("lemmas", "--json")])
def test_a_closed_pipe_is_no_error(start, arguments):
    process = start(*arguments)
    process.stdout.close()
    with process:
        process.stdin.write("p cnf 1 1\n1 0\n")
        process.stdin.close()
        errors = process.stderr.read()
    assert errors == ""
    assert process.returncode == (10 if arguments[0] == "decide" else 0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_error(subquartic):
    with open("/dev/full", "w") as full:
        result = subquartic("--version", stdout=full)
    assert (result.returncode, result.stderr) == (2, "subquartic: standard output: No space left on device\n")


def wait_until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much of a pipe is unread")
def test_an_interrupt_ends_with_130_and_one_line(start):
    process = start("decide", "-")
    with process:
        process.stdin.write("p cnf 3 9\n" + "1 2 3 0\n" * 3)
        process.stdin.flush()

        def read():  # the command has taken all there is, so it waits inside its work
            unread = fcntl.ioctl(process.stdin.fileno(), termios.FIONREAD, b"\0" * 4)
            return struct.unpack("i", unread)[0] == 0

        wait_until(read)
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
        assert process.stdout.read() == ""
        process.wait(60)
        process.stdin.close()
    assert (process.returncode, errors) == (130, "subquartic: interrupted\n")


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
@pytest.mark.parametrize("reached", ["the whole group", "the command alone"])
def test_an_interrupt_ends_worker_processes_too(start, reached):
    process = start("check", "--level", "full", "--jobs", 2, start_new_session=True)
    with process:
        time.sleep(1.5)  # any moment must do; at this one workers are starting or busy
        (os.killpg if reached == "the whole group" else os.kill)(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == "subquartic: interrupted"
    with pytest.raises(ProcessLookupError):  # nobody of the group is left
        wait_until(lambda: os.killpg(process.pid, 0) is not None)


def test_checks_by_name(subquartic, refused, tmp_path):
    result = subquartic("check", "split_and_list", "--json", "--jobs", 1)
    assert result.returncode == 0
    (statement,) = json.loads(result.stdout)["statements"]
    assert statement["id"] == "lem-split-and-list"
    assert statement["cases"] > 0
    assert statement["controls_rejected"] == statement["controls"] > 0
    assert "Did you mean lem-split-and-list?" in refused("check", "lem-split-and-lst")
    assert "--ledger" in refused("check", "lem-split-and-list", "--ledger", "l.json")


def test_lemmas_and_their_graph(subquartic, refused, tmp_path):
    result = subquartic("lemmas", "--json")
    ids = {row["id"] for row in json.loads(result.stdout)}
    assert {"def-ov", "lem-split-and-list"} <= ids
    assert "lem-split-and-list" in subquartic("lemmas").stdout
    assert "There is no ledger" in refused("lemmas", "--ledger", "absent.json")


def test_the_ledgers_schema_is_printed(subquartic):
    schema = json.loads(subquartic("ledger-schema").stdout)
    assert schema["$defs"]["Entry"]["properties"]["seconds"]["minimum"] == 0


def test_a_failed_check_ends_with_1(subquartic, tmp_path):
    program = (
        "from checks.cli import main\n"
        "from checks.evidence import exhaustive\n"
        "from checks.evidence.registry import lemma\n"
        "@lemma('lem-false', title='All numbers are even')\n"
        "def false(run):\n"
        "    yield exhaustive('all are even', 'two numbers', [0, 1], 2, lambda n: n % 2 == 0)\n"
        "main(['check', 'lem-false', '--jobs', '1'])\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "FAILED lem-false: all are even: case 2: 1" in result.stdout


def test_threads_reach_the_linear_algebra():
    program = (
        "import sys\n"
        "from checks.cli import main\n"
        "try:\n    main(['--threads', '1', 'solve', '-'])\n"
        "except SystemExit: pass\n"
        "import threadpoolctl\n"
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], input="p cnf 1 1\n1 0\n", capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == ["YES", "witness 1", "{1}"]
