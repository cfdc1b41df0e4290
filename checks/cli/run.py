"""Run a command line and turn every error into one line and an exit status."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from types import FrameType

import typer

from checks.cli.app import app
from checks.cli.exit_status import BAD_INPUT, INTERRUPTED
from checks.cli.output import printable

INTERNAL_ERROR = 70  # EX_SOFTWARE of sysexits.h
TERMINATED = 128 + signal.SIGTERM

# The base class of all errors of the command line: click's, or that of the copy of click in newer typers.
_CommandLineError: type[Exception] = typer.BadParameter.__mro__[2]


def run(arguments: Sequence[str]) -> int:
    """Run ``subquartic`` with these arguments and return its exit status; no exception gets out."""
    signal.signal(signal.SIGTERM, _terminate)  # so that temporary files are removed
    try:
        command = typer.main.get_command(app)
        status = command.main(args=list(arguments), prog_name="subquartic", standalone_mode=False)
        if status == INTERRUPTED:  # newer typers turn Ctrl-C into this status
            raise KeyboardInterrupt
        return status if isinstance(status, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail(INTERRUPTED, "interrupted")
    except _CommandLineError as error:
        return _fail(BAD_INPUT, _usage_message(error))
    except MemoryError:
        return _fail(BAD_INPUT, "there is not enough memory for this.")
    except OSError as error:
        return _fail(BAD_INPUT, _file_message(error))
    except (ValueError, RuntimeError) as error:
        if os.environ.get("SUBQUARTIC_TRACEBACK"):
            raise
        return _fail(BAD_INPUT, str(error))
    except Exception as error:
        if os.environ.get("SUBQUARTIC_TRACEBACK"):
            raise
        return _fail(
            INTERNAL_ERROR,
            f"internal error, {type(error).__name__}: {error}. "
            "Please report it; SUBQUARTIC_TRACEBACK=1 shows where it happened.",
        )


def _fail(status: int, message: str) -> int:
    with contextlib.suppress(OSError):  # standard error itself may be full
        print(f"subquartic: {printable(' '.join(message.split()))}", file=sys.stderr)
    return status


def _terminate(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)


def _file_message(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    if error.filename is None:
        try:
            os.getcwd()
        except OSError:
            return "the working directory no longer exists."
        return f"{error.strerror}."
    return f"{os.fspath(error.filename)!s}: {error.strerror}."


def _usage_message(error: Exception) -> str:
    """Return the message of an error of the command line with a suggestion and where to find help."""
    message = str(error.format_message()).strip()  # type: ignore[attr-defined]
    option, possibilities = getattr(error, "option_name", None), getattr(error, "possibilities", None)
    if option and possibilities:
        message = f"No such option: {option}. Did you mean {' or '.join(sorted(possibilities))}?"
    message = message.replace("Value error, ", "")
    given = re.search("'([^']*)' is not", message)
    near = get_close_matches(given[1], _choices(error), n=1) if given else []
    if near and "Did you mean" not in message:
        message = f"{message.rstrip('.')}. Did you mean {near[0]}?"
    if not message.endswith((".", "?")):
        message += "."
    context = getattr(error, "ctx", None)
    return f"{message} See '{context.command_path} --help'." if context is not None else message


def _choices(error: Exception) -> list[str]:
    """Return the values that the option at fault could have, where they are a fixed list."""
    parameter = getattr(error, "param", None)
    descriptor = getattr(parameter, "type_descriptor", None) or getattr(parameter, "type", None)
    return [str(getattr(choice, "value", choice)) for choice in getattr(descriptor, "choices", None) or ()]
