"""Typical pages by the Tab key alone: every stop is seen, and every link of the text is one."""

from __future__ import annotations

import pytest

PAGES = [
    "intro.html",
    "lower_bound/split_and_list.html",
    "upper_bound/phase.html",
    "graph.html",
    "practice/command_line.html",
]
MOST = 600  # stops

# Number what the text lets a reader reach, to compare it with what Tab reaches.
PREPARE = """() => {
  const seen = e => e.checkVisibility({ visibilityProperty: true });
  const stops = document.querySelectorAll('article :is(a[href], button, input, select, summary)');
  const wanted = [...stops].filter(seen);
  wanted.forEach((e, i) => { e.dataset.stop = i });
  return wanted.length;
}"""
STOP = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect();
  const style = getComputedStyle(e), shape = e.closest('svg') && e.querySelector('polygon, path, ellipse');
  const marked = (style.outlineStyle !== 'none' && style.outlineWidth !== '0px') || style.boxShadow !== 'none'
    || (shape && parseFloat(getComputedStyle(shape).strokeWidth) > 3);
  const across = box.width > 1 && box.right > 0 && box.left < innerWidth;
  const inView = across && box.bottom > 0 && box.top < innerHeight;
  return {
    stop: e.dataset.stop, marked, inView, inMain: !!e.closest('main'), formula: e.matches('mjx-container'),
    name: `${e.tagName} ${(e.getAttribute('aria-label') || e.textContent || '').trim().slice(0, 40)}`,
  };
}"""


@pytest.mark.parametrize("path", PAGES)
def test_a_walk_by_tab(page, base_url: str, path: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # so that a stop stands still when it is looked at
    page.goto(f"{base_url}/{path}")
    page.wait_for_function("async () => { await window.MathJax?.startup?.promise; return true }")
    wanted = page.evaluate(PREPARE)
    page.keyboard.press("Tab")
    first = page.evaluate(STOP)
    assert first["name"] == "A Skip to main content"
    page.wait_for_function("document.activeElement.getBoundingClientRect().top >= 0")  # it slides in
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(STOP)["inMain"]  # past the contents
    reached, faults = set(), []
    for _ in range(MOST):
        stop = page.evaluate(STOP)
        if stop is None:
            break
        reached.add(stop["stop"])
        if not stop["marked"] or not stop["inView"] or stop["formula"]:
            faults.append(stop)
        page.keyboard.press("Tab")
    assert faults == []
    assert {str(index) for index in range(wanted)} <= reached
