// The viewer of questions. Its data stands in the page, compressed, and is unpacked a part at a time; every text is set as text.
"use strict";
(() => {
  const root = document.querySelector(".viewer");
  if (!root || !("DecompressionStream" in window)) return;
  const PAGE = 200;    // questions in the list at once
  const KEPT = 8;      // parts that stay unpacked
  const unpacked = new Map();

  const unpack = (id) => {
    if (!unpacked.has(id)) {
      const packed = document.getElementById(id).textContent;
      const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      unpacked.set(id, new Response(stream).json());
      if (unpacked.size > KEPT) unpacked.delete(unpacked.keys().next().value);
    }
    return unpacked.get(id);
  };

  const make = (name, settings = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(settings)) {
      if (key === "class") element.className = value;
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined).map(
      (child) => (child instanceof Node ? child : String(child))));
    return element;
  };

  const select = (label, name, options, changed) => {
    const field = make("select", { onchange: changed, "aria-label": name });
    for (const [value, text] of options) field.append(make("option", { value }, text));
    return { field, label: make("label", {}, `${label} `, field) };
  };

  const rounded = (grade) => (grade === null ? "–" : String(Math.round(grade * 100) / 100));
  // Right and wrong have colours; a grade of a scale has none.
  const graded = (grade) => (grade === 1 ? "right" : grade === 0 ? "wrong" : "");

  const start = (index) => {
    const wayName = ([k, name]) => `${name}${index.knowing.includes(name) ? " *" : ""}, k = ${k}`;
    const models = [...new Set(index.pairs.map((pair) => pair[0]))];
    const tasks = [...new Set(index.pairs.map((pair) => pair[1]))];
    const rows = index.rows.map(([pair, part, place, id, opening, mixed, picks], number) => ({
      number, part, place, id, opening, mixed, model: index.pairs[pair][0], task: index.pairs[pair][1],
      picks: new Map(picks.map(([way, sample, grade]) => [way, { sample, grade }])),
    }));
    const byName = new Map(rows.map((row) => [JSON.stringify([row.model, row.task, row.id]), row]));
    const ways = index.ways.map((way, number) => [number, wayName(way)]);
    const tests = {
      all: ["all", () => true],
      mixed: ["mixed: something to choose", (one) => one.mixed],
      differ: ["the two picks differ in grade", (one, other, a, b) => a && b && a.grade !== b.grade],
      first: ["the first pick is better", (one, other, a, b) => a && b && a.grade > b.grade],
      second: ["the second pick is better", (one, other, a, b) => a && b && a.grade < b.grade],
      missed: ["mixed, and the first pick is wrong", (one, other, a) => one.mixed && a && a.grade === 0],
    };

    let page = 0;
    let matching = [];
    let current = null;
    const again = () => { page = 0; filter(); };
    const task = select("Task", "Task", [["", "all"], ...tasks.map((name) => [name, name])], again);
    const oneModel = select("First", "First model", models.map((name) => [name, name]), again);
    const oneWay = select("by", "First way", ways, again);
    const otherModel = select("Second", "Second model", models.map((name) => [name, name]), again);
    const otherWay = select("by", "Second way", ways, again);
    const test = select("Show", "Show", Object.entries(tests).map(([key, [text]]) => [key, text]), again);
    const words = make("input", { type: "search", placeholder: "words of the question", "aria-label": "Search", oninput: again });
    const count = make("span", { "aria-live": "polite" });
    const list = make("ol", { class: "list", "aria-label": "Questions" });
    const back = make("button", { type: "button", onclick: () => { page -= 1; draw(); } }, "Previous");
    const on = make("button", { type: "button", onclick: () => { page += 1; draw(); } }, "Next");
    const detail = make("div", { class: "detail", "aria-live": "polite" });
    if (ways.length > 1) otherWay.field.selectedIndex = 1;
    if (rows.some((row) => row.mixed && row.model === models[0])) test.field.value = "mixed";

    const otherOf = (row) => byName.get(JSON.stringify([otherModel.field.value, row.task, row.id]));
    const filter = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const holds = tests[test.field.value][1];
      matching = rows.filter((row) => {
        if (row.model !== oneModel.field.value || (task.field.value && row.task !== task.field.value)) return false;
        const text = `${row.id} ${row.opening}`.toLowerCase();
        if (!wanted.every((word) => text.includes(word))) return false;
        const other = otherOf(row);
        return holds(row, other, row.picks.get(Number(oneWay.field.value)), other && other.picks.get(Number(otherWay.field.value)));
      });
      draw();
      if (matching.length) show(matching.includes(current) ? current : matching[0]);
      else detail.replaceChildren(make("p", { class: "soft" }, "No question is like that."));
    };

    const draw = () => {
      const first = page * PAGE;
      const shown = matching.slice(first, first + PAGE);
      count.textContent = `${matching.length.toLocaleString("en")} questions${matching.length > PAGE ? `, ${first + 1} to ${first + shown.length}` : ""}`;
      back.disabled = page === 0;
      on.disabled = first + PAGE >= matching.length;
      list.replaceChildren(...shown.map((row) => make("li", {}, make(
        "button", { type: "button", "aria-current": row === current, onclick: () => show(row), "data-row": row.number },
        row.opening, make("span", { class: "soft" }, ` ${row.task} · ${row.id}`), row.mixed ? make("span", { class: "chip" }, "mixed") : null))));
    };

    const show = async (row) => {
      current = row;
      for (const button of list.querySelectorAll("button")) button.setAttribute("aria-current", Number(button.dataset.row) === row.number);
      const other = otherOf(row);
      const sides = [[row, [oneWay, otherWay]]];
      if (other && other !== row) { sides[0][1] = [oneWay]; sides.push([other, [otherWay]]); }
      const drawn = await Promise.all(sides.map(async ([each, chosen]) => {
        const part = await unpack(`viewer-part-${each.part}`);
        return side(each, part.questions[each.place], part.heads, chosen.map((way) => Number(way.field.value)));
      }));
      if (current !== row) return;  // another was asked for meanwhile
      const { questions } = await unpack(`viewer-part-${row.part}`);
      const own = questions[row.place];
      detail.replaceChildren(
        make("h3", {}, `${row.task} · ${row.id}`), make("pre", {}, own.question),
        make("p", {}, own.references.length ? `Accepted: ${own.references.join(" · ")}` : "No references."),
        make("div", { class: "sides" }, ...drawn));
    };

    const side = (row, question, heads, chosen) => {
      const named = (number) => wayName(index.ways[number]);
      const pickedBy = (sample) => chosen.filter((number) => question.choices.some((each) => each.way === number && each.picked.includes(sample)));
      const candidates = question.candidates.map(([sample, text, reasoning, extracted, grade]) => make("tr", {},
        make("td", {}, sample),
        make("td", { class: "t wrap" }, make("pre", {}, text === null ? "(no answer)" : text),
          reasoning ? make("details", {}, make("summary", {}, "Thoughts"), make("pre", {}, reasoning)) : null,
          ...pickedBy(sample).map((number) => make("span", { class: "chip" }, named(number)))),
        make("td", { class: "t wrap" }, extracted === null ? "–" : extracted),
        make("td", { class: graded(grade) }, rounded(grade))));
      const choices = question.choices.map((each) => make("tr", {},
        make("td", { class: "t" }, named(each.way)),
        make("td", { class: "t" }, (each.order || []).join(", ")),
        make("td", {}, each.picked.length ? each.picked.join(", ") : `invalid (${each.how})`),
        make("td", { class: graded(each.grade) }, rounded(each.grade)),
        make("td", { class: "t wrap" }, said(each), prompts(each.prompt, heads[String(each.way)]))));
      return make("section", {},
        make("h4", {}, row.model),
        table(["sample", "candidate", "read as", "grade"], candidates),
        prompts(question.prompt, heads[""], "Prompt of the candidates"),
        table(["way of choosing", "shown", "picked", "grade", "said"], choices));
    };

    const said = (choice) => {
      const parts = [];
      if (choice.output !== null) parts.push(make("pre", {}, choice.output));
      if (choice.scores && choice.scores.length) parts.push(make("div", { class: "soft" }, `scores ${choice.scores.map((score) => (score === null ? "–" : Math.round(score * 1000) / 1000)).join(", ")}`));
      if (choice.output === null && !parts.length) parts.push(make("span", { class: "soft" }, choice.how || "–"));
      return make("div", {}, ...parts);
    };

    // Several prompts of one choice are a list in JSON. They are put into the page when they are asked for.
    const prompts = (rest, head, title = "Prompt as sent") => {
      if (rest === null || rest === undefined) return null;
      const fold = make("details", {}, make("summary", {}, title));
      fold.addEventListener("toggle", () => {
        if (!fold.open || fold.childElementCount > 1) return;
        const whole = (head || "") + rest;
        let several = [whole];
        if (whole.startsWith("[")) { try { several = JSON.parse(whole); } catch { several = [whole]; } }
        fold.append(...(Array.isArray(several) ? several : [whole]).map((each) => make("pre", {}, typeof each === "string" ? each : JSON.stringify(each, null, 1))));
      });
      return fold;
    };

    const table = (headings, lines) => make("div", { class: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ...headings.map((text) => make("th", { class: "t", scope: "col" }, text)))),
      make("tbody", {}, ...lines)));

    list.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const buttons = [...list.querySelectorAll("button")];
      const next = buttons[buttons.indexOf(document.activeElement) + step];
      if (next) { event.preventDefault(); next.focus(); next.click(); }
    });
    root.append(
      make("div", { class: "tools" }, task.label, oneModel.label, oneWay.label, otherModel.label, otherWay.label),
      make("div", { class: "tools" }, test.label, make("label", {}, "Search ", words), count, back, on),
      list, detail);
    root.hidden = false;
    for (const sample of document.querySelectorAll(".sample")) sample.style.display = "none";
    filter();
  };

  // Unpacked when it comes near: a large index would delay the first screen.
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((each) => each.isIntersecting)) return;
    watch.disconnect();
    unpack(root.dataset.index).then(start);
  }, { rootMargin: "600px" });
  watch.observe(root.parentElement);
})();
