"use strict";
// One page, no network: Plotly and the data travel gzipped inside it.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7f7f7f",
  "#b8a800", "#332288", "#aa4499", "#44aa99", "#882255"]; // Okabe-Ito, then Tol: colour-blind-safe
const LABEL = { clusters: "clusters", traffic: "traffic", spike_hops: "spike hops",
  period: "period", energy_pj: "energy" };
const SMALL = { margin: { l: 60, r: 15, t: 34, b: 45 }, font: { family: "system-ui", size: 12 },
  paper_bgcolor: "white", plot_bgcolor: "white" };
const CONFIG = { displaylogo: false, responsive: true };
let DATA = null;

async function unpack(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()),
    (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function value(text) { // exact fractions travel as "p/q"
  if (text === null || text === undefined || text === "") return null;
  const [p, q] = String(text).split("/").map(Number);
  return q ? p / q : p;
}

function short(number) {
  if (number === null || Number.isNaN(number)) return "-";
  if (Number.isInteger(number) && Math.abs(number) < 1e7) return number.toLocaleString("en");
  return Math.abs(number) < 1e6 ? number.toFixed(1) : number.toExponential(2);
}

const percent = (x) => x === null ? "-" : (x * 100).toFixed(x && Math.abs(x) < 0.1 ? 1 : 0) + "%";
const colourOf = (method) => COLOURS[DATA.methods.indexOf(method) % COLOURS.length];

function headline() {
  const table = element("table");
  const head = element("tr", {}, element("th", { scope: "col" }, "method"));
  for (const m of DATA.metrics) head.append(element("th", { scope: "col" }, LABEL[m]));
  head.append(element("th", { scope: "col" }, "proved rows"),
    element("th", { scope: "col" }, "mean time, s"));
  table.append(element("thead", {}, head));
  const body = element("tbody");
  for (const method of DATA.methods) {
    const line = element("tr", {}, element("th", { scope: "row" }, method));
    for (const metric of DATA.metrics) {
      const h = DATA.headline.find((x) => x.method === method && x.metric === metric);
      const cell = element("td");
      if (!h || h.mean === null) cell.append("-");
      else {
        cell.append(`${percent(h.mean)} (${percent(h.worst)})`);
        cell.append(element("span", { class: "gapbar", style: `width:${Math.round(h.mean * 50)}px`,
          "aria-hidden": "true" }));
        cell.append(element("span", { class: h.proved === h.counted ? "proved" : "soft" },
          ` ${h.proved}/${h.counted}`));
        cell.title = `${h.counted} instances, ${h.left_out} left out`;
      }
      line.append(cell);
    }
    const t = DATA.times.find((x) => x.method === method);
    line.append(element("td", {}, `${t.proved}/${t.rows}`), element("td", {}, short(t.mean_s)));
    body.append(line);
  }
  table.append(body);
  document.getElementById("headline").append(table);
}

function gapBars() {
  const choice = document.getElementById("metric");
  for (const m of DATA.metrics) choice.append(element("option", { value: m }, LABEL[m]));
  const draw = () => {
    const metric = choice.value;
    const traces = DATA.methods.map((method) => {
      const own = DATA.gaps.filter((g) => g.method === method && g.metric === metric);
      return { type: "bar", name: method, marker: { color: colourOf(method) },
        x: own.map((g) => g.instance), y: own.map((g) => g.gap === null ? null : g.gap * 100),
        text: own.map((g) => g.proved ? "*" : ""), textposition: "outside", cliponaxis: false,
        hovertext: own.map((g) => `${g.instance}, ${method}<br>value ${short(value(g.value))}` +
          (g.bound === null ? "<br>no bound" : `<br>bound ${short(value(g.bound))}` +
          ` (${g.bound_name}; ${g.scope})<br>gap ${percent(g.gap)}`) +
          `<br>over best known ${percent(g.to_best)}`), hoverinfo: "text" };
    });
    Plotly.react("gaps", traces, { ...SMALL, barmode: "group", height: 380,
      legend: { orientation: "h", y: -0.25 },
      title: { text: `Gap to the proven bound, ${LABEL[metric]} (* proved)`, font: { size: 14 }, x: 0, xanchor: "left" },
      yaxis: { title: { text: "gap, %" }, rangemode: "tozero", gridcolor: "#eee" } }, CONFIG);
  };
  choice.addEventListener("change", draw);
  draw();
}

function stages() {
  if (!DATA.stages.length) { document.getElementById("stage-section").remove(); return; }
  const table = element("table");
  const head = element("tr");
  for (const t of ["instance", "flow", "stage", "metric"])
    head.append(element("th", { scope: "col", class: "left" }, t));
  for (const t of ["value", "better", "loss", "sure"])
    head.append(element("th", { scope: "col" }, t));
  table.append(element("thead", {}, head));
  const body = element("tbody");
  for (const s of DATA.stages) {
    const line = element("tr");
    for (const t of [s.instance, s.flow, s.stage, LABEL[s.metric]])
      line.append(element("td", { class: "left" }, t));
    line.append(element("td", {}, short(value(s.value))), element("td", {}, short(value(s.better))));
    line.append(element("td", {}, percent(s.loss), element("span", { class: "gapbar",
      style: `width:${Math.round(s.loss * 80)}px`, "aria-hidden": "true" })));
    line.append(element("td", { class: s.sure === "proved" ? "proved" : "" }, s.sure));
    body.append(line);
  }
  table.append(body);
  document.getElementById("stages").append(table);
}

function profiles() {
  const step = (points) => ({ x: points.map((p) => p[0]), y: points.map((p) => p[1]) });
  const last = Math.max(1, ...Object.values(DATA.profile).flat().map((p) => p[0])) * 1.1;
  for (const points of Object.values(DATA.profile)) if (points.length)
    points.push([last, points[points.length - 1][1]]); // a step lasts to the edge of the picture
  const lines = (profile) => DATA.methods.filter((m) => profile[m] && profile[m].length).map((m) =>
    ({ ...step(profile[m]), name: m, mode: "lines+markers", marker: { size: 5 },
      line: { shape: "hv", color: colourOf(m) } }));
  Plotly.newPlot("profile", lines(DATA.profile), { ...SMALL, height: 360,
    title: { text: "Performance profile: period (Dolan and More)", font: { size: 14 }, x: 0, xanchor: "left" },
    xaxis: { type: "log", title: { text: "period / best of the methods shown" }, gridcolor: "#eee" },
    yaxis: { range: [0, 1.05], title: { text: "share of instances" }, gridcolor: "#eee" } }, CONFIG);
  Plotly.newPlot("dataprofile", lines(DATA.data_profile), { ...SMALL, height: 360,
    title: { text: "Data profile: rows proved in every stage", font: { size: 14 }, x: 0, xanchor: "left" },
    xaxis: { type: "log", title: { text: "seconds" }, gridcolor: "#eee" },
    yaxis: { range: [0, 1.05], title: { text: "share of rows" }, gridcolor: "#eee" } }, CONFIG);
}

const COLUMNS = [["instance", (r) => r.instance], ["method", (r) => r.method],
  ["seed", (r) => r.seed], ["decomp.", (r) => r.decomposition || "-"],
  ...["clusters", "traffic", "spike_hops", "period", "energy_pj"].map((m) =>
    [LABEL[m], (r) => r.metrics ? value(r.metrics[m]) : null]),
  ["status", (r) => r.status], ["check", (r) => r.check], ["s", (r) => r.wall_s]];
const TEXT = new Set([0, 1, 3, 9, 10]);

function rowTable() {
  const table = document.getElementById("rows");
  const head = element("tr");
  COLUMNS.forEach(([title], i) => {
    const button = element("button", { type: "button" }, title);
    const cell = element("th", { scope: "col", "aria-sort": "none" }, button);
    if (TEXT.has(i)) cell.classList.add("left");
    button.addEventListener("click", () => sortBy(i, cell));
    head.append(cell);
  });
  const body = element("tbody");
  table.append(element("thead", {}, head), body);
  for (const row of DATA.rows) {
    const line = element("tr", { class: "row", tabindex: "0", "data-key": row.key });
    COLUMNS.forEach(([, get], i) => {
      const found = get(row);
      const cell = element("td", { class: TEXT.has(i) ? "left" : "" },
        typeof found === "number" ? short(found) : found === null ? "-" : String(found));
      if (i === 10 && found !== "ok") cell.classList.add("bad");
      if (i === 9 && found === "optimal") cell.classList.add("proved");
      line.append(cell);
    });
    line.addEventListener("click", () => show(row, line));
    line.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); show(row, line); }
    });
    body.append(line);
  }
}

