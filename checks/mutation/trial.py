"""Run checks on mutants, each in a process of its own, and say which check noticed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from checks.mutation.mutant import Mutant
from checks.mutation.source import MutantError, import_changed, mutated_source

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
    timed_out
        Whether the checks were ended after :data:`PATIENCE` seconds, without a sign.
    """

    mutant: Mutant
    line: int
    noticed: Noticed | None
    seconds: float
    timed_out: bool = False

    @property
    def as_it_must(self) -> bool:
        """Whether a check noticed; for an equivalent mutant, whether none did."""
        return not self.timed_out and (self.noticed is None) == (self.mutant.equivalent is not None)


Progress = Callable[[int, int], None]


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

    Before that, the same checks are run on the unchanged code, where none may notice anything.

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
    """
    if jobs < 1:
        raise ValueError(f"Argument 'jobs' must be at least 1, not {jobs}.")
    mutants = list(mutants)
    changes = [mutated_source(mutant) for mutant in mutants]
    statements = tuple(dict.fromkeys(id for mutant in mutants for id in mutant.statements))
    _refuse_unregistered(statements)
    first = [id for id in statements if id not in passed]
    tasks: list[tuple[tuple[str, ...], str | None, str]]
    tasks = [((id,), None, "") for id in first]
    tasks += [
        (mutant.statements, mutant.module, text) for mutant, (text, _) in zip(mutants, changes, strict=True)
    ]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["checks.mutation.preload"])
    done = 0

    def attempt(task: tuple[tuple[str, ...], str | None, str]) -> tuple[Noticed | None, float, bool]:
        nonlocal done
        result = _attempt(context, task, seed, patience)
        done += 1
        if progress is not None:
            progress(done, len(tasks))
        return result

    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(attempt, tasks))
    for id, (noticed, _, timed_out) in zip(first, results, strict=False):
        if noticed is not None or timed_out:
            reason = noticed.detail if noticed else f"no result in {patience:.0f} s"
            raise MutantError(f"{id} fails on the unchanged code: {reason}")
    return [
        Trial(mutant, line, noticed, round(seconds, 3), timed_out)
        for mutant, (_, line), (noticed, seconds, timed_out) in zip(
            mutants, changes, results[len(first) :], strict=True
        )
    ]


def _refuse_unregistered(statements: Sequence[str]) -> None:
    from checks.lemma import registry

    entries = registry()
    for id in statements:
        if id not in entries or entries[id].check is None:
            raise MutantError(f"{id} is no registered statement with a check.")


def _attempt(context: Any, task: Any, seed: int, patience: float) -> tuple[Noticed | None, float, bool]:
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, *task, seed), daemon=True)
    start = perf_counter()
    process.start()
    sender.close()
    timed_out = not receiver.poll(patience)
    answer: tuple[str, str, str] | None = None
    if timed_out:
        process.kill()
    else:
        try:
            answer = receiver.recv()
        except EOFError:  # the process died: killed by the system, or by a fault in compiled code
            answer = (task[0][0], Sign.EXCEPTION.value, "the process died")
    process.join()
    seconds = perf_counter() - start
    noticed = None if answer is None else Noticed(answer[0], Sign(answer[1]), answer[2])
    return noticed, seconds, timed_out


def _child(sender: Connection, statements: tuple[str, ...], module: str | None, text: str, seed: int) -> None:
    if module is not None:
        import_changed(module, text)
    sender.send(_first_sign(statements, seed))


def _first_sign(statements: Sequence[str], seed: int) -> tuple[str, str, str] | None:
    """Return the statement, the sign and the detail of the first check that notices."""
    id = statements[0]
    try:
        # Here, not above: these modules, too, are imported anew where a construction was changed.
        from checks.lemma import Run, registry

        entries, run = registry(), Run(seed=seed)
        for id in statements:
            entry = entries[id]
            for evidence in entry.check(run) if entry.check else ():
                if evidence.failed:
                    detail = f"{evidence.claim}: {evidence.counterexample}"
                    return id, Sign.COUNTEREXAMPLE.value, _one_line(detail)
            for name, control in entry.controls.items():
                evidence = control(run)
                if not evidence.failed or evidence.cases == 0:
                    return id, Sign.CONTROL.value, _one_line(f"control not rejected: {name}")
    except Exception as error:
        return id, Sign.EXCEPTION.value, _one_line(f"{type(error).__name__}: {error}")
    return None


def _one_line(text: str, longest: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
