"""What commands print: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WIDTH_WITHOUT_TERMINAL = 160


def limit_threads(threads: int | None) -> None:
    """Let linear algebra use so many threads; None leaves it alone."""
    if threads is None:
        return
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ[variable] = str(
            threads
        )  # read when NumPy is first imported, in this and in worker processes
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(threads)


def require_package(package: str, what: str, *, extra: str) -> None:
    """Raise ValueError, naming the extra to install, where ``what`` needs a package that is not there."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ValueError(f"{what} needs {package}: install the extra with pip install 'subquartic[{extra}]'.")


def printable(text: str) -> str:
    """Escape what a terminal would obey rather than show: control characters, in file names and the like."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def command_line() -> str:
    """Return the command as the user could type it again."""
    return shlex.join(["subquartic", *sys.argv[1:]])


def print_json(content: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def say(message: str, *, quiet: bool = False) -> None:
    """Print a line about progress on standard error."""
    if not quiet:
        print(printable(message), file=sys.stderr)


def refuse_unwritable_output(path: Path | None) -> None:
    """Make the folder of a file that a command will write, and raise where it cannot; None is no file."""
    if path is not None:
        from reductions.system.atomic import refuse_unwritable

        path.parent.mkdir(parents=True, exist_ok=True)
        refuse_unwritable(path, overwrite=True)


def print_table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table, as wide as the terminal; where there is none, without blank lines and padding.

    Raises
    ------
    ValueError
        If a row has not one cell per column.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        if len(row) != len(columns):  # rich would add columns without heads, or leave cells empty
            raise ValueError(
                f"Argument 'rows' must have {len(columns)} cells in each row, one per column, not {len(row)}."
            )
        table.add_row(*(Text(printable(cell), style=_STYLE.get(cell, "")) for cell in row))
    if sys.stdout.isatty():
        Console(highlight=False).print(table)
        return
    console = Console(width=_WIDTH_WITHOUT_TERMINAL, highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        if line.strip():  # for other programs: no blank lines, no padding
            print(line.rstrip())


_STYLE = {
    "ok": "green",
    "failed": "bold red",
    "FAILED": "bold red",
    "skipped": "dim",
    "not run": "dim",
    "YES": "bold",
    "NO": "bold",
}

Progress = Callable[[int, int], None]


@contextmanager
def progress_bar(description: str, *, quiet: bool) -> Iterator[Progress | None]:
    """Yield a callable that takes (done, in all), or None where nobody watches standard error."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(description, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
