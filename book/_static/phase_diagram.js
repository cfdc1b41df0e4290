// The phase diagram (thm-phase), drawn for the constants that the reader chooses. The same formulas as in
// reductions/upper_bound/phase.py; a browser test compares the two.
(() => {
  // Where an increasing function reaches a target between two numbers.
  const bisect = (f, target, low, high) => {
    for (let step = 0; step < 200; step++) {
      const middle = (low + high) / 2;
      if (!(low < middle && middle < high)) break;
      if (f(middle) < target) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  // a cosh a - sinh a, by its series where the difference would cancel.
  const decay = (a) => {
    if (a >= 0.5) return a * Math.cosh(a) - Math.sinh(a);
    let term = a, total = 0;
    for (let k = 1; k < 12; k++) {
      term *= (a * a) / (2 * k * (2 * k + 1));
      total += 2 * k * term;
    }
    return total;
  };
  const lag = (a) => {
    if (a > 0.1) return a - Math.tanh(a);
    const s = a * a;
    return a * s * (1 / 3 - s * (2 / 15 - s * (17 / 315 - s * (62 / 2835 - (s * 1382) / 155925))));
  };
  const degreeRate = (rho, kappa) => {
    if (rho === 0 || kappa === 0) return rho;
    let high = 1;
    while (rho * decay(high) < kappa) high *= 2;
    return rho * Math.cosh(bisect(decay, kappa / rho, 0, high));
  };
  const rankRate = (c, gamma) =>
    c === 0 || gamma === 0 ? 0 : c * Math.log1p(gamma / c) + gamma * Math.log1p(c / gamma);
  const fastExponent = (c, beta, kappa, sigma = 2) =>
    Math.min(sigma + rankRate(c, degreeRate(beta, kappa)), 2 * sigma);
  const subquarticCriterion = (c, kappa, sigma = 2) => {
    if (c === 0) return Infinity;
    let most = 1;
    while (rankRate(c, most) < sigma) most *= 2;
    const gamma = bisect((rate) => rankRate(c, rate), sigma, 0, most);
    const target = kappa / gamma;
    return target < 700 ? gamma / Math.cosh(bisect(lag, target, 0, target + 2)) : 0;
  };
  const barrierExponent = (c, beta, sigma = 2) => {
    const used = Math.min(c, sigma / Math.LN2);
    const square = Math.tanh(beta / used) ** 2;
    const share = square / (1 + square);
    return share > 0 ? -used * (share * Math.log(share) + (1 - share) * Math.log1p(-share)) : 0;
  };
  window.phaseDiagram = { degreeRate, rankRate, fastExponent, subquarticCriterion, barrierExponent };

  const SVG = "http://www.w3.org/2000/svg";
  const SIGMA = { geometric: 2, released: 2, linear: 3 };
  const WIDTH = 360, HEIGHT = 250, LEFT = 34, RIGHT = 10, TOP = 30, BOTTOM = 36, STEPS = 240;
  const GAP_ROUTE = 8; // b / ln n of its instances; their R / sqrt(ln n) is at least sqrt(8)
  // Part 6: for smaller c, with H(c, 4) < 2, no lower bound of this kind can hold, however little is to be saved.
  const LEAST_HARD_DIMENSION = bisect((c) => rankRate(c, GAP_ROUTE / 2), 2, 0, 4);
  const TOO_SMALL = ["c is too small", "for the gap route"];
  const PANELS = {
    logits: { most: 12, step: 2, hard: GAP_ROUTE, rate: (x) => x, unit: "b / ln n", words: ["gap route: hard", "for d ≥ C ln n"] },
    entries: { most: 4, step: 1, hard: Math.sqrt(GAP_ROUTE), rate: (x) => x * x, unit: "R / √(ln n), at τ = d", words: ["gap route: hard", "somewhere here,", "depending on C"] },
  };
  const two = (x) => (x >= 100 ? "over 100" : x.toFixed(2));

  const element = (parent, name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };

  const draw = (svg, panel, { c, kappa, sigma, geometric }) => {
    svg.replaceChildren();
    const x = (value) => LEFT + ((WIDTH - LEFT - RIGHT) * value) / panel.most;
    const y = (exponent) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * (exponent - sigma)) / sigma;
    const bottom = HEIGHT - BOTTOM, right = WIDTH - RIGHT;
    const area = (from, to, name) =>
      element(svg, "rect", { x: from, y: TOP, width: Math.max(0, to - from), height: bottom - TOP, class: name });
    const criterion = subquarticCriterion(c, kappa, sigma);
    const limit = panel === PANELS.logits ? criterion : Math.sqrt(criterion);
    const edge = Math.min(x(limit), right);
    area(LEFT, edge, "easy");
    const hardness = geometric && c >= LEAST_HARD_DIMENSION;
    if (hardness) area(x(panel.hard), right, "hard");
    for (let tick = 0; tick <= panel.most; tick += panel.step) {
      element(svg, "text", { x: x(tick), y: bottom + 14, "text-anchor": "middle" }, `${tick}`);
    }
    for (let exponent = sigma; exponent <= 2 * sigma; exponent += 1) {
      element(svg, "path", { d: `M${LEFT} ${y(exponent)}H${right}`, class: "rule" });
      element(svg, "text", { x: LEFT - 6, y: y(exponent) + 4, "text-anchor": "end" }, `${exponent}`);
    }
    const curve = (exponent, name) => {
      const points = [];
      for (let i = 0; i <= STEPS; i++) {
        const value = panel.most * (i / STEPS) ** 2; // denser near 0, where the curve is steep
        points.push(`${x(value).toFixed(2)} ${y(exponent(panel.rate(value))).toFixed(2)}`);
      }
      element(svg, "path", { d: `M${points.join("L")}`, class: name });
    };
    curve((beta) => sigma + barrierExponent(c, beta, sigma), "barrier");
    curve((beta) => fastExponent(c, beta, kappa, sigma), "curve");
    if (x(limit) <= right) element(svg, "path", { d: `M${edge} ${TOP}V${bottom}`, class: "limit" });
    if (geometric) {
      if (hardness) element(svg, "path", { d: `M${x(panel.hard)} ${TOP}V${bottom}`, class: "hard-limit" });
      element(svg, "text", { x: right - 2, y: TOP - 8, "text-anchor": "end" }, "direct route: at ∞ →");
      (hardness ? panel.words : TOO_SMALL).forEach((line, index) => {
        const place = { x: right - 4, y: TOP + 18 + 15 * index, "text-anchor": "end" };
        element(svg, "text", index ? place : { ...place, class: "strong" }, line);
      });
    }
    if (edge - LEFT > 50) {
      element(svg, "text", { x: edge - 4, y: bottom - 8, "text-anchor": "end", class: "strong" }, "easy");
    }
    element(svg, "text", { x: (LEFT + right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, panel.unit);
    element(svg, "text", { x: 2, y: TOP - 8 }, "exponent of n");
    return limit;
  };

  const start = (figure) => {
    const input = (name) => figure.querySelector(`[name="${name}"]`);
    const output = (name) => figure.querySelector(`[data-value="${name}"]`);
    const update = () => {
      const schedule = input("schedule").value;
      const c = Number(input("c").value), kappa = Number(input("kappa").value);
      const choice = { c, kappa, sigma: SIGMA[schedule], geometric: schedule === "geometric" };
      output("c").textContent = c.toFixed(2);
      output("kappa").textContent = kappa.toFixed(2);
      for (const [name, panel] of Object.entries(PANELS)) {
        const limit = draw(figure.querySelector(`svg[data-panel="${name}"]`), panel, choice);
        output(`limit-${name}`).textContent = two(limit);
        output(`limit-${name}`).dataset.exact = limit;
      }
      for (const cap of figure.querySelectorAll('[data-value="exact"]')) cap.textContent = `${2 * choice.sigma}`;
      output("scope").textContent = choice.geometric && c < LEAST_HARD_DIMENSION
        ? "For so small a c no lower bound like the gap route's can hold, however little is to be saved (part 6)."
        : choice.geometric
        ? "Hard from the right-hand line on, for dimensions with a large enough constant C (it depends on how much is to be saved); in between, nothing is known."
        : "The lower bound is stated for the scales 1, 2, 4, ..., n, so no hard region is drawn for this schedule.";
    };
    figure.addEventListener("input", update);
    figure.classList.add("ready");
    update();
  };
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("figure.phase-diagram").forEach(start));
})();
