"""Execute checks and report what they earned.

:func:`run_lemma` executes one statement's check in this process and lets an exception through: it
is what pages and tests call. :func:`run_lemmas` executes many, in worker processes or on a cluster where
asked, and turns an exception into a FAILED report, so that one broken check does not hide the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter

from checks.evidence import Evidence
from checks.evidence.registry import Lemma, Run, registered, registering_modules, registry
from checks.evidence.report import ControlReport, LemmaReport
from reductions.workers.parallel_map import parallel_map

Progress = Callable[[LemmaReport], None]


def find_lemma(id: str) -> Lemma:
    """Return the registered statement with this id.

    Raises
    ------
    ValueError
        If there is none; the message names the nearest ids.
    """
    try:
        return registered(id)
    except KeyError:
        from difflib import get_close_matches

        near = get_close_matches(id, registering_modules(), n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        message = f"Argument 'id' must be the id of a registered statement, not {id!r}.{hint}"
        raise ValueError(message) from None


def run_lemma(id_or_lemma: str | Lemma, run: Run | None = None) -> LemmaReport:
    """Execute the check and the controls of one statement, in this process.

    Parameters
    ----------
    id_or_lemma
        A registered id ("lem-split-and-list") or the statement itself.
    run
        Effort and seed; by default the quick effort with seed 0.

    Raises
    ------
    ValueError
        If the id is not registered.
    Exception
        Whatever the check or a control raises: a control that crashes is an error of the check, not
        a rejection.
    """
    entry = find_lemma(id_or_lemma) if isinstance(id_or_lemma, str) else id_or_lemma
    run = run or Run()
    start = perf_counter()
    records = tuple(map(_evidence, entry.check(run))) if entry.check else ()
    controls = tuple(_run_control(name, control(run)) for name, control in entry.controls.items())
    return LemmaReport(
        entry.id, entry.kind, entry.title, run, records, controls, seconds=perf_counter() - start
    )


def _evidence(record: Evidence) -> Evidence:
    if not isinstance(record, Evidence):
        raise TypeError(f"A check must yield Evidence, not {type(record).__name__}.")
    return record


def _run_control(name: str, evidence: Evidence) -> ControlReport:
    if not isinstance(evidence, Evidence):
        raise TypeError(f"Control {name!r} must return Evidence, not {type(evidence).__name__}.")
    # A check that ranged over nothing is FAILED too, but it rejected nothing.
    rejected = evidence.failed and evidence.cases > 0
    return ControlReport(name, rejected, evidence.scope, evidence.counterexample)


def run_lemmas(
    ids: Iterable[str] | None = None,
    run: Run | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    scheduler: str | None = None,
) -> list[LemmaReport]:
    """Execute many statements and report on each, in the order given.

    Parameters
    ----------
    ids
        Registered ids; None for all of them.
    run
        Effort and seed; by default the quick effort with seed 0.
    jobs
        Number of worker processes; 1 executes in this process.
    progress
        Called with each report as it comes in.
    scheduler
        The address of a Dask scheduler, whose workers execute them instead.

    Raises
    ------
    ValueError
        If an id is not registered, ``jobs`` is not positive, or the address is malformed. An
        exception in a check is not raised: it makes that report FAILED.
    RuntimeError
        If the cluster cannot be used: see :func:`reductions.workers.parallel_map.parallel_map`.
    """
    if jobs < 1:
        raise ValueError(f"Argument 'jobs' must be at least 1, not {jobs}.")
    run = run or Run()
    chosen = list(dict.fromkeys(registry() if ids is None else (find_lemma(id).id for id in ids)))
    reports: dict[str, LemmaReport] = {}
    for report in _execute(chosen, run, jobs, scheduler):
        reports[report.id] = report
        if progress is not None:
            progress(report)
    return [reports[id] for id in chosen]


def _execute(ids: list[str], run: Run, jobs: int, scheduler: str | None) -> Iterator[LemmaReport]:
    for finished in parallel_map(_run_guarded, ids, common=(run,), jobs=jobs, scheduler=scheduler):
        if finished.error is None:
            yield finished.result()
        else:  # the worker itself died (out of memory, killed)
            yield _error_report(find_lemma(ids[finished.index]), run, 0.0, finished.error)


def _run_guarded(id: str, run: Run) -> LemmaReport:
    entry = find_lemma(id)
    start = perf_counter()
    try:
        return run_lemma(entry, run)
    except Exception as error:
        return _error_report(entry, run, perf_counter() - start, error)


def _error_report(entry: Lemma, run: Run, seconds: float, error: BaseException) -> LemmaReport:
    message = " ".join(f"{type(error).__name__}: {error}".split())
    return LemmaReport(entry.id, entry.kind, entry.title, run, (), (), seconds, error=message)
