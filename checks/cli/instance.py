"""``subquartic verify``, ``solve`` and ``inspect``: what is in an instance file, and whether it is true."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.cli.options import InstanceFile, Json, Scheduler, Threads
from checks.cli.output import limit_threads, print_json, print_table, progress_bar
from checks.cli.sources import read_source, require_file

if TYPE_CHECKING:
    from reductions.instance_files.manifest import Manifest
    from reductions.problem import Problem
    from reductions.problems.orthogonal_vectors import Pair

LONGEST_VALUE = 400


def verify(file: InstanceFile, threads: Threads = None, json: Json = False) -> None:
    """Recheck an instance file: manifest, hashes, reductions, bounds, promise, answer, witness, read-out.

    What cannot be rechecked, or takes too long, is listed as skipped: it is taken from the file.

    Exit status 1 where a claim is false, 2 where the file is damaged.
    """
    limit_threads(threads)
    from reductions.instance_files.header import InstanceFileError
    from reductions.instance_files.verification import verify_instance

    require_file(file)
    verification = verify_instance(file)
    if verification.damage is not None and not json:
        raise InstanceFileError(f"{file}: {verification.damage}")
    if json:
        print_json({**asdict(verification), "ok": verification.ok})
    else:
        rows = [(check.name, check.outcome.value, check.detail) for check in verification.checks]
        print_table(None, ("check", "result", "found"), rows)
    if not verification.ok:
        raise typer.Exit(1 if verification.damage is None else 2)


def solve(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-",
            help="An instance file, a DIMACS formula or vectors as text; - is text on standard input.",
        ),
    ],
    threads: Threads = None,
    scheduler: Scheduler = None,
    json: Json = False,
) -> None:
    """Print the exact answer, found by exhaustive search, and a witness where it is YES.

    The search for orthogonal vectors can be shared out on a cluster.
    """
    limit_threads(threads)
    from reductions.instance_files.manifest import plain
    from reductions.problem import Answer, PromiseProblem

    problem, _ = read_source(source)
    witness = problem.solve_brute_force() if scheduler is None else _solve_on_cluster(problem, scheduler)
    answer = Answer.YES if witness is not None else Answer.NO
    if witness is None and isinstance(problem, PromiseProblem):
        answer = problem.answer()
    if json:
        print_json({"problem": problem.name, "answer": answer.value, "witness": plain(witness)})
        return
    print(answer.value)
    if witness is not None:
        numbers = witness if isinstance(witness, tuple) else (witness,)
        print("witness", *(int(number) for number in numbers))


def _solve_on_cluster(problem: Problem, scheduler: str) -> Pair | None:
    from reductions.problems.orthogonal_vectors import OrthogonalVectors
    from reductions.workers.orthogonal_pair_search import search_shared_out

    if not isinstance(problem, OrthogonalVectors):
        raise ValueError(f"--scheduler shares out the search for orthogonal vectors; this is {problem.name}.")
    with progress_bar("searching", quiet=False) as bar:
        return search_shared_out(problem, scheduler=scheduler, progress=bar)


def inspect(file: InstanceFile, json: Json = False) -> None:
    """Print the manifest of an instance file without loading its tensors."""
    from reductions.instance_files.read_write import read_manifest

    require_file(file)
    manifest = read_manifest(file)
    if json:
        print_json(manifest.as_dict())
    else:
        print_table(None, ("manifest", ""), _rows(manifest))


def _rows(manifest: Manifest) -> list[tuple[str, str]]:
    rows = [("problem", manifest.problem)]
    rows += [(f"  {name}", f"{value:g}") for name, value in manifest.sizes.items()]
    rows += [(f"  parameter {name}", _shown(value)) for name, value in manifest.parameters.items()]
    rows += [
        (
            f"tensor {name}",
            f"{entry['dtype']} {' x '.join(map(str, entry['shape']))}, SHA-256 {entry['sha256']}",
        )
        for name, entry in manifest.tensors.items()
    ]
    rows += [
        (f"step {number}", f"{step['reduction']} {_shown(step['parameters'])}")
        for number, step in enumerate(manifest.chain, start=1)
    ]
    rows += [
        ("answer", manifest.answer),
        ("known by", manifest.known_by),
        ("witness", _shown(manifest.witness)),
    ]
    if manifest.read_out is not None:
        rows += [(f"read-out {name}", _shown(value)) for name, value in manifest.read_out.items()]
    rows += [
        ("seed", _shown(manifest.seed)),
        ("source formula", _shown(manifest.formula_sha256)),
        ("command", manifest.command_line or "-"),
        ("version", manifest.version),
    ]
    return rows


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json_format.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} ... (--json prints all)"
