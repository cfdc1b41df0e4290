"""Work on a Dask cluster, the optional extra ``dask``; imported only where a scheduler is named.

Dask gives the tasks of a worker that died to others. What this module adds: an address that leads nowhere
is refused within seconds, workers whose code is not this process's are refused, tasks of one worker
process take turns, and data that was lost with every worker that held it is sent again. Its own queue of
finished futures stands where ``as_completed`` might: that (distributed 2026.8.0) waits forever for workers
that never come back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from reductions.system.source_digest import source_digest
from reductions.workers.finished import Finished

if TYPE_CHECKING:
    from distributed import Client, Future

Result = TypeVar("Result")

CONNECT_S = 3.0
FIRST_WORKER_S = 3.0
PATIENCE_S = 60.0
"""How long no worker may be there, in the middle of the work, before it is given up."""

_POLL_S = 1.0
_ROUNDS = 5
_ADDRESS = re.compile(r"(?:(tcp|tls)://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})")


class OtherCode(RuntimeError):
    """A worker runs other code than the process that gives it work."""


@cache
def code_version() -> str:
    """Return the package's version and the first digits of a SHA-256 of its source files."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("subquartic")
    except PackageNotFoundError:
        number = "not installed"
    return f"{number}, code {source_digest()[:12]}"


def on_cluster(
    function: Callable[..., Result], items: list[Any], common: tuple[Any, ...], address: str
) -> Iterator[Finished[Result]]:
    """Call ``function(item, *common)`` on the workers; see :func:`.parallel_map.parallel_map`."""
    code = code_version()
    with connected(address) as client:
        _require_same_code(client, code)
        waiting = dict(enumerate(items))
        for _ in range(_ROUNDS):  # one, unless all workers that held the common data die
            for index, future in _submitted(client, code, function, waiting, common):
                finished = _fetched(client, index, future)
                if finished is None:
                    continue  # in the next round
                if isinstance(finished.error, OtherCode):  # the worker joined later
                    raise finished.error
                del waiting[index]
                yield finished
            if not waiting:
                return
        raise RuntimeError(f"The workers of {address} died again and again; {len(waiting)} items are left.")


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Connect to a scheduler that has a worker.

    Raises
    ------
    ValueError
        If the address is malformed.
    RuntimeError
        If the extra is not installed, or no scheduler or no worker answers within seconds.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or not 1 <= int(match[3]) <= 65535:
        raise ValueError(
            f"Argument 'scheduler' must be an address such as tcp://host:8786, not {address!r:.100}."
        )
    try:
        from distributed import Client, Security
    except ImportError:
        raise RuntimeError("A scheduler needs Dask: pip install 'subquartic[dask]'.") from None
    with _quiet_logs():
        # A client waits forever for a server that accepts and says nothing: ask first who is there.
        full = address if match[1] else f"tcp://{address}"
        try:
            identity = asyncio.run(asyncio.wait_for(_identity(full, Security()), CONNECT_S))
        except Exception as error:
            late = isinstance(error, TimeoutError)
            reason = f"nothing came in {CONNECT_S:g} s" if late else str(error) or type(error).__name__
            raise RuntimeError(f"No Dask scheduler answers at {address}: {reason.rstrip('.')}.") from None
        if identity.get("type") != "Scheduler":
            raise RuntimeError(
                f"At {address} is no Dask scheduler but a {str(identity.get('type')).lower()}."
            )
        with Client(full, timeout=CONNECT_S, set_as_default=False) as client:
            try:
                client.wait_for_workers(1, timeout=FIRST_WORKER_S)
            except TimeoutError:
                raise RuntimeError(f"The Dask scheduler at {address} has no worker.") from None
            yield client


async def _identity(address: str, security: Any) -> dict[str, Any]:
    from distributed.core import rpc

    arguments = security.get_connection_args("client")
    async with rpc(address, timeout=2 * CONNECT_S, connection_args=arguments) as scheduler:
        answer = await scheduler.identity()
    return answer if isinstance(answer, dict) else {}


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep Dask's log of a lost connection off standard error: it becomes one line here."""
    import logging

    client, core = logging.getLogger("distributed.client"), logging.getLogger("distributed.core")
    levels = client.level, core.level
    client.setLevel(logging.CRITICAL)
    core.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        client.setLevel(levels[0])
        core.setLevel(levels[1])


def _require_same_code(client: Client, code: str) -> None:
    # As text: a worker without the package could not unpickle a function of it.
    asked = "__import__('reductions.workers.dask_cluster', fromlist=['_']).code_version()"
    for worker, answer in client.run(eval, asked, on_error="return").items():
        if isinstance(answer, ImportError):
            raise RuntimeError(f"Worker {worker} cannot import subquartic: {answer}.")
        if isinstance(answer, BaseException):
            raise RuntimeError(f"Worker {worker} cannot load subquartic: {type(answer).__name__}: {answer}.")
        if answer != code:
            raise OtherCode(_difference(worker, str(answer), code))


def _difference(worker: str, there: str, here: str) -> str:
    return f"Worker {worker} runs subquartic {there}; here it is {here}."


def _submitted(
    client: Client, code: str, function: Callable[..., Any], items: dict[int, Any], common: tuple[Any, ...]
) -> Iterator[tuple[int, Future[Any]]]:
    """Submit the items and yield their futures as they are done, cancelled or lost."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE_S)
        held = client.scatter(list(common), broadcast=True, hash=False) if common else []
    except (TimeoutError, OSError):
        return  # the workers died in the meantime: in the next round
    futures = {
        client.submit(_on_worker, code, function, item, *held, pure=False): index
        for index, item in items.items()
    }
    done: SimpleQueue[Future[Any]] = SimpleQueue()
    try:
        for future in futures:
            future.add_done_callback(done.put)
        alone = 0.0
        for _ in range(len(futures)):
            while True:
                try:
                    future = done.get(timeout=_POLL_S)
                    break
                except Empty:
                    alone = 0.0 if _workers_there(client) else alone + _POLL_S
                    if alone >= PATIENCE_S:
                        raise RuntimeError("All Dask workers are gone, and none has come back.") from None
            if client.status != "running":
                raise RuntimeError("The Dask scheduler is gone.")
            yield futures[future], future
    finally:
        if client.status == "running":
            client.cancel(list(futures), force=True)


def _fetched(client: Client, index: int, future: Future[Any]) -> Finished[Any] | None:
    """Return what became of an item; None where that, or the common data, died with its workers."""
    from distributed import CancelledError

    while True:
        try:
            return Finished(index, future.result(timeout=PATIENCE_S))
        except CancelledError:
            return None
        except Exception as error:
            if future.status == "error":
                return Finished(index, error=error)
            if not isinstance(error, TimeoutError):
                return None
            if not _workers_there(client):
                raise RuntimeError("All Dask workers are gone, and none has come back.") from None


def _workers_there(client: Client) -> bool:
    if client.status != "running":
        raise RuntimeError("The Dask scheduler is gone.")
    return bool(client.nthreads())


_ALONE = Lock()


def _on_worker(code: str, function: Callable[..., Result], item: Any, *common: Any) -> Result:
    """Do one item on a worker."""
    from threadpoolctl import threadpool_limits

    if code != code_version():
        from distributed import get_worker

        raise OtherCode(_difference(get_worker().address, code_version(), code))
    # The precisions of mpmath and FLINT belong to the process: its threads take turns.
    with _ALONE, threadpool_limits(1):
        return function(item, *common)
