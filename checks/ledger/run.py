"""Execute the statements' checks, and write the ledger."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from checks.evidence.registry import Lemma, Run, registry
from checks.evidence.report import LemmaReport, Report
from checks.evidence.runner import run_lemmas
from checks.ledger.files import LedgerError, write_ledger
from checks.ledger.resume import KeptReport, KeptReports, current_reports, kept_path, taken_over
from reductions.system.source_files import refuse_changed_sources, source_files


def run_into_ledger(
    ledger: str | os.PathLike[str],
    run: Run,
    ids: Collection[str] | None = None,
    *,
    jobs: int = 1,
    progress: Callable[[Report], None] = lambda report: None,
    scheduler: str | None = None,
    resume: bool = False,
    notice: Callable[[str], None] = lambda line: None,
) -> list[Report]:
    """Execute statements, keep what finishes, and write the ledger of all statements at the end.

    Parameters
    ----------
    ids
        The statements to execute; by default all. What the ledger says of the others stays, and must count
        in this run: same effort, seed and versions, no file changed on which their evidence depends.
    jobs, scheduler
        See :func:`checks.evidence.runner.run_lemmas`.
    progress
        Called with each report, those that were taken over first.
    resume
        Execute only what neither the ledger says nor an interrupted run left, in the same circumstances and
        of the same files. A statement in ``ids`` is not taken from the ledger.
    notice
        Called with each line that a user may want to read.

    Returns
    -------
    list[Report]
        On every statement, in the registry's order.

    Raises
    ------
    ValueError
        If the ledger does not say what counts of a statement that is not to be executed.
    OSError
        If the ledger, or the file of kept reports, cannot be read or written.
    RuntimeError
        If the project's source files changed during the run.
    """
    source_files()  # as they are now
    entries = registry()
    reports: dict[str, Report] = {}
    reports.update(_of_ledger(ledger, run, ids, entries, resume=resume, notice=notice))

    def finished(report: LemmaReport) -> None:
        refuse_changed_sources()  # before it is kept under the digest of the files as they were
        if entries[report.id].check is not None:
            kept.keep(report)
        reports[report.id] = report
        progress(report)

    # Where all is in the ledger, no interrupted run is missed.
    resume = resume and (not reports or kept_path(ledger).exists())
    with KeptReports(ledger, run, entries, resume=resume) as kept:
        if kept.message:
            notice(kept.message)
        reports.update(kept.found)
        for found in list(reports.values()):
            progress(found)
        missing = [id for id in entries if id not in reports]
        try:
            if missing:
                run_lemmas(missing, run, jobs=jobs, progress=finished, scheduler=scheduler)
        except BaseException:
            notice(f"{kept.path}: what is finished is kept; the same command with --resume continues")
            raise
        ordered = [reports[id] for id in entries]
        refuse_changed_sources()
        write_ledger(ledger, ordered, run)
        kept.remove()
    return ordered


def _of_ledger(
    ledger: str | os.PathLike[str],
    run: Run,
    ids: Collection[str] | None,
    entries: Mapping[str, Lemma],
    *,
    resume: bool,
    notice: Callable[[str], None],
) -> dict[str, KeptReport]:
    """Return what is taken over from the ledger that is there."""
    if ids is None and not (resume and Path(ledger).exists()):
        return {}
    try:
        current = current_reports(ledger, run, entries)
    except LedgerError as error:
        if ids is not None:
            raise
        notice(str(error))
        return {}
    if ids is None:
        notice(taken_over(Path(ledger), current))
        return current
    other = [id for id, entry in entries.items() if entry.check and not (id in ids or id in current)]
    if other:
        raise ValueError(
            f"{ledger} must say what counts here of the statements that are not named, and does not of "
            f"{', '.join(other)}: name them too, or none with --resume."
        )
    return {id: report for id, report in current.items() if id not in ids}
