// Tables with many rows get a filter and are folded; every table of data is sorted by the heading that is pressed.
// Without this script the page shows all rows in their order.
"use strict";
(() => {
  const FOLDED = 25;  // rows of a table that are shown before it is unfolded
  const MANY = 8;     // rows from which a filter is of use
  const unfold = [];

  const worth = (cell) => {
    const text = cell ? cell.textContent.trim() : "";
    const number = /^[<≤]?\s*[-+]?[\d,]*\.?\d+(e[-+]?\d+)?/i.exec(text);
    if (text === "" || text === "–") return { empty: true };
    return { text, number: number ? Number(number[0].replace(/[<≤,\s]/g, "")) : NaN };
  };

  const compare = (a, b, numeric) => numeric
    ? a.number - b.number
    : a.text.localeCompare(b.text, undefined, { numeric: true });

  const sort = (table, place, heading) => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, at) => ({ row, at, worth: worth(row.cells[place]) }));
    const full = rows.filter((each) => !each.worth.empty);
    const numeric = full.every((each) => !Number.isNaN(each.worth.number));
    full.sort((a, b) => (down ? -1 : 1) * compare(a.worth, b.worth, numeric) || a.at - b.at);
    body.append(...[...full, ...rows.filter((each) => each.worth.empty)].map((each) => each.row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  };

  const sortable = (table, changed) => {
    for (const [place, heading] of [...table.tHead.rows[0].cells].entries()) {
      const button = document.createElement("button");
      button.append(...heading.childNodes);
      button.addEventListener("click", () => { sort(table, place, heading); changed(); });
      heading.append(button);
    }
  };

  const tools = (table) => {
    const rows = table.tBodies[0].rows;
    const bar = document.createElement("div");
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("span");
    const fold = document.createElement("button");
    let folded = rows.length > FOLDED;
    bar.className = "tools";
    input.type = "search";
    input.placeholder = "words that a row must have";
    label.append("Filter ", input);
    count.setAttribute("aria-live", "polite");
    bar.append(label, count);
    if (folded) bar.append(fold);

    const show = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const matches = words.every((word) => text.includes(word));
        row.hidden = !matches || (folded && found >= FOLDED);
        found += matches;
      }
      count.textContent = words.length ? `${found} of ${rows.length} rows` : `${rows.length} rows`;
      fold.textContent = folded ? `Show all ${rows.length}` : `Show ${FOLDED}`;
    };
    input.addEventListener("input", show);
    fold.addEventListener("click", () => { folded = !folded; show(); });
    unfold.push(() => { folded = false; input.value = ""; show(); });
    table.closest(".scroll").before(bar);
    show();
    return show;
  };

  for (const table of document.querySelectorAll("table.data")) {
    const rows = table.tBodies[0] ? table.tBodies[0].rows.length : 0;
    const changed = rows > MANY ? tools(table) : () => {};
    if (rows > 1) sortable(table, changed);
  }
  // Links to a note lead to it also where its fold is closed.
  addEventListener("hashchange", () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const fold = target && target.closest("details");
    if (fold) { fold.open = true; target.scrollIntoView(); }
  });
  addEventListener("beforeprint", () => {
    for (const all of unfold) all();
    for (const fold of document.querySelectorAll("details.fold")) fold.open = true;
  });
})();
