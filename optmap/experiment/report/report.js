// One row in detail: bounds, critical cycle, tiles, loads, traffic, schedule, occupancy. And the start.

const SCALE = [[0, "#ffffff"], [0.25, "#c6dbef"], [0.6, "#4292c6"], [1, "#08306b"]]; // white is nothing

function open_(key) {
  const row = DATA.rows.find((r) => r.key === key);
  for (const other of document.querySelectorAll("#rows tbody tr")) {
    if (other.dataset.key === key) other.setAttribute("aria-selected", "true");
    else other.removeAttribute("aria-selected");
  }
  const box = document.getElementById("details");
  const heading = element("h3", { id: "details-title", tabindex: "-1" }, `${row.instance}: ${row.method}`);
  box.replaceChildren(heading);
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
  const drawn = DATA.details[row.key];
  if (drawn) gantt(drawn, box);
  const pictures = element("div", { class: "pictures" });
  box.append(pictures);
  if (drawn) { tiles(drawn, pictures); heat(drawn, pictures); loads(drawn, pictures); occupancy(drawn, pictures); }
  anytime(row, pictures);
  if (drawn) crossbars(drawn, box);
  else box.append(element("p", { class: "soft" }, "No mapping to draw."));
  for (const picture of pictures.children) Plotly.Plots.resize(picture); // the grid has settled
  box.scrollIntoView({ block: "start" });
  heading.focus({ preventScroll: true });
}

function boundTable(row, box) {
  const own = DATA.gaps.filter((g) => g.key === row.key);
  if (!own.length) return;
  box.append(element("div", { class: "scroll" }, tableOf(["end to end", "value", "proved bound", "gap", "best known",
    "distance", "bound by", "grade"], own.map((g) => [label(g.metric), short(value(g.value)) + g.mark,
    short(value(g.bound)), percent(g.gap) + (g.claimed === null ? "" : ` (${percent(g.claimed)}?)`),
    short(value(g.best)), percent(g.to_best), g.bound_name, g.grade]))));
  const stages = DATA.stages.filter((s) => s.instance === row.instance && s.method === row.method &&
    s.seed === row.seed);
  if (stages.length) box.append(element("div", { class: "scroll" }, tableOf(["stage", "gap to the optimum of", "value",
    "bound", "gap", "by", "grade"], stages.map((s) => [label(s.metric), s.optimum_of, short(value(s.value)),
    short(value(s.bound)), percent(s.gap) + s.proved, s.by, s.grade]), [0, 1])));
}

function anytime(row, pictures) {
  for (const claim of row.claims || []) {
    const traces = [["incumbent", 1, "solid", "#0072b2"], ["bound", 2, "dot", "#222"]].map(([name, i, dash, color]) => {
      const points = claim.trace.filter((p) => p[i] !== null);
      return { x: points.map((p) => p[0]), y: points.map((p) => value(p[i])), name, mode: "lines+markers",
        line: { shape: "hv", dash, color } };
    }).filter((t) => t.x.length);
    if (!traces.length) continue;
    const box = element("div");
    pictures.append(box);
    Plotly.newPlot(box, traces, { ...SMALL, height: 320, legend: { orientation: "h", y: -0.3 },
      title: title(`Anytime: ${label(claim.metric)}`), xaxis: { title: { text: "seconds within the stage" },
        gridcolor: "#eee" }, yaxis: { gridcolor: "#eee" } }, CONFIG);
  }
}

