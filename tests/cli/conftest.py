import os
import signal
import subprocess
import sys

import pytest

from checks.evidence.registry import Run, registry
from checks.evidence.report import LemmaReport
from checks.evidence.runner import run_lemma
from checks.ledger.files import write_ledger
from reductions.problems.cnf import RUNNING_EXAMPLE

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Warnings are errors, so that none reaches a user.
COMMAND = (sys.executable, "-W", "error", "-m", "checks.cli")


STATEMENTS = (
    "lem-keys-kernel",
    "lem-token-count",
    "lem-degree",
    "lem-recentring",
    "lem-sat-to-ov-exponents",
)

# The command on a registry of a few statements, as if they used no others: a run of all would take a minute.
FEW = f"""
from dataclasses import replace
import checks.evidence.registry
entries = checks.evidence.registry.registry()
few = {{id: replace(entries[id], statement_uses=(), proof_uses=()) for id in {STATEMENTS!r}}}
checks.evidence.registry._registry.clear()
checks.evidence.registry._registry.update(few)
from checks.cli import main
main()
"""


def obey_ctrl_c():
    """Undo, in a new process, what a shell does to all that it starts in the background, tests included."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def environment():
    without = {"PYTHONUNBUFFERED", "SUBQUARTIC_TRACEBACK"}
    return {name: value for name, value in os.environ.items() if name not in without} | {"COLUMNS": "100"}


@pytest.fixture
def start(environment, tmp_path):
    """Start the command in an empty folder; `before` is called in the new process."""
    with_path = environment | {"PYTHONPATH": ROOT}

    def popen(*arguments, before=lambda: None, **options):
        variables = with_path | options.pop("environment", {})

        def prepare():
            obey_ctrl_c()
            before()

        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=options.pop("stdin", subprocess.PIPE),
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            text=True,
            cwd=tmp_path,
            env=variables,
            preexec_fn=prepare,
            **options,
        )

    return popen


@pytest.fixture
def subquartic(start):
    """Run the command; return what subprocess.run would. Nothing that it says may be a traceback."""

    def run(*arguments, input="", **options):
        process = start(*arguments, **options)
        with process:
            output, errors = process.communicate(input, timeout=120)
        assert "Traceback" not in (errors or "")
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    return run


@pytest.fixture
def refused(subquartic):
    """Run a command that must be refused; return its one line."""

    def run(*arguments, **options):
        result = subquartic(*arguments, **options)
        assert result.returncode == 2, result
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        return line.removeprefix("subquartic: ")

    return run


@pytest.fixture
def running_example(tmp_path):
    path = tmp_path / "running.cnf"
    path.write_text(RUNNING_EXAMPLE.to_dimacs())
    return path


@pytest.fixture(scope="session")
def short_ledger(tmp_path_factory):
    """The ledger of a run of one statement, since all take a minute; the others count as FAILED."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.json"
    reports = [
        LemmaReport(entry.id, entry.kind, entry.title, Run(), (), (), 0.0) for entry in registry().values()
    ]
    own = run_lemma("lem-split-and-list")
    write_ledger(path, [own if report.id == own.id else report for report in reports], Run())
    return path


@pytest.fixture
def few(environment, tmp_path):
    """Start the command on the few `statements`; its group is killed at the end of the test."""
    (tmp_path / "few.py").write_text(f"if __name__ == '__main__':\n{FEW}".replace("\n", "\n    "))
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "few.py", *arguments],
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": ROOT},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=obey_ctrl_c,
        )
        started.append(process)
        return process

    start.statements = STATEMENTS
    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
