"""Recheck an instance file: every claim of its manifest that can be recomputed is recomputed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reductions.instance_files.chain_verification import check_chain
from reductions.instance_files.codec import Tensors
from reductions.instance_files.codecs import codec
from reductions.instance_files.header import InstanceFileError, first_line
from reductions.instance_files.manifest import UNKNOWN, Manifest, plain
from reductions.instance_files.outcome import FileCheck, Outcome
from reductions.instance_files.read_write import (
    as_witness,
    formula_digest,
    read_manifest,
    read_tensors,
    rebuild,
)
from reductions.instance_files.stream import data_bytes
from reductions.instance_files.streamed_verification import IN_MEMORY_BYTES, streamed_checks
from reductions.problem import Answer, Problem, PromiseProblem

__all__ = ["AFFORDABLE_WORK", "FileCheck", "Outcome", "Verification", "verify_instance"]

AFFORDABLE_WORK = 1e11
"""Elementary operations up to which the exact answer is recomputed: ten seconds or so."""

_SLACK = 1 + 2.0**-30
"""A stated bound is exceeded by more than rounding if it is exceeded by more than this factor."""


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
    path: str | os.PathLike[str],
    *,
    affordable_work: float = AFFORDABLE_WORK,
    in_memory_bytes: int = IN_MEMORY_BYTES,
) -> Verification:
    """Recheck the claims of an instance file; what is taken from the file instead is named as skipped.

    Rechecked are manifest, hashes, structure, chain and the last step's parameters, entry and logit
    bounds, promise, answer, witness, read-out.

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
    return Verification(os.fspath(path), tuple(_checks(path, affordable_work, in_memory_bytes)))


def _checks(
    path: str | os.PathLike[str], affordable_work: float, in_memory_bytes: int
) -> Iterator[FileCheck]:
    name = "manifest"
    try:
        manifest = read_manifest(path)
        yield FileCheck(name, Outcome.OK, f"schema, own SHA-256, {len(manifest.tensors)} tensors declared")
        if manifest.problem == "ov" and data_bytes(path) > in_memory_bytes:
            yield from streamed_checks(path, manifest)
            return
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
    yield from check_chain(problem, manifest)
    yield _entry_bounds(problem, tensors)
    if manifest.problem == "var":
        yield from _magnitudes(problem, affordable_work)
    yield _read_out(problem, manifest)
    yield from _answer(problem, manifest, affordable_work)
    yield _witness(problem, manifest)
    yield _formula(problem, manifest)
    earlier = ", parameters of earlier steps" if len(manifest.chain) > 1 else ""
    yield FileCheck(
        "provenance",
        Outcome.SKIPPED,
        f"taken from the file: seed, command line, version, how the answer is known{earlier}",
    )


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


def _magnitudes(problem: Problem, affordable_work: float) -> Iterator[FileCheck]:
    """Compare the stated bounds on Q, K, V and on the logits with the model's own, over all tokens."""
    from reductions.instance_files.var_magnitudes import measure_magnitudes
    from reductions.problems.approximate_var import ApproximateVar

    assert isinstance(problem, ApproximateVar)
    with np.errstate(all="ignore"):  # what overflows exceeds every bound
        found = measure_magnitudes(problem, affordable_work=affordable_work)
    reason = "taken from the file: to measure it takes too long, or there are more attention layers"
    if found is None:
        yield FileCheck("query and key bound", Outcome.SKIPPED, reason)
    elif found.value <= _SLACK:
        yield _at_most("query and key bound", "max|Q|, |K|", found.entry, problem.entry_bound)
    else:
        yield FileCheck("query and key bound", Outcome.FAILED, f"max|V| = {found.value:g} exceeds 1")
    if found is None or found.logit is None:
        yield FileCheck("logit bound", Outcome.SKIPPED, reason)
    else:
        yield _at_most("logit bound", "max sum |q||k|/tau", found.logit, problem.logit_bound)


def _at_most(name: str, what: str, found: float, bound: float) -> FileCheck:
    if found <= bound * _SLACK:  # false for NaN
        return FileCheck(name, Outcome.OK, f"measured: {what} = {found:g} <= {bound:g}")
    return FileCheck(name, Outcome.FAILED, f"measured: {what} = {found:g} exceeds {bound:g}")


def _read_out(problem: Problem, manifest: Manifest) -> FileCheck:
    name, meant = "read-out", plain(codec(problem.name).read_out(problem))
    if plain(manifest.read_out) == meant:
        says = (
            "none, the problem is exact"
            if meant is None
            else "positions, threshold and error are the problem's"
        )
        return FileCheck(name, Outcome.OK, says)
    stated: Mapping[str, Any] | None = manifest.read_out
    if meant is None or stated is None:
        return FileCheck(name, Outcome.FAILED, f"it must be {meant}, not {stated!r:.80}")
    field = next(field for field in meant if stated[field] != meant[field])
    return FileCheck(name, Outcome.FAILED, f"{field} is {meant[field]}, not {stated[field]!r:.40}")


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
