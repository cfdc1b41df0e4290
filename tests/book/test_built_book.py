"""The built book in a real browser, without network: what a reader sees and can do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

LEMMA = "lem-split-and-list"
LEMMA_PAGE = "lower_bound/split_and_list.html"

TYPESET = """async () => {
  if (!document.querySelector('script[src*="mathjax"]')) return true;
  if (!window.MathJax?.startup?.promise) return false;
  await MathJax.startup.promise;
  return true;
}"""

FORMULAS = """() => ({
  source: document.querySelectorAll('.math').length,
  typeset: document.querySelectorAll('.math mjx-container svg').length,
  bad: [...document.querySelectorAll('mjx-merror, [data-mjx-error], mjx-container g[data-mml-node="merror"]')]
    .map(e => e.textContent.slice(0, 80)),
  raw: [...document.querySelectorAll('.math')].filter(e => !e.querySelector('mjx-container'))
    .map(e => e.textContent.slice(0, 80)),
})"""

OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const tooFar = element => element.getBoundingClientRect().right > width + 1;
  const wide = [...document.querySelectorAll('main *')].filter(tooFar);
  return wide.slice(-3).map(e => e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 40));
}"""

# TeX that no script has found: formulas are elements of their own.
RAW = """() => {
  const skip = 'pre, code, mjx-container, script, style, svg, textarea';
  const start = document.querySelector('article') ?? document.body;
  const walker = document.createTreeWalker(start, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const tex = /\\\\[([a-zA-Z]|\\$[^\\s\\d]/.test(node.data);
    if (tex && !node.parentElement.closest(skip)) found.push(node.data.slice(0, 60));
  }
  return found;
}"""

# What is wider than its place and cannot be scrolled there. (A formula's text for speech may be wider.)
CUT_OFF = """() => {
  const drawn = element => element.querySelector('svg')?.getBoundingClientRect().width;
  const content = element => drawn(element) ?? element.scrollWidth;
  const scrolls = element => ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);
  return [...document.querySelectorAll('article :is(span.math, div.cell_output pre)')]
    .filter(element => element.clientWidth && content(element) > element.clientWidth + 2 && !scrolls(element))
    .map(element => element.textContent.slice(0, 60));
}"""

# Displayed formulas that are wider than their column, folded ones included.
CLIPPED = """() => {
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  const clipped = formula => formula.scrollWidth > formula.clientWidth + 1;
  return [...document.querySelectorAll('mjx-container[display="true"]')].filter(clipped)
    .map(e => e.textContent.slice(0, 60));
}"""

# Blocks that a reader types, by whether they have a copy button; what a cell prints has none.
COPYABLE = """() => [...document.querySelectorAll('article div.highlight pre')]
  .filter(pre => !!pre.closest('.cell_output') === !!pre.parentElement.querySelector('button.copybtn'))
  .map(pre => pre.textContent.slice(0, 40))"""


def open_page(page, url: str) -> None:
    page.goto(url, wait_until="load")
    page.wait_for_function(TYPESET)


def test_pages_typeset_and_fit(page, base_url: str, pages: list[str]) -> None:
    """Every formula is typeset, no page is wider than the window; the fixture sees to requests and errors."""
    faults = []
    for path in pages:
        open_page(page, f"{base_url}/{path}")
        formulas = page.evaluate(FORMULAS)
        faults += [f"{path}: unrendered formula {text}" for text in (*formulas["bad"], *formulas["raw"])]
        faults += [f"{path}: raw TeX {text}" for text in page.evaluate(RAW)]
        faults += [f"{path}: copy button of {code}" for code in page.evaluate(COPYABLE)]
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            overflow = page.evaluate(OVERFLOW)
            faults += [f"{path} overflows at {width} px: {element}" for element in overflow]
            faults += [f"{path} cuts off at {width} px: {element}" for element in page.evaluate(CUT_OFF)]
        clipped = page.evaluate(CLIPPED)  # at 1280 px; a phone scrolls inside the formula
        faults += [f"{path} clips a formula: {formula}" for formula in clipped]
    assert faults == []


def test_badge_to_source_and_back(page, base_url: str) -> None:
    open_page(page, f"{base_url}/{LEMMA_PAGE}")
    badge = page.locator(f"#{LEMMA} .badge-box")
    assert "controls rejected" in badge.inner_text() or "control rejected" in badge.inner_text()
    badge.locator("a", has_text="checks/lower_bound/split_and_list/__init__.py").click()
    page.wait_for_url("**/source/checks/lower_bound/split_and_list/__init__.py.html#line-*")
    line = page.locator(":target")
    assert line.count() == 1
    assert "@lemma" in line.inner_text()
    page.locator(".source-users a").first.click()
    page.wait_for_url(f"**/{LEMMA_PAGE}#lem-*")
    assert page.locator(":target .badge-box").count() == 1


