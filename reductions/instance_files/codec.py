"""What a codec is: how the instances of one problem become named tensors and parameters, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reductions.problem import Problem

Tensors = dict[str, np.ndarray[Any, np.dtype[Any]]]
Parameters = dict[str, Any]


def every_pair(problem: Any) -> float:
    """Return the work of comparing every pair: N^2 m."""
    sizes = problem.sizes
    return float(sizes["N"] ** 2 * sizes["m"])


def _no_bounds(problem: Any) -> Mapping[str, float]:
    return {}


def _no_read_out(problem: Any) -> Mapping[str, Any] | None:
    return None


@dataclass(frozen=True)
class Codec:
    """How the instances of one problem are stored.

    Attributes
    ----------
    problem_class
        The class of the instances; its ``name`` is the problem's name in the manifest.
    to_tensors
        Returns the tensors by their mathematical names, and the parameters as plain data.
    from_tensors
        Rebuilds the instance. Raises ValueError, TypeError or KeyError where the data is none.
    entry_bounds
        The bound that the problem sets on the absolute entries of its tensors, by name.
    work
        Roughly how many elementary operations the exact answer takes.
    read_out
        Positions, threshold and tolerated error of an approximate solution; None where it is exact.
    """

    problem_class: type[Problem]
    to_tensors: Callable[[Any], tuple[Tensors, Parameters]]
    from_tensors: Callable[[Tensors, Parameters], Problem]
    entry_bounds: Callable[[Any], Mapping[str, float]] = _no_bounds
    work: Callable[[Any], float] = every_pair
    read_out: Callable[[Any], Mapping[str, Any] | None] = _no_read_out


def require_tensors(tensors: Mapping[str, Any], layout: Mapping[str, tuple[str, int]]) -> None:
    """Raise ValueError unless the tensors are those of ``layout``: name -> (NumPy dtype name, axes)."""
    if missing := sorted(set(layout) - set(tensors)):
        raise ValueError(f"tensor {missing[0]!r} is missing")
    if extra := sorted(set(tensors) - set(layout)):
        raise ValueError(f"tensor {extra[0]!r} does not belong to the problem")
    for name, (dtype, axes) in layout.items():
        if tensors[name].dtype != dtype or tensors[name].ndim != axes:
            raise ValueError(
                f"tensor {name!r} must be of {dtype} with {axes} axes, "
                f"not of {tensors[name].dtype} with {tensors[name].ndim}"
            )


def require_numbers(parameters: Mapping[str, Any], *names: str) -> list[float]:
    """Return the named parameters; ValueError unless these are all there are and all are numbers."""
    if set(parameters) != set(names):
        raise ValueError(f"the parameters must be {', '.join(names) or 'none'}, not {', '.join(parameters)}")
    for name in names:
        if not isinstance(parameters[name], int | float) or isinstance(parameters[name], bool):
            raise ValueError(f"parameter {name!r} must be a number, not {parameters[name]!r:.40}")
    return [parameters[name] for name in names]
