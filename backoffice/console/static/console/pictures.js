// A picture whose server does not answer leaves its square quietly empty.
"use strict";

(() => {
  const empty = (picture) => {
    const square = picture.closest(".console-thumbnail");
    if (!square) return;
    const icon = document.createElement("span");
    icon.className = "material-symbols-outlined";
    icon.setAttribute("aria-hidden", "true");
    icon.textContent = "image";
    square.classList.add("console-thumbnail-empty");
    picture.replaceWith(icon);
  };

  // Errors of pictures do not bubble, so they are caught on their way down.
  document.addEventListener(
    "error",
    (event) => {
      if (event.target instanceof HTMLImageElement) empty(event.target);
    },
    true,
  );
  // Those that failed without telling, such as from a cache.
  window.addEventListener("load", () => {
    for (const picture of document.querySelectorAll(".console-thumbnail img")) {
      if (picture.complete && picture.naturalWidth === 0) empty(picture);
    }
  });
})();
