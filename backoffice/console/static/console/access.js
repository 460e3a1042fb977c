/*
 * What Unfold and Select2 leave to the mouse and to the eye: menus by the arrow keys, things to
 * click that the keyboard does not reach, icons that are read out as words, lists without a name.
 */
"use strict";

(() => {
  const FOCUSABLE = "a[href], button:not([disabled]), input:not([type=hidden]), [tabindex='0']";

  /* Menus: a button with data-opens opens what it controls. */

  const isOpen = (button) => button.getAttribute("aria-expanded") === "true";
  const opened = (button) => document.getElementById(button.getAttribute("aria-controls"));
  const items = (menu) => [...menu.querySelectorAll(FOCUSABLE)].filter((item) => item.getClientRects().length);

  function openerOf(target) {
    return (
      target.closest("[data-opens]") ??
      [...document.querySelectorAll("[data-opens][aria-expanded=true]")].find((button) => opened(button)?.contains(target))
    );
  }

  function close(button) {
    if (isOpen(button)) {
      button.click();
    }
    button.focus();
  }

  /* Shown by Alpine in the next frame, after which it can take the focus. */
  function enter(button) {
    requestAnimationFrame(() => requestAnimationFrame(() => items(opened(button))[0]?.focus()));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-opens]");
    // A press of a key has no place on the screen.
    if (button && event.detail === 0) {
      setTimeout(() => isOpen(button) && enter(button));
    }
  });

  document.addEventListener("keydown", (event) => {
    const button = openerOf(event.target);
    if (!button) {
      return;
    }
    const inside = opened(button)?.contains(event.target);
    if (event.key === "Escape" && isOpen(button)) {
      close(button);
    } else if (event.key === "ArrowDown" && !inside) {
      if (isOpen(button)) {
        enter(button);
      } else {
        button.click();
      }
    } else if (event.key === "Tab" && inside && opened(button).getAttribute("role") === "menu") {
      close(button);
      return; // and on from the button, as Tab does
    } else if (inside && ["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) {
      const all = items(opened(button));
      const at = all.indexOf(document.activeElement);
      const next = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
      all[next % all.length]?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  /* What can be clicked can be pressed. */

  document.addEventListener("keydown", (event) => {
    if (event.target.matches("[data-pressed]") && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      event.target.click();
    }
  });

  function makePressable(element) {
    element.setAttribute("role", "button");
    element.tabIndex = 0;
    element.dataset.pressed = "";
  }

  /* Select2 has its own boxes, which do not take over the name of the field that they stand for. */

  function nameSelection(selection) {
    const box = selection.closest(".select2-container");
    const label = box?.previousElementSibling?.labels?.[0];
    if (!label) {
      return;
    }
    label.id ||= `${label.htmlFor}-label`;
    const shown = selection.querySelector(".select2-selection__rendered");
    shown?.removeAttribute("role");
    shown?.removeAttribute("aria-readonly");
    selection.setAttribute("aria-labelledby", shown?.id ? `${label.id} ${shown.id}` : label.id);
    selection.querySelector("input")?.setAttribute("aria-labelledby", label.id);
  }

  function nameSearch(input) {
    const field = input.getAttribute("aria-controls")?.match(/^select2-(.+)-results$/)?.[1];
    const label = field && document.getElementById(field)?.labels?.[0];
    if (label) {
      input.setAttribute("aria-label", label.textContent.trim());
    }
  }

  const MENDS = [
    [".material-symbols-outlined:not([aria-hidden], a, button, [role=button])", (icon) => icon.setAttribute("aria-hidden", "true")],
    [":is(a:not([href]), span, div, td, h2, h3)[x-on\\:click]:not([data-pressed], #changelist-filter-close)", makePressable],
    [".select2-selection", nameSelection],
    [".select2-dropdown .select2-search__field:not([aria-label])", nameSearch],
  ];

  function mend(root) {
    for (const [selector, mendOne] of MENDS) {
      root.querySelectorAll(selector).forEach(mendOne);
    }
  }

  new MutationObserver((changes) => {
    for (const root of new Set(changes.map((change) => change.target))) {
      mend(root.parentElement ?? document);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
