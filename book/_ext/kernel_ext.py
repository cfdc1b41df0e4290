"""Speak to the kernels that execute the pages over encrypted sockets, and put together what they print.

ipykernel 7 warns of plain-text sockets, once a page. Jupyter encrypts where the policy of the kernel
manager says so, but the libraries that execute a book read no Jupyter configuration, so the policy's
default is set here. Older versions of jupyter_client have no such policy, and their kernels no warning.

What a cell prints comes in pieces, cut where the kernel's clock ticked. MyST-NB merges them, but ends each
piece with a line break, also where it was cut in the middle of a line.
"""

from __future__ import annotations

from typing import Any

import zmq
from jupyter_client.manager import KernelManager
from myst_nb.core import render
from sphinx.application import Sphinx


def joined(outputs: list[Any]) -> list[Any]:
    """Return a cell's outputs with the pieces of each stream as one, at the place of the first."""
    whole: list[Any] = []
    streams: dict[str, Any] = {}
    for output in outputs:
        if output["output_type"] != "stream":
            whole.append(output)
        elif output["name"] in streams:
            streams[output["name"]]["text"] += output["text"]
        else:
            streams[output["name"]] = type(output)(output)
            whole.append(streams[output["name"]])
    return whole


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    policy: Any = getattr(KernelManager, "transport_encryption", None)
    if policy is not None and zmq.has("curve"):
        policy.default_value = "auto"
    merge = render.coalesce_streams
    render.coalesce_streams = lambda outputs: merge(joined(outputs))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
