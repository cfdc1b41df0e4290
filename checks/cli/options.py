"""Options that several commands share, and the parsers of their values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from reductions import choices

ObjectiveChoice = Literal["ratio", "messages"] | int
"""What the code of the distributed PCP is chosen by."""

Shapes = tuple[tuple[int, int], ...]


def refuse_two_places(jobs: int | None, scheduler: str | None) -> None:
    """Raise ValueError where work is to be shared out both here and on a cluster."""
    if jobs is not None and scheduler is not None:
        raise ValueError("--jobs is for this machine; leave it out with --scheduler.")


def parse_schedule(text: str) -> Shapes:
    """Parse "1,2,4" (square scales) or "1x1,2x4,..." (height x width).

    Raises
    ------
    typer.BadParameter
        If it is neither.
    """
    shapes = []
    for item in text.replace(" ", "").split(","):
        match = re.fullmatch(r"([0-9]+)(?:x([0-9]+))?", item)
        if match is not None and max(map(len, match.groups("1"))) > 7:
            raise typer.BadParameter(f"the scale {item:.40} is too large", param_hint="'--schedule'")
        if match is None or int(match[1]) < 1 or (match[2] is not None and int(match[2]) < 1):
            raise typer.BadParameter(
                f"scales are positive sides 1,2,4 or shapes 1x1,2x4, not {text!r}", param_hint="'--schedule'"
            )
        shapes.append((int(match[1]), int(match[2] or match[1])))
    return tuple(shapes)


def _parse_output(text: str | Path) -> Path:
    if not str(text):
        raise typer.BadParameter("the name of a file must not be empty")
    return Path(text)


_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def parse_bytes(text: str) -> int:
    """Parse a number of bytes: "1500", "512M", "1.5GiB" (powers of 1024).

    Raises
    ------
    typer.BadParameter
        If it is none.
    """
    match = re.fullmatch(r"([0-9]{1,30}(?:\.[0-9]+)?) ?([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None or not float(match[1]) > 0:
        raise typer.BadParameter(
            f"a size is a positive number of bytes such as 512M or 2G, not {text!r}",
            param_hint="'--memory-limit'",
        )
    return int(float(match[1]) * _UNITS[match[2].upper()])


def parse_objective(text: str | None, route: choices.Route) -> ObjectiveChoice:
    """Parse what the code of the distributed PCP is chosen by; None is "ratio".

    Raises
    ------
    typer.BadParameter
        If it is neither "ratio", "messages" nor a positive number.
    ValueError
        If the route has no code to choose.
    """
    if text is not None and route is not choices.Route.PCP:
        raise ValueError("--objective goes with --route pcp, where there is a code to choose.")
    if text in (None, "ratio"):
        return "ratio"
    if text == "messages":
        return "messages"
    if not re.fullmatch(r"[1-9]\d{0,11}", text):
        raise typer.BadParameter(
            f"an objective is ratio, messages or the most messages, not {text!r}", param_hint="'--objective'"
        )
    return int(text)


Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, max=1024, help="Threads.", show_default="all cores"),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no comments.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace an existing output file.")]
MemoryLimit = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", help="Refuse what takes more memory (512M, 2G, ...).", show_default="free memory"
    ),
]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Processes.", show_default="cores")]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="OUT", help="The file to write.", parser=_parse_output)
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", metavar="ADDRESS", help="Share the work out on a Dask cluster: tcp://host:8786."
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random generator.")]
Kernel = Annotated[choices.Kernel, typer.Option("--kernel", help="Interpolation kernel of the VAR model.")]
Reading = Annotated[
    # From the start token alone no formula can be decided (lem-collapse).
    Literal[choices.Reading.MAPS, choices.Reading.START_AND_POSITIONS],
    typer.Option("--reading", help="What the model's input is."),
]
Route = Annotated[choices.Route, typer.Option("--route", help="From orthogonal vectors to gap-max-ip.")]
Objective = Annotated[
    str | None,
    typer.Option(
        "--objective",
        metavar="ratio|messages|N",
        help="The code of route pcp: least D/Δ, fewest messages, or least D/Δ with at most N messages.",
        show_default="ratio",
    ),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        "--schedule", metavar="1,2,4,...", help="Scales of the VAR model.", show_default="powers of 2"
    ),
]
InstanceFile = Annotated[Path, typer.Argument(metavar="FILE", help="An instance file (.safetensors).")]
