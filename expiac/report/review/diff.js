// A textual difference as elements: unified, or side by side. Texts become text, never markup.
"use strict";
const expiacDiff = (() => {
  const CHUNK = 1000;

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // The rows of a unified diff: {kind: "@", text}, or {old, new} of {number, text}, either of which may be missing.
  function parse(lines) {
    const rows = [];
    let removed = [], added = [], before = 0, after = 0;
    function flush() {
      for (let at = 0; at < Math.max(removed.length, added.length); at++) rows.push({old: removed[at], new: added[at]});
      removed = []; added = [];
    }
    for (const line of lines) {
      const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
      if (hunk) {
        flush();
        before = Number(hunk[1]); after = Number(hunk[2]);
        rows.push({kind: "@", text: line});
        continue;
      }
      const text = line.slice(1);
      if (line[0] === "-") {
        if (added.length) flush();
        removed.push({number: before++, text});
      } else if (line[0] === "+") {
        added.push({number: after++, text});
      } else {
        flush();
        rows.push({isSame: true, old: {number: before++, text}, new: {number: after++, text}});
      }
    }
    flush();
    return rows;
  }

  // Two texts as nodes, in which the part that differs is marked.
  function marked(before, after) {
    let start = 0, end = 0;
    const shorter = Math.min(before.length, after.length);
    while (start < shorter && before[start] === after[start]) start++;
    while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
    if (start + end === 0) return [[before], [after]];
    return [before, after].map((text) => {
      const middle = text.slice(start, text.length - end);
      const nodes = [text.slice(0, start), middle ? element("mark", {}, middle) : "", text.slice(text.length - end)];
      return nodes.filter((node) => node !== "");
    });
  }

  const number = (part) => element("td", {class: "number"}, part ? String(part.number) : "");
  const text = (kind, nodes) => element("td", {class: `line ${kind}`}, ...nodes);

  function sideBySide(row) {
    if (row.kind) return [element("tr", {class: "hunk"}, element("td", {colspan: "4"}, row.text))];
    const [old, now] = row.old && row.new && !row.isSame ? marked(row.old.text, row.new.text)
      : [row.old ? [row.old.text] : [], row.new ? [row.new.text] : []];
    const side = (part, kind) => (row.isSame ? "same" : part ? kind : "none");
    return [element("tr", {}, number(row.old), text(side(row.old, "gone"), old), number(row.new), text(side(row.new, "came"), now))];
  }

  // Removed lines come before those that stand in their place, as in any unified diff.
  function unified(rows) {
    const made = [];
    let came = [];
    const line = (kind, old, now, nodes) => element("tr", {}, number(old), number(now), text(kind, nodes));
    for (const row of rows) {
      const isPair = !row.kind && !row.isSame;
      if (!isPair) { made.push(...came); came = []; }
      if (row.kind) made.push(element("tr", {class: "hunk"}, element("td", {colspan: "3"}, row.text)));
      else if (row.isSame) made.push(line("same", row.old, row.new, [row.old.text]));
      else {
        const [old, now] = row.old && row.new ? marked(row.old.text, row.new.text) : [[row.old?.text ?? ""], [row.new?.text ?? ""]];
        if (row.old) made.push(line("gone", row.old, null, old));
        if (row.new) came.push(line("came", null, row.new, now));
      }
    }
    made.push(...came);
    return made;
  }

  // A table of the lines; of a long difference the first ones, and a button that shows more.
  function table(lines, isSideBySide, label) {
    const isDiff = lines[0]?.startsWith("--- ") && lines[1]?.startsWith("+++ ");
    if (!isDiff) return element("p", {class: "soft"}, lines.join(" "));
    const rows = parse(lines.slice(2));
    const body = element("tbody");
    const columns = isSideBySide ? ["number", "", "number", ""] : ["number", "number", ""];
    const group = element("colgroup", {}, ...columns.map((name) => element("col", {class: name})));
    const made = element("table", {class: isSideBySide ? "diff side" : "diff", "aria-label": label}, group, body);
    const holder = element("div", {class: "scroll", role: "region", tabindex: "0", "aria-label": label}, made);
    let shown = 0;
    function more() {
      const part = rows.slice(shown, shown + CHUNK);
      shown += part.length;
      body.append(...(isSideBySide ? part.flatMap(sideBySide) : unified(part)));
    }
    more();
    if (shown < rows.length) {
      const button = element("button", {type: "button"});
      const say = () => { button.textContent = `Show more of ${(rows.length - shown).toLocaleString("en")} lines`; };
      button.addEventListener("click", () => { more(); shown < rows.length ? say() : button.remove(); });
      say();
      holder.append(button);
    }
    return holder;
  }

  return {element, marked, table};
})();
