"""The command ``subquartic``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

BAD_INPUT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its status: the entry point of ``subquartic``.

    Parameters
    ----------
    arguments
        What follows the command's name; by default those of the process.
    """
    try:
        from checks.cli.streams import finish, forgive_closed_pipes

        forgive_closed_pipes()
        from checks.cli.run import run

        status = run(sys.argv[1:] if arguments is None else arguments)
        status = finish(status)
    except KeyboardInterrupt:  # Ctrl-C while the command is still being loaded, or while it reports
        status = INTERRUPTED
        print("subquartic: interrupted", file=sys.stderr)
    sys.exit(status)
