"""Work that is shared out: one function on many items, here, among processes, or on a Dask cluster.

The function is named at the top level of an installed module, and what it returns for an item depends on
the item alone. So where it runs, and how often, changes nothing but the time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, TypeVar

from reductions.workers.finished import Finished

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(
    function: Callable[..., Result],
    items: Iterable[Item],
    *,
    common: tuple[Any, ...] = (),
    jobs: int = 1,
    scheduler: str | None = None,
) -> Generator[Finished[Result], None, None]:
    """Call ``function(item, *common)`` for every item; yield what became of each as it finishes.

    Where the iterator is closed early, what has not begun is cancelled.

    Parameters
    ----------
    common
        Further arguments, the same for all items; a cluster gets them once.
    jobs
        Worker processes on this machine; 1 calls the function in this process, in the items' order.
    scheduler
        The address of a Dask scheduler, whose workers do it all instead. An item whose worker dies is
        done again by another.

    Raises
    ------
    ValueError
        If ``jobs`` is not positive, or the address is malformed.
    RuntimeError
        If the cluster cannot be reached, has no worker, or a worker has other code than this process.
    """
    if jobs < 1:
        raise ValueError(f"Argument 'jobs' must be at least 1, not {jobs}.")
    chosen = list(items)
    if scheduler is not None:
        from reductions.workers.dask_cluster import on_cluster

        yield from on_cluster(function, chosen, common, scheduler)
    elif jobs == 1:
        yield from (_called(function, index, item, common) for index, item in enumerate(chosen))
    else:
        yield from _among_processes(function, chosen, common, jobs)


def _called(
    function: Callable[..., Result], index: int, item: Item, common: tuple[Any, ...]
) -> Finished[Result]:
    try:
        return Finished(index, function(item, *common))
    except Exception as error:
        return Finished(index, error=error)


def _among_processes(
    function: Callable[..., Result], items: list[Item], common: tuple[Any, ...], jobs: int
) -> Iterator[Finished[Result]]:
    with _workers(min(jobs, max(1, len(items)))) as pool:
        with _interrupt_held():
            futures = {pool.submit(function, item, *common): index for index, item in enumerate(items)}
        for future in as_completed(futures):
            error = future.exception()  # also where the worker itself died: out of memory, killed
            value = future.result() if error is None else None
            yield Finished(futures[future], value, error)


@contextmanager
def _workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that an interrupt or an error ends at once instead of waiting for their queue."""
    from multiprocessing import active_children, get_context

    # A forked worker would inherit the locks of BLAS threads that it does not have.
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start_worker)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in active_children():  # an interrupt may have reached this process alone
            worker.terminate()
        raise
    pool.shutdown()


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """Hold Ctrl-C back while workers are started, in them until they are ready to end silently."""
    import signal
    from multiprocessing import resource_tracker

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # its start would let Ctrl-C through again
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def _start_worker() -> None:
    """Give a worker one BLAS thread, since workers share the cores, and let Ctrl-C end it silently."""
    import signal

    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    threadpool_limits(1)
