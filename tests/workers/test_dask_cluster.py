"""Work shared out on a real cluster of two worker processes, one of which is killed in the middle."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from operator import floordiv

import numpy as np
import pytest

from checks.evidence.registry import Lemma, Run
from checks.evidence.runner import run_lemmas
from checks.ledger.build import build_ledger
from reductions.kernel_suite.suite import suite_manifest
from reductions.kernel_suite.sweep import sweep_suite
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.workers import dask_cluster
from reductions.workers.orthogonal_pair_search import search_shared_out
from reductions.workers.parallel_map import parallel_map

dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")

STATEMENTS = ("lem-split-and-list", "def-ov", "lem-logit-invariance")


@pytest.fixture(scope="module")
def cluster():
    # By default a scheduler asks a dead worker for half a minute.
    quick = dask.config.set({"distributed.comm.timeouts.connect": "3s"})
    with (
        quick,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
    ):
        yield cluster


@pytest.fixture
def address(cluster):
    # A worker that a test killed is back by the time that the next test begins.
    cluster.wait_for_workers(2, timeout=300)
    return cluster.scheduler_address


def kill_a_worker(address):
    with distributed.Client(address, set_as_default=False) as client:
        pid = min(client.run(os.getpid).values())
    os.kill(pid, signal.SIGKILL)
    return pid


def without_seconds(reports):
    return [(r.id, r.run, r.level, r.records, r.controls, r.error) for r in reports]


def test_what_a_killed_worker_had_is_done_by_another_and_nothing_twice(address):
    items, found, pid = [0.2] * 12, [], None
    for finished in parallel_map(time.sleep, items, scheduler=address):
        pid = pid or kill_a_worker(address)  # ten or so are left, one or two of them running
        found.append((finished.index, finished.result()))
    assert sorted(found) == [(index, None) for index in range(len(items))]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_statements_report_the_same_from_a_cluster_that_loses_a_worker(address):
    killed, heard = [], []

    def progress(report):
        heard.append(report.id)
        if not killed:
            killed.append(kill_a_worker(address))

    there = run_lemmas(STATEMENTS, Run(seed=5), scheduler=address, progress=progress)
    here = run_lemmas(STATEMENTS, Run(seed=5))
    assert without_seconds(there) == without_seconds(here)
    assert sorted(heard) == sorted(STATEMENTS)
    assert killed
    entries = {id: Lemma(id, report.kind, report.title) for id, report in zip(STATEMENTS, here, strict=True)}
    ledgers = [build_ledger(reports, Run(seed=5), entries) for reports in (here, there)]
    assert [[(e.id, e.records, e.controls) for e in ledger.entries] for ledger in ledgers[:1]] == [
        [(e.id, e.records, e.controls) for e in ledger.entries] for ledger in ledgers[1:]
    ]


def test_common_data_survives_the_death_of_every_worker(address):
    found, killed, data = [], False, 7
    for finished in parallel_map(floordiv, list(range(40)), common=(data,), scheduler=address):
        if not killed:
            killed = True
            with distributed.Client(address, set_as_default=False) as client:
                pids = list(client.run(os.getpid).values())
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        found.append((finished.index, finished.result()))
    assert sorted(found) == [(n, n // data) for n in range(40)]


def test_an_exception_is_the_items_own(address):
    finished = {f.index: f for f in parallel_map(floordiv, [1, 2], common=(0,), scheduler=address)}
    assert all(isinstance(f.error, ZeroDivisionError) for f in finished.values())
    with pytest.raises(ZeroDivisionError):
        finished[1].result()


@pytest.mark.parametrize("planted", [None, 0, 700, 1023])
def test_the_first_pair_is_found_whatever_block_finishes_first(address, planted):
    generator = np.random.default_rng(1)
    left, right = (generator.integers(2, size=(1024, 70), dtype=np.uint8) for _ in range(2))
    left[:, 0] = right[:, 0] = 1
    if planted is not None:
        left[planted:, 0] = 0  # vector ``planted`` and, with the same partner, some after it
        left[planted:] &= 1 - right[5]
    instance = OrthogonalVectors(left, right)
    found = search_shared_out(instance, scheduler=address, pairs_per_task=1024 * 64)
    assert found == instance.solve_brute_force() == search_shared_out(instance, pairs_per_task=1024 * 64)
    assert (found is None) is (planted is None)
    assert found is None or found[0] == planted


def test_an_early_end_cancels_what_has_not_begun(address):
    start = time.perf_counter()
    search = parallel_map(time.sleep, [0.01, *[0.2] * 200], scheduler=address)
    next(search)
    search.close()
    assert [f.result() for f in parallel_map(floordiv, [7], common=(2,), scheduler=address)] == [3]
    assert time.perf_counter() - start < 15  # all of it would take twenty


@pytest.mark.slow
def test_a_suite_has_one_manifest_here_and_there(address):
    sweep = sweep_suite("quick", scheduler=address)
    assert sweep.faults == ()
    assert sweep.manifest == suite_manifest("quick")


def test_a_worker_with_other_code_is_refused(address, monkeypatch):
    monkeypatch.setattr(dask_cluster, "code_version", lambda: "0.0.9, code 000000000000")
    with pytest.raises(
        dask_cluster.OtherCode, match=r"Worker tcp://\S+ runs subquartic .*; here it is 0\.0\.9"
    ):
        list(parallel_map(time.sleep, [0], scheduler=address))
    # One that joined after the others were asked refuses the work itself.
    monkeypatch.setattr(dask_cluster, "_require_same_code", lambda *_: None)
    with pytest.raises(dask_cluster.OtherCode, match=r"; here it is 0\.0\.9"):
        list(parallel_map(time.sleep, [0], scheduler=address))


def test_a_worker_without_the_package_is_refused(tmp_path):
    options = ("--no-nanny", "--no-dashboard", "--nthreads", "1")
    # A scheduler of its own; its worker starts in an empty folder with a package of the same name.
    (tmp_path / "reductions").mkdir()
    (tmp_path / "reductions" / "__init__.py").write_text("")
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster:
        worker = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address, *options],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            cluster.wait_for_workers(1, timeout=300)
            with pytest.raises(RuntimeError, match=r"^Worker tcp://\S+ cannot import subquartic: No module"):
                list(parallel_map(time.sleep, [0], scheduler=cluster.scheduler_address))
        finally:
            worker.terminate()
            worker.wait()


@pytest.mark.parametrize(
    "wrong",
    ["", "nonsense", "host", "tcp://host", "foo://host:1", "tcp://host:0", "tcp://host:99999", "a b:1"],
)
def test_malformed_addresses_are_refused(wrong):
    with pytest.raises(ValueError, match=r"'scheduler' must be an address such as tcp://host:8786, not "):
        list(parallel_map(time.sleep, [0], scheduler=wrong))


def test_a_server_that_says_nothing_is_refused_in_seconds():
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = []
        thread = threading.Thread(target=lambda: accepted.append(server.accept()), daemon=True)
        thread.start()
        start = time.perf_counter()
        with pytest.raises(
            RuntimeError, match=r"^No Dask scheduler answers at 127\.0\.0\.1:\d+: nothing came in 3 s"
        ):
            list(parallel_map(time.sleep, [0], scheduler=f"127.0.0.1:{server.getsockname()[1]}"))
        assert time.perf_counter() - start < 20
        thread.join()
        for connection, _ in accepted:
            connection.close()


def test_a_worker_is_no_scheduler_and_a_scheduler_needs_a_worker(address, monkeypatch):
    with distributed.Client(address, set_as_default=False) as client:
        worker = min(client.nthreads())
    with pytest.raises(RuntimeError, match="is no Dask scheduler but a worker"):
        list(parallel_map(time.sleep, [0], scheduler=worker))
    monkeypatch.setattr(dask_cluster, "FIRST_WORKER_S", 0.2)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as empty,
        pytest.raises(RuntimeError, match="has no worker"),
    ):
        list(parallel_map(time.sleep, [0], scheduler=empty.scheduler_address))


def test_the_code_version_tells_the_number_and_the_sources():
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*, code [0-9a-f]{12}", dask_cluster.code_version())
