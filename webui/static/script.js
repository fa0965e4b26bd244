// Comfort for pages that work without it: shorter addresses, keyboard, no two open pop-ups.
"use strict";

(() => {
  const form = document.querySelector("form.search-form");
  const query = document.getElementById("q");

  // Fields left empty, and the dial left where it was, do not belong into the address.
  form?.addEventListener("submit", () => {
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
