"use strict";
// Shared helpers, the first screen, and what it is made of. One page, no network.
const MARKS = { // at most seven colours (Okabe and Ito: safe for colour-blind readers), each with a mark
  published: { colour: "#0072b2", symbol: "circle", text: "\u25cf" },
  improved: { colour: "#e69f00", symbol: "square", text: "\u25a0" },
  exact: { colour: "#009e73", symbol: "diamond", text: "\u25c6" },
  whole: { colour: "#d55e00", symbol: "star", text: "\u2605" },
  yours: { colour: "#56b4e9", symbol: "x", text: "\u2716" } };
const SMALL = { margin: { l: 60, r: 15, t: 34, b: 45 }, font: { family: "system-ui", size: 12 },
  paper_bgcolor: "white", plot_bgcolor: "white" };
const CONFIG = { displaylogo: false, responsive: true, displayModeBar: false };
const CHOSEN = { instance: "", metric: "period", axis: "", against: "" };
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

// Plotly reads tags in texts: names of instances and methods are shown as they are
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;");
const percent = (x) => x === null ? "-" : (x * 100).toFixed(x && Math.abs(x) < 0.1 ? 1 : 0) + "%";
const times = (x) => x === null ? "-" : x.toFixed(x < 9.995 ? 2 : 1) + "\u00d7";
const groupOf = (method) => DATA.methods.find((m) => m.name === method).group;
const metricOf = (name) => DATA.metrics.find((m) => m.name === name);
const label = (name) => metricOf(name) ? metricOf(name).label : name;
const instances = () => CHOSEN.instance ? [CHOSEN.instance] : DATA.instances;
const geometric = (xs) => xs.length ? Math.exp(xs.reduce((s, x) => s + Math.log(x), 0) / xs.length) : null;
const title = (text) => ({ text, font: { size: 14 }, x: 0, xanchor: "left" });

function fill(id, ...children) {
  const box = document.getElementById(id);
  box.replaceChildren(...children);
  return box;
}

function named(method) { // a method with its group's mark
  const mark = MARKS[groupOf(method)];
  return [element("span", { class: "mark", style: `color:${mark.colour}`, "aria-hidden": "true" },
    mark.text), method];
}

function tableOf(headers, lines, left = [0]) {
  const head = element("tr");
  headers.forEach((h, i) => head.append(element("th", { scope: "col", class: left.includes(i) ? "left" : "" }, h)));
  const body = element("tbody");
  for (const line of lines) {
    const row = element("tr");
    line.forEach((cell, i) => row.append(cell instanceof HTMLTableCellElement ? cell :
      element(i ? "td" : "th", { class: left.includes(i) ? "left" : "", ...(i ? {} : { scope: "row" }) },
        ...[cell].flat())));
    body.append(row);
  }
  return element("table", {}, element("thead", {}, head), body);
}

// the first screen: each flow relative to the best known value, with the proved limit

