"""Every page with code runs from top to bottom, and no page is committed with outputs."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbclient
import pytest

BOOK = Path(__file__).parents[2] / "book"


def _has_code(page: Path) -> bool:
    return "_build" not in page.parts and "```{code-cell}" in page.read_text("utf8")


PAGES = sorted(page for page in BOOK.rglob("*.md") if _has_code(page))


def test_there_are_pages_to_run():
    assert PAGES


def _parameter(page: Path):
    """One page belongs to the quick suite, so that a change that breaks all pages shows at once."""
    quick = page.stem == "split_and_list"
    name = page.relative_to(BOOK).with_suffix("").as_posix()
    return pytest.param(page, id=name, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize("page", [_parameter(page) for page in PAGES])
# What the kernel machinery warns of is not the page's doing.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_page_runs(page: Path):
    notebook = jupytext.read(page, fmt="md:myst")
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(page.parent)}}
    )
    client.execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", f"{page.name} writes to stderr: {output['text'][:300]}"
