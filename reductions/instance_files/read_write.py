"""Write and read instance files: an instance, where it comes from and what is known of it, in one file.

It is a ``.safetensors`` file. Its tensors carry their mathematical names (Q, K, V; U, V; ...);
the metadata key ``subquartic`` holds the manifest as JSON. Writing is atomic. Reading checks everything
and says in one line what is wrong; nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from reductions.instance_files.codec import Tensors
from reductions.instance_files.codecs import codec, problem_names
from reductions.instance_files.header import METADATA_KEY, Header, InstanceFileError, first_line, read_header
from reductions.instance_files.manifest import UNKNOWN, KnownBy, Manifest, Step, Tensor, parse_manifest, plain
from reductions.instance_files.stream import data_bytes, tensor_digest
from reductions.problem import Problem
from reductions.reduction import Reduction
from reductions.system.atomic import atomic_path
from reductions.system.memory import require_memory

__all__ = ["InstanceFileError", "Manifest", "read_instance", "read_manifest", "write_instance"]

Result = TypeVar("Result")

_DTYPE = {
    np.dtype(np.float64): "F64",
    np.dtype(np.float32): "F32",
    np.dtype(np.float16): "F16",
    np.dtype(np.int64): "I64",
    np.dtype(np.int32): "I32",
    np.dtype(np.uint8): "U8",
    np.dtype(np.bool_): "BOOL",
}


def write_instance(
    path: str | os.PathLike[str],
    problem: Problem,
    *,
    chain: Sequence[Reduction[Any, Any]] | Sequence[Step] = (),
    seed: int | None = None,
    command_line: str | None = None,
    formula_sha256: str | None = None,
    answer: str = UNKNOWN,
    known_by: str = KnownBy.UNKNOWN,
    witness: Any = None,
    overwrite: bool = True,
) -> Manifest:
    """Write an instance file, whole or not at all.

    Parameters
    ----------
    chain
        The reductions that made the instance, in order, or their entries of another manifest.
    seed, command_line, formula_sha256, answer, known_by, witness
        As in :class:`Manifest`.
    overwrite
        Whether an existing file is replaced.

    Returns
    -------
    Manifest
        As it stands in the file.

    Raises
    ------
    ValueError
        If the witness does not verify, or the manifest contradicts itself.
    FileExistsError
        If the file exists and ``overwrite`` is false.
    OSError
        If it cannot be written.
    """
    if witness is not None and not problem.verify(witness):
        raise ValueError("Argument 'witness' must verify against the instance; this one does not.")
    stored = codec(problem.name)
    given, parameters = stored.to_tensors(problem)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in given.items()}
    stated = Manifest(
        problem=problem.name,
        parameters=plain(parameters),
        sizes=plain(dict(problem.sizes)),
        tensors={name: tensor_entry(name, tensor) for name, tensor in tensors.items()},
        chain=tuple(_step(step) for step in chain),
        seed=seed,
        command_line=command_line,
        version=package_version(),
        formula_sha256=formula_sha256,
        answer=str(answer),
        known_by=str(known_by),
        witness=plain(witness),
        read_out=plain(stored.read_out(problem)),
    )
    manifest = parse_manifest(stated.to_json())  # what a reader would refuse is not written
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    with atomic_path(path, overwrite=overwrite) as temporary:
        try:
            save_file(tensors, temporary, metadata={METADATA_KEY: manifest.to_json()})
        except SafetensorError as error:
            raise _system_error(path, error) from None
    return manifest


def _system_error(path: str | os.PathLike[str], error: Exception) -> OSError:
    """Return the error of the operating system (a full disk, ...) that safetensors tells of in words."""
    number = re.search(r"os error (\d+)", str(error))
    if number is None:
        return OSError(f"{os.fspath(path)}: {first_line(error)}.")
    return OSError(int(number[1]), os.strerror(int(number[1])), os.fspath(path))


def read_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Read the manifest alone: no tensor is loaded, so its hash is not checked.

    Raises
    ------
    InstanceFileError
        If the header, the manifest, or their agreement on the tensors is wrong.
    OSError
        If the file cannot be read.
    """
    return _naming(path, lambda: _manifest_of(read_header(path)))


def read_instance(path: str | os.PathLike[str]) -> tuple[Problem, Manifest]:
    """Read an instance file and check all that can be checked without solving it.

    That is: the header against the file's size, before anything is allocated; the manifest, its
    schema and its own hash; names, element types, shapes and hashes of the tensors; the structure of
    the problem; the sizes; the witness.

    Raises
    ------
    InstanceFileError
        If anything is wrong; the message is one line that says what.
    OSError
        If the file cannot be read.
    """
    manifest = read_manifest(path)
    tensors = read_tensors(path, manifest)
    return rebuild(path, tensors, manifest), manifest


