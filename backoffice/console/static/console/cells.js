/*
 * Cells of a list edited in place: the server's form for one field takes the place of the value, and
 * the value that was saved takes the place of the form, with Undo.
 */
"use strict";

(() => {
  const linkOf = (row) => row.querySelector("th a[href], td a[href]");

  const config = () => document.getElementById("console-cells")?.dataset;

  function addEditButtons(row) {
    const { columns, edit } = config();
    const labels = JSON.parse(columns);
    const link = linkOf(row);
    const title = link?.querySelector(".console-item-title") ?? link;
    const name = title?.textContent.trim().replace(/\s+/g, " ") ?? "";
    for (const [column, label] of Object.entries(labels)) {
      const cell = row.querySelector(`.field-${CSS.escape(column)}`);
      if (cell && !cell.querySelector(".console-cell-edit")) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "console-cell-edit";
        button.dataset.column = column;
        button.tabIndex = row.classList.contains("console-row-current") ? 0 : -1;
        button.setAttribute("aria-label", edit.replace("{field}", label).replace("{object}", name));
        button.title = edit.replace("{field}", label).replace("{object}", name);
        const icon = document.createElement("span");
        icon.className = "material-symbols-outlined";
        icon.setAttribute("aria-hidden", "true");
        icon.textContent = "edit";
        button.append(icon);
        cell.classList.add("console-cell");
        cell.append(button);
      }
    }
  }

  function editIn(row) {
    const focused = document.activeElement?.closest(".console-cell")?.querySelector(".console-cell-edit");
    const button = focused ?? row?.querySelector(".console-cell-edit");
    if (button) {
      edit(button.closest(".console-cell"), button.dataset.column);
    } else {
      const link = row && linkOf(row);
      link?.click();
    }
  }

  function addressOf(row, column) {
    return config().address.replace("KEY", encodeURIComponent(row.dataset.key)).replace("COLUMN", column);
  }

  async function ask(address, body) {
    const options = body ? { method: "POST", body } : {};
    const response = await fetch(address, {
      ...options,
      headers: { "X-Requested-With": "XMLHttpRequest" },
      credentials: "same-origin",
    });
    const kind = response.headers.get("Content-Type") ?? "";
    return {
      status: response.status,
      html: kind.startsWith("text/html") ? await response.text() : "",
      answer: kind.startsWith("application/json") ? await response.json() : null,
    };
  }

  async function edit(cell, column) {
    if (cell.querySelector("[data-cell-form]")) {
      return;
    }
    const row = cell.closest("tr");
    const got = await ask(addressOf(row, column)).catch(() => null);
    if (got?.status !== 200 || !got.html) {
      say(config().failed);
      return;
    }
    const before = [...cell.childNodes];
    const form = document.createElement("form");
    form.id = `console-cell-${row.dataset.key}-${column}`;
    document.body.append(form);
    show(cell, form, got.html);
    const leave = () => {
      form.remove();
      cell.removeEventListener("click", cancel);
      cell.removeEventListener("keydown", escape);
      cell.replaceChildren(...before);
      cell.querySelector(".console-cell-edit")?.focus();
    };
    const cancel = (event) => event.target.closest("[data-cell-cancel]") && leave();
    const escape = (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        leave();
      }
    };
    cell.addEventListener("click", cancel);
    cell.addEventListener("keydown", escape);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      save(cell, form, column);
    });
  }

  /* The list is a form itself, and forms do not nest: the controls belong to one of their own. */
  function show(cell, form, html) {
    cell.innerHTML = html;
    for (const control of cell.querySelectorAll("input, select, textarea, button")) {
      control.setAttribute("form", form.id);
    }
    const wrong = cell.querySelector(".console-cell-error")?.previousElementSibling;
    const field = (wrong ?? cell.querySelector(".console-cell-field"))?.querySelector(
      "input:not([type=hidden]), select, textarea",
    );
    field?.focus();
    field?.select?.();
    cell.querySelector("[data-cell-form]").scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  async function save(cell, form, column) {
    if (form.dataset.saving) {
      return;
    }
    form.dataset.saving = "1";
    const address = cell.querySelector("[data-cell-form]").dataset.action;
    const got = await ask(address, new FormData(form)).catch(() => null);
    delete form.dataset.saving;
    if (got?.answer?.cell) {
      form.remove();
      replace(cell, got.answer, column);
    } else if (got?.html && got.status === 200) {
      show(cell, form, got.html);
    } else {
      say(got?.answer?.said ?? config().failed);
    }
  }

  function replace(cell, answer, column) {
    const row = cell.closest("tr");
    const holder = document.createElement("template");
    holder.innerHTML = `<table><tbody><tr>${answer.cell}</tr></tbody></table>`;
    const fresh = holder.content.querySelector("td, th");
    cell.replaceWith(fresh);
    addEditButtons(row);
    const button = fresh.querySelector(".console-cell-edit");
    button?.focus();
    say(answer.said, answer.undo?.address ? () => undo(fresh, answer.undo, column) : null, answer.undo?.label);
  }

  async function undo(cell, facts, column) {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", document.querySelector("#changelist-form [name=csrfmiddlewaretoken]").value);
    body.set("seen", facts.seen);
    body.set("to", facts.to);
    const got = await ask(facts.address, body).catch(() => null);
    if (got?.answer?.cell) {
      replace(cell, got.answer, column);
    } else {
      say(got?.answer?.said ?? config().failed);
    }
  }

  /* What was done, said to everyone; it stays until the next. */

  function say(text, does = null, label = "") {
    const place = document.getElementById("console-said");
    place.replaceChildren(document.createTextNode(text));
    place.hidden = false;
    if (does) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "console-button console-button-small";
      button.textContent = label;
      button.addEventListener("click", () => {
        button.disabled = true;
        does();
      });
      place.append(" ", button);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const table = document.getElementById("result_list");
    if (!table || !config()) {
      return;
    }
    table.querySelectorAll("tr.data-row").forEach(addEditButtons);
    table.addEventListener("click", (event) => {
      const button = event.target.closest(".console-cell-edit");
      if (button) {
        edit(button.closest(".console-cell"), button.dataset.column);
      }
    });
    table.addEventListener("dblclick", (event) => {
      const button = event.target.closest(".console-cell")?.querySelector(".console-cell-edit");
      if (button && !event.target.closest("a, input, select, textarea, button")) {
        edit(button.closest(".console-cell"), button.dataset.column);
      }
    });
    table.addEventListener("console:edit", (event) => editIn(event.target));
  });
})();
