"""What is known of an approximate output: how it was computed and how far it can be off."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from html import escape
from typing import Any


class Method(StrEnum):
    """How an output was computed."""

    LOW_RANK = "low-rank"
    EXACT = "exact"


@dataclass(frozen=True)
class AttentionCertificate:
    """A proved bound on every entry of |output - Att(Q, K, V; tau)|, and where it comes from.

    The entries of Q, K and V are taken as the exact numbers that they are; Att is meant over the reals.

    Attributes
    ----------
    method
        Low-rank or exact attention. Exact attention has a rounding error, too.
    reason
        Why this method was taken, in words.
    tolerance
        What was asked for.
    degree, rank, epsilon
        Of the polynomial P: its degree, the number r of monomials, and a bound on |P(x) e^-x - 1| over the
        interval of the logits. None for exact attention. With planned features, of the polynomial in the
        groups' logits; epsilon then also covers what turning and moving the tokens does to the logits.
    low, high
        An interval that holds all logits <q, k - k0>/tau, where k0 is the same for all keys and drops out of
        the output. With planned features, of <q - q0, k - k0>/tau, where keys have weights for q0.
    approximation_error
        From P in place of exp: 2 h tanh(artanh(epsilon)/2), where h is half the range of a column of V.
    rounding_error
        From floating point: conversions, features, sums, division.
    error_bound
        Their sum, rounded up.
    operations
        Multiplications and additions, each pair of them counted once.
    dtype
        What the kernel computed in.
    queries, keys
        L_q and L_k.
    """

    method: Method
    reason: str
    tolerance: float
    degree: int | None
    rank: int | None
    epsilon: float | None
    low: float
    high: float
    approximation_error: float
    rounding_error: float
    error_bound: float
    operations: int
    dtype: str
    queries: int
    keys: int

    @property
    def within_tolerance(self) -> bool:
        """Whether the proved bound meets the tolerance."""
        return self.error_bound <= self.tolerance

    def as_dict(self) -> dict[str, Any]:
        """Return all fields as JSON knows them: an infinite number becomes None."""
        return {**_plain(asdict(self)), "within_tolerance": self.within_tolerance}

    def rows(self) -> list[tuple[str, str]]:
        """Return the certificate as pairs of a name and its content, in words."""
        listed = [("method", f"{self.method} ({self.reason})")]
        if self.degree is not None:
            listed.append(
                ("polynomial", f"degree {self.degree}, {self.rank:,} monomials, ε = {self.epsilon:.3g}")
            )
        return [
            *listed,
            ("logits", f"in [{self.low:.4g}, {self.high:.4g}]"),
            ("error bound", f"{self.error_bound:.3g} on every entry, {_verdict(self)} {self.tolerance:.3g}"),
            (
                "of which",
                f"{self.approximation_error:.3g} by approximation, {self.rounding_error:.3g} by rounding",
            ),
            ("size", f"{self.queries:,} queries, {self.keys:,} keys"),
            ("work", f"{self.operations:,} multiply-adds in {self.dtype}"),
        ]

    def __str__(self) -> str:
        return "\n".join(f"{name + ':':<13} {content}" for name, content in self.rows())

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th scope='row' style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(content)}</td></tr>"
            for name, content in self.rows()
        )
        return f"<table><caption>Attention certificate</caption><tbody>{cells}</tbody></table>"


@dataclass(frozen=True)
class PyramidCertificate:
    """The certificates of all scales of a block-causal pass.

    Attributes
    ----------
    scales
        One for each scale, in order. Its operations are those of its queries.
    state_degree
        The degree of the state that all low-rank scales read; None where there is none.
    state_operations
        Multiply-adds that built it.
    """

    scales: tuple[AttentionCertificate, ...]
    state_degree: int | None
    state_operations: int

    @property
    def tolerance(self) -> float:
        """What was asked for."""
        return self.scales[0].tolerance

    @property
    def error_bound(self) -> float:
        """A proved bound on every entry of |output - exact block-causal attention|."""
        return max(scale.error_bound for scale in self.scales)

    @property
    def within_tolerance(self) -> bool:
        """Whether the proved bound meets the tolerance."""
        return self.error_bound <= self.tolerance

    @property
    def operations(self) -> int:
        """Multiply-adds of the whole pass."""
        return self.state_operations + sum(scale.operations for scale in self.scales)

    def as_dict(self) -> dict[str, Any]:
        """Return all fields as JSON knows them: an infinite number becomes None."""
        return {
            "tolerance": _number(self.tolerance),
            "error_bound": _number(self.error_bound),
            "within_tolerance": self.within_tolerance,
            "operations": self.operations,
            "state_degree": self.state_degree,
            "state_operations": self.state_operations,
            "scales": [scale.as_dict() for scale in self.scales],
        }

    def table(self) -> list[tuple[str, ...]]:
        """Return a header and one row a scale."""
        header = ("scale", "tokens", "keys seen", "method", "degree", "logits", "error bound")
        rows = [
            (
                str(number),
                f"{scale.queries:,}",
                f"{scale.keys:,}",
                str(scale.method),
                "" if scale.degree is None else str(scale.degree),
                f"[{scale.low:.3g}, {scale.high:.3g}]",
                f"{scale.error_bound:.2e}",
            )
            for number, scale in enumerate(self.scales, 1)
        ]
        return [header, *rows]

    def summary(self) -> str:
        """Return the whole pass in one line."""
        return (
            f"error bound {self.error_bound:.3g}, {_verdict(self)} {self.tolerance:.3g}; "
            f"{self.operations:,} multiply-adds"
        )

    def __str__(self) -> str:
        table = self.table()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table
        ]
        return "\n".join([*lines, self.summary()])

    def _repr_html_(self) -> str:
        header, *rows = self.table()
        head = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in header)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return (
            f"<table><caption>{escape(self.summary())}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def _verdict(certificate: AttentionCertificate | PyramidCertificate) -> str:
    return "within the tolerance" if certificate.within_tolerance else "ABOVE the tolerance"


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Method) else _number(value) for name, value in fields.items()
    }


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
