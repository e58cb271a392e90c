// Plays the episodes in the page: a grid, its agents and objects, step by step.
"use strict";
(() => {
  const player = document.getElementById("player");
  if (!player) return;
  const episodes = JSON.parse(document.getElementById("data").textContent).replays;
  const control = (id) => document.getElementById(id);
  const canvas = control("grid"), slider = control("step");
  const still = {now: episodes[0], step: 0, timer: 0, colours: new Map()};

  // The last change at or before a step; a series is in the order of its steps.
  function at(series, step) {
    let low = 0, high = (series ?? []).length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (series[middle][0] <= step) low = middle + 1; else high = middle;
    }
    return low ? series[low - 1] : null;
  }

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const isAgent = (object) => object.agent !== undefined;

  function choose(index) {
    stop();
    still.now = episodes[index];
    const kinds = [...new Set(still.now.objects.map((object) => isAgent(object) ? "agent" : object.type))];
    still.colours = new Map(["agent", ...kinds.filter((kind) => kind !== "agent")].map((kind, place) => [kind, `--arm-${place % 8}`]));
    control("grid-legend").replaceChildren(...[["wall", "--wall"], ...still.colours].map(([kind, name]) => {
      const item = document.createElement("li"), swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.background = `var(${name})`;
      item.append(swatch, kind);
      return item;
    }));
    control("agents").replaceChildren(...still.now.objects.filter(isAgent).map((agent) => {
      const row = document.createElement("tr"), head = document.createElement("th");
      head.scope = "row";
      head.textContent = agent.agent;
      row.append(head, ...[0, 1, 2].map(() => document.createElement("td")));
      return row;
    }));
    slider.max = still.now.steps - 1;
    show(0);
  }

  function show(step) {
    still.step = Math.max(0, Math.min(step, still.now.steps - 1));
    slider.value = still.step;
    slider.setAttribute("aria-valuetext", `step ${still.step} of ${still.now.steps - 1}`);
    control("step-value").value = `${still.step} of ${still.now.steps - 1}`;
    draw();
    list();
  }

  function draw() {
    const {now, step} = still;
    const cell = Math.max(4, Math.floor(1280 / Math.max(now.width, now.height)));
    canvas.width = now.width * cell;
    canvas.height = now.height * cell;
    const pen = canvas.getContext("2d");
    pen.fillStyle = colour("--floor");
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = colour("--wall");
    for (const [x, y] of now.walls) pen.fillRect(x * cell, y * cell, cell, cell);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = `bold ${Math.floor(cell * 0.6)}px system-ui, sans-serif`;
    for (const object of [...now.objects].sort((one, other) => isAgent(one) - isAgent(other))) {
      const place = at(object.at, step);
      if (!place || at(object.alive, step)?.[1] === false) continue;
      const [, x, y] = place, left = x * cell, top = y * cell;
      pen.fillStyle = colour(still.colours.get(isAgent(object) ? "agent" : object.type));
      pen.beginPath();
      if (isAgent(object)) pen.arc(left + cell / 2, top + cell / 2, cell / 2, 0, 2 * Math.PI);
      else pen.rect(left + 1, top + 1, cell - 2, cell - 2);
      pen.fill();
      pen.fillStyle = colour("--paper");
      if (cell >= 14) pen.fillText(isAgent(object) ? object.agent : object.type.slice(0, 1).toUpperCase(), left + cell / 2, top + cell / 2 + 1);
    }
  }

  function list() {
    const {now, step} = still;
    const agents = now.objects.filter(isAgent);
    let total = 0;
    agents.forEach((agent, index) => {
      const cells = control("agents").rows[index].cells;
      const place = at(agent.at, step), reward = at(agent.reward, step)?.[1] ?? 0, has = at(agent.has, step)?.[1] ?? [];
      total += reward;
      cells[1].textContent = place ? `${place[1]}, ${place[2]}` : "";
      cells[2].textContent = reward;
      cells[3].textContent = has.map(([item, count]) => `${count} ${now.items[item] ?? item}`).join(", ");
    });
    if (!still.timer) {
      canvas.setAttribute("aria-label", `The grid at step ${step} of ${now.steps - 1}: ${agents.length} agents, `
        + `mean reward ${(total / Math.max(1, agents.length)).toFixed(2)}. The table below has each agent.`);
    }
  }

  function stop() {
    clearInterval(still.timer);
    still.timer = 0;
    control("play").textContent = "Play";
  }

  function play() {
    if (still.timer) {
      stop();
      list();
      return;
    }
    if (still.step >= still.now.steps - 1) show(0);
    control("play").textContent = "Pause";
    still.timer = setInterval(() => {
      show(still.step + 1);
      if (still.step >= still.now.steps - 1) stop();
    }, 1000 / Number(control("speed").value));
  }

  const KEYS = {ArrowLeft: () => show(still.step - 1), ArrowRight: () => show(still.step + 1), Home: () => show(0),
                End: () => show(still.now.steps - 1)};
  player.addEventListener("keydown", (event) => {
    const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (!isPlain || ["SELECT", "BUTTON"].includes(event.target.tagName)) return;
    const act = event.key === " " ? play : KEYS[event.key];
    if (!act || event.target.classList.contains("scroll")) return;
    event.preventDefault();
    act();
  });
  control("play").onclick = play;
  control("replay").onchange = (event) => choose(Number(event.target.value));
  control("speed").onchange = () => { if (still.timer) { stop(); play(); } };
  slider.oninput = () => show(Number(slider.value));
  canvas.tabIndex = 0;
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", draw);
  window.expiacPlayer = {isPlaying: () => still.timer !== 0, show};
  player.hidden = false;
  choose(0);
})();
