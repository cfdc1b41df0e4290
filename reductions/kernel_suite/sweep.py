"""Build and recheck a whole suite, here or shared out: the manifest is the same wherever it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reductions.kernel_suite.suite import SuiteParameters, build_instance, manifest_of, suite_parameters
from reductions.workers.parallel_map import parallel_map

_PER_TASK = 8
"""The strengths of a VAR instance follow each other and share what they are made from."""


@dataclass(frozen=True)
class Rechecked:
    """One instance: its name, its digest, and everything that is not as it claims."""

    name: str
    digest: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Sweep:
    """A suite's manifest and what the recheck of every instance found.

    Attributes
    ----------
    manifest
        As :func:`reductions.kernel_suite.suite.suite_manifest` returns it.
    rechecked
        One an instance, in the suite's order.
    """

    manifest: dict[str, Any]
    rechecked: tuple[Rechecked, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that is not as claimed, in words."""
        return tuple(f"{one.name}: {fault}" for one in self.rechecked for fault in one.faults)

    @property
    def verified(self) -> int:
        """How many instances are all that they claim."""
        return sum(not one.faults for one in self.rechecked)


def sweep_suite(
    suite: str = "quick",
    seeds: int = 1,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Build every instance of a suite, and recheck it where it was built.

    Parameters
    ----------
    suite, seeds
        As :func:`reductions.kernel_suite.suite.hard_instances`.
    jobs, scheduler
        As :func:`reductions.workers.parallel_map.parallel_map`.
    progress
        Called with the number of instances done and that of all.

    Raises
    ------
    ValueError, RuntimeError
        As the functions named.
    """
    parameters = list(suite_parameters(suite, seeds))
    tasks = [parameters[start : start + _PER_TASK] for start in range(0, len(parameters), _PER_TASK)]
    found: dict[int, list[Rechecked]] = {}
    done = 0
    for finished in parallel_map(recheck_all, tasks, jobs=jobs, scheduler=scheduler):
        found[finished.index] = finished.result()
        done += len(tasks[finished.index])
        if progress is not None:
            progress(done, len(parameters))
    rechecked = tuple(one for index in range(len(tasks)) for one in found[index])
    return Sweep(manifest_of(suite, seeds, {one.name: one.digest for one in rechecked}), rechecked)


def recheck_all(parameters: list[SuiteParameters]) -> list[Rechecked]:
    """Build and recheck some instances."""
    from reductions.kernel_suite.recheck import recheck

    instances = map(build_instance, parameters)
    return [Rechecked(instance.label.name, instance.digest, recheck(instance)) for instance in instances]
