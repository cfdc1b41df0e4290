"""Every command that README, CONTRIBUTING and the pages show is run, and every target of the Makefile."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from reductions.problems.cnf import RUNNING_EXAMPLE

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES += [page for page in sorted((ROOT / "book").rglob("*.md")) if "_build" not in page.parts]
MAKEFILE, CI = ((ROOT / name).read_text("utf8") for name in ("Makefile", ".ci/run"))
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["optional-dependencies"])
BIN = Path(sys.executable).parent

BLOCK = re.compile(r"^(```+)([^\n`]*)\n(.*?)^\1[ ]*$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`((?:\.venv/bin/)?(?:subquartic|make|pytest|pip|apt-get) [^`]*)`(?!`)")
# A line of an indented block. Numbered lists are indented too: without a `$`, only these begin a command.
INDENTED = re.compile(
    r"^ {4,}(?:\$ (.*)|((?:\.venv/bin/)?(?:subquartic|make|pytest|pip|python) .*))$", re.MULTILINE
)

COMMENT = re.compile(r"\s{2,}#.*")

# tests/cli/test_book_page.py runs these, and compares what they print.
COMPARED = ROOT / "book/practice/command_line.md"

NOT_RUN = {
    "lock": "it replaces requirements.lock by what is newest today; every run of CI installs what it wrote",
}

# What a command shows but a test need not wait for: every word but the size stays.
SMALLER = {
    "--vectors 20000000": "--vectors 20000",  # a gigabyte
    "check --level full": "check --level full lem-keys-kernel",  # half an hour
    "audit book/_data/ledger.json": "audit book/_data/ledger.json lem-split-and-list",  # minutes
    "suite full": "suite quick",  # an hour
    "test-kernel my_kernels:flash": "test-kernel my_kernels:flash --max-tokens 64",  # minutes
    "--attention-kernel my_kernels:flash": "--attention-kernel my_kernels:flash --attention-max-tokens 64",
}

KERNEL = """
import torch

def flash(q, k, v, scale):
    attention = torch.nn.functional.scaled_dot_product_attention
    outputs = attention(*map(torch.as_tensor, (q, k, v)), scale=scale)
    return outputs if isinstance(q, torch.Tensor) else outputs.numpy()
"""

KERNEL_TEST = """
def test_my_kernel(attention_kernel, hard_instance):
    attention_kernel.require_right(hard_instance)
"""


def blocks(text: str) -> Iterator[str]:
    """Yield the commands of a page's code blocks, without prompt and comment."""
    text = text.replace("\\\n", " ")
    for _, language, block in BLOCK.findall(text):
        if language.startswith("{code-cell}"):
            continue
        if language.startswith("{"):
            yield from blocks(block)
        for line in block.splitlines():
            if line.startswith("$ ") or (language in ("bash", "sh") and line.strip()):
                yield COMMENT.sub("", line.removeprefix("$ "))
    for prompted, bare in INDENTED.findall(BLOCK.sub("", text)):
        yield COMMENT.sub("", prompted or bare)


