"""Make the built site self-contained, over http and opened as files.

MathJax comes from the package sphinx-mathjax-offline, with SVG output. The icon font is embedded in
its style sheet, because Chromium loads no fonts on file:// pages. The build fails where a page or a
style sheet would load anything from another machine.
"""

from __future__ import annotations

import base64
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

MATHJAX_PARTS = ("tex-svg.js", "input/tex/extensions", "a11y", "sre", "ui")
EXTERNAL_IN_HTML = re.compile(
    r"""<(?:script|link|img|iframe|source|video|audio|object|embed)\b[^>]*?\b(?:src|href|srcset|data)\s*=\s*"""
    r"""["']?(?:https?:)?//[^"'\s>]+""",
    re.IGNORECASE,
)
EXTERNAL_IN_CSS = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//[^"')]+""", re.IGNORECASE)
FONT_PRELOAD = re.compile(r'\s*<link rel="preload" as="font"[^>]*>')
FONT_URL = re.compile(r"url\(([^)]+?\.woff2)\)")
OLD_FAMILY = re.compile(r"@font-face\{[^}]*font-family:(?:Font Awesome\\ 5|FontAwesome)[^}]*\}")
FALLBACK_FONT = re.compile(r',url\([^)]+?\.ttf\) format\("truetype"\)')


def _drop_thebe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Remove the scripts of live code, which load from a content delivery network."""
    files = context.get("script_files")
    if files:
        files[:] = [file for file in files if not _is_thebe(file)]


def _is_thebe(file: Any) -> bool:
    body = str(getattr(file, "attributes", {}).get("body", ""))
    return "sphinx-thebe" in str(getattr(file, "filename", file) or "") or "THEBE_JS_URL" in body


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    _copy_mathjax(out / "_static/mathjax")
    for sheet in (out / "_static/vendor").rglob("*.css"):
        _embed_fonts(sheet)
    problems = []
    for page in out.rglob("*.html"):
        text = page.read_text("utf8")
        stripped = FONT_PRELOAD.sub("", text)
        if stripped != text:
            page.write_text(stripped, "utf8")
        problems += [
            f"{page.relative_to(out)}: {match[0][:120]}" for match in EXTERNAL_IN_HTML.finditer(stripped)
        ]
    for sheet in out.rglob("*.css"):
        text = sheet.read_text("utf8")
        problems += [
            f"{sheet.relative_to(out)}: {match[0][:120]}" for match in EXTERNAL_IN_CSS.finditer(text)
        ]
    if problems:
        raise ExtensionError("The site would load from other machines:\n  " + "\n  ".join(problems[:20]))


def _copy_mathjax(target: Path) -> None:
    package = find_spec("sphinx-mathjax-offline")
    if package is None or not package.submodule_search_locations:
        raise ExtensionError("The book needs the package sphinx-mathjax-offline, which is not installed.")
    source = Path(package.submodule_search_locations[0]) / "static/mathjax"
    for part in MATHJAX_PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / part, target / part)


def _embed_fonts(sheet: Path) -> None:
    text = sheet.read_text("utf8")

    def data_url(match: re.Match[str]) -> str:
        font = (sheet.parent / match[1].strip("\"'")).resolve()
        return f"url(data:font/woff2;base64,{base64.b64encode(font.read_bytes()).decode()})"

    # Font Awesome repeats its fonts under the names of older versions, which nothing here uses.
    embedded = FONT_URL.sub(data_url, FALLBACK_FONT.sub("", OLD_FAMILY.sub("", text)))
    if embedded != text:
        sheet.write_text(embedded, "utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("sphinx.ext.mathjax")
    app.connect("html-page-context", _drop_thebe, priority=900)
    app.connect("build-finished", _finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
