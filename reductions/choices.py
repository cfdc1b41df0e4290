"""What a caller chooses by name. Importing it imports no NumPy, so the command line's options are these."""

from __future__ import annotations

from enum import StrEnum


class ProblemName(StrEnum):
    """The problems, in the order of the chain."""

    CNF = "cnf"
    OV = "ov"
    GAP_MAX_IP = "gap-max-ip"
    ATTENTION = "attention"
    VAR = "var"


class Route(StrEnum):
    """From orthogonal vectors to inner products with a gap."""

    DIRECT = "direct"
    """lem-complement-encoding: gap 1 in m."""
    PCP = "pcp"
    """lem-distributed-pcp, lem-pcp-asymptotics: the gap a constant share, one instance per message."""


class Reading(StrEnum):
    """What the input of approximate VAR is."""

    MAPS = "maps"
    START_AND_POSITIONS = "start+positions"
    START_ONLY = "start only"


class Kernel(StrEnum):
    """The interpolation kernel."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


class Precision(StrEnum):
    """The arithmetic of a layer: ``auto`` is float32 where its rounding bound clears the margin."""

    AUTO = "auto"
    FLOAT32 = "float32"
    FLOAT64 = "float64"


class Suite(StrEnum):
    """The suites of hard instances for attention kernels."""

    QUICK = "quick"
    FULL = "full"
