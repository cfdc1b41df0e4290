"""Write tensors larger than memory to an instance file, and read them from one, piece by piece.

The header comes before the tensors and holds their hashes. All hashes have one length, so the header's
length is known from the start: zeros stand in place of the hashes until the last byte is written.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reductions.instance_files.header import ITEM_SIZE, METADATA_KEY, InstanceFileError, TensorEntry
from reductions.instance_files.manifest import Manifest, Tensor
from reductions.system.atomic import atomic_path

if TYPE_CHECKING:
    from hashlib import _Hash

PIECE_BYTES = 1 << 22

NO_HASH = "0" * 64


def tensor_digest(name: str, dtype: str, shape: Iterable[int]) -> _Hash:
    """Return the hash of a tensor before its bytes: it covers name, element type and shape as well."""
    return hashlib.sha256(json.dumps([name, dtype, list(shape)]).encode())


def write_stream(
    path: str | os.PathLike[str],
    manifest: Manifest,
    pieces: Mapping[str, Iterable[NDArray[Any]]],
    *,
    overwrite: bool = True,
) -> Manifest:
    """Write an instance file in one pass, whole or not at all; memory is that of a few pieces.

    Parameters
    ----------
    manifest
        As it will be, but for the tensors' hashes, which may be anything of their form. All tensors are of
        the same element type.
    pieces
        For each tensor contiguous arrays that make up its bytes in order; each is used once, and nobody may
        change it later.

    Returns
    -------
    Manifest
        As it stands in the file.

    Raises
    ------
    ValueError
        If the pieces of a tensor are not as long as its shape says.
    FileExistsError, OSError
        As :func:`reductions.system.atomic.atomic_path`; at once where the disk has no room.
    """
    names = sorted(manifest.tensors)  # the order in which the safetensors library lays them out
    sizes = {name: _bytes_of(manifest.tensors[name]) for name in names}
    blank = _with_hashes(manifest, dict.fromkeys(names, NO_HASH))
    start = len(_header(blank, sizes))
    with atomic_path(path, overwrite=overwrite) as temporary:
        if shutil.disk_usage(temporary.parent).free < start + sum(sizes.values()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))
        with temporary.open("r+b") as file, ThreadPoolExecutor(1) as hasher:
            file.seek(start)
            hashes = {}
            for name in names:
                entry = manifest.tensors[name]
                digest = tensor_digest(name, entry["dtype"], entry["shape"])
                hashing: Future[None] | None = None
                written = 0
                for piece in pieces[name]:
                    data = piece.reshape(-1).view(np.uint8).data
                    if hashing is not None:
                        hashing.result()
                    hashing = hasher.submit(digest.update, data)
                    written += file.write(data)
                if hashing is not None:
                    hashing.result()
                if written != sizes[name]:
                    raise ValueError(f"Tensor {name!r} must have {sizes[name]:,} bytes, not {written:,}.")
                hashes[name] = digest.hexdigest()
            final = _with_hashes(manifest, hashes)
            file.seek(0)
            file.write(_header(final, sizes))
    return final


def read_pieces(
    path: str | os.PathLike[str], entry: TensorEntry, data_start: int, piece_bytes: int = PIECE_BYTES
) -> Iterator[NDArray[np.uint8]]:
    """Yield the bytes of a tensor in order, ``piece_bytes`` at a time; each piece is valid until the next.

    Raises
    ------
    InstanceFileError
        If the file has become shorter since its header was read.
    OSError
        If it cannot be read.
    """
    length = entry.end - entry.begin
    buffer = np.empty(min(piece_bytes, length), dtype=np.uint8)
    with open(path, "rb") as file:
        file.seek(data_start + entry.begin)
        for done in range(0, length, piece_bytes):
            piece = buffer[: length - done]
            if file.readinto(piece.data) < len(piece):
                raise InstanceFileError("the file became shorter while it was read.")
            yield piece


def data_bytes(path: str | os.PathLike[str]) -> int:
    """Return how many bytes the tensors of a safetensors file take."""
    return os.stat(path).st_size - data_start(path)


def data_start(path: str | os.PathLike[str]) -> int:
    """Return at which byte of a safetensors file the tensors begin."""
    with Path(path).open("rb") as file:
        return 8 + int.from_bytes(file.read(8), "little")


def _bytes_of(entry: Mapping[str, Any]) -> int:
    return int(math.prod(entry["shape"])) * ITEM_SIZE[entry["dtype"]]


def _with_hashes(manifest: Manifest, hashes: Mapping[str, str]) -> Manifest:
    tensors: dict[str, Tensor] = {
        name: {**entry, "sha256": hashes[name]} for name, entry in manifest.tensors.items()
    }
    return replace(manifest, tensors=tensors)


def _header(manifest: Manifest, sizes: Mapping[str, int]) -> bytes:
    """Return length and header as the safetensors library writes them: JSON, padded to eight bytes."""
    entries: dict[str, Any] = {"__metadata__": {METADATA_KEY: manifest.to_json()}}
    position = 0
    for name, size in sizes.items():
        stated = manifest.tensors[name]
        entries[name] = {
            "dtype": stated["dtype"],
            "shape": list(stated["shape"]),
            "data_offsets": [position, position + size],
        }
        position += size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
