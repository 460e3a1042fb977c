/*
 * A bar of a chart leads where the number of its day leads in the table below it. Without this the
 * table is there all the same.
 */
"use strict";

(() => {
  function linkAt(event) {
    const canvas = event.target.closest("[data-chart] canvas");
    const chart = canvas && Chart.getChart(canvas);
    if (!chart) {
      return null;
    }
    const [bar] = chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, false);
    const box = bar && canvas.closest("[data-chart]");
    const table = box && document.querySelector(`[data-numbers="${box.dataset.chart}"] tbody`);
    return table?.rows[bar.index]?.cells[bar.datasetIndex + 1]?.querySelector("a") ?? null;
  }

  // What was counted after the page was shown has its charts still to be drawn, which Unfold does
  // only once a page is loaded.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.matches?.(".console-dashboard")) {
      renderCharts();
    }
  });

  document.addEventListener("click", (event) => linkAt(event)?.click());
  document.addEventListener("mousemove", (event) => {
    if (event.target instanceof HTMLCanvasElement) {
      event.target.classList.toggle("console-chart-link", linkAt(event) !== null);
    }
  });
})();
