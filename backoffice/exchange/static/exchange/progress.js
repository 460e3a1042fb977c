// Asks every second how far a worker is with an import, and shows the page anew when it has ended.
"use strict";

for (const panel of document.querySelectorAll("[data-exchange-progress]")) {
  const bar = panel.querySelector("progress");
  const text = panel.querySelector("[data-exchange-text]");
  const elapsed = panel.querySelector("[data-exchange-elapsed]");

  const ask = async () => {
    let wait = 1000;
    try {
      const response = await fetch(panel.dataset.exchangeProgress, {
        headers: { Accept: "application/json" },
      });
      if (response.redirected || response.status === 403 || response.status === 404) {
        window.location.reload();
        return;
      }
      const told = await response.json();
      if (told.ended) {
        window.location.reload();
        return;
      }
      if (told.total) {
        bar.max = told.total;
        bar.value = told.done;
      } else {
        bar.removeAttribute("value");
      }
      // Only when it changes, or a screen reader would repeat it every second.
      if (text.textContent !== told.text) text.textContent = told.text;
      elapsed.textContent = told.elapsed;
      for (const part of panel.querySelectorAll("[data-exchange-forsaken]")) {
        part.hidden = !told.forsaken;
      }
    } catch {
      wait = 5000; // the server does not answer just now
    }
    window.setTimeout(ask, wait);
  };
  window.setTimeout(ask, 1000);
}
