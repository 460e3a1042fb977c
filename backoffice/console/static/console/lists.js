/*
 * Lists by keyboard, cells edited in place, columns put in order. Without it the lists still work:
 * it only presses what is there.
 */
"use strict";

(() => {
  const table = () => document.getElementById("result_list");
  const rows = () => [...(table()?.querySelectorAll("tr.data-row") ?? [])];
  const isBusy = () => {
    const open = (node) => node && getComputedStyle(node).display !== "none";
    return [...document.querySelectorAll("[role=dialog], #modal-overlay")].some(open);
  };

  function isTyping(target) {
    return (
      target.isContentEditable ||
      target.matches("input:not([type=checkbox], [type=radio]), textarea, select") ||
      target.closest("[role=dialog], [role=combobox], [role=listbox], .select2-container") !== null
    );
  }

  /* Rows: the current one is where the focus is, so that screen readers follow by themselves. */

  function currentRow() {
    return document.activeElement?.closest("tr.data-row") ?? table()?.querySelector("tr.console-row-current") ?? null;
  }

  function linkOf(row) {
    return row.querySelector("th a[href], td a[href]");
  }

  function goTo(row) {
    for (const each of rows()) {
      each.classList.toggle("console-row-current", each === row);
      for (const button of each.querySelectorAll(".console-cell-edit")) {
        button.tabIndex = each === row ? 0 : -1;
      }
    }
    const target = linkOf(row) ?? row.querySelector("input.action-select");
    target?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = rows();
    if (!all.length) {
      return;
    }
    const at = all.indexOf(currentRow());
    goTo(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
  }

  function select() {
    (currentRow() ?? rows()[0])?.querySelector("input.action-select")?.click();
  }

  /* g, then a letter: the lists, as the sidebar has them. */

  let goPressed = 0;

  function go(key) {
    goPressed = 0;
    const link = [...document.querySelectorAll("a[data-go]")].find((each) => each.dataset.go === key);
    if (link) {
      window.location.assign(link.href);
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) {
      return;
    }
    if (isTyping(event.target) || isBusy()) {
      return;
    }
    if (Date.now() - goPressed < 1500 && event.key.length === 1) {
      event.preventDefault();
      event.stopImmediatePropagation();
      go(event.key.toLowerCase());
      return;
    }
    if (event.key === "g") {
      goPressed = Date.now();
      return;
    }
    if (!table()) {
      return;
    }
    const does = {
      j: () => step(1),
      k: () => step(-1),
      x: select,
      e: () => editIn(currentRow() ?? rows()[0]),
      s: () => openMenu("save"),
    }[event.key];
    if (does) {
      event.preventDefault();
      does();
    } else if (event.key === "Enter" && document.activeElement === document.body) {
      const row = currentRow();
      if (row) {
        linkOf(row)?.click();
      }
    }
  }, true);

  /* Menus are <details>: Escape and a click elsewhere close them. */

  function openMenu(name) {
    const menu = document.querySelector(`[data-console-menu="${name}"]`);
    if (menu) {
      menu.open = true;
      menu.querySelector("input:not([type=hidden])")?.focus();
    }
  }

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.console-menu[open]")) {
      menu.open = menu.contains(event.target);
    }
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.("details.console-menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  /* Cells. */

  const config = () => document.getElementById("console-cells")?.dataset;

  function addEditButtons(row) {
    const { columns, edit } = config();
    const labels = JSON.parse(columns);
    const name = linkOf(row)?.textContent.trim().replace(/\s+/g, " ") ?? "";
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

  /* The columns' page. */

  function move(button) {
    const item = button.closest("li");
    const other = button.dataset.move === "up" ? item.previousElementSibling : item.nextElementSibling;
    if (!other || other.querySelector("input:disabled")) {
      return;
    }
    if (button.dataset.move === "up") {
      other.before(item);
    } else {
      other.after(item);
    }
    button.focus();
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-columns]")?.addEventListener("click", (event) => {
      const button = event.target.closest("[data-move]");
      if (button) {
        move(button);
      }
    });
    if (!table()) {
      return;
    }
    table().addEventListener("focusin", (event) => {
      const row = event.target.closest("tr.data-row");
      if (row && !row.classList.contains("console-row-current")) {
        for (const each of rows()) {
          each.classList.toggle("console-row-current", each === row);
          for (const button of each.querySelectorAll(".console-cell-edit")) {
            button.tabIndex = each === row ? 0 : -1;
          }
        }
      }
    });
    if (config()) {
      rows().forEach(addEditButtons);
      table().addEventListener("click", (event) => {
        const button = event.target.closest(".console-cell-edit");
        if (button) {
          edit(button.closest(".console-cell"), button.dataset.column);
        }
      });
      table().addEventListener("dblclick", (event) => {
        const button = event.target.closest(".console-cell")?.querySelector(".console-cell-edit");
        if (button && !event.target.closest("a, input, select, textarea, button")) {
          edit(button.closest(".console-cell"), button.dataset.column);
        }
      });
    }
  });
})();
