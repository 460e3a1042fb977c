/*
 * Lists by keyboard, menus, columns put in order. Without it the lists still work: it only presses
 * what is there. Cells are edited by cells.js.
 */
"use strict";

(() => {
  const table = () => document.getElementById("result_list");
  const rows = () => [...(table()?.querySelectorAll("tr.data-row") ?? [])];
  const isBusy = () =>
    [...document.querySelectorAll("[role=dialog], #modal-overlay")].some(
      (node) => node.getClientRects().length > 0,
    );

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

  function edit() {
    const row = currentRow() ?? rows()[0];
    if (document.getElementById("console-cells")) {
      row?.dispatchEvent(new CustomEvent("console:edit", { bubbles: true }));
    } else if (row) {
      linkOf(row)?.click();
    }
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
      e: edit,
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
  });
})();
