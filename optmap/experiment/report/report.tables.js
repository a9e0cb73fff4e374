// The tables of the page: methods by instances, headline, stages, rows.

function matrix() {
  const metric = CHOSEN.metric, shown = instances();
  const found = new Map(DATA.gaps.filter((g) => g.metric === metric).map((g) => [`${g.method}\n${g.instance}`, g]));
  const head = element("tr", {}, element("th", { scope: "col" }, metricOf(metric).title));
  for (const i of shown) head.append(element("th", { scope: "col" }, i));
  const body = element("tbody");
  for (const group of Object.keys(DATA.groups)) {
    body.append(element("tr", { class: "group-head" }, element("th", { colspan: shown.length + 1, scope: "rowgroup" },
      group)));
    for (const { name } of DATA.methods.filter((m) => m.group === group)) {
      const line = element("tr", {}, element("th", { scope: "row" }, ...named(name)));
      for (const i of shown) {
        const g = found.get(`${name}\n${i}`);
        if (!g) { line.append(element("td", {}, "-")); continue; }
        const cell = element("td", { class: "open", tabindex: "0",
          style: `background:rgba(213,94,0,${(0.42 * Math.min(1, g.to_best)).toFixed(3)})`,
          title: `${i}, ${name}: ${short(value(g.value))}; bound ${short(value(g.bound))} ${g.bound_name} ${g.grade}` +
            `; best known ${short(value(g.best))} (${g.best_by})` },
        element("span", { class: g.mark ? "proved" : "" }, short(value(g.value)) + g.mark), element("br"),
        element("span", { class: "soft" }, `${percent(g.gap)} / ${percent(g.to_best)}` +
          (g.claimed === null ? "" : ` (${percent(g.claimed)}?)`)));
        activate(cell, () => open_(g.key));
        line.append(cell);
      }
      body.append(line);
    }
  }
  fill("matrix", element("table", {}, element("thead", {}, head), body));
}

function activate(target, run) { // by mouse and by keyboard
  target.addEventListener("click", run);
  target.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); run(); }
  });
}

function headline() {
  const metrics = DATA.metrics.filter((m) => m.gap);
  const lines = DATA.methods.map(({ name }) => {
    const t = DATA.times.find((x) => x.method === name);
    return [named(name), ...metrics.map((m) => {
      const h = DATA.headline.find((x) => x.method === name && x.metric === m.name);
      const cell = element("td", { title: h ? `${h.counted} instances, ${h.left_out} left out` : "" });
      if (!h || h.distance === null) cell.append("-");
      else cell.append(`${percent(h.mean)} / ${percent(h.distance)} `,
        element("span", { class: "proved" }, h.proved));
      return cell;
    }), `${t.solved}/${t.rows}`, short(t.mean_s)];
  });
  fill("headline", tableOf(["method", ...metrics.map((m) => m.label), "mapped", "mean time, s"], lines));
}

function losses() {
  const own = DATA.losses.filter((s) => instances().includes(s.instance));
  document.getElementById("stages").hidden = !DATA.losses.length && !DATA.stages.length;
  fill("losses", own.length ? tableOf(["instance", "flow", "stage", "metric", "value", "better", "loss", "sure"],
    own.map((s) => [s.instance, s.flow, s.stage, label(s.metric), short(value(s.value)), short(value(s.better)),
      percent(s.loss), s.sure]), [0, 1, 2, 3]) : "");
  const stages = DATA.stages.filter((s) => instances().includes(s.instance) && s.metric === CHOSEN.metric);
  const kinds = [...new Set(stages.map((s) => s.optimum_of))];
  const found = new Map(stages.map((s) => [`${s.instance}\n${s.method}\n${s.seed}\n${s.optimum_of}`, s]));
  const rows = DATA.rows.filter((r) => kinds.some((k) => found.has(`${r.instance}\n${r.method}\n${r.seed}\n${k}`)));
  if (!CHOSEN.instance && DATA.instances.length > 1)
    fill("stage-gaps", element("p", { class: "soft screen" }, "Choose an instance above to see its rows."));
  else fill("stage-gaps", tableOf([`${label(CHOSEN.metric)}: row`, ...kinds.map((k) => `gap to the optimum of ${k}`)],
    rows.map((r) => [named(r.method), ...kinds.map((k) => {
      const s = found.get(`${r.instance}\n${r.method}\n${r.seed}\n${k}`);
      return s ? element("td", { title: `${s.value}, bound ${s.bound} by ${s.by}, ${s.grade}` },
        percent(s.gap) + s.proved) : "-";
    })])));
}