function tiles(drawn, pictures) {
  const box = element("div", { id: "tiles" });
  pictures.append(box);
  const count = drawn.platform.crossbars.length, width = drawn.platform.width;
  const held = Array.from({ length: count }, () => []);
  drawn.tile_of.forEach((t, k) => held[t].push(k));
  const x = [], y = [], text = [], size = [];
  held.forEach((clusters, t) => {
    const [cx, cy] = [t % width, Math.floor(t / width)];
    const side = Math.max(1, Math.ceil(Math.sqrt(clusters.length)));
    clusters.forEach((k, i) => {
      x[k] = cx + ((i % side) + 0.5) / side * 0.8 - 0.4;
      y[k] = cy + (Math.floor(i / side) + 0.5) / side * 0.8 - 0.4;
      text[k] = `cluster ${k} on tile ${t}<br>${drawn.columns[k]} units, ${drawn.rows[k]} rows` +
        `<br>${short(drawn.tau[k])} ticks`;
      size[k] = Math.max(4, 16 - side);
    });
  });
  const shown = drawn.channels.slice(0, 60); // the strongest come first
  const left = drawn.channels.length + drawn.channels_left_out - shown.length;
  const most = Math.max(1, ...shown.map((c) => c[2]));
  const lines = shown.map(([a, b, f]) => ({ x: [x[a], x[b]], y: [y[a], y[b]], mode: "lines",
    line: { width: 0.4 + 3 * f / most, color: "rgba(80,80,80,0.35)" }, hoverinfo: "skip", showlegend: false }));
  const nodes = { x, y, text, hoverinfo: "text", mode: "markers", showlegend: false,
    marker: { size, color: drawn.tau, colorscale: SCALE, line: { width: 1, color: "#333" },
      colorbar: { title: { text: "ticks" }, thickness: 12 } } };
  const shapes = held.map((_, t) => { const [cx, cy] = [t % width, Math.floor(t / width)];
    return { type: "rect", x0: cx - 0.46, x1: cx + 0.46, y0: cy - 0.46, y1: cy + 0.46,
      line: { color: "#999" }, layer: "below", fillcolor: "#f6f8fa" }; });
  Plotly.newPlot(box, [...lines, nodes], { ...SMALL, height: 360, shapes,
    title: title(left ? `Clusters on tiles; ${shown.length} strongest of ${left + shown.length} channels` :
      "Clusters on tiles"), xaxis: { visible: false },
    yaxis: { visible: false, autorange: "reversed", scaleanchor: "x" } }, CONFIG);
}

function heat(drawn, pictures) {
  const count = drawn.platform.crossbars.length;
  if (count < 2) return;
  const box = element("div", { id: "traffic" });
  pictures.append(box);
  const z = Array.from({ length: count }, () => Array(count).fill(0));
  for (const [u, v, f] of drawn.tile_traffic) if (u !== v) z[u][v] = f; // inside a tile nothing travels
  const most = Math.max(1, ...z.flat());
  Plotly.newPlot(box, [{ type: "heatmap", z, zmin: 0, zmax: most, colorscale: SCALE,
    colorbar: { thickness: 12 }, hovertemplate: "tile %{y} to tile %{x}: %{z} spikes<extra></extra>" }], { ...SMALL,
    height: 360, title: title("Spikes per iteration from tile to tile"),
    xaxis: { title: { text: "to tile" }, dtick: count < 20 ? 1 : null, constrain: "domain" },
    yaxis: { title: { text: "from tile" }, autorange: "reversed", dtick: count < 20 ? 1 : null, scaleanchor: "x" } },
  CONFIG);
}

function loads(drawn, pictures) {
  const box = element("div", { id: "loads" });
  pictures.append(box);
  const load = Array(drawn.platform.crossbars.length).fill(0);
  drawn.tau.forEach((t, k) => { load[drawn.tile_of[k]] += t; });
  const many = load.length > 40;
  const period = drawn.gantt.period;
  const line = period === null || many ? [] : [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: period, y1: period,
    line: { dash: "dash", color: "#222" } }];
  Plotly.newPlot(box, [many ? { type: "histogram", x: load, marker: { color: "#56b4e9" } } :
    { type: "bar", x: load.map((_, t) => t), y: load, marker: { color: "#56b4e9" } }], { ...SMALL, height: 320,
    title: title(many ? "Tiles by their load" : "Load of each tile; dashed: the period"), shapes: line,
    xaxis: { title: { text: many ? "ticks per iteration" : "tile" }, dtick: many || load.length > 20 ? null : 1 },
    yaxis: { title: { text: many ? "tiles" : "ticks per iteration" }, gridcolor: "#eee", rangemode: "tozero" } },
  CONFIG);
}

