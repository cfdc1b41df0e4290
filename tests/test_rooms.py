"""One lemma, one name, four rooms: a missing one is named here."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from checks.evidence.registry import Kind, Lemma, registry

ROOT = Path(__file__).parents[1]
PARTS = ("lower_bound", "upper_bound")


def missing_rooms(root: Path, entries: Mapping[str, Lemma]) -> list[str]:
    """Return, in words, every room that the tree under ``root`` lacks."""
    missing = []
    pages = {path: path.read_text("utf8") for path in sorted((root / "book").rglob("*.md"))}
    labelled = {line.removeprefix(":label: ") for text in pages.values() for line in text.splitlines()}
    contents = (root / "book/_toc.yml").read_text("utf8")

    def need(path: str) -> None:
        """A room is a file, or a folder of that name whose ``__init__`` is the room itself."""
        folder = path.removesuffix(".py") + "/__init__.py"
        if not (root / path).is_file() and not (path.endswith(".py") and (root / folder).is_file()):
            missing.append(path)

    def need_test(folder: str, name: str) -> None:
        # A long test may be split: test_name_bounds.py beside or instead of test_name.py.
        if not list((root / "tests" / folder).glob(f"test_{name}*.py")):
            missing.append(f"tests/{folder}/test_{name}.py")

    def need_page(folder: str, name: str) -> None:
        need(f"book/{folder}/{name}.md")
        if f"file: {folder}/{name}\n" not in contents:
            missing.append(f"{folder}/{name} in book/_toc.yml")

    def need_all_rooms(part: str, name: str) -> None:
        need(f"reductions/{part}/{name}.py")
        need(f"checks/{part}/{name}.py")
        need_page(part, name)
        need_test(part, name)

    for entry in entries.values():
        if entry.id not in labelled:
            missing.append(f"box {entry.id} in the book")
        if entry.kind in (Kind.LEMMA, Kind.THEOREM):
            _, part, name = entry.module.split(".")
            need_all_rooms(part, name)
        elif entry.kind is Kind.DEFINITION:
            need(entry.construction.replace(".", "/") + ".py")
            need_test("problems", entry.construction.rpartition(".")[2])
    for part in PARTS:
        for package in ("reductions", "checks"):
            for room in sorted((root / package / part).iterdir()):
                if room.name not in ("__init__.py", "__pycache__"):
                    need_all_rooms(part, room.stem)
    return list(dict.fromkeys(missing))


def test_every_statement_has_its_rooms():
    assert missing_rooms(ROOT, registry()) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the rooms, without what is built."""
    leave_out = shutil.ignore_patterns("_build", "__pycache__", "_ext", "_static")
    for folder in ("reductions", "checks", "book", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=leave_out)
    return tmp_path


@pytest.mark.parametrize(
    "room",
    [
        "reductions/lower_bound/split_and_list.py",
        "checks/lower_bound/split_and_list/__init__.py",
        "book/lower_bound/split_and_list.md",
        "tests/lower_bound/test_split_and_list.py",
        "reductions/problems/interpolation.py",
        "tests/problems/test_interpolation.py",
    ],
)
def test_a_removed_room_is_named(tree: Path, room: str):
    (tree / room).unlink()
    assert room.replace("/__init__.py", ".py") in missing_rooms(tree, registry())


@pytest.mark.parametrize("room", ["new_gadget.py", "new_gadget/__init__.py"])
def test_a_new_room_needs_its_siblings(tree: Path, room: str):
    file = tree / "reductions/lower_bound" / room
    file.parent.mkdir(exist_ok=True)
    file.touch()
    assert {"checks/lower_bound/new_gadget.py", "book/lower_bound/new_gadget.md"} <= set(
        missing_rooms(tree, registry())
    )


def test_a_removed_box_is_named(tree: Path):
    page = tree / "book/problems/orthogonal_vectors.md"
    page.write_text(page.read_text("utf8").replace(":label: def-ov\n", ""), "utf8")
    assert "box def-ov in the book" in missing_rooms(tree, registry())


def test_a_page_that_left_the_contents_is_named(tree: Path):
    contents = tree / "book/_toc.yml"
    contents.write_text(contents.read_text("utf8").replace("file: lower_bound/isolation\n", "\n"), "utf8")
    assert "lower_bound/isolation in book/_toc.yml" in missing_rooms(tree, registry())