function sortBy(column, cell) {
  const body = document.querySelector("#rows tbody");
  const down = cell.getAttribute("aria-sort") === "ascending";
  for (const other of cell.parentNode.children) other.setAttribute("aria-sort", "none");
  cell.setAttribute("aria-sort", down ? "descending" : "ascending");
  const byKey = new Map(DATA.rows.map((row) => [row.key, COLUMNS[column][1](row)]));
  const lines = [...body.children];
  lines.sort((a, b) => {
    const [x, y] = [byKey.get(a.dataset.key), byKey.get(b.dataset.key)];
    if (x === y) return 0;
    if (x === null) return 1;
    if (y === null) return -1;
    return (x < y ? -1 : 1) * (down ? -1 : 1);
  });
  body.append(...lines);
}

function show(row, line) {
  for (const other of document.querySelectorAll("#rows tbody tr"))
    other.removeAttribute("aria-selected");
  line.setAttribute("aria-selected", "true");
  const box = document.getElementById("details");
  box.replaceChildren(element("h3", { id: "details-title" }, `${row.instance}: ${row.method}`));
  if (row.reason) box.append(element("p", { class: "bad" }, row.reason));
  if (row.network) {
    const n = row.network;
    box.append(element("p", { class: "soft" }, `${short(n.neurons)} neurons (${short(n.inputs)} ` +
      `inputs), ${short(n.synapses)} synapses, fan-in up to ${short(n.max_fan_in)}; ` +
      `${n.platform}${n.platform.includes("crossbars") ? "" : `, crossbars ${n.crossbars}`}; spikes: ${n.spikes_origin}`));
  }
  boundTable(row, box);
  if (row.critical_cycle && row.critical_cycle.length) {
    const list = element("ol");
    for (const step of row.critical_cycle.slice(0, 12)) list.append(element("li", {}, step));
    box.append(element("h3", {}, "Critical cycle: why it is no faster"), list);
    if (row.critical_cycle_length > 12)
      box.append(element("p", { class: "soft" }, `and ${row.critical_cycle_length - 12} more steps`));
  }
  const pictures = element("div", { class: "pictures" });
  box.append(pictures);
  anytime(row, pictures);
  const drawn = DATA.details[row.key];
  if (!drawn) { box.append(element("p", { class: "soft" }, "No mapping to draw.")); return; }
  tiles(drawn, pictures);
  heat(drawn, pictures);
  gantt(drawn, box);
  crossbars(drawn, box);
  for (const picture of pictures.children) Plotly.Plots.resize(picture); // the grid has settled
}