def shown(pages: list[Path] = PAGES) -> list[str]:
    """Return what the code blocks of all pages show, each command once, less what is compared elsewhere."""
    found = {}
    for page in pages:
        text = page.read_text("utf8")
        if page == COMPARED:
            text = re.sub(r"^```console\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        found |= {command.removeprefix(".venv/bin/").strip(): None for command in blocks(text)}
    return list(found)


def mentioned(pages: list[Path] = PAGES) -> list[str]:
    """Return what the sentences of all pages mention, in backquotes."""
    found = (command for page in pages for command in INLINE.findall(page.read_text("utf8")))
    return sorted({command.removeprefix(".venv/bin/").strip() for command in found})


def targets(makefile: str = MAKEFILE) -> set[str]:
    """Return what the Makefile offers."""
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def reached(makefile: str = MAKEFILE, ci: str = CI) -> set[str]:
    """Return the targets that continuous integration runs: those it names, and all that they need."""
    needs = {
        target: prerequisites.split()
        for target, prerequisites in re.findall(r"^([\w./$()-]+):([^=#\n]*)", makefile, re.MULTILINE)
    }
    found: set[str] = set()
    waiting = [word for line in re.findall(r"^make (.*)$", ci, re.MULTILINE) for word in line.split()]
    while waiting:
        target = waiting.pop()
        if target not in found:
            found.add(target)
            waiting += needs.get(target, [])
    return found & targets(makefile)


# A sentence names options, or shows a whole command.
COMMANDS = shown() + [c for c in mentioned() if re.search(r"[|>]| -o |pytest|lemmas", c)]
CLUSTER = [c for c in COMMANDS if "tcp://host:8786" in c or c.startswith("dask ")]
OURS = [c for c in COMMANDS if c.startswith(("subquartic ", "pytest ")) and c not in CLUSTER]
# Measured: each of these takes more than three seconds.
LONG = [
    c for c in OURS if c.split()[1] in ("audit", "check", "mutants", "suite", "test-kernel") or "pytest" in c
]


def test_the_known_commands_are_found() -> None:
    assert {
        "subquartic check lem-isolation lem-attention-to-var",
        "subquartic generate ov --vectors 64 --dimension 32 --planted -o - | subquartic solve -",
        "subquartic audit book/_data/ledger.json",
        "subquartic suite quick --jobs 2",
        "dask worker tcp://host:8786 --nworkers -1 --nthreads 1",
        "make book",
        "make lab",
        "subquartic check lem-split-and-list",
    } <= set(COMMANDS)
    assert {"make lint types test book test-book", "pip install 'subquartic[plot]'"} <= set(mentioned())
    assert {"subquartic COMMAND --help", "subquartic bench --size full"} <= set(mentioned())
    assert {"help", "setup", "pdf", "test-slow", "lock", "clean"} <= targets()


def test_a_command_that_nobody_runs_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "    $ rm -r /\n\n```{code-cell} python\n$ 1\n```\n"
        "```console\n$ subquartic sing \\\n    --loud\nla\n```\n"
        "````{dropdown} Tea\n```bash\nmake tea  # hot\n```\n````\n"
        "1. make sense,\n   make do.\n\n    make toast\n\nAsk `make coffee`, not ``make up``.\n"
    )
    assert shown([page]) == ["subquartic sing      --loud", "make tea", "rm -r /", "make toast"]
    assert mentioned([page]) == ["make coffee"]
    assert reached("a: b c ## x\nb: .d\n.d: e\nf: a\ne:\nc:\n", "make a\n") == {"a", "b", "c", "e"}


def test_every_command_has_somebody_who_runs_it() -> None:
    others = [c for c in COMMANDS if c not in OURS + CLUSTER]
    assert [c for c in others if not c.startswith("make ")] == []
    for command in {*others, *mentioned()} - set(OURS):
        program, *words = command.split()
        if program == "make":
            assert set(words) <= targets(), command
        elif program == "apt-get":  # with the options of a machine that nobody watches
            assert re.search(command.replace(" install ", " install( -[a-z]+)* "), CI), command
        elif program == "pip":  # tests/test_wheel.py runs it
            assert set(re.findall(r"subquartic\[(.*?)\]", command)) <= EXTRAS, command
        else:
            assert program == "subquartic", command  # the last test


def test_every_target_is_run() -> None:
    by_tests = {"help", "clean", "bench", "lab"}  # below, and in test_lab.py
    assert targets() - reached() - by_tests == set(NOT_RUN)


def make(*arguments: str, cwd: Path) -> str:
    """Run make on this Makefile in another folder, with the tests' environment in place of a new one."""
    command = [
        "make",
        "--no-print-directory",
        "-f",
        str(ROOT / "Makefile"),
        "-o",
        "setup",
        f"BIN={BIN}",
        *arguments,
    ]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_make_help_lists_every_target(tmp_path: Path) -> None:
    lines = make("help", cwd=tmp_path).splitlines()
    assert {line.split()[0] for line in lines} == targets()
    assert all(len(line.split()) > 2 for line in lines)