def read_tensors(path: str | os.PathLike[str], manifest: Manifest) -> Tensors:
    """Load the tensors and check their hashes.

    Raises
    ------
    InstanceFileError
        If a hash or a number is wrong.
    ValueError
        If they do not fit the memory.
    """
    # As loaded, and as the copies that the instance keeps.
    require_memory(2 * data_bytes(path), f"{os.fspath(path)}: the tensors")

    def load() -> Tensors:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            tensors: Tensors = load_file(path)
        except SafetensorError as error:
            if "os error" in str(error):
                raise _system_error(path, error) from None
            raise InstanceFileError(f"{first_line(error)}.") from None
        for name, tensor in tensors.items():
            if tensor_entry(name, tensor) != manifest.tensors[name]:
                raise InstanceFileError(
                    f"the SHA-256 of tensor {name!r} is not the manifest's: the data was changed or damaged."
                )
            if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
                raise InstanceFileError(f"tensor {name!r} holds NaN or infinity.")
        return tensors

    return _naming(path, load)


def rebuild(path: str | os.PathLike[str], tensors: Tensors, manifest: Manifest) -> Problem:
    """Make the instance of its tensors and check sizes and witness; raises InstanceFileError."""

    def build() -> Problem:
        try:
            with np.errstate(all="ignore"):  # what overflows is refused by the problem's own checks
                problem = codec(manifest.problem).from_tensors(tensors, dict(manifest.parameters))
                sizes = plain(dict(problem.sizes))
                proved = manifest.witness is None or problem.verify(as_witness(manifest.witness))
        except KeyError as error:
            raise InstanceFileError(f"the instance is malformed: {error} is missing.") from None
        except (ValueError, TypeError, OverflowError) as error:
            raise InstanceFileError(f"the instance is malformed: {first_line(error)}.") from None
        for name in sorted({*sizes, *manifest.sizes}):
            if sizes.get(name) != manifest.sizes.get(name):
                raise InstanceFileError(
                    f"the manifest says {name} = {manifest.sizes.get(name)}, but it is {sizes.get(name)}."
                )
        if not proved:
            raise InstanceFileError("the witness in the manifest does not verify.")
        return problem

    return _naming(path, build)


def as_witness(value: Any) -> Any:
    """Return a witness in the form that problems verify: JSON has lists for tuples."""
    return tuple(as_witness(item) for item in value) if isinstance(value, list | tuple) else value


def tensor_entry(name: str, tensor: np.ndarray[Any, Any]) -> Tensor:
    """Return the manifest's entry of a tensor; the hash covers its name, element type, shape and bytes."""
    if tensor.dtype not in _DTYPE:
        raise TypeError(f"Tensor {name!r} must be of one of {[*_DTYPE.values()]}, not of {tensor.dtype}.")
    dtype, shape = _DTYPE[tensor.dtype], list(tensor.shape)
    digest = tensor_digest(name, dtype, shape)
    contiguous = np.ascontiguousarray(tensor)
    little_endian = contiguous.astype(contiguous.dtype.newbyteorder("<"), copy=False)
    digest.update(little_endian.reshape(-1).view(np.uint8).data)
    return {"dtype": dtype, "shape": shape, "sha256": digest.hexdigest()}


def package_version() -> str:
    """Return the version of this package, which a manifest names."""
    return importlib.metadata.version("subquartic")


def formula_digest(dimacs: str) -> str:
    """Return the SHA-256 of a formula's DIMACS text."""
    return hashlib.sha256(dimacs.encode()).hexdigest()


def _manifest_of(header: Header) -> Manifest:
    if METADATA_KEY not in header.metadata:
        raise InstanceFileError("a safetensors file without a 'subquartic' manifest: not an instance file.")
    manifest = parse_manifest(header.metadata[METADATA_KEY])
    if manifest.problem not in problem_names():
        raise InstanceFileError(
            f"the problem {manifest.problem!r:.40} is unknown; known are {', '.join(problem_names())}."
        )
    if missing := sorted(set(manifest.tensors) - set(header.tensors)):
        raise InstanceFileError(f"tensor {missing[0]!r} of the manifest is missing.")
    if extra := sorted(set(header.tensors) - set(manifest.tensors)):
        raise InstanceFileError(f"tensor {extra[0]!r} is not in the manifest.")
    for name, entry in header.tensors.items():
        stated = manifest.tensors[name]
        if (entry.dtype, list(entry.shape)) != (stated["dtype"], list(stated["shape"])):
            raise InstanceFileError(
                f"tensor {name!r} is {entry.dtype} {list(entry.shape)}, "
                f"but the manifest says {stated['dtype']} {list(stated['shape'])}."
            )
    return manifest


def _step(step: Reduction[Any, Any] | Step) -> Step:
    if isinstance(step, Reduction):
        return {"reduction": step.name, "parameters": plain(dict(step.parameters()))}
    return step


def _naming(path: str | os.PathLike[str], action: Callable[[], Result]) -> Result:
    """Run ``action``; its InstanceFileError begins with the file's name."""
    try:
        return action()
    except InstanceFileError as error:
        raise InstanceFileError(f"{os.fspath(path)}: {error}") from None