function relative() {
  const own = DATA.gaps.filter((g) => g.metric === CHOSEN.metric && instances().includes(g.instance));
  const one = instances().length === 1;
  const y = (g) => plain(one ? g.method : g.instance);
  const traces = Object.entries(MARKS).map(([group, mark]) => {
    const found = own.filter((g) => groupOf(g.method) === group && value(g.value) > 0);
    return { type: "scatter", mode: "markers", name: group, y: found.map(y),
      x: found.map((g) => value(g.best) / value(g.value)), customdata: found.map((g) => g.key),
      marker: { color: mark.colour, symbol: mark.symbol, size: group === "whole" ? 13 : 10, opacity: 0.85,
        line: { width: found.map((g) => g.method === DATA.flow ? 2.5 : 0.5),
          color: found.map((g) => g.method === DATA.flow ? "#000" : "white") } },
      hovertext: found.map((g) => `${plain(g.instance)}: ${plain(g.method)}<br>` +
        `${label(g.metric)} ${short(value(g.value))}${g.mark}, best known ${short(value(g.best))}` +
        ` (${plain(g.best_by)})<br>end-to-end gap ${percent(g.gap)}, distance ${percent(g.to_best)}`),
      hoverinfo: "text" };
  }).filter((t) => t.x.length);
  const limits = new Map(own.filter((g) => value(g.bound) > 0 && value(g.best) > 0)
    .map((g) => [y(g), value(g.best) / value(g.bound)]));
  traces.unshift({ type: "scatter", mode: "lines", hoverinfo: "skip", showlegend: false,
    line: { color: "#999", width: 1 }, y: one ? [] : [...limits.keys()].flatMap((k) => [k, k, null]),
    x: one ? [] : [...limits.values()].flatMap((v) => [1, v, null]) });
  traces.push({ type: "scatter", mode: "markers", name: "proved limit", y: [...limits.keys()],
    x: [...limits.values()], marker: { symbol: "line-ns-open", size: 15, color: "#222", line: { width: 3 } },
    hovertext: [...limits].map(([k, v]) => `${k}: no mapping beyond ${v.toFixed(2)} (proved)`),
    hoverinfo: "text" });
  const rows = one ? DATA.methods.map((m) => plain(m.name)) : DATA.instances.map(plain);
  const what = CHOSEN.metric === "period" ? "throughput relative to the best known" :
    `best known ${label(CHOSEN.metric)} / value`;
  const ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];
  Plotly.react("relative", traces, { ...SMALL, height: Math.max(300, 110 + rows.length * Math.min(26, Math.max(15, (window.innerHeight - 320) / rows.length))), dragmode: false,
    margin: { l: 10, r: 12, t: 30, b: 40 }, title: title(what[0].toUpperCase() + what.slice(1)),
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 1, xanchor: "right" }, showlegend: false,
    xaxis: { type: "log", tickvals: ticks, ticktext: ticks.map(String), gridcolor: "#eee",
      title: { text: `${what} (1 = best known)` } },
    yaxis: { automargin: true, tickfont: { size: rows.length > 16 ? 10 : 12 }, dtick: 1, categoryorder: "array", categoryarray: rows.reverse(), gridcolor: "#f2f2f2" },
    shapes: [{ type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { color: "#444", width: 1 },
      layer: "below" }] }, CONFIG);
  const drawn = document.getElementById("relative");
  drawn.removeAllListeners("plotly_click");
  drawn.on("plotly_click", (event) => event.points[0].customdata && open_(event.points[0].customdata));
}

function legend() {
  const lines = Object.entries(DATA.groups).map(([group, about]) => element("div", {},
    element("span", { class: "mark", style: `color:${MARKS[group].colour}` }, MARKS[group].text),
    element("b", {}, group), `: ${about}`));
  lines.push(element("div", {}, element("span", { class: "mark" }, "|"), element("b", {}, "proved limit"),
    ": no mapping is beyond that keeps neurons whole which fit a crossbar"));
  if (DATA.methods.some((m) => m.name === DATA.flow)) lines.push(element("div", {},
    element("span", { class: "mark" }, "\u25ef"), "black ring: ", element("b", {}, DATA.flow),
    ", the published flow"));
  fill("legend", ...lines);
}

function bestOfGroups() {
  const metric = CHOSEN.metric;
  const lines = [];
  const mean = (xs) => xs.length ? xs.reduce((s, x) => s + x, 0) / xs.length : null;
  const line = (method) => {
    const own = DATA.gaps.filter((g) => g.method === method && g.metric === metric &&
      instances().includes(g.instance));
    const gaps = own.filter((g) => g.gap !== null).map((g) => g.gap);
    return { method, count: own.length, gap: gaps.length === own.length ? mean(gaps) : null,
      distance: mean(own.map((g) => g.to_best)), proved: own.filter((g) => g.mark).length };
  };
  const most = Math.max(0, ...DATA.methods.map((m) => line(m.name).count));
  for (const group of Object.keys(DATA.groups)) {
    const found = DATA.methods.filter((m) => m.group === group).map((m) => line(m.name))
      .filter((l) => l.count === most && l.distance !== null);
    const best = found.sort((a, b) => a.distance - b.distance)[0];
    const flow = found.find((l) => l.method === DATA.flow);
    if (flow) lines.push(flow);
    if (best && best !== flow) lines.push(best);
  }
  fill("best-of-groups", element("p", { class: "soft" }, `${DATA.flow} and the best of each group, ${label(metric)}: ` +
    `end-to-end gap, distance to the best known; mean over ${most} instance${most === 1 ? "" : "s"}`),
  tableOf(["method", "gap", "distance", "proved"], lines.map((l) => [named(l.method),
    percent(l.gap), percent(l.distance), `${l.proved}/${l.count}`])));
}

