// What is of the whole page: paper shows what is folded, and a page that a server keeps fresh loads anew in its place.
"use strict";
(() => {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });

  const shown = document.body.dataset.live;
  if (!shown) return;
  const KEPT = "expiac-report", inputs = () => [...document.querySelectorAll("input[id], select[id]")];
  const status = document.getElementById("live");

  function keep() {
    sessionStorage.setItem(KEPT, JSON.stringify({
      y: scrollY, focus: document.activeElement?.id ?? "", domain: window.expiacCharts?.domain() ?? null,
      open: [...document.querySelectorAll("details[id]")].map((one) => [one.id, one.open]),
      values: inputs().map((one) => [one.id, one.type === "checkbox" ? one.checked : one.value]),
    }));
  }

  function restore() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    sessionStorage.removeItem(KEPT);
    if (!kept) return;
    for (const [id, open] of kept.open) { const one = document.getElementById(id); if (one) one.open = open; }
    for (const [id, value] of kept.values) {
      const one = document.getElementById(id);
      if (!one || id === "step") continue;
      if (one.type === "checkbox") one.checked = value; else one.value = value;
      one.dispatchEvent(new Event(one.tagName === "SELECT" ? "change" : "input", {bubbles: true}));
    }
    const step = kept.values.find(([id]) => id === "step");
    if (step) window.expiacPlayer?.show(Number(step[1]));
    window.expiacCharts?.zoom(kept.domain);
    document.getElementById(kept.focus)?.focus({preventScroll: true});
    requestAnimationFrame(() => requestAnimationFrame(() => scrollTo({top: kept.y, behavior: "instant"})));
  }

  async function look() {
    try {
      const answer = await fetch("version", {cache: "no-store"});
      const {version, note} = await answer.json();
      const isBusy = window.expiacPlayer?.isPlaying() || String(getSelection());
      if (version !== shown && !isBusy) {
        keep();
        location.reload();
        return;
      }
      status.textContent = note || (version === shown ? "This page follows the runs." : "There is news; it is shown when you have stopped the replay, or selected nothing.");
    } catch {
      status.textContent = "expiac report --serve has ended: this page stays as it is.";
    }
    setTimeout(look, 5000);
  }

  history.scrollRestoration = "manual";
  restore();
  setTimeout(look, 5000);
})();
