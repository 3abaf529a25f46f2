/* Charts drawn from the tables beside them (the same numbers, readable without a picture), and files dropped. */
"use strict";

function chart(canvas) {
  const table = document.getElementById(canvas.dataset.table);
  const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
  const rows = [...table.tBodies[0].rows];
  const colours = ["#5c6f82", "#0066cc", "#008055"];
  new Chart(canvas, {
    type: canvas.dataset.chart,
    data: {
      labels: rows.map((row) => row.cells[0].textContent.trim()),
      datasets: heads.map((label, number) => ({
        label,
        backgroundColor: colours[number % colours.length],
        data: rows.map((row) => Number(row.cells[number + 1].dataset.value)),
      })),
    },
    options: { maintainAspectRatio: false, animation: false, locale: document.documentElement.lang },
  });
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("canvas[data-chart]").forEach(chart);
  document.querySelectorAll(".desk-drop").forEach((form) => {
    const input = form.querySelector("input[type=file]");
    form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
    form.addEventListener("dragleave", () => form.classList.remove("over"));
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("over");
      input.files = event.dataTransfer.files;
    });
  });
});