function answer() {
  const own = DATA.decisions;
  if (!own.length) return;
  const gain = geometric(own.map((d) => d.waterfall[d.waterfall.length - 1].factor));
  const bounded = own.filter((d) => d.limit !== null);
  let text = `On ${own.length} instance${own.length === 1 ? "" : "s"} the best mappings found have ` +
    `${times(gain)} the throughput of the published flow (${DATA.flow}; geometric mean).`;
  if (bounded.length) text += ` No mapping can have more than ${times(geometric(bounded.map((d) => d.limit)))}: ` +
    "that is proved for every clustering, binding and order, and for every decomposition of the neurons " +
    "that do not fit a crossbar.";
  document.getElementById("answer").textContent = text;
}

// which decision brings what

function waterfall() {
  const own = DATA.decisions.filter((d) => instances().includes(d.instance));
  const box = document.getElementById("decisions");
  box.hidden = !DATA.decisions.length;
  if (!own.length) { fill("waterfall"); fill("alone"); return; }
  const names = own[0].waterfall.map((s) => s.name);
  const factors = names.map((_, i) => geometric(own.map((d) => d.waterfall[i].factor)));
  const base = factors.map((_, i) => i && i < names.length - 1 ? factors[i - 1] : 0);
  const who = (i) => own.length > 1 ? "" : `<br>${plain(own[0].waterfall[i].method)}`;
  const limits = own.filter((d) => d.limit !== null).map((d) => d.limit);
  const limit = limits.length === own.length ? geometric(limits) : null;
  Plotly.react("waterfall", [{ type: "bar", x: names.map((n, i) => i && i < names.length - 1 ? `+ ${n}` : n),
    y: factors.map((f, i) => f - base[i]), base,
    marker: { color: factors.map((_, i) => i === 0 ? MARKS.published.colour : i === names.length - 1 ?
      MARKS.whole.colour : MARKS.improved.colour) },
    // above its bar, unless the proved limit is drawn there and the bar has room
    text: factors.map((f, i) => times(f) + who(i)), cliponaxis: false,
    textposition: factors.map((f, i) => limit !== null && limit - f < 0.15 * limit && f - base[i] > 0.3 * limit ?
      "inside" : "outside"), insidetextanchor: "end", textangle: 0,
    hoverinfo: "x+text" }], { ...SMALL, height: 330, dragmode: false,
    title: title(own.length > 1 ? `Throughput, times ${DATA.flow}'s: geometric mean over ${own.length} instances` :
      `Throughput, times ${DATA.flow}'s: ${plain(own[0].instance)}`),
    yaxis: { rangemode: "tozero", gridcolor: "#eee", range: [0, 1.22 * Math.max(limit || 0, ...factors)] },
    shapes: limit === null ? [] : [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: limit, y1: limit,
      line: { dash: "dash", color: "#222" } }],
    annotations: limit === null ? [] : [{ xref: "paper", x: 0, xanchor: "left", y: limit, yanchor: "bottom",
      text: `no mapping above ${times(limit)} (proved)`, showarrow: false }] }, CONFIG);
  const step = (s) => s.tried ? times(s.factor) : "-";
  fill("alone", tableOf(["instance", `period of ${DATA.flow}`, ...own[0].alone.map((s) => `${s.name} alone`),
    "everything", "by", "clusters", "proved limit", "gap"], own.map((d) => {
    const last = d.waterfall[d.waterfall.length - 1];
    return [d.instance, short(d.period), ...d.alone.map(step), times(last.factor) + last.mark, named(last.method),
      `${d.waterfall[0].clusters} \u2192 ${last.clusters}`, times(d.limit), percent(d.gap)];
  }), [0, own[0].alone.length + 3]));
}
