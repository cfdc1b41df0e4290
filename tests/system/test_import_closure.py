"""What an import closure follows, on a small project of its own; that it covers, and parts, the real one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reductions.system.import_closure import import_closure, module_files
from reductions.system.source_files import PACKAGES, ROOT

FILES = {
    "reductions/__init__.py": "def __getattr__(name):\n    from reductions import lazy\n    return lazy.name",
    "reductions/lazy.py": "",
    "reductions/a.py": "from reductions.pack import b",
    "reductions/pack/__init__.py": "import reductions.pack.of_package",
    "reductions/pack/of_package.py": "",
    "reductions/pack/b.py": "from .c import thing",
    "reductions/pack/c.py": "thing = 1\ndef f():\n    import reductions.late as late",
    "reductions/pack/list.txt": "mutants",
    "reductions/late.py": "import os, numpy.linalg",
    "reductions/alone.py": "name = 'reductions.a'",
    "reductions/types.py": (
        "import typing\nif typing.TYPE_CHECKING:\n    import reductions.a\nelse:\n    import reductions.late"
    ),
    "reductions/table.py": (
        "from importlib import import_module\nTABLE = {'x': 'reductions.alone'}\nimport_module(TABLE['x'])"
    ),
    "reductions/asks.py": "from reductions import name",
    "reductions/asks_later.py": "import reductions\ndef f():\n    return reductions.name",
    "checks/__init__.py": "",
    "checks/top.py": "import reductions.alone",
}
CLOSURES = {
    "alone": {"alone"},
    "a": {"a", "pack", "pack.of_package", "pack.b", "pack.c", "late"},
    "types": {"types", "late"},
    "table": {"table", "alone"},
    "asks": {"asks", "lazy"},
    "asks_later": {"asks_later", "lazy"},
    "pack.c": {"pack", "pack.of_package", "pack.c", "late"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the small project, and the project's own modules that read it."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf8")
    system = folder / "reductions" / "system"
    system.mkdir()
    (system / "__init__.py").touch()
    for name in ("source_files", "import_closure", "source_digest"):
        shutil.copy(ROOT / "reductions" / "system" / f"{name}.py", system)
    return folder


def answer(project, expression):
    """Evaluate in a fresh process of the small project; sets come back as sorted lists."""
    program = (
        "import json\n"
        "from reductions.system.import_closure import *\n"
        "from reductions.system.source_digest import *\n"
        f"print(json.dumps({expression}, default=sorted))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=project, env={}, capture_output=True, text=True, check=True
    )
    return json.loads(finished.stdout)


def test_what_is_followed(project):
    found = answer(project, f"{{name: import_closure('reductions.' + name) for name in {list(CLOSURES)}}}")
    assert {name: set(closure) for name, closure in found.items()} == {
        name: {"reductions", *(f"reductions.{other}" for other in others)}
        for name, others in CLOSURES.items()
    }
    ends = ["checks", "checks.top", "reductions", "reductions.alone"]
    assert answer(project, "import_closure('numpy', 'checks.top', '')") == ends


DIGESTS = "[[closure_digest(m), closure_files(m)] for m in ('reductions.a', 'reductions.types')]"


@pytest.mark.parametrize(
    ("changed", "of_a", "of_types"),
    [
        ("reductions/__init__.py", True, True),
        ("reductions/late.py", True, True),
        ("reductions/pack/list.txt", True, False),
        ("reductions/types.py", False, True),
        ("reductions/lazy.py", False, False),
    ],
)
def test_an_edit_changes_the_digest_of_what_depends_on_it(project, tmp_path, changed, of_a, of_types):
    edited = tmp_path / "edited"
    shutil.copytree(project, edited, ignore=shutil.ignore_patterns("__pycache__"))
    before = answer(edited, DIGESTS)
    assert [changed in files for _, files in before] == [of_a, of_types]
    (edited / changed).write_text(FILES[changed] + "\n", "utf8")
    after = answer(edited, DIGESTS)
    assert [was != now for (was, _), (now, _) in zip(before, after, strict=True)] == [of_a, of_types]


def test_what_an_editor_puts_beside_a_file_is_passed_over(project, tmp_path):
    edited = tmp_path / "edited"
    shutil.copytree(project, edited, ignore=shutil.ignore_patterns("__pycache__"))
    before = answer(edited, "[source_digest(), module_files()]")
    (edited / "reductions" / ".#late.py").symlink_to("user@machine.1")  # as Emacs does
    (edited / "reductions" / "._late.py").write_bytes(b"\0\xff")  # as macOS does
    assert answer(edited, "[source_digest(), module_files()]") == before


def test_no_file_of_the_project_escapes():
    """Code, or data that a digest knows: another kind of file must be made known first."""
    kinds = {
        path.suffix if path.suffix in (".py", ".txt") else path.name
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert kinds <= {".py", ".txt", "py.typed"}


def test_every_name_is_a_module_of_the_project():
    for module, path in module_files().items():
        assert (ROOT / path).is_file()
        assert module in import_closure(module)
    assert module_files()["reductions.lower_bound.lower_bound"].endswith(
        "lower_bound/lower_bound/__init__.py"
    )
    assert Path(__file__).stem not in module_files()
