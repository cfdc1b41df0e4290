"""Writing what commands make: instance files, or text where the name of the output asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.cli.output import command_line, printable, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reductions.problem import Problem

STANDARD_OUTPUT = Path("-")


def refuse_output(output: Path, problem: str, *, overwrite: bool, text: bool = False) -> None:
    """Refuse an output before the work whose result goes there.

    Parameters
    ----------
    text
        Whether standard output takes the problem as text.

    Raises
    ------
    ValueError
        If the suffix is that of another problem's text, or no text goes to standard output.
    OSError
        If the file exists and is not to be replaced, or cannot be written.
    """
    from reductions.system.atomic import refuse_unwritable

    if output == STANDARD_OUTPUT:
        if text:
            return
        raise ValueError("an instance file is not written to standard output; name a file with --output.")
    stated = text_problem(output)
    if stated not in (None, problem):
        raise ValueError(f"{output}: a name that ends so is for text with {stated}, not for {problem}.")
    refuse_unwritable(output, overwrite=overwrite)


def write_result(
    output: Path, problem: Problem, known: Mapping[str, Any], *, overwrite: bool, quiet: bool, **origin: Any
) -> None:
    """Write an instance in the form that the name asks for, and say so.

    Parameters
    ----------
    known
        ``answer``, ``known_by`` and ``witness`` of the manifest, where they are known; a comment in text.
    origin
        What else the manifest says: ``chain``, ``seed``, ``formula_sha256``.
    """
    answer = known.get("answer", "unknown")
    if output == STANDARD_OUTPUT or text_problem(output) is not None:
        _write_text(output, problem, _comments(answer, known.get("witness")), overwrite=overwrite)
    else:
        from reductions.instance_files.read_write import write_instance

        write_instance(output, problem, command_line=command_line(), overwrite=overwrite, **origin, **known)
    sizes = ", ".join(f"{name} = {value:g}" for name, value in problem.sizes.items())
    if output != STANDARD_OUTPUT:
        say(f"{output}: {problem.name} with {sizes}; answer {answer}", quiet=quiet)


def _write_text(output: Path, problem: Problem, comments: Sequence[str], *, overwrite: bool) -> None:
    import gzip
    import sys

    from reductions.problems.vector_text import write_vectors
    from reductions.system.atomic import atomic_path

    if output == STANDARD_OUTPUT:
        sys.stdout.flush()
        write_vectors(problem, sys.stdout.buffer, tuple(comments))
        return
    with atomic_path(output, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        if output.suffix == ".gz":  # without name and time, so that the same instance gives the same bytes
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as compressed:
                write_vectors(problem, compressed, tuple(comments))  # type: ignore[arg-type]
        else:
            write_vectors(problem, file, tuple(comments))


def _comments(answer: str, witness: Any) -> list[str]:
    proof = "" if witness is None else f", witness {' '.join(map(str, witness))}"
    return [printable(command_line()), f"answer {answer}{proof}"]


def text_problem(output: Path) -> str | None:
    """Return the problem whose text a file of this name holds, or None where it is an instance file."""
    from reductions.problems.vector_text import SUFFIXES

    return SUFFIXES.get(Path(output.name.removesuffix(".gz")).suffix)