function boundTable(row, box) {
  const own = DATA.gaps.filter((g) => g.key === row.key);
  if (!own.length) return;
  const table = element("table");
  const head = element("tr");
  for (const t of ["metric", "value", "bound", "gap", "over best known", "bound by", "holds for"])
    head.append(element("th", { scope: "col" }, t));
  const body = element("tbody");
  for (const g of own) {
    const line = element("tr");
    for (const t of [LABEL[g.metric], short(value(g.value)), short(value(g.bound)),
      g.proved ? "0%, proved" : percent(g.gap), percent(g.to_best), g.bound_name, g.scope])
      line.append(element("td", {}, t));
    body.append(line);
  }
  table.append(element("thead", {}, head), body);
  box.append(element("div", { class: "scroll" }, table));
}

function anytime(row, pictures) {
  const traces = [];
  (row.claims || []).forEach((claim, i) => {
    if (!claim.trace.length) return;
    const colour = COLOURS[i % COLOURS.length];
    for (const [part, index, dash] of [["incumbent", 1, "solid"], ["bound", 2, "dot"]]) {
      const points = claim.trace.filter((p) => p[index] !== null);
      if (points.length) traces.push({ x: points.map((p) => p[0]), y: points.map((p) => value(p[index])),
        name: `${claim.metric}, ${part}`, mode: "lines+markers",
        line: { shape: "hv", dash, color: colour } });
    }
  });
  if (!traces.length) return;
  const box = element("div", { id: "anytime" });
  pictures.append(box);
  Plotly.newPlot(box, traces, { ...SMALL, height: 340, legend: { orientation: "h", y: -0.3 },
    title: { text: "Anytime: incumbent and bound", font: { size: 14 }, x: 0, xanchor: "left" },
    xaxis: { title: { text: "seconds within the stage" }, gridcolor: "#eee" },
    yaxis: { gridcolor: "#eee", type: "log" } }, CONFIG);
}

