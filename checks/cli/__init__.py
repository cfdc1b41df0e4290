"""The command ``subquartic``."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Sequence
from typing import NoReturn

from checks.cli.exit_status import BAD_INPUT, INTERRUPTED


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its status: the entry point of ``subquartic``.

    Parameters
    ----------
    arguments
        What follows the command's name; by default those of the process.
    """
    atexit.register(gc.freeze)  # what the libraries hold goes with the process: no need to look through it
    try:
        from reductions.system.closed_pipes import finish, forgive_closed_pipes

        forgive_closed_pipes()
        from checks.cli.run import run

        status = run(sys.argv[1:] if arguments is None else arguments)
        status = finish(status, BAD_INPUT)
    except KeyboardInterrupt:  # Ctrl-C while the command is still being loaded, or while it reports
        status = INTERRUPTED
        print("subquartic: interrupted", file=sys.stderr)
    sys.exit(status)
