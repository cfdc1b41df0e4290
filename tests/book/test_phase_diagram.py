"""The explorable phase diagram: its numbers are the Python functions', by keyboard, on a phone, on paper."""

from __future__ import annotations

import re
from itertools import product

import pytest

from reductions.upper_bound.phase import (
    barrier_exponent,
    entry_criterion,
    fast_exponent,
    subquartic_criterion,
)

PAGE = "upper_bound/phase.html"
FIGURE = "figure.phase-diagram.ready"


@pytest.fixture
def diagram(page, base_url: str):
    page.goto(f"{base_url}/{PAGE}", wait_until="load")
    return page.locator(FIGURE)


def limits(diagram) -> list[float]:
    names = ("limit-logits", "limit-entries")
    return [float(diagram.locator(f"[data-value='{name}']").get_attribute("data-exact")) for name in names]


def test_the_script_computes_what_python_does(diagram):
    cases = list(
        product((0.1, 0.5, 1.0, 2.9, 4.0), (0.0, 0.01, 0.7, 3.0, 12.0), (0.0, 0.05, 1.0, 4.0), (2, 3))
    )
    found = diagram.page.evaluate(
        """cases => cases.map(([c, beta, kappa, sigma]) => [
            phaseDiagram.fastExponent(c, beta, kappa, sigma),
            phaseDiagram.subquarticCriterion(c, kappa, sigma),
            phaseDiagram.barrierExponent(c, beta, sigma)])""",
        cases,
    )
    for (c, beta, kappa, sigma), (exponent, limit, barrier) in zip(cases, found, strict=True):
        assert exponent == pytest.approx(fast_exponent(c, beta, kappa, sigma), rel=1e-11)
        assert limit == pytest.approx(subquartic_criterion(c, kappa, sigma), rel=1e-9)
        assert barrier == pytest.approx(barrier_exponent(c, beta, sigma), rel=1e-11, abs=1e-300)


def test_the_curve_is_drawn_where_it_belongs(diagram):
    drawn = diagram.locator("svg[data-panel='logits'] path.curve").get_attribute("d")
    points = [tuple(map(float, point.split())) for point in drawn[1:].split("L")]
    assert len(points) == 241
    for index in (0, 60, 120, 240):
        beta = 12 * (index / 240) ** 2
        x, y = points[index]
        assert x == pytest.approx(34 + 316 * beta / 12, abs=0.01)
        assert y == pytest.approx(214 - 184 * (fast_exponent(1, beta, 0) - 2) / 2, abs=0.01)


def test_sliders_by_keyboard(diagram):
    page = diagram.page
    assert limits(diagram) == pytest.approx([subquartic_criterion(1, 0), entry_criterion(1, 0)])
    sliders = {
        "c": page.get_by_role("slider", name=re.compile("dimension")),
        "kappa": page.get_by_role("slider", name=re.compile("accuracy")),
    }
    sliders["c"].focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert diagram.locator("[data-value='c']").inner_text() == "1.20"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert diagram.locator("[data-value='kappa']").inner_text() == "0.05"
    assert limits(diagram) == pytest.approx([subquartic_criterion(1.2, 0.05), entry_criterion(1.2, 0.05)])
    sliders["c"].press("Home")
    assert limits(diagram)[0] == pytest.approx(subquartic_criterion(0.1, 0.05))
    assert "over 100" in diagram.inner_text()


def test_no_hardness_where_polynomials_pass_the_gap_route(diagram):
    """Part 6 of the theorem: not below the c with H(c, 4) = 2, which is 0.71."""
    slider = diagram.page.get_by_role("slider", name=re.compile("dimension"))
    for c, drawn in ((0.7, 0), (0.75, 2)):
        assert (fast_exponent(c, 4, 0) < 4) is (drawn == 0)
        slider.fill(str(c))
        assert diagram.locator("rect.hard").count() == drawn
        assert diagram.locator("path.hard-limit").count() == drawn
        assert ("c is too small" in diagram.locator("svg").first.text_content()) is (drawn == 0)


def test_schedules(diagram):
    select = diagram.get_by_role("combobox")
    assert diagram.locator("path.hard-limit").count() == 2
    select.select_option("linear")
    assert limits(diagram) == pytest.approx([subquartic_criterion(1, 0, 3), entry_criterion(1, 0, 3)])
    assert diagram.locator("path.hard-limit").count() == 0  # the theorem speaks of 1, 2, 4, ..., n
    assert "exponent below 6" in diagram.inner_text()
    select.select_option("released")
    assert limits(diagram)[0] == pytest.approx(subquartic_criterion(1, 0))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_in_both_themes(diagram, scheme):
    page = diagram.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 900})
    assert diagram.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    boxes = [svg.bounding_box() for svg in diagram.locator("svg").all()]
    assert boxes[0]["y"] + boxes[0]["height"] < boxes[1]["y"]  # one below the other
    colour = "e => getComputedStyle(e).fill"
    text = diagram.locator("svg text").first.evaluate(colour)
    base = page.evaluate(
        "() => { const e = document.createElement('i'); e.style.color = 'var(--pst-color-text-base)';"
        " document.body.append(e); return getComputedStyle(e).color }"
    )
    assert text == base


def test_on_paper_the_drawing_stays_and_the_sliders_go(diagram):
    diagram.page.emulate_media(media="print")
    assert not diagram.locator(".phase-controls").is_visible()
    assert diagram.locator("svg[data-panel='logits'] path.curve").is_visible()


def test_without_scripts_the_reader_is_told(browser, base_url: str):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base_url}/{PAGE}")
    assert page.locator(".phase-fallback").is_visible()
    assert not page.locator(".phase-controls").is_visible()
    context.close()
