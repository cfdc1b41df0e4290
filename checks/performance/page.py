"""The book's page on benchmarks: tables and figures of a results document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table that notebooks show as HTML and terminals as text."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        return "\n".join([self.caption, *("  ".join(row) for row in (self.columns, *self.rows))])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="{_CELL}">{escape(name)}</th>' for name in self.columns)
        body = "".join(f"<tr>{_cells(row)}</tr>" for row in self.rows)
        return (
            f'<div class="lemma-report" role="region" tabindex="0" aria-label="{escape(self.caption)}" '
            f'style="overflow-x:auto"><table style="{_TABLE}"><caption style="{_CAPTION}">'
            f"{escape(self.caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


_TABLE = "border-collapse:collapse;color:inherit;background:none;width:100%;font-size:.85rem"
_CAPTION = "text-align:left;caption-side:top;color:inherit"
_CELL = (
    "text-align:left;vertical-align:top;padding:.15em .5em;border-bottom:1px solid;font-weight:inherit;"
    "color:inherit;background:none"
)


def _cells(row: Sequence[str]) -> str:
    first, *others = (escape(cell) for cell in row)
    return f'<th scope="row" style="{_CELL}">{first}</th>' + "".join(
        f'<td style="{_CELL}">{cell}</td>' for cell in others
    )


def measurements(path: str | Path) -> Results:
    """Read the results that ``make book`` wrote; where there are none, measure the tiny size."""
    from checks.performance.process import measure
    from checks.performance.registry import SUITES
    from checks.performance.report import read_document

    if Path(path).exists():
        return read_document(path)
    return measure(list(SUITES), "tiny", quiet=True)


def circumstances(results: Results) -> Table:
    """Return what the results were measured on."""
    machine = results["machine"]
    rows = [
        ("size of the run", f"{results['size']}, seed {results['seed']}, {results['seconds']:.0f} s"),
        ("processor", f"{machine['processor']}, {machine['architecture']}"),
        ("threads", f"{machine['threads']} on {machine['cores']} cores"),
        ("Python", machine["python"]),
        *sorted(machine["packages"].items()),
    ]
    return Table("The machine and the moment of this build", ("what", "which"), tuple(rows))


def targets(results: Results) -> Table:
    """Return the goals beside what was measured."""
    words = {True: "met", False: "not met", None: "not measured"}
    rows = []
    for suite in results["suites"]:
        for target in suite["targets"]:
            relation = "≥" if target["relation"] == ">=" else "≤"
            measured = "" if target["measured"] is None else short(target["measured"])
            goal = f"{relation}\N{NO-BREAK SPACE}{short(target['goal'])}"
            result = words[target["met"]] + (f" ({target['note']})" if target["note"] else "")
            rows.append((target["name"], goal, measured, result))
    return Table("Goals and what this build measured", ("figure", "goal", "measured", "result"), tuple(rows))


def speed_ups(results: Results, name: str) -> Table:
    """Return times, speed-ups and errors of one suite."""
    rows = tuple(
        (
            entry["method"],
            ", ".join(
                f"{key} {value}" for key, value in entry["setting"].items() if key not in ("b", "data")
            ),
            duration(seconds(entry)),
            "" if entry["speed_up"] is None else f"{short(entry['speed_up']['median'])}x",
            "" if entry["error"] is None else f"{entry['error']:.1e}",
            "" if entry["certified_error"] is None else f"{entry['certified_error']:.1e}",
        )
        for entry in suite(results, name)["measurements"]
    )
    columns = ("method", "setting", "median time", "speed-up", "worst error", "proved bound")
    return Table(suite(results, name)["title"], columns, rows)


def best_peers(results: Results) -> Table:
    """Return, for each family and degree, the fastest setting of a peer whose error is not larger."""
    rows = []
    for family, entries in _families(results):
        peers = [entry for entry in entries if _is_peer(entry) and entry["error"] is not None]
        for own in entries:
            if "degree" not in own["setting"] or own["method"] != "low rank":
                continue
            reached = [peer for peer in peers if peer["error"] <= own["error"]]
            best = min(reached, key=seconds, default=None)
            rows.append(
                (
                    f"{family}, g = {own['setting']['degree']}",
                    f"{own['error']:.1e}",
                    duration(seconds(own)),
                    "none reaches it" if best is None else f"{best['method']} ({_parameter(best)})",
                    "" if best is None else duration(seconds(best)),
                    "" if best is None else f"{short(seconds(best) / seconds(own))}x",
                )
            )
    columns = ("data", "worst error", "time", "fastest peer of no larger error", "its time", "ratio")
    return Table("Low rank against the best setting of any peer", columns, tuple(rows))


def choices(results: Results) -> Table:
    """Return what the automatic choice took, and how it compares with both exact methods."""
    rows = [
        (
            f"{setting['data']}, {setting['tokens']:,}, d = {setting['d']}, b = {setting['b']:g}",
            f"{setting['tolerance']:g}",
            str(setting["chosen"]),
            f"{entry['error']:.1e}",
            f"{entry['certified_error']:.1e}",
            f"{short(entry['speed_up']['median'])}x",
            f"{short(entry['extra']['over_torch'])}x",
        )
        for entry in suite(results, "dispatcher")["measurements"]
        if (setting := entry["setting"]).get("chosen")
    ]
    columns = (
        "data and tokens",
        "tolerance",
        "chosen",
        "worst error",
        "certified",
        "over its exact",
        "over torch",
    )
    return Table("Certified choices", columns, tuple(rows))


def fewer_features(results: Results) -> Table:
    """Return ranks, errors and times of all monomials of a degree and of planned features."""
    rows = []
    entries = suite(results, "principal-axes")["measurements"]
    for plain, planned, total in zip(entries[::3], entries[1::3], entries[2::3], strict=True):
        setting = plain["setting"]
        rows.append(
            (
                f"{setting['data']}, ε = {setting['epsilon']:g}",
                f"{plain['extra']['rank']:,}",
                f"{planned['extra']['rank']:,}",
                f"{planned['error']:.1e}",
                f"{planned['certified_error']:.1e}",
                f"{short(planned['speed_up']['median'])}x",
                f"{short(total['speed_up']['median'])}x",
            )
        )
    columns = ("data", "all monomials", "planned", "worst error", "certified", "speed-up", "with planning")
    return Table("Ranks at the same certified error", columns, tuple(rows))


def figures(results: Results, name: str) -> Table:
    """Return the further figures of a suite, such as exponents."""
    rows = tuple((key, f"{value:.2f}") for key, value in suite(results, name)["figures"].items())
    return Table("Exponents", ("exponent of n", "value"), rows)


def scaling_figure(results: Results) -> Figure:
    """Draw time against the side n, with fitted slopes."""
    from checks.performance.figures import NEUTRAL, figure

    found = suite(results, "scaling")
    drawing, axes = figure(6.4, 3.8)
    for marker, method in zip("so", _methods(found["measurements"]), strict=False):
        entries = [entry for entry in found["measurements"] if entry["method"] == method]
        slope = found["figures"][f"fitted exponent, {method}"]
        axes.loglog(
            [entry["setting"]["n"] for entry in entries],
            [seconds(entry) for entry in entries],
            marker=marker,
            label=f"{method}: exponent {slope:.2f}",
        )
    sides = sorted({entry["setting"]["n"] for entry in found["measurements"]})
    axes.set_xticks(sides, [str(side) for side in sides])
    axes.minorticks_off()
    axes.set(xlabel="side n of the last scale", ylabel="seconds")
    axes.grid(True, color=NEUTRAL)
    axes.legend(fontsize=9)
    return drawing


def peers_figure(results: Results) -> Figure:
    """Draw worst-case error against time for each family of data."""
    from checks.performance.figures import COLOURS, NEUTRAL, figure

    families = list(_families(results))
    drawing, grid = figure(7.4, 6.6, nrows=2, ncols=2, sharex=True, sharey=True)
    names = _methods([entry for _, entries in families for entry in entries if entry["method"] != _EXACT])
    for axes, (family, entries) in zip(grid.flat, families, strict=True):
        for number, name in enumerate(names):
            chosen = [entry for entry in entries if entry["method"] == name and entry["error"]]
            axes.loglog(
                [1e3 * seconds(entry) for entry in chosen],
                [entry["error"] for entry in chosen],
                marker="osD^vP*"[number % 7],
                markersize=6 if number < 2 else 5,
                linewidth=1.8 if number < 2 else 0.9,
                color=[*COLOURS, NEUTRAL][number % 7],
                label=name,
            )
        (exact,) = (entry for entry in entries if entry["method"] == _EXACT)
        axes.axvline(1e3 * seconds(exact), color=NEUTRAL, linestyle=":", label="exact attention (torch)")
        axes.set_title(family, color=NEUTRAL, fontsize=10)
        axes.set_ylim(1e-6, 3)
        axes.grid(True, color=NEUTRAL)
    for axes in grid[-1]:
        axes.set_xlabel("milliseconds")
    for axes in grid[:, 0]:
        axes.set_ylabel("worst error")
    handles, labels = grid.flat[0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    return drawing


def suite(results: Results, name: str) -> Mapping[str, Any]:
    """Return the part of the results that one suite wrote.

    Raises
    ------
    ValueError
        If it was not run.
    """
    for found in results["suites"]:
        if found["name"] == name:
            part: Mapping[str, Any] = found
            return part
    raise ValueError(f"Argument 'name' must be a suite that was run, not {name!r}.")


def seconds(entry: Mapping[str, Any]) -> float:
    """Return the median time of an entry."""
    return float(median(second for calls in entry["seconds"] for second in calls))


def duration(time: float) -> str:
    """Return a time in words."""
    return f"{time:.2f} s" if time >= 1 else f"{time * 1e3:.3g} ms"


def short(value: float) -> str:
    """Return a number with three figures."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


_EXACT = "torch SDPA"


def _families(results: Results) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    entries = suite(results, "peers")["measurements"]
    for family, group in groupby(entries, key=lambda entry: entry["setting"]["data"]):
        yield str(family), list(group)


def _methods(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(entry["method"] for entry in entries))


def _is_peer(entry: Mapping[str, Any]) -> bool:
    return entry["method"] != _EXACT and not entry["method"].startswith("low rank")


def _parameter(entry: Mapping[str, Any]) -> str:
    common = {"tokens", "d", "b", "data"}
    return ", ".join(f"{key} {value}" for key, value in entry["setting"].items() if key not in common)
