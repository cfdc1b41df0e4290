"""Read the header of a safetensors file, and check all of it before anything is allocated for the tensors.

Layout of the file: eight bytes with the header's length (little endian), the header (JSON, padded
with spaces), then the tensors' bytes without holes or overlaps.

The safetensors library (0.8.0) does not replace this module: it takes the last of two tensors, or of two
manifests, of one name, it accepts an entry with unknown keys, and it does not tell where a tensor's bytes
begin, which the streamed reader needs.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reductions.system.json_decode import strict_json

ITEM_SIZE = {"F64": 8, "F32": 4, "F16": 2, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1}
"""The element types that instance files use, with their sizes in bytes."""

METADATA_KEY = "subquartic"
"""The key of the header's metadata under which the manifest stands."""

LONGEST_HEADER = 100_000_000


class InstanceFileError(ValueError):
    """A file is not a sound instance file; the message is one line that says what is wrong."""


@dataclass(frozen=True)
class TensorEntry:
    """What the header declares of one tensor."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """The metadata and the declared tensors of a safetensors file."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, TensorEntry]


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read and check the header of a safetensors file.

    Raises
    ------
    InstanceFileError
        If the file is not a safetensors file whose tensors fill it exactly.
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InstanceFileError("this is not a regular file.")
        length_bytes = file.read(8)
        if len(length_bytes) < 8:
            raise InstanceFileError(f"not a safetensors file: it holds only {status.st_size} bytes.")
        length = int.from_bytes(length_bytes, "little")
        rest = status.st_size - 8
        if length > LONGEST_HEADER:
            raise InstanceFileError("not a safetensors file: it does not begin with the length of a header.")
        if not 2 <= length <= rest:
            raise InstanceFileError(
                f"not a whole safetensors file: its header would take {length:,} bytes, "
                f"but {rest:,} bytes follow."
            )
        text = file.read(length)
    return _parse(text, data_length=rest - length)


def _parse(text: bytes, data_length: int) -> Header:
    content = text.rstrip(b" ")
    if content[:1] != b"{" or content[-1:] != b"}":
        raise InstanceFileError("not a safetensors file: its header is not a JSON object.")
    try:
        entries = strict_json(content.decode("utf-8"))
    except ValueError as error:
        raise InstanceFileError(f"the header is damaged: {first_line(error)}.") from None
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise InstanceFileError("the header's metadata is not a table of strings.")
    tensors = {tensor: _entry(tensor, entry) for tensor, entry in entries.items()}
    position = 0
    for tensor, entry in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != position:
            raise InstanceFileError(
                f"tensor {tensor!r} begins at byte {entry.begin:,} of the data, not {position:,}."
            )
        position = entry.end
    if position != data_length:
        raise InstanceFileError(
            f"the header declares {position:,} bytes of tensors, but the file holds {data_length:,}."
        )
    return Header(metadata, tensors)


def _entry(tensor: str, entry: Any) -> TensorEntry:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise InstanceFileError(f"the header's entry of tensor {tensor!r} is malformed.")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_SIZE:
        raise InstanceFileError(
            f"tensor {tensor!r} has the element type {dtype!r:.40}, which is not supported."
        )
    if not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2 or len(shape) > 8:
        raise InstanceFileError(f"the header's entry of tensor {tensor!r} is malformed.")
    declared = math.prod(shape) * ITEM_SIZE[dtype]
    if offsets[1] - offsets[0] != declared:
        raise InstanceFileError(
            f"tensor {tensor!r} of shape {tuple(shape)} takes {declared:,} bytes, "
            f"but the header gives it {offsets[1] - offsets[0]:,}."
        )
    return TensorEntry(dtype, tuple(shape), offsets[0], offsets[1])


def _naturals(value: Any) -> bool:
    # No file has more bytes, and a message about a number of thousands of digits could not be written.
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**63 for item in value)


def first_line(error: BaseException) -> str:
    """Return the message of ``error`` in one line without its full stop."""
    return " ".join(str(error).split()).rstrip(".")
