"""A new reader's questions, put to the search box and to the index, lead to their answers."""

from __future__ import annotations

from urllib.parse import quote_plus, urlsplit

BICUBIC = "questions.html#where-is-bicubic-interpolation-used"
FALSIFY = "questions.html#what-would-falsify-the-checks"
PCP = "questions.html#why-does-r-theta-sqrt-log-n-need-the-pcp"
RELEASED = "questions.html#what-does-the-theorem-say-about-the-released-256-pixel-model"

ASKED = {
    "why does R = Theta(sqrt(log n)) need the PCP?": PCP,
    "PCP sqrt log n": PCP,
    "PCP": PCP,
    "why the pcp": PCP,
    "where is bicubic interpolation used?": BICUBIC,
    "bicubic": BICUBIC,
    "bicubic upsampling": BICUBIC,
    "what would falsify the checks?": FALSIFY,
    "falsify": FALSIFY,
    "falsified check": FALSIFY,
    "what does the theorem say about the released 256-pixel model?": RELEASED,
    "256": RELEASED,
    "256 pixels": RELEASED,
    "released model": RELEASED,
    "hypothesis false": "questions.html#what-remains-if-the-hypothesis-is-false",
    "SETH": "problems/satisfiability.html",
    "seed start token constant maps": "lower_bound/collapse.html",
    "half assignment": "lower_bound/split_and_list.html",
    "flash attention": "practice/test_kernel.html",
    "read a badge": "intro.html#how-to-read-a-badge",
}

INDEXED = {
    "why the entry bound needs it": PCP,
    "where it is used": BICUBIC,
    "what would falsify it": FALSIFY,
    "what the theorems say of a released one": RELEASED,
}


def results(page) -> list[str]:
    """Wait for a search to end; return where its results lead, in order."""
    page.wait_for_function(
        "/finished|did not match/.test(document.querySelector('.search-summary').textContent)"
    )
    links = page.locator("#search-results ul.search > li > a")
    return [urlsplit(href)._replace(query="").geturl() for href in links.evaluate_all(HREFS)]


HREFS = "links => links.map(link => link.getAttribute('href'))"


def test_questions_in_natural_words(page, base_url: str) -> None:
    missed = []
    for question, answer in ASKED.items():
        page.goto(f"{base_url}/search.html?q={quote_plus(question)}")
        first = results(page)[:3]
        if not any(found == answer or found.startswith(f"{answer}#") for found in first):
            missed.append((question, first))
    assert missed == []


def test_the_search_box_by_keyboard(page, base_url: str) -> None:
    page.goto(f"{base_url}/upper_bound/degree.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("where is bicubic used")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    assert results(page)[0] == BICUBIC
    page.locator("#search-results a").first.press("Enter")
    page.wait_for_url(f"**/{BICUBIC.partition('#')[0]}*#*")
    assert "bicubic" in page.locator(":target").inner_text()


def test_a_word_that_is_nowhere(page, base_url: str) -> None:
    page.goto(f"{base_url}/search.html?q=zygomorphic")
    assert results(page) == []
    assert "did not match" in page.locator(".search-summary").inner_text()


def test_the_index_leads_to_the_answers(page, base_url: str) -> None:
    page.goto(f"{base_url}/genindex.html")
    for words, answer in INDEXED.items():
        href = page.get_by_role("link", name=words, exact=True).first.get_attribute("href")
        section = answer.partition("#")[2]
        page.goto(f"{base_url}/{href}")
        found = page.locator(":target").evaluate("target => target.closest('section').id")
        assert found == section
        page.go_back()
