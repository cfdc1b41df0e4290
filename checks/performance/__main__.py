"""The process that measures: ``python -m checks.performance REQUEST`` prints a results document.

:mod:`checks.cli.bench` starts it with the environment that its libraries need to find when they load.
"""

from __future__ import annotations

import json
import os
import sys
import time

FAILED = 3


def main(request: str) -> int:
    """Run the suites of a request (names, size, seed, threads, quiet) and print the document.

    Where one fails, the process ends with status FAILED and prints an object with the error's message.
    """
    from checks.performance.environment import machine
    from checks.performance.registry import run_suite
    from checks.performance.report import document
    from checks.performance.suite import Bench, Size

    wanted = json.loads(request)
    start = time.perf_counter()

    def say(line: str) -> None:
        if not wanted["quiet"]:
            print(f"[{time.perf_counter() - start:5.1f} s] {line}", file=sys.stderr, flush=True)

    import torch

    torch.set_num_threads(wanted["threads"])
    bench = Bench(Size(wanted["size"]), wanted["seed"], wanted["threads"], say)
    results = [run_suite(name, bench) for name in wanted["names"]]
    seconds = time.perf_counter() - start
    content = document(results, bench, machine(bench.threads), seconds)
    json.dump(content, sys.stdout, allow_nan=False, indent=1)
    return 0


if __name__ == "__main__":
    from reductions.system.closed_pipes import finish, forgive_closed_pipes

    forgive_closed_pipes()
    try:
        status = main(sys.argv[1])
    except KeyboardInterrupt:  # the command that started this process says so
        status = 130
    except Exception as error:
        if os.environ.get("SUBQUARTIC_TRACEBACK"):
            raise
        json.dump({"error": str(error) or type(error).__name__}, sys.stdout)
        status = FAILED
    sys.exit(finish(status))
