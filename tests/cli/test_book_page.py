"""The examples on the page about the command line are what the command prints."""

import doctest
import re
import shlex
from pathlib import Path

from checks.ledger import write_ledger
from checks.lemma import Run, registry
from checks.report import LemmaReport
from checks.runner import run_lemma
from reductions.problems.cnf import RUNNING_EXAMPLE

PAGE = Path(__file__).parents[2] / "book" / "practice" / "command_line.md"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(text):
    """Yield (command, output) of all console blocks."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = example.replace("\\\n", " ").partition("\n")
            yield command, output


def write_short_ledger(path):
    """Write the ledger of a run of one statement, since all take a minute; the others count as FAILED."""
    reports = [
        LemmaReport(entry.id, entry.kind, entry.title, Run(), (), (), 0.0) for entry in registry().values()
    ]
    own = run_lemma("lem-split-and-list")
    write_ledger(path, [own if report.id == own.id else report for report in reports], Run())


def test_the_examples_are_what_is_printed(subquartic, running_example, tmp_path):
    write_short_ledger(tmp_path / "ledger.json")
    text = PAGE.read_text(encoding="utf-8")
    assert RUNNING_EXAMPLE.to_dimacs() in text
    found = list(examples(text))
    assert len(found) >= 10
    for command, output in found:
        program, *arguments = shlex.split(command)
        assert program == "subquartic"
        result = subquartic(*arguments)
        printed = result.stdout + result.stderr if result.returncode == 2 else result.stderr + result.stdout
        assert doctest.OutputChecker().check_output(output, printed, FLAGS), f"{command}\n{printed}"
