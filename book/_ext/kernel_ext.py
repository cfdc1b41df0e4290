"""Let the build speak to the kernels that execute its pages over encrypted sockets.

ipykernel 7 warns of plain-text sockets, once a page. Jupyter encrypts where the policy of the kernel
manager says so, but the libraries that execute a book read no Jupyter configuration, so the policy's
default is set here. Older versions of jupyter_client have no such policy, and their kernels no warning.
"""

from __future__ import annotations

from typing import Any

import zmq
from jupyter_client.manager import KernelManager
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    policy: Any = getattr(KernelManager, "transport_encryption", None)
    if policy is not None and zmq.has("curve"):
        policy.default_value = "auto"
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
