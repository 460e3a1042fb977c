// A form that came back with errors begins at their list, which leads to each field.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const list = document.querySelector("[data-console-errors]");
  if (!list) return;
  list.focus();
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.scrollIntoView({ block: "center" });
    field.focus();
  });
});