function occupancy(drawn, pictures) {
  const box = element("div", { id: "occupancy" });
  pictures.append(box);
  const share = (used, side) => used.map((n, k) => 99.99 * n / drawn.platform.crossbars[drawn.tile_of[k]][side]);
  const bins = { start: 0, end: 100, size: 10 };
  Plotly.newPlot(box, [["rows", drawn.rows, 0, "#0072b2"], ["columns", drawn.columns, 1, "#e69f00"]].map(
    ([name, used, side, color]) => ({ type: "histogram", name, x: share(used, side), xbins: bins,
      marker: { color } })), { ...SMALL, height: 320, barmode: "group", legend: { orientation: "h", y: -0.3 },
    title: title(`Occupancy of ${drawn.tile_of.length} crossbars`), bargap: 0.1,
    xaxis: { title: { text: "% used" }, range: [0, 101] }, yaxis: { title: { text: "crossbars" }, gridcolor: "#eee" } },
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
  const colour = { cluster: "#a6d5f2", send: "#cccccc", critical: "#f0a36b" };
  const end = Math.max(...bars.map((b) => b[3] + b[4])) + period;
  const pixels = (target.clientWidth || 900) - 110;
  const fits = (b) => b[4] / end * pixels >= 7 * b[2].length + 4; // a label that does not fit is in the hover text
  const traces = Object.entries(groups).filter(([, own]) => own.length).map(([kind, own]) => {
    const twice = own.flatMap((b) => [b, [...b.slice(0, 3), b[3] + period, ...b.slice(4)]]);
    return { type: "bar", orientation: "h", name: kind === "critical" ? "on the critical cycle" : kind,
      base: twice.map((b) => b[3]), x: twice.map((b) => b[4]), y: twice.map((b) => name(b[0] * 2 + b[1])),
      text: twice.map((b) => fits(b) ? b[2] : ""), textposition: "inside", insidetextanchor: "middle", textangle: 0,
      constraintext: "none", insidetextfont: { size: 11, color: "#111" },
      marker: { color: colour[kind], line: { color: "white", width: 0.5 } },
      hovertext: twice.map((b) => `${b[1] ? "send" : "cluster"} ${b[2]}: start ${b[3]}, ${b[4]} ticks`),
      hoverinfo: "text" };
  });
  Plotly.newPlot(target, traces, { ...SMALL, barmode: "overlay", bargap: 0.15, margin: { ...SMALL.margin, l: 80 },
    height: 130 + (lanes.length > 24 ? 18 : 26) * lanes.length, legend: { orientation: "h", y: -0.25 },
    title: title(`Static orders over two periods of ${short(period)} ticks` +
      (leftOut ? `; ${leftOut} actors not drawn` : "")), xaxis: { title: { text: "ticks" }, gridcolor: "#eee" },
    yaxis: { categoryorder: "array", categoryarray: lanes.map(name).reverse() } }, CONFIG);
}

function crossbars(drawn, box) {
  box.append(element("h3", {}, "Telling crossbars: rows (sources) by columns (units); darker rows are shared by more units"));
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
      pen.fillStyle = `hsl(205 80% ${75 - 55 * readers / Math.max(1, bar.used[1])}%)`;
      for (let c = 0; c < bar.used[1]; c++) if (bit(r * bar.used[1] + c)) pen.fillRect(c, r, 1, 1);
    }
    list.append(element("figure", {}, canvas, element("figcaption", {}, `${bar.why}: cluster ${bar.cluster}, ` +
      `${bar.used[0]}/${rows} rows, ${bar.used[1]}/${columns} columns`)));
  }
}

function redraw() { relative(); bestOfGroups(); waterfall(); matrix(); losses(); filterRows(); }

(async () => {
  const [plotly, data] = await Promise.all([unpack("packed-plotly"), unpack("packed-data")]);
  document.head.append(element("script", {}, plotly));
  DATA = JSON.parse(data);
  const choose = (id, options) => {
    const choice = document.getElementById(id);
    for (const [text, name] of options) choice.append(element("option", { value: name }, text));
    choice.value = CHOSEN[id];
    choice.addEventListener("change", () => { CHOSEN[id] = choice.value; redraw(); });
  };
  choose("instance", [["all", ""], ...DATA.instances.map((i) => [i, i])]);
  choose("metric", DATA.metrics.filter((m) => m.gap).map((m) => [m.label, m.name]));
  answer(); legend(); rowTable(); headline(); redraw(); profiles();
  document.body.dataset.ready = "yes";
})();