function place(drawn, tile) {
  return [tile % drawn.platform.width, Math.floor(tile / drawn.platform.width)];
}

function tiles(drawn, pictures) {
  const box = element("div", { id: "tiles" });
  pictures.append(box);
  const count = drawn.platform.crossbars.length;
  const held = Array.from({ length: count }, () => []);
  drawn.tile_of.forEach((t, k) => held[t].push(k));
  const x = [], y = [], label = [], size = [];
  held.forEach((clusters, t) => {
    const [cx, cy] = place(drawn, t);
    const side = Math.max(1, Math.ceil(Math.sqrt(clusters.length)));
    clusters.forEach((k, i) => {
      x[k] = cx + ((i % side) + 0.5) / side * 0.8 - 0.4;
      y[k] = cy + (Math.floor(i / side) + 0.5) / side * 0.8 - 0.4;
      label[k] = `cluster ${k} on tile ${t}<br>${drawn.columns[k]} units, ${drawn.rows[k]} rows` +
        `<br>${short(drawn.tau[k])} ticks`;
      size[k] = Math.max(4, 16 - side);
    });
  });
  const most = Math.max(1, ...drawn.channels.map((c) => c[2]));
  const lines = drawn.channels.map(([a, b, f]) => ({ x: [x[a], x[b]], y: [y[a], y[b]],
    mode: "lines", line: { width: 0.4 + 3 * f / most, color: "rgba(80,80,80,0.35)" },
    hoverinfo: "skip", showlegend: false }));
  const nodes = { x, y, text: label, hoverinfo: "text", mode: "markers", showlegend: false,
    marker: { size, color: drawn.tile_of.map((t) => COLOURS[t % COLOURS.length]),
      line: { width: 1, color: "white" } } };
  const shapes = held.map((_, t) => { const [cx, cy] = place(drawn, t);
    return { type: "rect", x0: cx - 0.46, x1: cx + 0.46, y0: cy - 0.46, y1: cy + 0.46,
      line: { color: "#999" }, layer: "below", fillcolor: "#f6f8fa" }; });
  const note = drawn.channels_left_out ? `, ${drawn.channels_left_out} weaker channels not drawn` : "";
  Plotly.newPlot(box, [...lines, nodes], { ...SMALL, height: 380, shapes,
    title: { text: `Clusters on tiles${note}`, font: { size: 14 }, x: 0, xanchor: "left" },
    xaxis: { visible: false }, yaxis: { visible: false, autorange: "reversed",
      scaleanchor: "x" } }, CONFIG);
}

function heat(drawn, pictures) {
  const box = element("div", { id: "traffic" });
  pictures.append(box);
  const count = drawn.platform.crossbars.length;
  const z = Array.from({ length: count }, () => Array(count).fill(0));
  for (const [u, v, f] of drawn.tile_traffic) z[u][v] = f;
  const most = Math.max(1, ...drawn.tile_traffic.map((c) => c[2])); // none at all is still 0 to 1
  Plotly.newPlot(box, [{ type: "heatmap", z, zmin: 0, zmax: most, colorscale: "Cividis",
    hovertemplate: "tile %{y} to tile %{x}: %{z} spikes<extra></extra>" }], { ...SMALL, height: 380,
    title: { text: "Spikes per iteration between tiles", font: { size: 14 }, x: 0, xanchor: "left" },
    xaxis: { title: { text: "to tile" }, dtick: count < 20 ? 1 : null },
    yaxis: { title: { text: "from tile" }, autorange: "reversed", dtick: count < 20 ? 1 : null } },
  CONFIG);
}