@pytest.mark.parametrize("drawing", [0, -1], ids=["of the lower bound", "whole"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_graph_by_keyboard(page, base_url: str, scheme: str, drawing: int) -> None:
    page.emulate_media(color_scheme=scheme)
    open_page(page, f"{base_url}/graph.html")
    figure = page.locator("figure.lemma-graph").nth(drawing)
    uses = json.loads(figure.get_attribute("data-uses"))
    names = figure.locator("svg a").evaluate_all("as => as.map(a => a.getAttribute('aria-label'))")
    assert len(names) == len(uses)
    assert all("rests on" in name for name in names)

    figure.locator(".lemma-graph-scroll").focus()
    for _ in range(len(uses)):  # by Tab alone to the lemma's node
        page.keyboard.press("Tab")
        focused = page.evaluate("() => document.activeElement.closest('.node')?.dataset.statement")
        if focused == LEMMA:
            break
    assert focused == LEMMA
    dimmed = set(figure.locator(".node.dimmed").evaluate_all("ns => ns.map(n => n.dataset.statement)"))
    assert dimmed == set(uses) - _reach(uses, LEMMA) - _reach(_reversed(uses), LEMMA)
    page.keyboard.press("Escape")
    assert page.locator("figure.lemma-graph .dimmed").count() == 0
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{LEMMA_PAGE}#{LEMMA}")


def _reach(uses: dict[str, list[str]], start: str) -> set[str]:
    found, front = {start}, [start]
    while front:
        front = [used for id in front for used in uses.get(id, []) if used not in found]
        found.update(front)
    return found


def _reversed(uses: dict[str, list[str]]) -> dict[str, list[str]]:
    return {id: [other for other, used in uses.items() if id in used] for id in uses}


@pytest.mark.parametrize("opened_as", ["http", "file"])
def test_search_finds_and_quotes_the_lemma(page, base_url: str, book: Path, opened_as: str) -> None:
    base = base_url if opened_as == "http" else book.as_uri()
    page.goto(f"{base}/search.html?q=half+assignment")
    results = page.locator("#search-results li", has=page.locator(f"a[href^='{LEMMA_PAGE}']"))
    quoted = results.first.locator("p.context")
    quoted.wait_for()
    assert "half assignment" in quoted.inner_text()
    assert quoted.locator(".highlighted").count() >= 2


def test_the_index_leads_to_terms_and_questions(page, base_url: str) -> None:
    page.goto(f"{base_url}/intro.html")
    page.locator(".bd-sidebar-primary a", has_text="Index").click()
    page.wait_for_url("**/genindex.html")
    page.locator("a", has_text="why the PCP").first.click()
    page.wait_for_url("**/questions.html#*")
    assert page.locator(":target").count() == 1


def test_the_ledger_on_a_phone_shows_every_column(page, base_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    open_page(page, f"{base_url}/ledger.html")
    table = page.locator(".wide-table").first
    assert table.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    row = table.locator("tbody tr").first
    labels = row.locator("td").evaluate_all(
        "cells => cells.map(c => getComputedStyle(c, '::before').content)"
    )
    headings = table.locator("thead th").evaluate_all("cells => cells.map(c => c.textContent)")
    assert [label.strip('"') for label in labels] == headings[1:]


def test_paper_is_white_in_the_dark_theme(page, base_url: str) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    open_page(page, f"{base_url}/{LEMMA_PAGE}")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".bd-sidebar-primary").is_visible()
    assert (
        page.locator("div.highlight pre").first.evaluate("e => getComputedStyle(e).whiteSpace") == "pre-wrap"
    )


@pytest.mark.parametrize("path", ["intro.html", LEMMA_PAGE])
def test_opened_as_a_file(page, book: Path, path: str) -> None:
    open_page(page, (book / path).as_uri())
    formulas = page.evaluate(FORMULAS)
    assert formulas["source"] > 0
    assert formulas["typeset"] == formulas["source"]
    assert formulas["bad"] == []
    fonts = page.evaluate(
        "async () => { await document.fonts.ready;"
        " return [...document.fonts].filter(f => f.status === 'loaded').map(f => f.family) }"
    )
    assert any("Font Awesome" in font for font in fonts)
