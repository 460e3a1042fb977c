/*
 * A bar of a chart leads where the number of its day leads in the table below it. Without this the
 * table is there all the same.
 */
"use strict";

(() => {
  function linkAt(chart, event) {
    const [bar] = chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, false);
    const box = bar && chart.canvas.closest("[data-chart]");
    const table = box && document.querySelector(`[data-numbers="${box.dataset.chart}"] tbody`);
    return table?.rows[bar.index]?.cells[bar.datasetIndex + 1]?.querySelector("a") ?? null;
  }

  window.addEventListener("load", () => {
    for (const canvas of document.querySelectorAll("[data-chart] canvas")) {
      const chart = Chart.getChart(canvas);
      if (!chart) {
        continue;
      }
      canvas.addEventListener("click", (event) => linkAt(chart, event)?.click());
      canvas.addEventListener("mousemove", (event) => {
        canvas.classList.toggle("console-chart-link", linkAt(chart, event) !== null);
      });
    }
  });
})();
