"""The process that measures: ``python -m checks.performance REQUEST`` prints a results document.

:mod:`checks.cli.bench` starts it with the environment that its libraries need to find when they load.
"""

from __future__ import annotations

import json
import sys
import time


def main(request: str) -> int:
    """Run the suites of a request (names, size, seed, threads, quiet) and print the document."""
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
    from checks.cli.streams import finish, forgive_closed_pipes

    forgive_closed_pipes()
    try:
        status = main(sys.argv[1])
    except KeyboardInterrupt:  # the command that started this process says so
        status = 130
    except MemoryError:
        print("there is not enough memory for this.", file=sys.stderr)
        status = 2
    sys.exit(finish(status))
