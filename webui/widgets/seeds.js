// One line puts searches to begin with on a page: <script async src="…/widgets/seeds.js" data-industry="flowers"></script>
"use strict";

(() => {
  const tag = document.currentScript;
  if (!tag) return;
  const parameters = new URLSearchParams();
  for (const name of ["industry", "account", "key", "limit", "t", "theme", "accent", "lang", "client"]) {
    if (tag.dataset[name]) parameters.set(name, tag.dataset[name]);
  }
  const frame = document.createElement("iframe");
  frame.src = new URL(`seeds?${parameters}`, tag.src).href;
  frame.title = tag.dataset.title || (tag.dataset.lang === "zh" ? "大家在搜" : "Searches to try");
  frame.loading = "lazy";
  frame.referrerPolicy = "no-referrer";
  frame.width = "100%";
  frame.height = tag.dataset.height || "170";
  frame.setAttribute("frameborder", "0");
  tag.after(frame);
})();
