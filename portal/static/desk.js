/* Charts drawn from the tables beside them (the same numbers, readable without a picture), and files dropped. */
"use strict";

function chart(canvas) {
  const table = document.getElementById(canvas.dataset.table);
  const cells = [...table.tHead.rows[0].cells];
  const marked = cells.filter((cell) => "chartColumn" in cell.dataset);
  const columns = (marked.length ? marked : cells.slice(1)).map((cell) => cells.indexOf(cell));
  const rows = [...table.tBodies[0].rows];
  const colours = ["#5c6f82", "#0066cc", "#008055", "#a66300", "#b3334d", "#6a3fb5"];
  const stacked = "chartStacked" in canvas.dataset;
  const value = (cell) => (cell.dataset.value ? Number(cell.dataset.value) : null);
  new Chart(canvas, {
    type: canvas.dataset.chart,
    data: {
      labels: rows.map((row) => row.cells[0].textContent.trim()),
      datasets: columns.map((column, number) => {
        const colour = cells[column].dataset.chartColour || colours[number % colours.length];
        return {
          label: cells[column].textContent.trim(),
          backgroundColor: colour,
          borderColor: colour,
          data: rows.map((row) => value(row.cells[column])),
        };
      }),
    },
    options: {
      maintainAspectRatio: false,
      animation: false,
      locale: document.documentElement.lang,
      scales: { x: { stacked }, y: { stacked } },
    },
  });
}

/* A large file goes in pieces, so that a broken line costs one piece; small ones go with the form as they are. */
async function send(form, file, progress) {
  const ask = async (address, fields) => {
    const body = new FormData();
    body.set("csrf", form.elements.csrf.value);
    Object.entries(fields).forEach(([name, value]) => body.set(name, value));
    const answer = await fetch(address, { method: "POST", body });
    return answer;
  };
  const begun = await (await ask("/consegne/parti", { name: file.name, size: file.size, changed: file.lastModified })).json();
  if (begun.problem) throw new Error(begun.problem);
  let offset = begun.offset;
  for (let failures = 0; offset < file.size;) {
    try {
      const piece = file.slice(offset, offset + begun.piece);
      const answer = await (await ask(`/consegne/parti/${begun.key}`, { offset, piece })).json();
      if (answer.problem) throw new Error(answer.problem);
      offset = answer.offset;
      failures = 0;
    } catch (error) {
      if (++failures > 5) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * failures));
    }
    progress.value = offset / file.size;
  }
  const said = Object.fromEntries(["kind", "completezza", "dal", "al"].map((name) => [name, form.elements[name].value]));
  const end = await ask(`/consegne/parti/${begun.key}/fine`, { name: file.name, size: file.size, ...said });
  return new DOMParser().parseFromString(await end.text(), "text/html");
}

function outcomes(page) {
  return [...page.querySelectorAll("main > .alert, main > .alert ~ .table-responsive.desk-errors")];
}

async function submit(event) {
  const form = event.target;
  const files = [...form.elements.files.files];
  const large = Number(form.dataset.large);
  if (!files.some((file) => file.size > large)) return;
  event.preventDefault();
  const progress = form.querySelector("progress");
  progress.hidden = false;
  for (const file of files) {
    progress.value = 0;
    let shown;
    try {
      const page = await send(form, file, progress);
      shown = outcomes(page);
      const asked = page.getElementById("conferma"); // all that waits, so it takes the place of what was asked before
      document.getElementById("conferma")?.remove();
      if (asked) form.before(asked);
      const way = page.getElementById("in-corso");
      document.getElementById("in-corso").replaceWith(way);
      htmx.process(way);
    } catch (error) {
      const alert = document.createElement("div");
      alert.className = "alert alert-danger";
      alert.setAttribute("role", "alert");
      alert.textContent = `${file.name}: ${error.message}`;
      shown = [alert];
    }
    (document.getElementById("conferma") ?? form).before(...shown);
  }
  progress.hidden = true;
  form.reset();
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelector("form[data-at-once]")?.requestSubmit(); // the face was tapped in a mail
  document.querySelectorAll("canvas[data-chart]").forEach(chart);
  document.querySelectorAll(".desk-drop").forEach((form) => {
    const input = form.querySelector("input[type=file]");
    form.addEventListener("submit", submit);
    form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
    form.addEventListener("dragleave", () => form.classList.remove("over"));
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("over");
      input.files = event.dataTransfer.files;
    });
  });
});
