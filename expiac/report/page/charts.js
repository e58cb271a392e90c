// Draws the curves: one line and band for each arm, of the values in the page. Smooths, zooms and changes axes.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const control = (id) => document.getElementById(id);
  if (!control("controls")) return;
  const views = new Map();
  let domain = null;
  const ends = [Math.min(...data.charts.map((chart) => chart.steps[0])),
                Math.max(...data.charts.map((chart) => chart.steps.at(-1)))];

  // An exponential moving average, corrected for its beginning; a gap stays a gap.
  function smooth(values, weight) {
    if (!weight) return values;
    let sum = 0, share = 0;
    return values.map((value) => {
      if (value === null) return null;
      sum = weight * sum + (1 - weight) * value;
      share = weight * share + (1 - weight);
      return sum / share;
    });
  }

  function rowsOf(chart, settings) {
    const rows = [];
    const curves = new Map(Object.entries(chart.values).map(([run, values]) => [run, smooth(values, settings.weight)]));
    for (const arm of data.arms) {
      const members = arm.runs.filter((run) => curves.has(run)).map((run) => curves.get(run));
      chart.steps.forEach((step, place) => {
        const known = members.map((member) => member[place]);
        if (!known.length || known.includes(null)) return;
        const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
        rows.push({kind: "arm", arm: arm.label, step, mean, low: Math.min(...known), high: Math.max(...known), runs: known.length});
      });
    }
    for (const run of settings.eachRun ? data.runs : []) {
      (curves.get(run.instance) ?? []).forEach((value, place) => {
        if (value !== null) rows.push({kind: "run", arm: data.arms[run.arm].label, run: run.name, step: chart.steps[place], mean: value});
      });
    }
    return rows;
  }

  function settingsNow() {
    return {weight: Number(control("smoothing").value), logY: control("log-y").checked, logX: control("log-x").checked,
            eachRun: control("each-run").checked};
  }

  function specOf(chart, rows, settings) {
    const spec = structuredClone(data.spec);
    spec.datasets = {points: rows};
    for (const layer of spec.layer) {
      layer.encoding.x.scale = {type: settings.logX ? "log" : "linear", nice: false, ...(domain ? {domain} : {})};
      layer.encoding.y.scale = {type: settings.logY ? "log" : "linear", zero: false};
      layer.encoding.y.axis = {title: null};
      if (layer.mark.type === "point" && chart.steps.length <= 20) layer.encoding.opacity = {value: 1};
    }
    spec.config = expiacTheme;
    spec.description = described(chart, rows);
    return spec;
  }

  function described(chart, rows) {
    const last = new Map(rows.filter((row) => row.kind === "arm").map((row) => [row.arm, row]));
    const words = [...last.values()].map((row) => `${row.arm}: ${row.mean.toPrecision(4)} at ${row.step}`);
    return `${chart.metric} over ${data.step}. The last means: ${words.join("; ") || "none"}`;
  }

  // Of the nearest point, Vega-Lite 6.4 looks for a name in the mark instead of in the mark's row.
  function patched(vega) {
    for (const mark of vega.marks.filter((one) => one.name?.endsWith("_voronoi"))) {
      const tooltip = mark.encode.update.tooltip;
      tooltip.signal = tooltip.signal.replaceAll(/(?<!datum\.)datum\["arm"\]/g, 'datum.datum["arm"]');
    }
    return vega;
  }

  async function draw(index) {
    const chart = data.charts[index], settings = settingsNow();
    let rows = rowsOf(chart, settings);
    const all = rows.length;
    if (domain) rows = rows.filter((row) => row.step >= domain[0] && row.step <= domain[1]);
    const within = rows.length;
    if (settings.logY) rows = rows.filter((row) => row.mean > 0 && !(row.low <= 0));
    if (settings.logX) rows = rows.filter((row) => row.step > 0);
    const remarks = [];
    if (!all) remarks.push("no step at which all runs of an arm have a value");
    if (all && !within) remarks.push("nothing in the steps that are shown");
    if (rows.length < within) remarks.push(`${within - rows.length} points at 0 or below are left out: a logarithm has no place for them`);
    document.getElementById(`remark-${index}`).textContent = remarks.join("; ");
    const place = document.getElementById(`plot-${index}`);
    views.get(index)?.finalize();
    const errorsAlone = 1;  // it warns of each layer without rows, such as that of single runs
    const result = await vegaEmbed(place, specOf(chart, rows, settings), {
      logLevel: errorsAlone, actions: false, renderer: "svg", ast: true, patch: patched, tooltip: {disableDefaultStyle: true}});
    views.set(index, result);
    let brush = null;
    result.view.addSignalListener("zoom", (_, value) => { brush = value?.step ?? null; });
    place.onpointerup = () => setTimeout(() => {
      if (brush && brush[1] > brush[0]) zoom(brush.map(Number));
    });
    place.ondblclick = () => zoom(null);
  }

  function drawAll() {
    const weight = Number(control("smoothing").value);
    control("smoothing-value").value = weight.toFixed(2);
    const words = weight ? `Smoothed: each point keeps ${Math.round(weight * 100)} % of the moving average of those before `
      + "(exponential, run by run, before the mean and the band). The tables are not smoothed." : "Not smoothed.";
    control("smoothing-note").textContent = domain
      ? `${words} Steps ${Math.round(domain[0]).toLocaleString("en")} to ${Math.round(domain[1]).toLocaleString("en")} are shown.` : words;
    document.querySelectorAll("[data-chart]").forEach((figure) => {
      if (figure.checkVisibility?.() ?? true) draw(Number(figure.dataset.chart));
    });
  }

  let waits = 0;
  function redraw() {
    cancelAnimationFrame(waits);
    waits = requestAnimationFrame(drawAll);
  }

  function zoom(to) {
    const [low, high] = ends;
    domain = to && (to[0] > low || to[1] < high) ? [Math.max(low, to[0]), Math.min(high, to[1])] : null;
    redraw();
  }

  function move(scale, shift) {
    const [low, high] = domain ?? ends;
    const width = Math.min((high - low) * scale, ends[1] - ends[0]);
    const middle = (low + high) / 2 + shift * (high - low);
    const start = Math.min(Math.max(middle - width / 2, ends[0]), ends[1] - width);
    if (width > 0) zoom([start, start + width]);
  }

  control("controls").hidden = false;
  control("controls").onsubmit = (event) => event.preventDefault();
  control("controls").oninput = redraw;
  control("zoom-in").onclick = () => move(0.5, 0);
  control("zoom-out").onclick = () => move(2, 0);
  control("zoom-left").onclick = () => move(1, -0.25);
  control("zoom-right").onclick = () => move(1, 0.25);
  control("zoom-reset").onclick = () => zoom(null);
  control("more-charts")?.addEventListener("toggle", redraw);
  window.expiacCharts = {domain: () => domain, zoom};
  redraw();
})();
