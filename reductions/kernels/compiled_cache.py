"""Compiled code on the disk that is never older than the constants and functions compiled into it.

numba keeps what it compiled beside the source file, and compiles anew where that file has changed. But a
constant, or a function of another module, is compiled in as well, and numba does not look at its file: after
an edit there, the old code would go on running, and a check would pass or fail for code that is no more.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

_DIGITS = 16


def cached_with(compile_function: Callable[..., Any], *modules: ModuleType) -> Callable[..., Any]:
    """Return numba's decorator with ``cache=True``, for code into which ``modules`` are compiled too.

    The folder of what is compiled carries a digest over the source files of these modules in its name. It
    stands where ``NUMBA_CACHE_DIR`` says, or in ``__pycache__`` beside the compiled function, or where that
    cannot be written in the user's cache; where nothing can be written, nothing is kept.

    Parameters
    ----------
    compile_function
        ``numba.njit``.
    modules
        Whose constants and functions the compiled functions use.
    """
    import numba

    config: Any = numba.config
    digest = hashlib.sha256(b"".join(Path(str(module.__file__)).read_bytes() for module in modules))
    name = f"compiled-{digest.hexdigest()[:_DIGITS]}"

    def decorator(**options: Any) -> Callable[[Callable[..., Any]], Any]:
        def decorate(function: Callable[..., Any]) -> Any:
            before = config.CACHE_DIR
            beside = Path(function.__code__.co_filename).parent / "__pycache__"
            folder = _first_writable([Path(before)] if before else [beside, _user_cache()], name)
            config.CACHE_DIR = before if folder is None else str(folder)
            try:
                return compile_function(cache=folder is not None, **options)(function)
            finally:
                config.CACHE_DIR = before

        return decorate

    return decorator


def _first_writable(parents: Iterable[Path], name: str) -> Path | None:
    for parent in parents:
        folder = parent / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "subquartic"
