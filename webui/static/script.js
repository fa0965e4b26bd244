// Comfort for pages that work without it: shorter addresses, keyboard, no two open pop-ups.
"use strict";

(() => {
  const form = document.querySelector("form.search-form");
  const query = document.getElementById("q");

  // Fields left empty, and the dial left where it was, do not belong into the address.
  form?.addEventListener("submit", () => {
    const columns = [...form.querySelectorAll("input[name=columns]")];
    if (columns.every((box) => box.checked === box.defaultChecked)) for (const box of columns) box.disabled = true;
    for (const field of form.querySelectorAll("input[name]")) {
      const untouched = field.type === "range" ? field.value === field.dataset.default : field.value.trim() === "";
      if (untouched && field.name !== "q") field.disabled = true;
    }
  });
  // Coming back with the browser's back button, the fields must live again.
  window.addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll("input:disabled")) field.disabled = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && query) {
      event.preventDefault();
      query.focus();
      query.select();
    }
    if (event.key === "Escape") {
      const open = document.querySelector("details.months[open]");
      if (open) {
        open.open = false;
        open.querySelector("summary").focus();
      }
    }
  });

  // The tables of months lie over the page: at most one is open.
  document.addEventListener("click", (event) => {
    const inside = event.target instanceof Element ? event.target.closest("details.months") : null;
    for (const open of document.querySelectorAll("details.months[open]")) if (open !== inside) open.open = false;
  });
})();

