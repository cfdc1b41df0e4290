"""The command ``subquartic``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its status: the entry point of ``subquartic``.

    Parameters
    ----------
    arguments
        What follows the command's name; by default those of the process.
    """
    try:
        from checks.cli.run import run

        status = run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # Ctrl-C while the command is still being loaded, or while it reports
        status = INTERRUPTED
        print("subquartic: interrupted", file=sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone. Python would complain once more when it closes the stream at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
