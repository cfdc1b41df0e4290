"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str], *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; what was written there takes the place of ``path`` at the end.

    On an error, Ctrl-C included, the temporary file is removed and ``path`` is as it was. The data is on
    the disk before the name changes, so that not even a power failure leaves half a file under the name.
    A process that is killed may leave a hidden temporary file, but never half of ``path``.
    Symbolic links are followed.

    Raises
    ------
    FileExistsError
        If ``path`` exists and ``overwrite`` is false, be it that another process made it in the meantime.
    OSError
        If writing fails; its file name is ``path``, not the temporary one.
    ValueError
        If ``path`` exists and is not a regular file: replacing a device or a directory is never meant.
    """
    target = Path(os.path.realpath(path))
    _refuse_target(path, target, overwrite=overwrite)
    # Not tempfile.mkstemp: its files are private to the user, where an output file follows the umask.
    # So are the files of writers that replace the temporary file by one of their own.
    temporary = _beside(target)
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        os.close(descriptor)
        yield temporary
        os.chmod(temporary, mode)
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        if overwrite:
            os.replace(temporary, target)
        else:
            _take_free_name(path, temporary, target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        # The user knows the target, and a failed write names no file at all.
        if isinstance(error, OSError) and error.errno and error.filename in (None, *_names(temporary)):
            raise OSError(error.errno, os.strerror(error.errno), os.fspath(path)) from None
        raise
    _sync_directory(target.parent)


def write_text(path: str | os.PathLike[str], text: str, *, overwrite: bool = True) -> None:
    """Write ``text`` in UTF-8, whole or not at all; raises what :func:`atomic_path` raises."""
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")


def refuse_unwritable(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Raise what :func:`atomic_path` would raise, before the work whose result goes there.

    Whether the directory can be written is found out by creating a file in it, and removing it.
    """
    target = Path(os.path.realpath(path))
    _refuse_target(path, target, overwrite=overwrite)
    probe = _beside(target)
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        probe.unlink()
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None


def _refuse_target(path: str | os.PathLike[str], target: Path, *, overwrite: bool) -> None:
    if not target.exists():
        if not target.parent.is_dir():
            raise FileNotFoundError(f"{os.fspath(path)}: there is no directory {target.parent}.")
        return
    if not target.is_file():
        raise ValueError(f"{os.fspath(path)}: this is not a regular file; it is not replaced.")
    if not overwrite:
        raise _exists_already(path)


def _exists_already(path: str | os.PathLike[str]) -> FileExistsError:
    return FileExistsError(f"{os.fspath(path)}: this file exists already.")


def _take_free_name(path: str | os.PathLike[str], temporary: Path, target: Path) -> None:
    """Give the file its name unless another has it by now: of two processes, one is refused."""
    try:
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links: an empty file takes the name first
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.replace(temporary, target)
        else:
            temporary.unlink()
    except FileExistsError:
        raise _exists_already(path) from None


def _beside(target: Path) -> Path:
    """Return a new hidden name in the same directory; a name may take 255 bytes."""
    start = os.fsencode(target.name)[:100].decode(errors="ignore")
    return target.with_name(f".{start}.{secrets.token_hex(6)}.partial")


def _names(path: Path) -> tuple[object, ...]:
    return path, os.fspath(path), os.fsencode(path)


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems cannot; the file's own data is safe already
        pass
    finally:
        os.close(descriptor)
