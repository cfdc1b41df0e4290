"""The examples on the page about the command line are what the command prints."""

import doctest
import re
import shlex
from pathlib import Path

from reductions.problems.cnf import RUNNING_EXAMPLE

PAGE = Path(__file__).parents[2] / "book" / "practice" / "command_line.md"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(text):
    """Yield (command, output) of all console blocks."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = example.replace("\\\n", " ").partition("\n")
            yield command, output


def test_the_examples_are_what_is_printed(subquartic, running_example, short_ledger, tmp_path):
    (tmp_path / "ledger.json").write_bytes(short_ledger.read_bytes())
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
