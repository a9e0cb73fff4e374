// One row in detail: bounds, critical cycle, tiles, loads, traffic, schedule, occupancy. And the start.

function open_(key) {
  const row = DATA.rows.find((r) => r.key === key);
  for (const other of document.querySelectorAll("#rows tbody tr")) {
    if (other.dataset.key === key) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
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
  draw(DATA.pictures[row.key], box);
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

// the schedule and the crossbars are as wide as the page, the others stand side by side

function draw(pictures, box) {
  if (!pictures.tiles) box.append(element("p", { class: "soft" }, "No mapping to draw."));
  const side = element("div", { class: "pictures" });
  const place = (name, parent) => {
    const { data, layout } = pictures[name];
    const drawn = element("div", { id: name, role: "img", "aria-label": layout.title.text });
    parent.append(drawn);
    Plotly.newPlot(drawn, data, layout, CONFIG);
  };
  if (pictures.schedule) place("schedule", box);
  box.append(side);
  for (const name of Object.keys(pictures)) if (name !== "schedule" && name !== "crossbars") place(name, side);
  if (pictures.crossbars) place("crossbars", box);
  for (const picture of side.children) Plotly.Plots.resize(picture); // the grid has settled
}

function redraw() { relative(); bestOfGroups(); waterfall(); matrix(); platforms(); losses(); filterRows(); }

// paper is narrower than most windows: pictures are drawn again for it, and for the window after it

const PAPER = 1000;

function drawnAt(width) {
  for (const picture of document.querySelectorAll(".js-plotly-plot"))
    Plotly.relayout(picture, width ? { width: Math.min(width, picture.offsetWidth) } : { width: null, autosize: true });
}

addEventListener("beforeprint", () => drawnAt(PAPER));
addEventListener("afterprint", () => drawnAt(null));

(async () => {
  const [plotly, data] = await Promise.all([unpack("packed-plotly"), unpack("packed-data")]);
  document.head.append(element("script", {}, plotly));
  DATA = JSON.parse(data);
  const choose = (id, options) => {
    const choice = document.getElementById(id);
    for (const [text, name] of options) choice.append(element("option", { value: name }, text));
    if (!CHOSEN[id] && options.length) CHOSEN[id] = options[0][1];
    choice.value = CHOSEN[id];
    choice.addEventListener("change", () => { CHOSEN[id] = choice.value; redraw(); });
  };
  choose("instance", [["all", ""], ...DATA.instances.map((i) => [i, i])]);
  choose("metric", DATA.metrics.filter((m) => m.gap).map((m) => [m.label, m.name]));
  choose("axis", DATA.platforms.axes.map((a) => [`${a.name}: ${a.text}`, a.name]));
  choose("against", DATA.platforms.against.map((m) => [label(m), m]));
  answer(); legend(); rowTable(); headline(); redraw(); profiles();
  document.body.dataset.ready = "yes";
})();
