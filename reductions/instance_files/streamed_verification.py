"""Verify the file of an instance of orthogonal vectors (OV) larger than memory, piece by piece.

Whatever one pass over the file can show is checked: hashes, entries, sizes, the witness, and the one proof of
a NO that one pass can find, a coordinate that is 1 in every vector of both sides. Pairs are not searched.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from reductions.instance_files.chain_verification import check_chain
from reductions.instance_files.codec import require_numbers
from reductions.instance_files.header import Header, InstanceFileError, first_line, read_header
from reductions.instance_files.manifest import UNKNOWN, Manifest
from reductions.instance_files.outcome import FileCheck, Outcome
from reductions.instance_files.read_write import as_witness
from reductions.instance_files.stream import PIECE_BYTES, data_start, read_pieces, tensor_digest
from reductions.problem import Answer
from reductions.problems.orthogonal_vectors import OrthogonalVectors, index_pair

IN_MEMORY_BYTES = 1 << 28
"""Instances of OV with more bytes than this are checked piece by piece."""

_SIDES = ("left", "right")
_MOST_COLUMNS = 1 << 24  # beyond, a common coordinate is not looked for: its search takes memory as wide


def streamed_checks(
    path: str | os.PathLike[str], manifest: Manifest, piece_bytes: int = PIECE_BYTES
) -> Iterator[FileCheck]:
    """Yield the checks that follow "manifest", in bounded memory; they end where the file is no instance."""
    name = "structure"
    try:
        header = read_header(path)
        _require_structure(manifest)
        name = "hashes"
        common = _read_all(path, manifest, header, piece_bytes)
        yield FileCheck(name, Outcome.OK, f"SHA-256 of {', '.join(_SIDES)}, piece by piece")
        name = "structure"
        sample = _witness_vectors(path, manifest, header)
    except InstanceFileError as error:
        yield FileCheck(name, Outcome.FAILED, str(error))
        return
    vectors, coordinates = manifest.tensors["left"]["shape"]
    yield FileCheck(name, Outcome.OK, f"ov with N = {vectors}, m = {coordinates}")
    yield from check_chain(sample, manifest)
    yield FileCheck("entry bounds", Outcome.OK, "every entry is 0 or 1")
    exact = "none, the problem is exact"
    if manifest.read_out is None:
        yield FileCheck("read-out", Outcome.OK, exact)
    else:
        yield FileCheck("read-out", Outcome.FAILED, f"it must be {exact}")
    yield FileCheck(
        "all pairs",
        Outcome.SKIPPED,
        f"not searched: the instance is checked piece by piece, and has {vectors:,} x {vectors:,} pairs",
    )
    yield _answer(manifest, common, coordinates)
    if manifest.witness is None:
        yield FileCheck("witness", Outcome.SKIPPED, "the manifest has none")
    else:
        yield FileCheck("witness", Outcome.OK, "it verifies against the instance")
    said = "the manifest names none" if manifest.formula_sha256 is None else "the formula is not in the file"
    yield FileCheck("source formula", Outcome.SKIPPED, said)
    yield FileCheck(
        "provenance", Outcome.SKIPPED, "taken from the file: seed, command line, version, earlier steps"
    )


def _require_structure(manifest: Manifest) -> None:
    """Raise InstanceFileError unless the manifest is that of an OV instance."""
    try:
        require_numbers(manifest.parameters)
    except ValueError as error:
        raise InstanceFileError(f"the instance is malformed: {first_line(error)}.") from None
    if set(manifest.tensors) != set(_SIDES):
        raise InstanceFileError("the instance is malformed: its tensors must be 'left' and 'right'.")
    left, right = (manifest.tensors[side] for side in _SIDES)
    for side, entry in zip(_SIDES, (left, right), strict=True):
        if entry["dtype"] != "U8" or len(entry["shape"]) != 2:
            raise InstanceFileError(f"the instance is malformed: tensor {side!r} must be a matrix of U8.")
    if list(left["shape"]) != list(right["shape"]) or left["shape"][0] < 1:
        raise InstanceFileError("the instance is malformed: the sides must have the same shape, not empty.")
    stated = {"N": left["shape"][0], "m": left["shape"][1]}
    for name in sorted({*stated, *manifest.sizes}):
        if stated.get(name) != manifest.sizes.get(name):
            raise InstanceFileError(
                f"the manifest says {name} = {manifest.sizes.get(name)}, but it is {stated.get(name)}."
            )


def _read_all(
    path: str | os.PathLike[str], manifest: Manifest, header: Header, piece_bytes: int
) -> int | None:
    """Check hashes and entries; return the first coordinate that all vectors have, or None."""
    start, coordinates = data_start(path), manifest.tensors["left"]["shape"][1]
    everywhere = np.ones(coordinates if coordinates <= _MOST_COLUMNS else 0, dtype=np.uint8)
    for side in _SIDES:
        stated, entry = manifest.tensors[side], header.tensors[side]
        digest = tensor_digest(side, stated["dtype"], stated["shape"])
        largest = 0
        if len(everywhere):  # whole rows
            piece_bytes = max(1, piece_bytes // coordinates) * coordinates
        for piece in read_pieces(path, entry, start, piece_bytes):
            digest.update(piece.data)
            largest = max(largest, int(piece.max()))
            if len(everywhere):
                everywhere &= np.bitwise_and.reduce(piece.reshape(-1, coordinates), axis=0)
        if digest.hexdigest() != stated["sha256"]:
            raise InstanceFileError(
                f"the SHA-256 of tensor {side!r} is not the manifest's: the data was changed or damaged."
            )
        if largest > 1:
            raise InstanceFileError(
                f"the instance is malformed: tensor {side!r} must have entries 0 and 1, not {largest}."
            )
    found = np.flatnonzero(everywhere)
    return int(found[0]) if len(found) else None


def _witness_vectors(path: str | os.PathLike[str], manifest: Manifest, header: Header) -> OrthogonalVectors:
    """Return the instance of the witness's two vectors, or of the first two; check it."""
    vectors, coordinates = manifest.tensors["left"]["shape"]
    pair = (0, 0) if manifest.witness is None else index_pair(as_witness(manifest.witness), vectors, vectors)
    if pair is not None:
        start = data_start(path)
        rows = []
        for side, index in zip(_SIDES, pair, strict=True):
            with open(path, "rb") as file:
                file.seek(start + header.tensors[side].begin + index * coordinates)
                rows.append(np.frombuffer(file.read(coordinates), dtype=np.uint8).reshape(1, -1))
        sample = OrthogonalVectors(*rows)
        if manifest.witness is None or sample.verify((0, 0)):
            return sample
    raise InstanceFileError("the witness in the manifest does not verify.")


def _answer(manifest: Manifest, common: int | None, coordinates: int) -> FileCheck:
    name = "answer"
    found = Answer.NO if common is not None else None
    proof = f"every vector has a 1 in coordinate {common}"
    if manifest.witness is not None or coordinates == 0:
        found, proof = Answer.YES, "the witness proves it" if coordinates else "empty vectors are orthogonal"
    if found is None:
        return FileCheck(
            name, Outcome.SKIPPED, f"{manifest.answer}: taken from the file, no proof in one pass"
        )
    if manifest.answer == UNKNOWN:
        return FileCheck(name, Outcome.OK, f"{found}: {proof}; the manifest leaves it open")
    if manifest.answer == found:
        return FileCheck(name, Outcome.OK, f"{found}, as the manifest says: {proof}")
    return FileCheck(name, Outcome.FAILED, f"{found}, but the manifest says {manifest.answer}: {proof}")
