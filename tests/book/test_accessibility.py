"""Every page against axe-core's rules for WCAG 2.1 A and AA, in the light and the dark theme."""

from __future__ import annotations

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "resultTypes": ["violations"],
    "preload": False,  # axe would fetch imported style sheets from the wrong folder
}
AT_ONCE = "* { animation: none !important; transition: none !important; }"  # what fades in is pale
READY = "async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; return true }"


def test_no_page_breaks_a_rule(page, base_url: str, pages: list[str]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    page.emulate_media(reduced_motion="reduce")
    faults = []
    for path in pages:
        if path.startswith("source/") and path != "source/checks/lower_bound/split_and_list/__init__.py.html":
            continue  # one of them stands for all: they have no prose
        page.goto(f"{base_url}/{path}")
        page.wait_for_function(READY)
        page.add_style_tag(content=AT_ONCE)
        page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
        for scheme in ("light", "dark"):  # to typeset a page takes longer than to look at it
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
            for violation in axe.run(page, options=RULES).response["violations"]:
                where = [str(node["target"][0]) for node in violation["nodes"]]
                faults.append(f"{path}, {scheme}: {violation['id']} ({len(where)}), such as {where[0]}")
    assert faults == []