// Suggestions under the search box, after the combobox pattern of the WAI-ARIA Authoring Practices. Of several keywords
// separated by commas, the one at the caret is completed. Nothing is asked while an input method is composing.
(() => {
  const WAIT = 120; // milliseconds without a key before the server is asked
  const KEPT = 50; // replies kept, so that deleting a letter asks nothing
  const box = document.querySelector("input[data-suggestions]");
  if (!box) return;
  const status = box.closest(".search-box").querySelector("[role=status]");
  const list = document.createElement("ul");
  const known = new Map();
  let timer = 0;
  let request = null;
  let options = [];
  let active = -1;

  list.id = "q-list";
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", box.dataset.title);
  box.after(list);
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-haspopup": "listbox",
    "aria-controls": list.id,
    "aria-expanded": "false",
  })) box.setAttribute(name, value);

  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 0 });

  // The keyword at the caret: where it begins and ends in the box.
  function part() {
    const caret = box.selectionStart ?? box.value.length;
    const separator = /[,，、;；]/;
    let start = caret;
    let end = caret;
    while (start > 0 && !separator.test(box.value[start - 1])) start -= 1;
    while (end < box.value.length && !separator.test(box.value[end])) end += 1;
    while (start < caret && /\s/.test(box.value[start])) start += 1;
    return { start, end, text: box.value.slice(start, end).trim() };
  }

  function close() {
    clearTimeout(timer);
    request?.abort();
    request = null;
    list.hidden = true;
    options = [];
    active = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
    status.textContent = "";
  }

  function element(tag, className, ...content) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...content);
    return made;
  }

  // What matches stands out. Offsets count code points, not the halves of emoji.
  function marked(row) {
    const letters = Array.from(row.text);
    const text = document.createElement("bdi");
    let at = 0;
    for (const [from, to] of row.highlights) {
      text.append(letters.slice(at, from).join(""), element("mark", "", letters.slice(from, to).join("")));
      at = to;
    }
    text.append(letters.slice(at).join(""));
    return text;
  }

  function show(rows) {
    if (rows.length === 0) return close();
    list.replaceChildren(
      ...rows.map((row, place) => {
        const option = element("li", "", marked(row));
        option.id = `q-option-${place}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        if (row.avg_monthly_searches !== null) {
          const count = number.format(row.avg_monthly_searches);
          option.append(" ", element("span", "count", box.dataset.demand.replace("{count}", count)));
        }
        option.addEventListener("click", () => choose(row.text));
        return option;
      }),
    );
    options = rows;
    active = -1;
    list.hidden = false;
    box.setAttribute("aria-expanded", "true");
    box.removeAttribute("aria-activedescendant");
    status.textContent = box.dataset.found.replace("{count}", number.format(rows.length));
  }

  function choose(text) {
    const { start, end } = part();
    box.value = box.value.slice(0, start) + text + box.value.slice(end);
    close();
    box.form.requestSubmit();
  }

  function mark(place) {
    if (active >= 0) list.children[active].setAttribute("aria-selected", "false");
    active = place;
    if (active < 0) return box.removeAttribute("aria-activedescendant");
    list.children[active].setAttribute("aria-selected", "true");
    list.children[active].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", list.children[active].id);
  }

  async function ask() {
    request?.abort();
    const typed = part().text;
    if (typed.length > box.maxLength) return close();
    if (known.has(typed)) return show(known.get(typed));
    const mine = new AbortController();
    request = mine;
    try {
      const address = `${box.dataset.suggestions}?${new URLSearchParams({ q: typed, limit: 8 })}`;
      const reply = await fetch(address, { signal: mine.signal, headers: { Accept: "application/json" } });
      const rows = reply.ok ? (await reply.json()).data.suggestions : [];
      if (reply.ok) known.set(typed, rows);
      if (known.size > KEPT) known.delete(known.keys().next().value);
      if (request === mine && document.activeElement === box) show(rows);
    } catch {
      // Aborted, or the server cannot be reached: the box goes on without suggestions.
      if (request === mine) close();
    }
  }

  function later() {
    clearTimeout(timer);
    if (part().text === "") return close();
    timer = setTimeout(ask, WAIT);
  }

  box.addEventListener("input", (event) => event.isComposing || later());
  box.addEventListener("compositionstart", close);
  box.addEventListener("compositionend", later);
  box.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  box.form.addEventListener("submit", close);

  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const open = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      // Past either end stands the box itself.
      if (open) mark(((active + 1 + step + options.length + 1) % (options.length + 1)) - 1);
      else ask();
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Enter" && open && active >= 0) {
      event.preventDefault();
      choose(options[active].text);
    } else if (event.key === "Tab") {
      close();
    }
  });
})();

// The table by keyboard, a whole page ticked at once, the address of a view copied.
(() => {
  const rows = [...document.querySelectorAll(".keywords > tbody > tr")];
  const boxOf = (row) => row.querySelector("input.choose");
  let at = -1;

  function go(place) {
    if (place < 0 || place >= rows.length) return;
    rows[at]?.classList.remove("here");
    at = place;
    rows[at].classList.add("here");
    rows[at].querySelector("a").focus({ preventScroll: true });
    rows[at].scrollIntoView({ block: "nearest" });
  }

  function save() {
    const ticked = rows.some((row) => boxOf(row)?.checked) || document.querySelector("#act [name=all]")?.checked;
    const button = document.querySelector(ticked ? "#act [value=save]" : "tr.here .row-actions button");
    button?.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("input:not(.choose), textarea, select")) return;
    const help = document.getElementById("keys");
    if (event.key === "j") go(at + 1);
    else if (event.key === "k") go(at - 1);
    else if (event.key === "x" && rows[at] && boxOf(rows[at])) boxOf(rows[at]).click();
    else if (event.key === "s") save();
    else if (event.key === "?" && help) {
      help.open = !help.open;
      help.scrollIntoView({ block: "nearest" });
    } else return;
    event.preventDefault();
  });

  const picks = document.querySelector(".picks");
  if (picks) {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox" });
    label.className = "all";
    label.append(box, ` ${picks.dataset.thisPage}`);
    picks.prepend(label);
    box.addEventListener("change", () => rows.forEach((row) => (boxOf(row).checked = box.checked)));
  }

  const link = document.querySelector("a[data-copy]");
  link?.addEventListener("click", async (event) => {
    if (!navigator.clipboard) return; // the link itself leads to the view, whose address can be copied
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(link.href);
      link.nextElementSibling.textContent = ` ${link.dataset.copy}`;
    } catch {
      location.href = link.href;
    }
  });
})();
