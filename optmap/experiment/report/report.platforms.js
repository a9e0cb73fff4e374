// Platforms that were varied: each method along an axis with the proved limit, and the fronts.

const LINES = ["#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#7f7f7f"];
const SIGNS = ["circle", "square", "diamond", "triangle-up", "x", "star", "cross"];
const MOST_PANELS = 24; // more are counted, not drawn

function lookOf(method) {
  const i = DATA.methods.findIndex((m) => m.name === method);
  return { color: LINES[i % LINES.length], symbol: SIGNS[Math.floor(i / LINES.length + i) % SIGNS.length] };
}

const scale = (numbers) => Math.max(...numbers) > 5 * Math.min(...numbers) && Math.min(...numbers) > 0 ?
  { type: "log" } : { type: "linear", rangemode: "tozero" };

function panel(box, name, traces, layout) { // one picture with a name for readers that do not see it
  const drawn = element("div", { role: "img", "aria-label": name });
  box.append(drawn);
  Plotly.newPlot(drawn, traces, { ...SMALL, height: 320, margin: { l: 66, r: 12, t: 34, b: 42 }, dragmode: false,
    showlegend: false, ...layout }, CONFIG);
  drawn.on("plotly_click", (event) => event.points[0].customdata && open_(event.points[0].customdata));
}

function keyOf(box, methods, signs) { // one legend for all panels
  const line = element("p", { class: "soft" });
  const order = (m) => DATA.methods.findIndex((known) => known.name === m);
  for (const method of methods.sort((a, b) => order(a) - order(b))) line.append(element("span", { class: "mark",
    style: `color:${lookOf(method).color}`, "aria-hidden": "true" }, "\u25ac"), `${method}  `);
  line.append(...signs);
  box.append(line);
}

function overAxis() {
  const axis = CHOSEN.axis, metric = CHOSEN.metric;
  const own = DATA.platforms.lines.filter((l) => l.axis === axis && l.metric === metric &&
    (!CHOSEN.instance || l.instances.includes(CHOSEN.instance)));
  const cases = [...new Set(own.map((l) => l.case))];
  const per = metric === "period", turn = (x) => x === null ? null : per ? 1e6 / x : x;
  const box = fill("curves");
  if (!own.length) { box.append(element("p", { class: "soft" }, "No method has two values of this axis here.")); return; }
  keyOf(box, [...new Set(own.map((l) => l.method))], ["- - ", "proved: no mapping beyond"]);
  const grid = element("div", { class: "pictures" });
  box.append(grid);
  const what = per ? "inferences per 10\u2076 ticks" : metricOf(metric).title;
  for (const name of cases.slice(0, MOST_PANELS)) {
    const lines = own.filter((l) => l.case === name);
    const limits = new Map();
    for (const l of lines) l.at.forEach((v, i) => {
      if (l.limits[i] !== null && l.limits[i] > 0) limits.set(v, Math.max(l.limits[i], limits.get(v) || 0)); });
    const at = [...limits.keys()].sort((a, b) => a - b);
    const traces = lines.map((l) => ({ type: "scatter", mode: "lines+markers", name: plain(l.method), x: l.at,
      y: l.values.map(turn), customdata: l.keys, line: { color: lookOf(l.method).color, width: 2 },
      marker: { size: 8, symbol: lookOf(l.method).symbol },
      hovertext: l.at.map((v, i) => `${plain(l.method)}, ${axis} ${v}<br>${label(metric)} ${short(l.values[i])}` +
        `, proved bound ${short(l.limits[i])}`), hoverinfo: "text" }));
    traces.push({ type: "scatter", mode: "lines", name: "proved limit", x: at, y: at.map((v) => turn(limits.get(v))),
      line: { color: "#222", dash: "dash", width: 1.5 }, hoverinfo: "skip" });
    const values = DATA.platforms.axes.find((a) => a.name === axis).values;
    panel(grid, `${what} of ${name} over ${axis}, ${lines.length} methods and the proved limit`, traces, {
      title: title(plain(name)), xaxis: { type: values[0] > 0 ? "log" : "linear", tickvals: values,
        ticktext: values.map(String), title: { text: axis }, gridcolor: "#eee" },
      yaxis: { ...scale(traces.flatMap((t) => t.y)), title: { text: what }, gridcolor: "#eee", exponentformat: "SI" } });
  }
  for (const drawn of grid.children) Plotly.Plots.resize(drawn); // the grid has settled
  if (cases.length > MOST_PANELS) box.append(element("p", { class: "soft" },
    `${cases.length - MOST_PANELS} more in curves.csv: choose an instance.`));
}

function fronts() {
  const metric = CHOSEN.against;
  const own = DATA.platforms.fronts.filter((f) => f.metric === metric &&
    (!CHOSEN.instance || f.points.some((p) => p.instance === CHOSEN.instance)));
  const box = fill("fronts");
  if (!own.length) return;
  keyOf(box, [...new Set(own.flatMap((f) => f.points.map((p) => p.method)))],
    ["\u2605 on the front and proved: no mapping on these platforms beats it in both;  \u25cf on the front, open;  \u25cb beaten"]);
  const grid = element("div", { class: "pictures" });
  box.append(grid);
  for (const f of own.slice(0, MOST_PANELS)) {
    const kinds = [["beaten", f.points.filter((p) => !p.on)], ["on the front", f.points.filter((p) => p.on)]];
    const traces = kinds.map(([kind, points]) => ({ type: "scatter", mode: "markers", name: kind,
      x: points.map((p) => p.period), y: points.map((p) => p.value), customdata: points.map((p) => p.key),
      marker: { size: points.map((p) => p.on ? 12 : 7), color: points.map((p) => lookOf(p.method).color),
        opacity: kind === "beaten" ? 0.55 : 1,
        symbol: points.map((p) => !p.on ? "circle-open" : p.proved ? "star" : "circle") },
      hovertext: points.map((p) => `${plain(p.instance)}: ${plain(p.method)}<br>period ${short(p.period)}, ` +
        `${label(metric)} ${short(p.value)}`), hoverinfo: "text" }));
    const stairs = kinds[1][1].slice().sort((a, b) => a.period - b.period);
    traces.unshift({ type: "scatter", mode: "lines", x: stairs.map((p) => p.period), y: stairs.map((p) => p.value),
      line: { shape: "hv", color: "#999", width: 1 }, hoverinfo: "skip" });
    const proved = stairs.filter((p) => p.proved).length;
    panel(grid, `period against ${label(metric)} of ${f.network}: ${stairs.length} of ${f.points.length} mappings ` +
      `on the front, ${proved} proved`, traces, { title: title(plain(f.network)),
      xaxis: { ...scale(f.points.map((p) => p.period)), title: { text: "period, ticks" }, gridcolor: "#eee" },
      yaxis: { ...scale(f.points.map((p) => p.value)), title: { text: metricOf(metric).title }, gridcolor: "#eee", exponentformat: "SI" } });
  }
  for (const drawn of grid.children) Plotly.Plots.resize(drawn);
  if (own.length > MOST_PANELS) box.append(element("p", { class: "soft" },
    `${own.length - MOST_PANELS} more networks: choose an instance.`));
}

function platforms() {
  const section = document.getElementById("platforms");
  section.hidden = !DATA.platforms.lines.length;
  document.getElementById("to-platforms").hidden = section.hidden;
  if (!section.hidden) { overAxis(); fronts(); }
}
