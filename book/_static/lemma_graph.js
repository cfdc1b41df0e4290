// Dim everything that the node under the pointer or the focus neither rests on nor supports.
document.addEventListener("DOMContentLoaded", () => {
  for (const figure of document.querySelectorAll("figure.lemma-graph")) {
    const uses = JSON.parse(figure.dataset.uses);
    const usedBy = {};
    for (const [id, used] of Object.entries(uses)) {
      for (const other of used) (usedBy[other] ??= []).push(id);
    }
    const reach = (start, next) => {
      const found = new Set([start]);
      for (const id of found) for (const other of next[id] ?? []) found.add(other);
      return found;
    };
    const region = figure.querySelector(".lemma-graph-scroll");
    const hint = () => figure.classList.toggle("scrolls", region.scrollWidth > region.clientWidth + 1);
    new ResizeObserver(hint).observe(region);
    const nodes = [...figure.querySelectorAll(".node")];
    const edges = [...figure.querySelectorAll(".edge")];
    const nodeId = (node) => node.dataset.statement;
    const clear = () => figure.querySelectorAll(".dimmed").forEach((part) => part.classList.remove("dimmed"));
    const show = (id) => {
      const sides = [reach(id, uses), reach(id, usedBy)];
      const both = (...ids) => sides.some((side) => ids.every((other) => side.has(other)));
      for (const node of nodes) node.classList.toggle("dimmed", !both(nodeId(node)));
      for (const edge of edges) {
        edge.classList.toggle("dimmed", !both(...edge.dataset.ends.split(" ")));
      }
    };
    // Listeners stand on the figure: an SVG element with a focus listener would be a tab stop of its own.
    const follow = (event) => {
      const node = event.target.closest(".node");
      if (node) show(nodeId(node));
    };
    for (const event of ["mouseover", "focusin"]) figure.addEventListener(event, follow);
    for (const event of ["mouseout", "focusout"]) figure.addEventListener(event, clear);
    figure.addEventListener("keydown", (event) => event.key === "Escape" && clear());
  }
});