def test_make_clean_removes_what_was_built_and_nothing_else(tmp_path: Path) -> None:
    built = ["book/_build/html/intro.html", "book/_data/ledger.json", "book/_data/ledger.json.progress.jsonl"]
    built += ["book/_data/bench.json", "book/_data/mutants.json", ".jupyter_cache/x"]
    for name in (*built, "book/_data/kept", "book/intro.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    make("clean", cwd=tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["book/_data/kept", "book/intro.md"]


@pytest.mark.slow
def test_make_bench_writes_its_measurements(tmp_path: Path, variables: dict[str, str]) -> None:
    make("bench", "LEVEL=tiny", cwd=tmp_path)
    assert (tmp_path / "book/_data/bench.json").stat().st_size > 1000


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which `subquartic` is this package's command, whatever is installed."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "subquartic").write_text(f'#!/bin/sh\nexec {sys.executable} -W error -m checks.cli "$@"\n')
    (folder / "subquartic").chmod(0o755)
    path = os.pathsep.join([str(folder), str(BIN), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def folder(tmp_path: Path, short_ledger: Path) -> Path:
    """A folder with the files that the commands read."""
    for name in ("formula.cnf", "running.cnf", "F.cnf"):
        (tmp_path / name).write_text(RUNNING_EXAMPLE.to_dimacs())
    (tmp_path / "book/_data").mkdir(parents=True)
    shutil.copy(short_ledger, tmp_path / "book/_data/ledger.json")
    (tmp_path / "my_kernels.py").write_text(KERNEL)
    (tmp_path / "test_my_kernel.py").write_text(KERNEL_TEST)
    return tmp_path


def run(command: str, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does, after those that write the files it reads."""
    for before in OURS:
        output = before.rpartition(" -o ")[2]
        if before != command and output in command.split() and not (folder / output).exists():
            assert run(before, folder, variables).returncode == 0
    for size, smaller in SMALLER.items():
        command = command.replace(size, smaller)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "command", [pytest.param(c, marks=[pytest.mark.slow] if c in LONG else []) for c in OURS]
)
def test_a_shown_command_runs(command: str, folder: Path, variables: dict[str, str]) -> None:
    result = run(command, folder, variables)
    assert result.returncode == (10 if command.startswith("subquartic decide") else 0), result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_the_commands_of_a_cluster_run(folder: Path, variables: dict[str, str]) -> None:
    """The scheduler and a worker as shown, on a port that is free, then all that speak to them."""
    distributed = pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in (c for c in CLUSTER if c.startswith("dask ")):
            words = command.replace("tcp://host:8786", address).split()
            words += ["--host", address, "--dashboard-address", ":0"][: 4 if words[1] == "scheduler" else 0]
            started.append(subprocess.Popen(words, cwd=folder, env=variables, start_new_session=True))
        with distributed.Client(address, timeout=300, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=300)
        for command in CLUSTER:
            if command.startswith("subquartic "):
                result = run(command.replace("tcp://host:8786", address), folder, variables)
                assert result.returncode == 0, f"{command}: {result.stderr}"
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def test_the_python_of_the_readme_runs(variables: dict[str, str], tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text("utf8"), re.M | re.S)
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=variables, check=True)


def test_the_mentioned_commands_exist_with_the_options_that_are_named(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    listed = run("subquartic --help", tmp_path, variables).stdout
    offered = set(re.findall(r"^│ ([a-z][a-z-]+) ", listed, re.MULTILINE)) | {"COMMAND"}
    assert "decide" in offered
    for command in mentioned():
        words = re.sub(r" [|>].*", "", command).split()
        if words[0] == "subquartic":
            options = [word for word in words if word.startswith("-")]
            named = words[1 : words.index(options[0]) if options else None]
            assert set(named[:1]) <= offered, command
            if options and named != ["COMMAND"]:
                text = run(f"subquartic {' '.join(named)} --help", tmp_path, variables).stdout
                assert [o for o in options if not re.search(rf"(?<!-){o}\b", text)] == [], command


@pytest.mark.slow
def test_every_command_has_a_help(tmp_path: Path, variables: dict[str, str]) -> None:
    listed = run("subquartic --help", tmp_path, variables).stdout
    for name in re.findall(r"^│ ([a-z][a-z-]+) ", listed, re.MULTILINE):
        assert f"subquartic {name}" in run(f"subquartic {name} --help", tmp_path, variables).stdout
