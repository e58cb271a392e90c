// Draws the charts of sweeps, whose data the page has.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  async function draw(place) {
    const sweep = data.sweeps[Number(place.dataset.sweep)], name = place.dataset.sweepChart;
    const spec = {...(name === "slice" ? sweep.slices[Number(place.dataset.slice)] : sweep[name])};
    spec.config = expiacTheme;
    spec.description = place.closest("figure").querySelector("figcaption").textContent.trim();
    await vegaEmbed(place, spec, {actions: false, renderer: "svg", ast: true, tooltip: {disableDefaultStyle: true}});
  }

  document.querySelectorAll("[data-sweep-chart]").forEach(draw);
})();
