"""What a reader takes away from a page: the code of a cell, a command, the page as a notebook."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

LEMMA_PAGE = "lower_bound/split_and_list"
COMMANDS = "practice/command_line"
NOTEBOOK = re.compile(r'href="data:application/x-ipynb\+json;base64,([^"]+)" download="([^"]+)"')
CELL = "```{code-cell}"


def source(book: Path, page: str) -> str:
    """What the built page was written from."""
    return (book.parents[1] / f"{page}.md").read_text("utf8")


def cells_of(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def code_pages(book: Path, pages: list[str]) -> list[str]:
    names = [page.removesuffix(".html") for page in pages]
    return [
        name for name in names if (book.parents[1] / f"{name}.md").is_file() and CELL in source(book, name)
    ]


def copied(page, button) -> str:
    """Press a copy button by the keyboard alone, and return what a paste would insert."""
    button.locator("xpath=preceding-sibling::pre").evaluate("pre => { pre.tabIndex = -1; pre.focus() }")
    page.keyboard.press("Tab")
    assert button.locator("svg title").text_content() == "Copy to clipboard"
    while not button.evaluate("button => button === document.activeElement"):  # past links in the code
        assert page.evaluate("document.activeElement.closest('pre') !== null")
        page.keyboard.press("Tab")
    page.wait_for_function("getComputedStyle(document.activeElement).opacity === '1'")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.classList.contains('success')")
    text = page.evaluate("navigator.clipboard.readText()")
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("opened_as", ["http", "file"])
def test_copy_buttons_by_keyboard(page, base_url: str, book: Path, opened_as: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    base = base_url if opened_as == "http" else book.as_uri()
    page.goto(f"{base}/{LEMMA_PAGE}.html")
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    buttons = page.locator("button.copybtn")
    texts = [copied(page, button) for button in buttons.all()]
    assert texts == cells_of(jupytext.reads(source(book, LEMMA_PAGE), fmt="md:myst"))


def test_commands_are_copied_without_prompts_and_output(page, base_url: str, book: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{base_url}/{COMMANDS}.html")
    blocks = re.findall(r"```console\n(.*?)\n```", source(book, COMMANDS), re.DOTALL)
    expected = []
    for block in blocks:
        typed, goes_on = [], False
        for line in block.split("\n"):
            if goes_on or line.startswith("$ "):
                typed.append(line.removeprefix("$ "))
                goes_on = line.endswith("\\")
        expected.append("\n".join(typed))
    buttons = page.locator(".highlight-console").locator("button.copybtn")
    assert [copied(page, button) for button in buttons.all()] == expected
    assert all(text.startswith("subquartic ") for text in expected)
    shell = page.goto(f"{base_url}/intro.html") and page.locator(".highlight-bash button.copybtn")
    assert copied(page, shell).startswith("make lab ")


def test_each_page_with_code_holds_itself_as_a_notebook(book: Path, code_pages: list[str]) -> None:
    assert len(code_pages) > 30
    for name in code_pages:
        html = (book / f"{name}.html").read_text("utf8")
        ((data, file),) = NOTEBOOK.findall(html)
        assert file == f"{Path(name).name}.ipynb"
        assert f".venv/bin/pytest tests/pages/test_notebooks.py -k {name}<" in html
        notebook = nbformat.reads(base64.b64decode(data).decode("utf8"), as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        assert cells_of(notebook) == cells_of(jupytext.reads(source(book, name), fmt="md:myst"))
        words = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        for markup in ("{prf:", "{cite}", "{evidence}", "{dropdown}", "{index}", ":label:", ".md)"):
            assert markup not in words, f"{name}: {markup}"
        assert len(re.findall(r"^ *```", words, re.MULTILINE)) % 2 == 0, name


@pytest.mark.parametrize("opened_as", ["http", "file"])
# What the kernel machinery warns of is not the page's doing.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_is_saved_and_runs(
    page, base_url: str, book: Path, tmp_path: Path, opened_as: str
) -> None:
    page.goto(f"{base_url if opened_as == 'http' else book.as_uri()}/{LEMMA_PAGE}.html")
    with page.expect_download() as saving:
        page.get_by_role("link", name="its notebook").press("Enter")
    assert saving.value.suggested_filename == "split_and_list.ipynb"
    saving.value.save_as(tmp_path / "saved.ipynb")
    notebook = nbformat.read(tmp_path / "saved.ipynb", as_version=4)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    if opened_as == "file":
        client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}})
        client.execute()
        assert any(cell.outputs for cell in notebook.cells if cell.cell_type == "code")
