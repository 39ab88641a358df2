"use strict";
(() => {
  const input = document.querySelector("#text");
  const buttons = [...document.querySelectorAll("button[data-word]")];
  const cases = [...document.querySelectorAll("details.case")].map((node) => ({ node, text: node.textContent.toLowerCase() }));
  const rules = [...document.querySelectorAll("[data-rule]")];
  const shown = document.querySelector("#shown");

  function filter() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const states = buttons.filter((one) => one.getAttribute("aria-pressed") === "true").map((one) => one.dataset.word);
    const left = new Set();
    let count = 0;
    for (const { node, text } of cases) {
      const about = `${node.dataset.of.toLowerCase()} ${text}`;
      const fits = (!states.length || states.includes(node.dataset.state)) && words.every((word) => about.includes(word));
      node.hidden = !fits;
      if (fits) {
        left.add(node.dataset.of);
        count += 1;
      }
    }
    for (const one of rules) one.hidden = !left.has(one.dataset.rule);
    shown.textContent = count === cases.length ? `${count} cases` : `${count} of ${cases.length} cases`;
  }

  function open() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.matches("details")) target.open = true;
  }

  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  input.addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== input) {
      event.preventDefault();
      input.focus();
    } else if (event.key === "Escape" && document.activeElement === input) {
      input.value = "";
      filter();
    }
  });
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
  addEventListener("hashchange", open);
  open();
  filter();
})();
