"""Print the built book into one PDF: ``python book/_ext/print_book.py book/_build/html subquartic.pdf``.

Exit status 2, and one line on standard error, where there is nothing to print or nothing to print with.

The articles of all pages are put into one document in the order of the contents, links between pages become
links within it, and a headless Chromium typesets and prints it. Nothing is loaded from another machine.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

SCREEN_ONLY = (
    "script, noscript, .headerlink, .run-note, details.hide, .badge-box > details, .phase-controls, "
    ".prev-next-area"
)
SHEET = """
  @page { size: A4; margin: 20mm 18mm 22mm; }
  html { font-size: 13px; }
  body { display: block; }
  .chapter { break-before: page; }
  .cover { padding-top: 30vh; text-align: center; }
  .contents ol { list-style: none; padding: 0; }
  .contents p { margin: 1.2em 0 .2em; font-weight: 600; }
  h1, h2, h3, p.admonition-title { break-after: avoid; }
  details > summary { list-style: none; }
  mjx-container :is(path, use) { stroke-width: 0 !important; } /* hairlines would make thin letters bold */
"""
FOOTER = """<div style="width: 100%; font-size: 8px; text-align: center; color: #555">
  <span class="pageNumber"></span></div>"""
READY = "async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; return true }"


def contents(start: BeautifulSoup) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the parts of the book: a caption, and the path and the title of each of its pages."""
    nav = start.select_one("nav.bd-links")
    if nav is None:
        raise ValueError("The first page has no list of contents.")
    parts: list[tuple[str, list[tuple[str, str]]]] = [("", [])]
    for tag in nav.select("p.caption, a.reference"):
        if tag.name == "p":
            parts.append((tag.get_text(" ", strip=True), []))
        else:
            path = str(tag["href"])
            parts[-1][1].append(("intro.html" if path == "#" else path, tag.get_text(" ", strip=True)))
    return [part for part in parts if part[1]]


def chapter(html: Path, path: str, pages: set[str]) -> str:
    """Return a page's article with anchors and links that are unique to the merged document."""
    article = BeautifulSoup((html / path).read_text("utf8"), "html.parser").find("article")
    if not isinstance(article, Tag):
        raise ValueError(f"{path} has no article.")
    for part in article.select(SCREEN_ONLY):
        part.decompose()
    for fold in article.select("details"):
        fold["open"] = ""
    for tag in article.find_all(id=True):
        if tag.find_parent("svg") is None:
            tag["id"] = anchor(path, str(tag["id"]))
    for link in article.find_all("a", href=True):
        target = urlsplit(str(link["href"]))
        page = _page(path, target.path)
        if target.scheme:
            continue
        if page in pages:
            link["href"] = "#" + anchor(page, unquote(target.fragment))
        else:  # a source file or a notebook
            del link["href"]
    for image in article.find_all("img", src=True):
        if not urlsplit(str(image["src"])).scheme:
            image["src"] = _page(path, str(image["src"]))
    return f'<div class="chapter" id="{anchor(path, "")}">{article}</div>'


def _page(path: str, link: str) -> str:
    return normpath(str(PurePosixPath(path).parent / unquote(link))) if link else path


def anchor(page: str, id: str) -> str:
    """Return the name of an anchor in the merged document."""
    return f"{page.removesuffix('.html')}--{id}"


def merged(html: Path, only: int | None = None) -> str:
    """Return the whole book, or its first pages, as one document that stands in the folder ``html``."""
    start = BeautifulSoup((html / "intro.html").read_text("utf8"), "html.parser")
    parts = contents(start)
    paths = [path for _, pages in parts for path, _ in pages if path != "genindex.html"][:only]
    title = start.title.get_text(strip=True) if start.title else ""
    toc = "".join(
        f"<p>{caption}</p><ol>"
        + "".join(
            f'<li><a href="#{anchor(path, "")}">{name}</a></li>' for path, name in pages if path in paths
        )
        + "</ol>"
        for caption, pages in parts
        if any(path in paths for path, _ in pages)
    )
    sheets = "".join(str(tag) for tag in start.select('link[rel="stylesheet"]'))
    body = "".join(chapter(html, path, set(paths)) for path in paths)
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
        f"<title>{title}</title>{sheets}<style>{SHEET}</style>{_mathjax(html, paths)}"
        '<script src="_static/phase_diagram.js"></script></head><body><div class="cover">'
        f'<p style="font-size: 2.4em">{title}</p></div>'
        f'<div class="chapter contents"><h1>Contents</h1>{toc}</div>'
        f"{body}</body></html>"
    )


def _mathjax(html: Path, paths: list[str]) -> str:
    """Return the scripts that typeset formulas, as the first page with a formula has them."""
    for path in paths:
        scripts = BeautifulSoup((html / path).read_text("utf8"), "html.parser").select("script")
        ours = [s for s in scripts if "window.MathJax" in (s.string or "") or "mathjax" in str(s.get("src"))]
        if len(ours) == 2:
            return re.sub(r'src="(\.\./)*', 'src="', "".join(map(str, ours)))
    return ""


def print_book(html: Path, pdf: Path, only: int | None = None) -> None:
    """Write the PDF.

    Raises
    ------
    FileNotFoundError
        If there is no built book in ``html``.
    RuntimeError
        If there is no Chromium, or a formula was not typeset.
    """
    from playwright.sync_api import sync_playwright

    if not (html / "intro.html").is_file():
        raise FileNotFoundError(f"There is no built book in {html}: run `make book` first.")
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        raise RuntimeError("Printing needs chromium on the PATH.")
    page_file = html / "_print.html"
    page_file.write_text(merged(html, only), "utf8")
    try:
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-dev-shm-usage"]
            browser = playwright.chromium.launch(executable_path=executable, args=flags)
            page = browser.new_page(java_script_enabled=True, offline=True)
            page.set_default_timeout(600_000)
            page.goto(page_file.resolve().as_uri(), wait_until="load")
            page.wait_for_function(READY)
            bad = page.locator(".math:not(:has(mjx-container)), [data-mjx-error]").count()
            if bad:
                raise RuntimeError(f"{bad} formulas were not typeset.")
            page.pdf(
                path=pdf,
                prefer_css_page_size=True,
                print_background=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=FOOTER,
                outline=True,
                tagged=True,
            )
            browser.close()
    finally:
        page_file.unlink()


def main(arguments: list[str]) -> int:
    """Print the book that two arguments, the built book and the PDF, name; return the exit status."""
    if len(arguments) != 2:
        print("Usage: print_book.py HTML_FOLDER PDF", file=sys.stderr)
        return 2
    html, pdf = map(Path, arguments)
    try:
        print_book(html, pdf)
    except (FileNotFoundError, RuntimeError) as error:
        print(f"print_book: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
