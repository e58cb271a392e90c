// One group of jobs that changed alike, as elements.
"use strict";
const expiacDetail = (() => {
  const {element, marked, table} = expiacDiff;
  const MANY = 200;
  const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

  function value(nodes, kind, resolved) {
    const made = element("td", {"data-label": kind === "gone" ? "reviewed" : "now"});
    made.append(nodes === null ? element("i", {class: "soft"}, "absent") : element("code", {class: kind}, ...nodes));
    if (resolved !== null) made.append(element("div", {class: "soft"}, "which is ", element("code", {}, resolved)));
    return made;
  }

  function row([path, before, after, moved, resolvedBefore, resolvedAfter]) {
    const head = element("th", {scope: "row"}, element("code", {}, path));
    if (moved) return element("tr", {}, head, element("td", {colspan: "2"}, "moved to ", element("code", {}, moved)));
    const [old, now] = before !== null && after !== null ? marked(before, after)
      : [before === null ? null : [before], after === null ? null : [after]];
    return element("tr", {}, head, value(old, "gone", resolvedBefore), value(now, "came", resolvedAfter));
  }

  function differences(file, note) {
    const head = element("thead", {}, element("tr", {}, ...["key", "reviewed", "now"].map((text) => element("th", {scope: "col"}, text))));
    const body = element("tbody", {}, ...file.rows.map(row));
    const made = [element("h3", {}, file.name), element("div", {class: "scroll"}, element("table", {class: "values"}, head, body))];
    if (file.more) made.push(element("p", {class: "soft"}, `and ${plural(file.more, "more difference")}, which the text has`));
    if (note && file.rows.some((one) => one[4] !== null || one[5] !== null)) made.push(element("p", {class: "soft"}, note));
    return made;
  }

  function varies(found) {
    if (!found.length) return [element("p", {}, "They say the same.")];
    const rows = found.map(([path, values, more]) => element("tr", {},
      element("th", {scope: "row"}, element("code", {}, path)),
      element("td", {}, ...values.flatMap((one) => [element("code", {}, one), " "]), more ? `and ${plural(more, "more value")}` : "")));
    return [element("h3", {}, "They differ in"), element("div", {class: "scroll"}, element("table", {class: "values"}, element("tbody", {}, ...rows)))];
  }

  function jobs(group, chosen, onChoose) {
    const made = element("div", {class: "jobs"});
    const shown = group.jobs.slice(0, MANY);
    shown.forEach((one, at) => {
      const button = element("button", {type: "button", "aria-pressed": String(at === chosen)}, `${one.set} `, element("b", {}, one.job));
      button.addEventListener("click", () => onChoose(at));
      made.append(button);
    });
    if (group.jobs.length > MANY) {
      const select = element("select", {"aria-label": "More jobs"}, element("option", {value: ""}, plural(group.jobs.length - MANY, "more job")));
      group.jobs.slice(MANY).forEach((one, at) => select.append(element("option", {value: String(at + MANY)}, `${one.set} ${one.job}`)));
      if (chosen >= MANY) select.value = String(chosen);
      select.addEventListener("change", () => { if (select.value) onChoose(Number(select.value)); });
      made.append(select);
    }
    return made;
  }

  const isShort = (group) => group.files.length > 0;

  // What changed: values first, then files without any, then the text of the chosen job.
  function detail(data, group, state, onChoose) {
    const made = [element("h2", {}, element("span", {class: `kind ${group.kind}`}, group.kind), ` ${plural(group.jobs.length, "job")}`)];
    const job = group.jobs[state.job] ?? group.jobs[0];
    made.push(jobs(group, state.job, onChoose));
    const note = group.jobs.length > 1 ? `What interpolations come to is that of ${group.jobs[0].job}.` : "";
    for (const file of group.files) made.push(...differences(file, note));
    for (const file of job.files) {
      if (file.textOnly) made.push(element("p", {}, element("code", {}, file.name), ": only its text differs, not what it says"));
      else if (file.kind !== "changed") made.push(element("p", {}, element("code", {}, file.name), `: ${file.kind === "new" ? "no snapshot" : "not rendered any more"} (${file.size})`));
    }
    if (group.varies) made.push(...varies(group.varies));
    if (!state.text && isShort(group)) return made;
    for (const file of job.files) {
      const lines = file.lines.map((place) => data.lines[place]);
      made.push(element("h3", {}, `${job.job}: ${file.name}`), table(lines, state.isSideBySide, `${file.name} of ${job.job}`));
    }
    return made;
  }

  return {detail, isShort, plural};
})();
