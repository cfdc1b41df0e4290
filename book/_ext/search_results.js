// Rank and quote the pages found, from SEARCH_TEXT: {page: [[anchor, heading, index entries, text], ...]}.
document.addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("search-results");
  const query = new URLSearchParams(window.location.search).get("q");
  if (!list || !query) return;
  const LENGTH = 240;
  const IN_HEADING = 1.5, IN_ENTRY = 1.5, IN_PAGE_TITLE = 0.5, PREFIX = 0.5; // weights beside one in the text
  const SHOWN = 0.15; // of the best result's score

  const stemmer = new Stemmer();
  const known = new Map();
  const stem = (word) => {
    if (!known.has(word)) known.set(word, stemmer.stemWord(word));
    return known.get(word);
  };
  const split = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const asked = split(query);
  const telling = asked.filter((word) => !stopwords.includes(word));
  const words = [...new Set(telling.length ? telling : asked)];
  const terms = [...new Set(words.map(stem))];

  // How often each term stands in a text; a longer word that begins with it counts in part.
  const counts = (text) => {
    const found = new Float64Array(terms.length);
    const all = split(text).map(stem);
    for (const word of all) {
      terms.forEach((term, i) => {
        if (word === term) found[i] += 1;
        else if (term.length > 2 && word.startsWith(term)) found[i] += PREFIX;
      });
    }
    return [found, all.length];
  };

  // One result a page: its best section, by the weight of rare words (BM25), which words stand in headings
  // and index entries, and how much of the question is there at all.
  const search = () => {
    const places = [];
    for (const [page, sections] of Object.entries(SEARCH_TEXT)) {
      const title = sections[0]?.[1] ?? "";
      for (const [anchor, heading, entries, text] of sections) {
        const [body, length] = counts(text);
        places.push({ page, title, anchor, heading, body, length, entries: counts(entries)[0] });
      }
    }
    const mean = places.reduce((sum, place) => sum + place.length, 0) / places.length;
    const rarity = terms.map((_, i) => {
      const holding = places.filter((place) => place.body[i] + place.entries[i] > 0).length;
      return Math.log(1 + (places.length - holding + 0.5) / (holding + 0.5));
    });
    const whole = rarity.reduce((sum, weight) => sum + weight, 0);
    const best = new Map();
    for (const place of places) {
      const heading = counts(place.heading)[0], title = counts(place.title)[0];
      let score = 0, held = 0;
      terms.forEach((_, i) => {
        const often = place.body[i] / (place.body[i] + 0.5 + 0.7 * (place.length / mean));
        const named = (field) => Math.min(1, field[i]);
        const value = 2 * often + IN_HEADING * named(heading) + IN_ENTRY * named(place.entries);
        if (value > 0) held += rarity[i];
        score += rarity[i] * (value + (value > 0 ? IN_PAGE_TITLE * named(title) : 0));
      });
      place.score = (score * held) / whole;
      if (place.score > (best.get(place.page)?.score ?? 0)) best.set(place.page, place);
    }
    const ranked = [...best.values()].sort((a, b) => b.score - a.score);
    return ranked.filter((place) => place.score >= SHOWN * ranked[0].score);
  };

  const escaped = (text) => {
    const element = document.createElement("i");
    element.textContent = text;
    return element.innerHTML;
  };
  // In the form that Sphinx shows, which takes the last first.
  Search._performSearch = () => {
    document.getElementById("search-progress")?.replaceChildren();
    return search().reverse().map(({ page, title, anchor, heading, score }) => {
      const first = anchor === SEARCH_TEXT[page][0][0];
      const name = first || !heading ? title : `${title} › ${heading}`;
      return [page, escaped(name), first ? "" : `#${anchor}`, null, score, page];
    });
  };

  // The stretch that holds most of the words, and the first such.
  const excerpt = (text) => {
    const lower = text.toLowerCase();
    let best = [0, 0];
    for (const term of terms) {
      for (let at = lower.indexOf(term); at >= 0; at = lower.indexOf(term, at + 1)) {
        const near = lower.slice(at, at + LENGTH / 2);
        const held = terms.filter((other) => near.includes(other)).length;
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
    if (!link || item.querySelector(":scope > .context")) return;
    const [page, id] = link.getAttribute("href").split("#");
    const sections = SEARCH_TEXT[decodeURIComponent(page).replace(/\.html$/, "")];
    if (!sections) return;
    const from = Math.max(0, sections.findIndex(([anchor]) => anchor === id));
    const quoted = document.createElement("p");
    quoted.className = "context";
    quoted.textContent = excerpt(sections.slice(from).map(([, , , text]) => text).join(" "));
    item.append(quoted);
    for (const word of words) _highlightText(quoted, word, "highlighted");
  };

  new MutationObserver(() => list.querySelectorAll("li").forEach(quote)).observe(list, {
    childList: true,
    subtree: true,
  });
});
