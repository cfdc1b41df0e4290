"""``subquartic lemmas`` and ``ledger-schema``: the book's statements, and the form of their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.cli.options import Force, Json
from checks.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from checks.evidence.registry import Lemma


def lemmas(
    graph: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw the dependency graph.")] = None,
    ledger: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take the evidence from this ledger.")
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """List the statements of the book with the evidence that a ledger records for them."""
    from checks.evidence.registry import registry

    if graph is not None:
        from reductions.system.atomic import refuse_unwritable

        if graph.suffix.lower() != ".svg":
            raise ValueError(f"--graph draws SVG: the name of the file must end in .svg, not {graph.name!r}.")
        refuse_unwritable(graph, overwrite=force)
    entries = registry()
    levels: dict[str, str] = {}
    if ledger is not None:
        from checks.ledger.files import read_ledger

        levels = {entry.id: entry.level.value for entry in read_ledger(ledger).entries}
    if graph is not None:
        from checks.evidence.graph import write_svg
        from reductions.system.atomic import atomic_path

        with atomic_path(graph, overwrite=force) as temporary:
            write_svg(temporary, levels)
        say(f"{graph}: {len(entries)} statements")
        if not json:
            return
    rows = [_row(entry, levels) for entry in entries.values()]
    if json:
        print_json(rows)
        return
    columns = ("id", "kind", "evidence", "title")
    print_table(None, columns, ([row[column] for column in columns] for row in rows))


def ledger_schema() -> None:
    """Print the JSON Schema of the ledger that check --ledger writes."""
    from checks.ledger.json_schema import ledger_json_schema

    print_json(ledger_json_schema())


def _row(entry: Lemma, levels: Mapping[str, str]) -> dict[str, Any]:
    unchecked = "not run" if entry.check else entry.kind.value
    return {
        "id": entry.id,
        "kind": entry.kind.value,
        "title": entry.title,
        "evidence": levels.get(entry.id, unchecked),
        "source": entry.source,
        "statement_uses": list(entry.statement_uses),
        "proof_uses": list(entry.proof_uses),
        "controls": list(entry.controls),
    }
