"""The built book, served over http, in a real browser that can reach nothing else."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.book)


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the built book; BOOK_HTML names another one."""
    folder = Path(os.environ.get("BOOK_HTML", ROOT / "book/_build/html")).resolve()
    if not (folder / "intro.html").is_file():
        pytest.fail(f"There is no built book in {folder}: run `make book` first.", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def pages(book: Path) -> list[str]:
    """The paths of all pages, relative to the built book."""
    paths = (
        page.relative_to(book).as_posix() for page in book.rglob("*.html") if "_static" not in page.parts
    )
    return sorted(path for path in paths if path != "index.html")  # index.html only redirects to intro.html


@pytest.fixture(scope="session")
def base_url(book: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def end_headers(self) -> None:
            self.send_header("Cache-Control", "max-age=3600")  # what all pages share is read once
            super().end_headers()

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            pass  # a page that is closed while it loads breaks its connections

    with Server(("127.0.0.1", 0), functools.partial(Quiet, directory=book)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.fail("These tests need chromium on the PATH.", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser):
    """One context for all pages, so that scripts and style sheets stay in its cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(context, base_url: str, book: Path):
    """A page whose test fails on a request to elsewhere, an error in the console, or a status >= 400."""
    page = context.new_page()
    problems: list[str] = []
    allowed = (base_url + "/", book.as_uri() + "/", "data:", "blob:")

    # Watched, not routed: a browser whose requests are routed caches nothing, and reads MathJax anew.
    page.on(
        "request",
        lambda request: request.url.startswith(allowed) or problems.append(f"request to {request.url}"),
    )
    page.on(
        "console", lambda message: message.type == "error" and problems.append(f"console: {message.text}")
    )
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("response", lambda r: r.status >= 400 and problems.append(f"status {r.status}: {r.url}"))
    page.problems = problems
    yield page
    page.close()
    assert problems == []
