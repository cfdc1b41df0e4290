"""Run checks on mutants, each in a process of its own, and say which check noticed."""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

from checks.mutation.mutant import Mutant
from checks.mutation.source import MutantError, compiled, import_changed, module_path, mutated_source
from reductions.system.source_files import refuse_changed_sources, source_files

PATIENCE = 300.0
"""Seconds after which a check that has not noticed counts as one that does not."""


class Sign(StrEnum):
    """How a check noticed."""

    COUNTEREXAMPLE = "counterexample"  # a record came out FAILED
    CONTROL = "control"  # a negative control was no longer rejected
    EXCEPTION = "exception"  # the construction or the check raised


@dataclass(frozen=True)
class Noticed:
    """The first sign that a check gave.

    Attributes
    ----------
    statement
        The id of the statement whose check it was.
    sign
        How it noticed.
    detail
        The claim with its counterexample, the control's name, or the exception, in one line.
    """

    statement: str
    sign: Sign
    detail: str


@dataclass(frozen=True)
class Trial:
    """What became of one mutant.

    Attributes
    ----------
    mutant
        What was changed.
    line
        Where, from 1, in the module's file.
    noticed
        The first sign; None where every check passed.
    seconds
        Wall time.
    unfinished
        Why the checks came to no end, which is no sign of anything: no result in :data:`PATIENCE` seconds, a
        module that cannot be imported, a process that died, an error that may be the machine's. None where
        they did come to an end.
    """

    mutant: Mutant
    line: int
    noticed: Noticed | None
    seconds: float
    unfinished: str | None = None

    @property
    def as_it_must(self) -> bool:
        """Whether a check noticed; for an equivalent mutant, whether none did."""
        return self.unfinished is None and (self.noticed is None) == (self.mutant.equivalent is not None)


Progress = Callable[[int, int], None]
_Task = tuple[tuple[str, ...], str, str]  # ids of statements; a module, its text
_Answer = tuple[str, str, str] | str | None  # a sign; why there is none; None where every check passed
_Result = tuple[Noticed | None, float, str | None]


def run_mutants(
    mutants: Iterable[Mutant],
    *,
    passed: Collection[str] = (),
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
    patience: float = PATIENCE,
) -> list[Trial]:
    """Run the quick checks of each mutant's statements on it, until one notices.

    Before that, the same checks are run on the unchanged code, imported in the same way, where none may
    notice anything.

    Parameters
    ----------
    passed
        Ids of statements whose quick checks are known to pass on the unchanged code, with this seed.
    jobs
        How many processes run at a time.
    progress
        Called with the numbers of trials done and of all.

    Raises
    ------
    MutantError
        If a mutant does not fit the code, names a statement that is not registered, or a check fails on the
        unchanged code.
    RuntimeError
        If the project's source files change meanwhile.
    """
    if jobs < 1:
        raise ValueError(f"Argument 'jobs' must be at least 1, not {jobs}.")
    source_files()  # as they are now
    mutants = list(mutants)
    changes = [mutated_source(mutant) for mutant in mutants]
    statements = tuple(dict.fromkeys(id for mutant in mutants for id in mutant.statements))
    _refuse_without_check(statements)
    first = [id for id in statements if id not in passed]
    modules = {id: mutant.module for mutant in reversed(mutants) for id in mutant.statements}
    tasks: list[_Task]
    tasks = [((id,), modules[id], module_path(modules[id]).read_text("utf8")) for id in first]
    tasks += [
        (mutant.statements, mutant.module, text) for mutant, (text, _) in zip(mutants, changes, strict=True)
    ]
    reaching = compiled()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["checks.mutation.preload"])
    done = 0

    def attempt(task: _Task) -> _Result:
        nonlocal done
        cache = Path(tempfile.mkdtemp(dir=folder)) if task[1] in reaching else None
        result = _attempt(context, task, cache, seed, patience)
        done += 1
        if progress is not None:
            progress(done, len(tasks))
        return result

    with (
        tempfile.TemporaryDirectory(prefix="subquartic-mutants-", ignore_cleanup_errors=True) as folder,
        ThreadPoolExecutor(jobs) as pool,
    ):
        results = list(pool.map(attempt, tasks))
    refuse_changed_sources()
    for id, (noticed, _, unfinished) in zip(first, results, strict=False):
        if noticed is not None or unfinished is not None:
            reason = noticed.detail if noticed else unfinished
            raise MutantError(f"{id} fails on the unchanged code: {reason}")
    return [
        Trial(mutant, line, noticed, round(seconds, 3), unfinished)
        for mutant, (_, line), (noticed, seconds, unfinished) in zip(
            mutants, changes, results[len(first) :], strict=True
        )
    ]


def _refuse_without_check(statements: Sequence[str]) -> None:
    from checks.evidence.registry import registered

    for id in statements:
        try:
            has_one = registered(id).check is not None
        except KeyError:
            has_one = False
        if not has_one:
            raise MutantError(f"{id} is no registered statement with a check.")


def _attempt(context: Any, task: _Task, cache: Path | None, seed: int, patience: float) -> _Result:
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, *task, cache, seed), daemon=True)
    start = perf_counter()
    process.start()
    sender.close()
    answer: _Answer = None
    if not receiver.poll(patience):
        process.kill()
        answer = f"no result in {patience:.0f} s"
        process.join()
    else:
        try:
            answer = receiver.recv()
            process.join()
        except EOFError:  # killed by the system, or by a fault in compiled code
            process.join()
            answer = f"the process died ({process.exitcode})"
    seconds = perf_counter() - start
    if answer is None or isinstance(answer, str):
        return None, seconds, answer
    return Noticed(answer[0], Sign(answer[1]), answer[2]), seconds, None


def _child(
    sender: Connection, statements: tuple[str, ...], module: str, text: str, cache: Path | None, seed: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an interrupt ends it without a word
    warnings.simplefilter("ignore")  # that a broken construction divides by zero is no news
    try:
        import_changed(module, text, cache)
    except Exception as error:
        sender.send(_one_line(f"{module} cannot be imported: {type(error).__name__}: {error}"))
        return
    sender.send(_first_sign(statements, seed))


def _first_sign(statements: tuple[str, ...], seed: int) -> _Answer:
    """Return the statement, the sign and the detail of the first check that notices, or why none could."""
    id = statements[0]
    try:
        # Here, not above: these modules, too, are imported anew where a construction was changed.
        from checks.evidence import Evidence
        from checks.evidence.registry import Run, registered

        run = Run(seed=seed)
        for id in statements:
            entry = registered(id)  # imports the module of this one alone
            for evidence in entry.check(run) if entry.check else ():
                if not isinstance(evidence, Evidence):
                    return f"the check of {id} yields what is no evidence"
                if evidence.failed:
                    detail = f"{evidence.claim}: {evidence.counterexample}"
                    return id, Sign.COUNTEREXAMPLE.value, _one_line(detail)
            for name, control in entry.controls.items():
                evidence = control(run)
                if not evidence.failed or evidence.cases == 0:
                    return id, Sign.CONTROL.value, _one_line(f"control not rejected: {name}")
    except (MemoryError, OSError) as error:  # perhaps the machine's
        return _one_line(f"{type(error).__name__}: {error}")
    except Exception as error:
        return id, Sign.EXCEPTION.value, _one_line(f"{type(error).__name__}: {error}")
    return None


def _one_line(text: str, longest: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
