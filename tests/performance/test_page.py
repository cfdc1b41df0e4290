"""The tables and figures of the book's page, from a document made by hand."""

import pytest

from checks.performance import page


def entry(method, setting, seconds, *, error=None, speed=None):
    ratio = None if speed is None else {"median": speed, "low": speed, "high": speed}
    return {
        "method": method,
        "setting": setting,
        "seconds": [[seconds]],
        "baseline": None,
        "speed_up": ratio,
        "error": error,
        "certified_error": None,
        "extra": {},
    }


@pytest.fixture
def results():
    peers = [
        entry("torch SDPA", {"data": "uniform"}, 1.0, error=1e-7),
        entry("low rank", {"data": "uniform", "degree": 2}, 0.01, error=1e-2, speed=100.0),
        entry("low rank", {"data": "uniform", "degree": 4}, 0.1, error=1e-4, speed=10.0),
        entry("FAVOR+", {"tokens": 9, "data": "uniform", "features": 64}, 0.05, error=1e-3, speed=20.0),
        entry("FAVOR+", {"tokens": 9, "data": "uniform", "features": 256}, 0.5, error=None, speed=2.0),
    ]
    growth = [entry(name, {"n": n}, n**2.0) for name in ("fast", "exact") for n in (2, 4, 8)]
    exponents = {f"fitted exponent, {name}": 2.0 for name in ("fast", "exact")}
    target = {"name": "speed", "relation": ">=", "goal": 2.0, "measured": 3.0, "met": True, "note": "<b>"}
    machine = {"processor": "p", "architecture": "a", "cores": 2, "threads": 2, "python": "3"}
    return {
        "size": "quick",
        "seed": 0,
        "seconds": 1.0,
        "machine": machine | {"packages": {"numpy": "2"}},
        "suites": [
            {"name": "peers", "title": "P", "measurements": peers, "targets": [target], "figures": {}},
            {"name": "scaling", "title": "S", "measurements": growth, "targets": [], "figures": exponents},
        ],
    }


def test_the_best_peer_is_the_fastest_of_no_larger_error(results):
    first, second = page.best_peers(results).rows
    assert first == ("uniform, g = 2", "1.0e-02", "10 ms", "FAVOR+ (features 64)", "50 ms", "5x")
    assert second == ("uniform, g = 4", "1.0e-04", "100 ms", "none reaches it", "", "")


def test_tables_as_html_and_text(results):
    table = page.targets(results)
    assert table.rows == (("speed", "≥\N{NO-BREAK SPACE}2", "3", "met (<b>)"),)
    assert "met (&lt;b&gt;)" in table._repr_html_()
    assert "≥\N{NO-BREAK SPACE}2" in repr(table)
    assert page.speed_ups(results, "peers").rows[1][3] == "100x"
    assert page.figures(results, "scaling").rows[0] == ("fitted exponent, fast", "2.00")
    assert ("numpy", "2") in page.circumstances(results).rows
    with pytest.raises(ValueError, match="Argument 'name' must be a suite that was run, not 'gemm'"):
        page.suite(results, "gemm")


def test_figures(results):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawing = page.scaling_figure(results)
    (axes,) = drawing.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "fast: exponent 2.00",
        "exact: exponent 2.00",
    ]
    plt.close(drawing)
    for family in ("clustered", "coherent", "near-threshold"):
        first = [
            dict(item, setting=item["setting"] | {"data": family})
            for item in results["suites"][0]["measurements"][:5]
        ]
        results["suites"][0]["measurements"] += first
    drawing = page.peers_figure(results)
    assert [axes.get_title() for axes in drawing.axes] == [
        "uniform",
        "clustered",
        "coherent",
        "near-threshold",
    ]
    plt.close(drawing)


def test_durations_and_numbers():
    assert page.duration(2.0) == "2.00 s"
    assert page.duration(0.0123) == "12.3 ms"
    assert page.short(1234.5) == "1,234"
    assert page.short(1.2345) == "1.23"