function gantt(drawn, box) {
  const { period, bars, left_out: leftOut } = drawn.gantt;
  if (!bars.length) return;
  const target = element("div", { id: "gantt" });
  box.append(target);
  const lanes = [...new Set(bars.map((b) => b[0] * 2 + b[1]))].sort((p, q) => p - q);
  const name = (lane) => `tile ${Math.floor(lane / 2)}${lane % 2 ? " NI" : ""}`;
  const groups = { cluster: [], send: [], critical: [] };
  for (const bar of bars) groups[bar[5] ? "critical" : bar[1] ? "send" : "cluster"].push(bar);
  const colour = { cluster: "#56b4e9", send: "#bbbbbb", critical: "#d55e00" };
  const traces = Object.entries(groups).filter(([, own]) => own.length).map(([kind, own]) => {
    const twice = own.flatMap((b) => [b, [...b.slice(0, 3), b[3] + period, ...b.slice(4)]]);
    return { type: "bar", orientation: "h", name: kind === "critical" ? "on the critical cycle" : kind,
      base: twice.map((b) => b[3]), x: twice.map((b) => b[4]),
      y: twice.map((b) => name(b[0] * 2 + b[1])),
      text: twice.map((b) => b[2]), textposition: "inside", insidetextanchor: "middle",
      marker: { color: colour[kind], line: { color: "white", width: 0.5 } },
      hovertext: twice.map((b) => `${b[1] ? "send" : "cluster"} ${b[2]}: start ${b[3]}, ${b[4]} ticks`),
      hoverinfo: "text" };
  });
  const order = lanes.map(name).reverse();
  Plotly.newPlot(target, traces, { ...SMALL, barmode: "overlay", margin: { ...SMALL.margin, l: 80 },
    height: 130 + 26 * lanes.length, legend: { orientation: "h", y: -0.25 },
    title: { text: `Static orders over two periods of ${short(period)} ticks` +
      (leftOut ? `, ${leftOut} actors not drawn` : ""), font: { size: 14 }, x: 0, xanchor: "left" },
    xaxis: { title: { text: "ticks" }, gridcolor: "#eee" },
    yaxis: { categoryorder: "array", categoryarray: order } }, CONFIG);
}

function crossbars(drawn, box) {
  box.append(element("h3", {}, "Crossbars: rows (sources) by columns (units); darker rows are shared" +
    " by more units"));
  const list = element("div", { class: "bars", id: "crossbars" });
  box.append(list);
  for (const bar of drawn.crossbars) {
    const [rows, columns] = bar.size;
    const canvas = element("canvas", { class: "crossbar", width: columns, height: rows, role: "img",
      "aria-label": `cluster ${bar.cluster}: ${bar.used[0]} of ${rows} rows, ${bar.used[1]} of ` +
        `${columns} columns used` });
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#f6f8fa";
    pen.fillRect(0, 0, columns, rows);
    const packed = Uint8Array.from(atob(bar.bits), (c) => c.charCodeAt(0));
    const bit = (i) => (packed[i >> 3] >> (7 - (i & 7))) & 1;
    for (let r = 0; r < bar.used[0]; r++) {
      let readers = 0;
      for (let c = 0; c < bar.used[1]; c++) readers += bit(r * bar.used[1] + c);
      const light = 75 - 55 * readers / Math.max(1, bar.used[1]);
      pen.fillStyle = `hsl(205 80% ${light}%)`;
      for (let c = 0; c < bar.used[1]; c++) if (bit(r * bar.used[1] + c)) pen.fillRect(c, r, 1, 1);
    }
    list.append(element("figure", {}, canvas, element("figcaption", {}, `cluster ${bar.cluster}: ` +
      `${bar.used[0]}/${rows} rows, ${bar.used[1]}/${columns} columns`)));
  }
  const more = drawn.tile_of.length - drawn.crossbars.length;
  if (more > 0) list.append(element("p", { class: "soft" }, `and ${more} more crossbars`));
}

(async () => {
  const [plotly, data] = await Promise.all([unpack("packed-plotly"), unpack("packed-data")]);
  document.head.append(element("script", {}, plotly));
  DATA = JSON.parse(data);
  headline(); gapBars(); stages(); profiles(); rowTable();
  document.body.dataset.ready = "yes";
})();
