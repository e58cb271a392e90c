// The list of changes, the search, the keys, the colours and the paper.
"use strict";
(() => {
  const {element} = expiacDiff, {detail, isShort, plural} = expiacDetail;
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const main = byId("detail"), list = byId("groups"), search = byId("search"), help = byId("help"), theme = byId("theme");
  const state = {at: 0, job: 0, text: false, isSideBySide: matchMedia("(min-width: 60rem)").matches};
  const items = data.groups.map(item);
  const sought = [];

  function item(group, at) {
    const names = group.jobs.slice(0, 3).map((one) => one.job).join(", ") + (group.jobs.length > 3 ? ", …" : "");
    const stacks = [...new Set(group.jobs.map((one) => one.set))];
    const where = stacks.slice(0, 2).join(", ") + (stacks.length > 2 ? ", …" : "");
    const button = element("button", {type: "button"}, element("span", {class: `kind ${group.kind}`}, group.kind),
      element("span", {class: "names"}, names), element("small", {}, `${where} · ${plural(group.jobs.length, "job")}`));
    button.addEventListener("click", () => { show(at); main.scrollIntoView({block: "nearest"}); });
    return element("li", {}, button);
  }

  // The words of a group: names, key paths and values, and what a new or removed file says.
  function words(group) {
    const found = group.jobs.flatMap((one) => [one.set, one.job]);
    for (const file of group.files) for (const row of file.rows) found.push(...row.filter(Boolean));
    for (const [path, values] of group.varies ?? []) found.push(path, ...values);
    for (const file of group.jobs[0].files) {
      found.push(file.name);
      if (!isShort(group)) for (const place of file.lines) found.push(data.lines[place]);
    }
    return found.join("\n").toLowerCase();
  }

  const shown = () => items.map((_, at) => at).filter((at) => !items[at].hidden);

  function filter() {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    data.groups.forEach((group, at) => {
      if (asked.length) sought[at] ??= words(group);
      items[at].hidden = !asked.every((word) => sought[at].includes(word));
      count += items[at].hidden ? 0 : 1;
    });
    byId("found").textContent = asked.length ? `${count.toLocaleString("en")} of ${plural(items.length, "change")}` : plural(items.length, "change");
    if (count && items[state.at].hidden) show(shown()[0]);
  }

  function show(at, job = 0) {
    items[state.at]?.firstChild.removeAttribute("aria-current");
    Object.assign(state, {at, job});
    items[at].firstChild.setAttribute("aria-current", "true");
    items[at].scrollIntoView({block: "nearest"});
    render();
  }

  function render() {
    const group = data.groups[state.at];
    const places = shown(), place = places.indexOf(state.at);
    const button = (text, key, to) => {
      const made = element("button", {type: "button"}, text, " ", element("kbd", {}, key));
      made.disabled = to === null;
      made.addEventListener("click", () => to?.());
      return made;
    };
    const move = (by) => (places[place + by] === undefined ? null : () => show(places[place + by]));
    const buttons = () => [...main.querySelectorAll("button, select")];
    const focused = buttons().indexOf(document.activeElement);
    main.replaceChildren(
      element("div", {class: "controls"}, button("Previous", "k", move(-1)), button("Next", "j", move(1)),
        button(state.text ? "Hide lines" : "Show lines", "d", isShort(group) ? toggleText : null),
        button(state.isSideBySide ? "Unified" : "Side by side", "v", toggleSides)),
      ...detail(data, group, state, (job) => show(state.at, job)));
    if (focused >= 0) buttons()[focused]?.focus();
  }

  function toggleText() { state.text = !state.text; render(); }
  function toggleSides() { state.isSideBySide = !state.isSideBySide; render(); }

  function step(by) {
    const places = shown(), next = places[places.indexOf(state.at) + by];
    if (next !== undefined) { show(next); scrollTo({top: 0}); }
  }

  const keys = {
    j: () => step(1), k: () => step(-1), d: () => { if (items.length) toggleText(); }, v: () => { if (items.length) toggleSides(); },
    "/": () => { search.focus(); search.select(); }, "?": () => help.showModal(),
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.key === "Escape" && document.activeElement === search) { search.value = ""; filter(); search.blur(); return; }
    if (event.target.closest?.("input, select, textarea")) {
      if (event.key === "Enter" && document.activeElement === search) search.blur();
      return;
    }
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  search.addEventListener("input", filter);
  byId("help-button").addEventListener("click", () => help.showModal());

  function setTheme(name) {
    if (name) document.documentElement.dataset.theme = name; else delete document.documentElement.dataset.theme;
    theme.value = name;
  }
  const storage = () => { try { return window.localStorage; } catch { return null; } };  // refused to some files
  theme.addEventListener("change", () => { setTheme(theme.value); storage()?.setItem("expiac-colours", theme.value); });
  const kept = storage()?.getItem("expiac-colours");
  setTheme(kept === "light" || kept === "dark" ? kept : "");

  addEventListener("beforeprint", () => {
    const how = {job: 0, text: state.text, isSideBySide: false};
    byId("paper").replaceChildren(...shown().map((at) => element("section", {}, ...detail(data, data.groups[at], how, () => {}))));
  });
  addEventListener("afterprint", () => byId("paper").replaceChildren());

  list.append(...items);
  filter();
  if (items.length) show(0); else main.append(element("p", {}, "Nothing is to be reviewed."));
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
