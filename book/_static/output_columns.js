// Printed tables keep their columns in a narrow window, and scroll; by keyboard too. Long lines are no rows.
document.addEventListener("DOMContentLoaded", () => {
  const LONGEST_ROW = 110;
  for (const output of document.querySelectorAll("div.cell_output pre")) {
    const lines = output.textContent.split("\n");
    if (lines.every((line) => line.length <= LONGEST_ROW)) output.classList.add("columns");
    const scrolls = () => {
      const wide = output.scrollWidth > output.clientWidth + 1;
      if (wide) output.setAttribute("tabindex", "0");
      else output.removeAttribute("tabindex");
    };
    if (output.classList.contains("columns")) new ResizeObserver(scrolls).observe(output);
  }
});
