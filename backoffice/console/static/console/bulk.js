// The pages of bulk actions: an input appears when its choice needs it, and one click is one click.
"use strict";

for (const row of document.querySelectorAll("[data-bulk-field]")) {
  const choice = row.querySelector("select");
  const show = () => {
    for (const part of row.querySelectorAll("[data-bulk-for]")) {
      part.hidden = !part.dataset.bulkFor.split(" ").includes(choice.value);
    }
    row.classList.toggle("is-chosen", choice.value !== "");
  };
  choice.addEventListener("change", () => {
    show();
    row.querySelector("[data-bulk-for]:not([hidden]) :is(input, textarea, select)")?.focus();
  });
  show();
}

for (const form of document.querySelectorAll("[data-bulk-form]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  // Who comes back to the page may send it again; the server compares what they saw.
  window.addEventListener("pageshow", () => (sent = false));
}
