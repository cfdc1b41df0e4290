"""Recheck an instance file: every claim of its manifest that can be recomputed is recomputed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reductions.instance_file import (
    as_witness,
    formula_digest,
    read_manifest,
    read_tensors,
    rebuild,
)
from reductions.manifest import UNKNOWN, Manifest
from reductions.problem import Answer, Problem, PromiseProblem
from reductions.problem_codecs import Tensors, codec
from reductions.tensor_header import InstanceFileError, first_line

AFFORDABLE_WORK = 1e11
"""Elementary operations up to which the exact answer is recomputed: ten seconds or so."""


class Outcome(StrEnum):
    """What became of one check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class FileCheck:
    """One named check of an instance file, with one line that says what was found."""

    name: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True)
class Verification:
    """The checks of an instance file in the order in which they were made.

    They end at the first one whose failure leaves the others without an object.
    """

    path: str
    checks: tuple[FileCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(check.outcome is not Outcome.FAILED for check in self.checks)

    @property
    def damage(self) -> str | None:
        """Why the file is no instance at all (truncated, tampered with); None where it is one."""
        last = self.checks[-1]
        unreadable = last.outcome is Outcome.FAILED and last.name in ("manifest", "hashes", "structure")
        return last.detail if unreadable else None


def verify_instance(
    path: str | os.PathLike[str], *, affordable_work: float = AFFORDABLE_WORK
) -> Verification:
    """Recheck manifest, hashes, structure, entry bounds, promise, answer and witness of an instance file.

    Parameters
    ----------
    affordable_work
        How many elementary operations the recomputation of the exact answer may take; where it would
        take more, promise and answer are skipped, and the check says so.

    Raises
    ------
    OSError
        If the file cannot be read at all.
    """
    return Verification(os.fspath(path), tuple(_checks(path, affordable_work)))


def _checks(path: str | os.PathLike[str], affordable_work: float) -> Iterator[FileCheck]:
    name = "manifest"
    try:
        manifest = read_manifest(path)
        yield FileCheck(name, Outcome.OK, f"schema, own SHA-256, {len(manifest.tensors)} tensors declared")
        name = "hashes"
        tensors = read_tensors(path, manifest)
        yield FileCheck(name, Outcome.OK, f"SHA-256 of {', '.join(tensors)}")
        name = "structure"
        problem = rebuild(path, tensors, manifest)
        stated = ", ".join(f"{size} = {number:g}" for size, number in manifest.sizes.items())
        yield FileCheck(name, Outcome.OK, f"{manifest.problem} with {stated}")
    except InstanceFileError as error:
        yield FileCheck(name, Outcome.FAILED, str(error).removeprefix(f"{os.fspath(path)}: "))
        return
    yield _entry_bounds(problem, tensors)
    yield from _answer(problem, manifest, affordable_work)
    yield _witness(problem, manifest)
    yield _formula(problem, manifest)


def _entry_bounds(problem: Problem, tensors: Tensors) -> FileCheck:
    name = "entry bounds"
    bounds = codec(problem.name).entry_bounds(problem)
    if not bounds:
        return FileCheck(name, Outcome.SKIPPED, "the problem sets none")
    largest = {tensor: float(np.abs(tensors[tensor]).max(initial=0)) for tensor in bounds}
    found = ", ".join(f"max|{tensor}| = {largest[tensor]:g} <= {bounds[tensor]:g}" for tensor in bounds)
    broken = [tensor for tensor in bounds if largest[tensor] > bounds[tensor]]
    if broken:
        tensor = broken[0]
        detail = f"max|{tensor}| = {largest[tensor]:g} exceeds {bounds[tensor]:g}"
        return FileCheck(name, Outcome.FAILED, detail)
    return FileCheck(name, Outcome.OK, found)


def _answer(problem: Problem, manifest: Manifest, affordable_work: float) -> Iterator[FileCheck]:
    work = codec(manifest.problem).work(problem)
    found: Answer | None = None
    reason = f"not recomputed: it takes about {work:.1e} operations, more than {affordable_work:.1e}"
    if work <= affordable_work:
        try:
            found = problem.answer()
        except ValueError as error:
            reason = f"not recomputed: {first_line(error)}"
    if isinstance(problem, PromiseProblem):
        if found is None:
            yield FileCheck("promise", Outcome.SKIPPED, reason)
        elif found is Answer.OUTSIDE_PROMISE and manifest.answer != Answer.OUTSIDE_PROMISE:
            yield FileCheck("promise", Outcome.FAILED, "the instance is neither YES nor NO")
        else:
            kept = "is not kept, as the manifest says" if found is Answer.OUTSIDE_PROMISE else "is kept"
            yield FileCheck("promise", Outcome.OK, f"recomputed: the promise {kept}")
    if found is None:
        yield FileCheck("answer", Outcome.SKIPPED, reason)
    elif manifest.answer == UNKNOWN:
        yield FileCheck("answer", Outcome.OK, f"recomputed: {found}; the manifest leaves it open")
    elif found == manifest.answer:
        yield FileCheck("answer", Outcome.OK, f"recomputed: {found}, as the manifest says")
    else:
        yield FileCheck(
            "answer", Outcome.FAILED, f"recomputed: {found}, but the manifest says {manifest.answer}"
        )


def _witness(problem: Problem, manifest: Manifest) -> FileCheck:
    if manifest.witness is None:
        return FileCheck("witness", Outcome.SKIPPED, "the manifest has none")
    if problem.verify(as_witness(manifest.witness)):  # rebuild checked it; a cheap second look
        return FileCheck("witness", Outcome.OK, "it verifies against the instance")
    return FileCheck("witness", Outcome.FAILED, "it does not verify against the instance")


def _formula(problem: Problem, manifest: Manifest) -> FileCheck:
    name = "source formula"
    if manifest.formula_sha256 is None:
        return FileCheck(name, Outcome.SKIPPED, "the manifest names none")
    to_dimacs = getattr(problem, "to_dimacs", None)
    if to_dimacs is None:
        return FileCheck(name, Outcome.SKIPPED, "the formula itself is not in the file")
    if formula_digest(to_dimacs()) == manifest.formula_sha256:
        return FileCheck(name, Outcome.OK, "its SHA-256 is the manifest's")
    return FileCheck(name, Outcome.FAILED, "its SHA-256 is not the manifest's")
