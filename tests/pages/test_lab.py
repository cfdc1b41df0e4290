"""What `make lab` sets up: JupyterLab opens a page as a notebook, and its kernel runs every cell."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BOOK = Path(__file__).parents[2] / "book"
PAGE = "lower_bound/split_and_list.md"
PATIENCE = 60  # seconds

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (Path(sys.prefix) / ".lab").exists(), reason="JupyterLab is set up by `make .venv/.lab`"
    ),
]


class Server:
    """A running JupyterLab, spoken to as its page in the browser does."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token

    def ask(self, path: str, send: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if send is None else json.dumps(send).encode()
        request = urllib.request.Request(self.address + path, data)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """`make lab` with this environment, no browser, any free port, and nobody else's configuration."""
    folders = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("RUNTIME", "CONFIG", "DATA")}
    settings = {"open_browser": False, "port": 0, "allow_root": os.geteuid() == 0}
    (tmp_path / "CONFIG").mkdir()
    (tmp_path / "CONFIG/jupyter_server_config.json").write_text(json.dumps({"ServerApp": settings}))
    here = os.path.relpath(Path(sys.executable).parent, BOOK.parent)
    command = ["make", "-o", ".venv/.lab", f"BIN={here}", "lab"]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            command,
            cwd=BOOK.parent,
            env={**os.environ, **folders},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + PATIENCE
            while not (infos := list((tmp_path / "RUNTIME").glob("jpserver-*.json"))):
                assert process.poll() is None, (tmp_path / "log").read_text("utf8")[-2000:]
                assert time.monotonic() < until, "JupyterLab did not start."
                time.sleep(0.1)
            time.sleep(0.1)
            started = json.loads(infos[0].read_text("utf8"))
            yield Server(started["url"], started["token"])
        finally:
            # The server outlives make for a moment: wait until the whole group has gone.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(PATIENCE)
                until = time.monotonic() + PATIENCE
                while time.monotonic() < until:
                    os.killpg(process.pid, 0)
                    time.sleep(0.1)


def outcomes(server: Server, kernel: str, cells: list[str]) -> Iterator[tuple[str, str]]:
    """Execute cells one by one; yield each one's status, and all that it printed."""
    import websocket

    session = uuid.uuid4().hex
    address = server.address.replace("http", "ws", 1)
    socket = websocket.create_connection(
        f"{address}api/kernels/{kernel}/channels?session_id={session}&token={server.token}", timeout=PATIENCE
    )
    try:
        for cell in cells:
            id = uuid.uuid4().hex
            header = {"msg_id": id, "session": session, "username": "", "version": "5.3"}
            message = {
                "channel": "shell",
                "header": {**header, "msg_type": "execute_request"},
                "parent_header": {},
                "metadata": {},
                "content": {"code": cell, "silent": False, "allow_stdin": False},
            }
            socket.send(json.dumps(message))
            printed, status, idle = "", "", False
            while not (status and idle):
                reply = json.loads(socket.recv())
                if reply["parent_header"].get("msg_id") != id:
                    continue
                content = reply["content"]
                printed += content.get("text", "") if reply["msg_type"] == "stream" else ""
                status = content["status"] if reply["msg_type"] == "execute_reply" else status
                idle = idle or content.get("execution_state") == "idle"
            yield status, printed
    finally:
        socket.close()


def test_a_page_opens_as_a_notebook_and_runs(server: Server) -> None:
    opener = server.ask("lab/api/settings/@jupyterlab/docmanager-extension:plugin")["schema"]["properties"]
    assert opener["defaultViewers"]["default"]["markdown"] == "Jupytext Notebook"
    extensions = server.ask("lab/api/settings?ids_only=true")["settings"]
    assert "jupyterlab-jupytext:plugin" in [extension["id"] for extension in extensions]
    notebook = server.ask(f"api/contents/{PAGE}?type=notebook")["content"]
    cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 3
    kernel = {"name": notebook["metadata"]["kernelspec"]["name"]}
    opened = {"path": PAGE, "name": "", "type": "notebook", "kernel": kernel}
    session = server.ask("api/sessions", opened)
    found = list(outcomes(server, session["kernel"]["id"], cells))
    assert [status for status, _ in found] == ["ok"] * len(cells)
    assert any(printed for _, printed in found)
