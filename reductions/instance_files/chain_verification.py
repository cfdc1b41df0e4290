"""Recheck what a manifest says of the reductions that made its instance.

Names, order and parameter types of all steps can be checked, and the parameters of the last step
against the instance that it built. What an earlier step was made with left no trace that is looked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reductions.instance_files.header import first_line
from reductions.instance_files.manifest import Manifest
from reductions.instance_files.outcome import FileCheck, Outcome
from reductions.problem import Problem
from reductions.reduction import registry

if TYPE_CHECKING:
    from reductions.problems.approximate_var import ApproximateVar
    from reductions.problems.attention import ReferenceKeyAttention
    from reductions.problems.gap_max_inner_product import GapMaxInnerProduct


def check_chain(problem: Problem, manifest: Manifest) -> Iterator[FileCheck]:
    """Yield the checks "chain" and "last step", and "promise bounds" for a VAR model."""
    fault = _fault(manifest) if manifest.chain else None
    if not manifest.chain:
        yield FileCheck("chain", Outcome.SKIPPED, "the manifest names no reduction")
    elif fault is not None:
        yield FileCheck("chain", Outcome.FAILED, fault)
    else:
        yield _names(manifest)
        yield _last_step(problem, manifest.chain[-1])
    if manifest.problem == "var":
        yield _promise_bounds(problem, manifest, known=fault is None)


def _fault(manifest: Manifest) -> str | None:
    """Return what is wrong with the names, the order or the parameter types of the steps, if anything."""
    before: str | None = None
    for number, step in enumerate(manifest.chain, start=1):
        name = step["reduction"]
        made_by = registry().get(name)
        if made_by is None:
            before = None
            continue
        source, kinds = made_by.source.name, made_by.parameter_kinds
        if before is not None and source != before:
            return f"step {number}, {name}, starts from {source}, but the step before ends in {before}"
        given = step["parameters"]
        if set(given) != set(kinds):
            names = ", ".join(kinds) or "none"
            return f"step {number}: the parameters of {name} are {names}, not {', '.join(given) or 'none'}"
        for parameter, holds in kinds.items():
            if not holds(given[parameter]):
                return f"step {number}: {name} has no {parameter} of {given[parameter]!r:.40}"
        before = made_by.target.name
    if before is not None and before != manifest.problem:
        return f"its last step ends in {before}, but the instance is of {manifest.problem}"
    return None


def _names(manifest: Manifest) -> FileCheck:
    unknown = [step["reduction"] for step in manifest.chain if step["reduction"] not in registry()]
    if unknown:
        return FileCheck("chain", Outcome.SKIPPED, f"no reduction of this package: {unknown[0]!r:.40}")
    count = len(manifest.chain)
    steps = "1 step" if count == 1 else f"{count} steps that fit together"
    return FileCheck("chain", Outcome.OK, f"{steps}, with parameters of the right types")


def _last_step(problem: Problem, step: Mapping[str, Any]) -> FileCheck:
    name = "last step"
    recheck = _RECHECK.get(step["reduction"])
    if recheck is None:
        return FileCheck(name, Outcome.SKIPPED, "taken from the file, its parameters are not rechecked")
    try:
        different = [
            f"{parameter} = {stated!r:.40}, but the instance was built with {built!r:.40}"
            for parameter, (stated, built) in recheck(problem, step["parameters"]).items()
            if stated != built
        ]
    except ValueError as error:
        different = [first_line(error)]
    if different:
        return FileCheck(name, Outcome.FAILED, f"{step['reduction']}: {different[0]}")
    return FileCheck(name, Outcome.OK, f"the parameters of {step['reduction']} are those of the instance")


def _complement_encoding(
    problem: GapMaxInnerProduct, parameters: Mapping[str, Any]
) -> Mapping[str, tuple[Any, Any]]:
    left, right, half = problem.left, problem.right, problem.left.shape[1] // 2
    zero_one = np.isin(np.abs(left), (0, 1)).all() and np.isin(right, (0, 1)).all() and problem.gap == 1
    signed = zero_one and (left <= 0).all() and problem.threshold == 0
    unsigned = (
        zero_one
        and problem.threshold == half == left.shape[1] - half
        and (left >= 0).all()
        and (left[:, :half] + left[:, half:] == 1).all()
        and (right[:, :half] == 1).all()
    )
    if not signed and not unsigned:
        raise ValueError("the instance is no encoding of zero-one vectors")
    return {"signed": (parameters["signed"], bool(signed))}


def _gap_max_ip_to_attention(
    problem: ReferenceKeyAttention, parameters: Mapping[str, Any]
) -> Mapping[str, tuple[Any, Any]]:
    layer, stated = problem.attention, parameters["temperature"]
    keys, coordinates = len(layer.keys) - 1, layer.queries.shape[1]
    if not math.isclose(problem.logit_gap, math.log(4 * keys), rel_tol=1e-12):
        raise ValueError(f"the logit gap is {problem.logit_gap!r}, not ln(4 * {keys})")
    return {"temperature": (coordinates if stated is None else stated, layer.temperature)}


def _attention_to_var(
    problem: ApproximateVar, parameters: Mapping[str, Any]
) -> Mapping[str, tuple[Any, Any]]:
    from reductions.lower_bound.attention_to_var import AttentionToVar

    if not problem.maps:
        raise ValueError("the instance has no token maps")
    slots = max(1, len(problem.maps[-1].positions))
    # The default schedule depends on the kernel; whether the stated kernel is the model's is asked below.
    reduction = AttentionToVar(problem.model.interpolation, _schedule(parameters))
    schedule = reduction.schedule_for(slots)
    return _of_model(problem, parameters, schedule)


def _sat_to_var_inference(
    problem: ApproximateVar, parameters: Mapping[str, Any]
) -> Mapping[str, tuple[Any, Any]]:
    from reductions.lower_bound.sat_to_var_inference import SatToVarInference

    half = (len(problem.read_outs) - 1).bit_length()
    schedule = SatToVarInference(schedule=_schedule(parameters)).schedule_for(2 * half)
    return _of_model(problem, parameters, schedule)


def _of_model(
    problem: ApproximateVar, parameters: Mapping[str, Any], schedule: tuple[tuple[int, int], ...]
) -> Mapping[str, tuple[Any, Any]]:
    operator, layer, stated = problem.model.interpolation, problem.attention_layer, parameters["temperature"]
    return {
        "kernel": (parameters["kernel"], str(operator.kernel)),
        "a": (parameters["a"], operator.a),
        "aligned": (parameters["aligned"], operator.aligned),
        "schedule": (schedule, problem.model.schedule),
        "temperature": (layer.dimension if stated is None else stated, layer.temperature),
    }


def _schedule(parameters: Mapping[str, Any]) -> tuple[tuple[int, int], ...] | None:
    stated = parameters["schedule"]
    return None if stated is None else tuple((height, width) for height, width in stated)


def _promise_bounds(problem: Problem, manifest: Manifest, *, known: bool) -> FileCheck:
    """Compare what defines the promise, and the entries' error, with what the named reduction sets."""
    from reductions.lower_bound import attention_to_var, sat_to_var_inference

    name, fields = "promise bounds", ("yes_bound", "no_bound", "threshold", "entry_error")
    step = manifest.chain[-1]["reduction"] if manifest.chain and known else None
    made_by = {"attention-to-var": attention_to_var, "sat-to-var-inference": sat_to_var_inference}
    if step not in made_by:
        return FileCheck(
            name, Outcome.SKIPPED, f"{', '.join(fields)}: taken from the file, no known step sets them"
        )
    for field in fields:
        stated, meant = getattr(problem, field), getattr(made_by[step], field.upper())
        if stated != meant:
            return FileCheck(name, Outcome.FAILED, f"{field} = {stated:g}, but {step} sets {meant:g}")
    return FileCheck(name, Outcome.OK, f"{', '.join(fields)} are those that {step} sets")


_RECHECK: Mapping[str, Callable[[Any, Mapping[str, Any]], Mapping[str, tuple[Any, Any]]]] = {
    "complement-encoding": _complement_encoding,
    "gap-max-ip-to-attention": _gap_max_ip_to_attention,
    "attention-to-var": _attention_to_var,
    "sat-to-var-inference": _sat_to_var_inference,
}
"""For each reduction that can be compared with what it built: its parameters, as stated and as built."""
