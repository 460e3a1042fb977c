"use strict";

// The column chooser without numbers: buttons and dragging move a column, and the numbers, which
// are what is sent, follow.
document.addEventListener("DOMContentLoaded", () => {
  const chooser = document.querySelector("[data-columns]");
  if (!chooser) return;
  const body = chooser.querySelector("tbody");
  const lines = () => [...body.querySelectorAll("[data-column]")];

  const renumber = () => {
    lines().forEach((line, index) => {
      line.querySelector("input[type=number]").value = index + 1;
      line.querySelector("[data-move='-1']").disabled = index === 0;
      line.querySelector("[data-move='1']").disabled = index === lines().length - 1;
    });
  };

  const move = (line, steps) => {
    const all = lines();
    const target = all[all.indexOf(line) + steps];
    if (!target) return;
    if (steps < 0) target.before(line);
    else target.after(line);
    renumber();
  };

  body.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    move(button.closest("[data-column]"), Number(button.dataset.move));
    button.focus();
  });

  // A number that is typed moves its column there.
  body.addEventListener("change", (event) => {
    if (event.target.type !== "number") return;
    const line = event.target.closest("[data-column]");
    const others = lines().filter((other) => other !== line);
    const place = Math.min(Math.max(Number(event.target.value) || others.length + 1, 1), others.length + 1);
    if (others[place - 1]) others[place - 1].before(line);
    else others[others.length - 1].after(line);
    renumber();
  });

  let dragged = null;
  lines().forEach((line) => {
    line.draggable = true;
    line.querySelector("[data-moves]").hidden = false;
  });
  // Where a text is to be selected, nothing is dragged.
  body.addEventListener("pointerdown", (event) => {
    const line = event.target.closest("[data-column]");
    if (line) line.draggable = event.target.tagName !== "INPUT";
  });
  body.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-column]");
    event.dataTransfer.effectAllowed = "move";
  });
  body.addEventListener("dragover", (event) => {
    const line = event.target.closest("[data-column]");
    if (!dragged || !line) return;
    event.preventDefault();
    if (line === dragged) return;
    const box = line.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) line.before(dragged);
    else line.after(dragged);
  });
  body.addEventListener("dragend", () => {
    dragged = null;
    renumber();
  });

  const all = chooser.querySelector("[data-all]");
  all.hidden = false;
  all.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tick]");
    if (!button) return;
    body.querySelectorAll("input[type=checkbox]").forEach((box) => {
      box.checked = button.dataset.tick === "all";
    });
  });

  renumber();
});
