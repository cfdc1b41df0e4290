"""Files and functions are short enough to read in one sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 400
LONGEST_BODY = 60


def too_long(path: str, text: str) -> Iterator[str]:
    """Yield the file, and each function in it, that has too many lines; a docstring does not count."""
    lines = text.count("\n")
    if lines >= LONGEST_FILE:
        yield f"{path}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[ast.get_docstring(node) is not None :] or node.body
            length = (node.end_lineno or 0) - first[0].lineno + 1
            if length >= LONGEST_BODY:
                yield f"{path}: {node.name} has {length} lines"


def test_files_and_functions_are_short():
    paths = [
        path for package in ("reductions", "checks", "book/_ext") for path in (ROOT / package).rglob("*.py")
    ]
    assert len(paths) > 300
    names = {path.relative_to(ROOT).as_posix(): path.read_text("utf8") for path in sorted(paths)}
    assert [fault for path, text in names.items() for fault in too_long(path, text)] == []


def test_what_is_too_long_is_named():
    body = "    x = 1\n" * LONGEST_BODY
    assert list(too_long("f.py", f'def f():\n    """Doc."""\n{body}')) == ["f.py: f has 60 lines"]
    assert list(too_long("f.py", "\n" * LONGEST_FILE)) == ["f.py: 400 lines"]
    assert list(too_long("f.py", f'def f():\n    """{body}"""\n    return 1\n')) == []
