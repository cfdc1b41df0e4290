// Quote from each page found, from the text in SEARCH_TEXT: {page: [[section id, its text], ...]}.
document.addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("search-results");
  const query = new URLSearchParams(window.location.search).get("q");
  if (!list || !query) return;
  const [, stems, , words] = Search._parseQuery(query);
  const LENGTH = 240;

  // The stretch that holds most of the words, and the first such.
  const excerpt = (text) => {
    const lower = text.toLowerCase();
    let best = [0, 0];
    for (const stem of stems) {
      for (let at = lower.indexOf(stem); at >= 0; at = lower.indexOf(stem, at + 1)) {
        const near = lower.slice(at, at + LENGTH / 2);
        const held = [...stems].filter((other) => near.includes(other)).length;
        if (held > best[0]) best = [held, at];
      }
    }
    const from = best[1] < 90 ? 0 : text.indexOf(" ", best[1] - 90) + 1;
    const cut = text.slice(from, from + LENGTH);
    const whole = from + LENGTH >= text.length;
    return (from ? "… " : "") + (whole ? cut : cut.slice(0, cut.lastIndexOf(" ")) + " …");
  };

  const quote = (item) => {
    const link = item.querySelector("a");
    if (!link || item.querySelector(":scope > .context, :scope > span")) return;
    const [page, id] = link.getAttribute("href").split("#");
    const sections = SEARCH_TEXT[decodeURIComponent(page).replace(/\.html$/, "")];
    if (!sections) return;
    const from = Math.max(0, sections.findIndex(([section]) => section === id));
    const quoted = document.createElement("p");
    quoted.className = "context";
    quoted.textContent = excerpt(sections.slice(from).map(([, text]) => text).join(" "));
    item.append(quoted);
    for (const word of words) _highlightText(quoted, word, "highlighted");
  };

  new MutationObserver(() => list.querySelectorAll("li").forEach(quote)).observe(list, {
    childList: true,
    subtree: true,
  });
  list.querySelectorAll("li").forEach(quote);
});
