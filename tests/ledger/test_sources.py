"""A statement's digest covers all that its check loads; an edit voids what depends on it, nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from checks.evidence.registry import registry
from checks.ledger.sources import statement_modules
from checks.mutation.catalogue import catalogue
from reductions.system.import_closure import import_closure
from reductions.system.source_files import PACKAGES, ROOT

LOADED = f"""
import sys
from checks.evidence.runner import run_lemma
assert not run_lemma(sys.argv[1]).failures
print(*(name for name in sys.modules if name.partition(".")[0] in {PACKAGES!r}), sep="\\n")
"""

SOURCES = """
import json
from checks.evidence.registry import registry
from checks.ledger.sources import statement_sources
print(json.dumps({id: statement_sources(entry) for id, entry in registry().items()}))
"""

CONTINUED = """
from dataclasses import replace
import checks.evidence.registry as registry
from checks.evidence.report import LemmaReport
from checks.ledger.run import run_into_ledger
few = ("lem-token-count", "lem-degree", "lem-keys-kernel")
entries = registry.registry()
registry._registry = {id: replace(entries[id], statement_uses=(), proof_uses=()) for id in few}
reports = run_into_ledger("ledger.json", registry.Run(), resume=True)
print(*(report.id for report in reports if isinstance(report, LemmaReport)))
"""


def output(program, *arguments, path=ROOT):
    """Run a program in a fresh process, on the project in ``path``."""
    command = [sys.executable, "-c", program, *arguments]
    environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=path, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


@pytest.mark.slow  # a process for each statement, which imports and compiles anew
@pytest.mark.parametrize("id", [id for id, entry in registry().items() if entry.check is not None])
def test_what_a_check_loads_lies_in_the_closure(id):
    loaded = set(output(LOADED, id).split())
    entry = registry()[id]
    assert {"checks.evidence.runner", entry.module} <= loaded
    assert loaded <= import_closure(*statement_modules(entry))


def test_a_mutant_changes_what_its_statements_depend_on():
    """So a record of mutants is of these sources where the digests of the statements that were asked are."""
    entries = registry()
    closures = {id: import_closure(*statement_modules(entry)) for id, entry in entries.items()}
    for mutant in catalogue():
        assert all(mutant.module in closures[id] for id in mutant.statements), mutant


@pytest.fixture
def copy(tmp_path):
    """A copy of the project, to be edited."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_an_edit_voids_what_depends_on_it(copy):
    before = json.loads(output(SOURCES, path=copy))
    assert list(before) == list(registry())

    def voided(*paths):
        texts = {copy / path: (copy / path).read_text("utf8") for path in paths}
        for file, text in texts.items():
            file.write_text(f"{text}\n", "utf8")
        after = json.loads(output(SOURCES, path=copy))
        for file, text in texts.items():
            file.write_text(text, "utf8")
        return {id for id in before if before[id] != after[id]}

    assert voided("checks/cli/check.py", "checks/ledger/build.py", "checks/mutation/trial.py") == set()
    # A check; and a construction: its own statement, and those whose checks or constructions import it.
    assert voided(
        "checks/upper_bound/monomial_features/__init__.py", "reductions/lower_bound/split_and_list.py"
    ) == {
        "lem-monomial-features",
        "lem-split-and-list",
        "lem-sat-to-ov-exponents",
        "lem-sat-to-var-inference",
        "thm-lower-bound",
        "lem-decoder",  # runs the lower bound's hard instances through a decoder
        "lem-decoder-identity",
    }
    definitions = voided("checks/problems/__init__.py")
    assert "def-seth" in definitions
    assert not any(registry()[id].check for id in definitions)


def test_after_an_edit_only_its_dependants_are_executed(copy):
    assert output(CONTINUED, path=copy).split() == ["lem-keys-kernel", "lem-token-count", "lem-degree"]
    assert output(CONTINUED, path=copy).split() == []
    with (copy / "reductions" / "lower_bound" / "token_count.py").open("a") as construction:
        construction.write("# edited\n")
    assert output(CONTINUED, path=copy).split() == ["lem-token-count"]
    assert output(CONTINUED, path=copy).split() == []


ALONE = """
import sys
import checks.evidence.registry as registry
rooms = registry._check_files()
registry._check_files = lambda: {name: rooms[name] for name in ["checks.upper_bound.monomial_features"]}
from checks.cli.run import run
sys.exit(run(sys.argv[1:]))
"""

EDITS_ITSELF = """
import os
if os.environ.pop("EDIT", None):
    with open(__file__, "a") as file:
        file.write("# edited\\n")
"""


def test_an_edit_while_the_checks_are_imported_is_noticed(copy):
    """What runs is then not what a digest says that is taken later."""
    with (copy / "reductions" / "upper_bound" / "monomial_features.py").open("a") as construction:
        construction.write(EDITS_ITSELF)

    def run(*arguments, **environment):
        command = [sys.executable, "-c", ALONE, *arguments]
        return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)

    assert run("check", "--ledger", "ledger.json").returncode == 0
    for arguments in (("audit", "ledger.json"), ("check", "--ledger", "ledger.json")):
        found = run(*arguments, EDIT="1")
        assert (found.returncode, found.stdout) == (2, "")
        assert "source files have changed during the run" in found.stderr