function profiles() {
  const dashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
  const last = Math.max(1, ...Object.values(DATA.profile).flat().map((p) => p[0])) * 1.1;
  for (const points of Object.values(DATA.profile)) if (points.length)
    points.push([last, points[points.length - 1][1]]); // a step lasts to the edge of the picture
  const lines = (profile) => DATA.methods.filter((m) => profile[m.name] && profile[m.name].length).map((m) => {
    const peers = DATA.methods.filter((x) => x.group === m.group);
    return { x: profile[m.name].map((p) => p[0]), y: profile[m.name].map((p) => p[1]), name: plain(m.name),
      legendgroup: m.group, mode: "lines", hovertemplate: `${plain(m.name)}: %{y:.0%} within %{x:.3g}<extra></extra>`,
      line: { shape: "hv", color: MARKS[m.group].colour, width: m.name === DATA.flow ? 3.5 : 1.6,
        dash: dashes[peers.indexOf(m) % dashes.length] } };
  });
  const axes = { yaxis: { range: [0, 1.05], tickformat: ".0%", gridcolor: "#eee" },
    legend: { font: { size: 10 }, tracegroupgap: 4 } };
  // paper cannot scroll: the legend, a line a method, stands whole beside the curves
  const tall = (profile) => Math.max(400, 120 + 20 * lines(profile).length);
  Plotly.newPlot("profile", lines(DATA.profile), { ...SMALL, ...axes, height: tall(DATA.profile),
    title: title("Performance profile: period (Dolan and More)"),
    xaxis: { type: "log", title: { text: "period / best of the methods shown" }, gridcolor: "#eee" } }, CONFIG);
  Plotly.newPlot("dataprofile", lines(DATA.data_profile), { ...SMALL, ...axes, height: tall(DATA.data_profile),
    title: title("Data profile: rows whose every stage is proved"),
    xaxis: { type: "log", title: { text: "seconds" }, gridcolor: "#eee" } }, CONFIG);
}

let COLUMNS = [];

function rowTable() {
  const gapped = DATA.metrics.filter((m) => m.gap);
  COLUMNS = [["instance", (r) => r.instance, "left"], ["method", (r) => r.method, "left"], ["seed", (r) => r.seed],
    ["decomp.", (r) => r.decomposition || "-", "left"],
    ...gapped.map((m) => [m.label, (r) => r.metrics ? value(r.metrics[m.name]) : null]),
    ["status", (r) => r.status === "optimal" ? "all stages" : r.status, "left"],
    ["check", (r) => r.check, "left"], ["s", (r) => r.wall_s]];
  const head = element("tr");
  COLUMNS.forEach(([text, , left], i) => {
    const cell = element("th", { scope: "col", "aria-sort": "none", class: left || "" },
      element("button", { type: "button" }, text));
    cell.firstChild.addEventListener("click", () => sortBy(i, cell));
    head.append(cell);
  });
  const body = element("tbody");
  document.getElementById("rows").replaceChildren(element("thead", {}, head), body);
  for (const row of DATA.rows) {
    const line = element("tr", { class: "row", tabindex: "0", "data-key": row.key,
      "aria-label": `${row.instance}, ${row.method}: show the mapping` });
    for (const [text, get, left] of COLUMNS) {
      const found = get(row);
      const cell = element("td", { class: left || "" }, ...(text === "method" ? named(found) :
        [typeof found === "number" ? short(found) : found === null ? "-" : String(found)]));
      if (text === "check" && found !== "ok") cell.classList.add("bad");
      line.append(cell);
    }
    activate(line, () => open_(row.key));
    body.append(line);
  }
}

function filterRows() {
  for (const line of document.querySelectorAll("#rows tbody tr"))
    line.hidden = !instances().includes(DATA.rows.find((r) => r.key === line.dataset.key).instance);
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
    if (x === null || x === undefined) return 1;
    if (y === null || y === undefined) return -1;
    return (x < y ? -1 : 1) * (down ? -1 : 1);
  });
  body.append(...lines);
}
