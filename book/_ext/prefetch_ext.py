"""Execute several pages at a time, before Sphinx reads them one after the other.

myst-nb executes a page when it reads it, unless its cache holds the outputs already. Here the pages that
are about to be read are executed in as many kernels as the environment variable BOOK_JOBS says (1: as
without this extension), and what succeeds goes into that same cache. A page that fails is left to myst-nb,
which executes it again and fails the build with its error.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

log = logging.getLogger(__name__)


def _execute_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    config = env.mystnb_config  # type: ignore[attr-defined]
    jobs = int(os.environ.get("BOOK_JOBS", "1"))
    if jobs < 2 or config.execution_mode != "cache":
        return
    cache = get_cache(config.execution_cache_path)

    def execute(page: tuple[str, NotebookNode]) -> ExecutionResult:
        path, notebook = page
        return single_nb_execution(notebook, str(Path(path).parent), config.execution_timeout, False)

    pages = []
    for docname in docnames:
        path = env.doc2path(docname)
        notebook = _notebook(env, path)
        if notebook is not None:
            try:
                cache.match_cache_notebook(notebook)
            except KeyError:
                pages.append((path, notebook))
    with ThreadPoolExecutor(jobs) as pool:  # the work is in the kernels' processes
        for (path, notebook), result in zip(pages, pool.map(execute, pages), strict=True):
            if result.err is None:
                bundle = CacheBundleIn(notebook, path, data={"execution_seconds": result.time})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    if pages:
        log.info("executed %d pages, %d at a time", len(pages), jobs)


def _notebook(env: BuildEnvironment, path: str | os.PathLike[str]) -> NotebookNode | None:
    """Return a page as myst-nb reads it; None where it has no code."""
    text = Path(path).read_text("utf8")
    reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)  # type: ignore[attr-defined]
    if reader is None:
        return None
    notebook = reader.read(text)
    return notebook if any(cell.cell_type == "code" for cell in notebook.cells) else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("env-before-read-docs", _execute_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
