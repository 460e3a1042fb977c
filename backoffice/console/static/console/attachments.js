/* Files that are dropped on a form with data-drop are sent as if they had been chosen there. */
"use strict";

(() => {
  const formOf = (event) =>
    event.dataTransfer?.types.includes("Files") ? event.target.closest?.("form[data-drop]") : null;

  document.addEventListener("dragover", (event) => {
    const form = formOf(event);
    if (form) {
      event.preventDefault();
      form.dataset.drop = "over";
    }
  });

  document.addEventListener("dragleave", (event) => {
    const form = event.target.closest?.("form[data-drop]");
    if (form && !form.contains(event.relatedTarget)) {
      form.dataset.drop = "";
    }
  });

  document.addEventListener("drop", (event) => {
    const form = formOf(event);
    if (form) {
      event.preventDefault();
      form.dataset.drop = "";
      form.querySelector("input[type=file]").files = event.dataTransfer.files;
      form.requestSubmit();
    }
  });
})();
