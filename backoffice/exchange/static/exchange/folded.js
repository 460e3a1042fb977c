// A link to a part of the page that is folded opens it.
"use strict";

(() => {
  const open = () => {
    const target = document.getElementById(window.location.hash.slice(1));
    const details = target?.querySelector("details");
    if (details) {
      details.open = true;
      details.querySelector("summary").focus();
    }
  };
  window.addEventListener("hashchange", open);
  // The same link a second time changes no address.
  document.addEventListener("click", (event) => {
    if (event.target.closest("a[href^='#']")) window.setTimeout(open);
  });
  open();
})();
