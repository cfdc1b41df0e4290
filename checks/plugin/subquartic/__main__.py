"""The command ``subquartic``, and ``python -m subquartic``."""

from __future__ import annotations

import sys
from typing import NoReturn

from subquartic import own_packages_first


def main() -> NoReturn:
    """Run the command and exit with its status."""
    own_packages_first()
    from checks.cli import main as command

    command()


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the current directory, which a script does not see either
    main()
