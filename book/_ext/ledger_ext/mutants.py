"""The mutants as tables, one per statement, folded."""

from __future__ import annotations

import re
from html import escape

from checks.ledger.code_locations import source_path
from checks.ledger.fields import Location
from checks.mutation.record import Record
from checks.mutation.trial import Sign, Trial
from ledger_ext.tables import table
from ledger_ext.view import View, plural

HEADINGS = ("What is wrong then", "Changed", "Place", "Noticed by")
BETWEEN_WORDS = re.compile(r"(?<=[._,(\[])(?=\S)")
SIGNS = {Sign.COUNTEREXAMPLE: "counterexample", Sign.CONTROL: "control", Sign.EXCEPTION: "exception"}


def mutant_tables(view: View, record: Record) -> str:
    """Return how many mutants were tried and noticed, and the mutants of every statement."""
    groups: dict[str, list[Trial]] = {}
    for trial in record.trials:
        groups.setdefault(trial.mutant.statements[0], []).append(trial)
    ordered = [(id, groups[id]) for id in view.ids if id in groups]
    return _summary(record) + "".join(_group(view, id, trials) for id, trials in ordered)


def mutated_files(record: Record) -> dict[str, list[str]]:
    """Return the files that mutants change, each with the ids of the statements whose checks are asked."""
    files: dict[str, dict[str, None]] = {}
    for trial in record.trials:
        files.setdefault(source_path(trial.mutant.module), {}).update(dict.fromkeys(trial.mutant.statements))
    return {path: list(ids) for path, ids in files.items()}


def _summary(record: Record) -> str:
    breaking = [trial for trial in record.trials if trial.mutant.equivalent is None]
    noticed = sum(trial.noticed is not None for trial in breaking)
    by_sign = ", ".join(
        f"{sum(t.noticed is not None and t.noticed.sign is sign for t in breaking)} by {word}"
        for sign, word in SIGNS.items()
    )
    harmless = [trial for trial in record.trials if trial.mutant.equivalent is not None]
    wrongly = sum(trial.noticed is not None for trial in harmless)
    scope = (
        f"All {plural(record.declared, 'declared mutant')} were tried."
        if record.complete
        else f"Sampled: {len(record.trials):,} of {plural(record.declared, 'declared mutant')} were tried "
        f"here, drawn with seed {record.seed}; <code>make book LEVEL=full</code> tries all."
    )
    return (
        f'<p class="mutant-summary">{scope} Of {plural(len(breaking), "mutant")} that break a construction, '
        f"{noticed:,} were noticed ({by_sign}). Of {plural(len(harmless), 'other')}, proved to change "
        f"nothing, {wrongly or 'none'} {'was' if wrongly < 2 else 'were'} noticed.</p>"
    )


def _group(view: View, id: str, trials: list[Trial]) -> str:
    title = view.ledger.by_id[id].title
    breaking = [trial for trial in trials if trial.mutant.equivalent is None]
    noticed = sum(trial.noticed is not None for trial in breaking)
    rest = len(trials) - len(breaking)
    counts = [f"{noticed} of {len(breaking)} noticed"] if breaking else []
    counts += [f"{rest} equivalent"] if rest else []
    caption = f"Mutants of {view.number(id)}, {title}"
    rows = [_row(view, trial) for trial in trials]
    return (
        f'<details class="mutants"><summary>{escape(view.number(id))}, {escape(title)}: {", ".join(counts)}'
        # The link stands inside: a summary is a button, which must not hold another control.
        f"</summary><p>{view.statement_link(id)}</p>{table(caption, HEADINGS, rows)}</details>"
    )


def _row(view: View, trial: Trial) -> list[str]:
    mutant = trial.mutant
    url = view.code_url(Location(source_path(trial.mutant.module), trial.line))
    place = mutant.function or mutant.module.rpartition(".")[2]
    return [
        f"{escape(mutant.meaning)} <small>({mutant.part})</small>",
        f"{_code(mutant.before)} → {_code(mutant.after)}",
        f'<a href="{escape(url)}">{_code(place)}</a>',
        _outcome(view, trial),
    ]


def _code(text: str) -> str:
    """Return code that a narrow column breaks between its words, not inside them."""
    return f"<code>{BETWEEN_WORDS.sub('<wbr>', escape(text))}</code>"


def _outcome(view: View, trial: Trial) -> str:
    if trial.noticed is not None:
        sign = f"{SIGNS[trial.noticed.sign]}: {_detail(trial.noticed.detail)}"
        other = trial.noticed.statement != trial.mutant.statements[0]
        return (f"{view.statement_link(trial.noticed.statement)}, " if other else "") + sign
    if trial.mutant.equivalent is not None and trial.unfinished is None:
        return f"nothing changes: {escape(trial.mutant.equivalent)}"
    return f"<strong>no check</strong>{f': {escape(trial.unfinished)}' if trial.unfinished else ''}"


def _detail(text: str) -> str:
    """Return a counterexample: the claim in words, the instance as code."""
    claim, sign, instance = text.partition(": case ")
    return f"{escape(claim)}: case {_code(instance)}" if sign else escape(text)
