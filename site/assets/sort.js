"use strict";
// Sorts the tables of a report by the heads of their columns: ascending, descending, as published.
// Without it a table is the same, without the buttons.

(() => {
  const language = document.documentElement.lang;
  const compareTexts = new Intl.Collator(language, { numeric: true }).compare;
  const decimal = new Intl.NumberFormat(language).format(1.5)[1];

  function readNumber(text) {
    const plain = text.replace("\u2212", "-").replace(/[^\d.,\-]/g, "");
    const digits = decimal === "," ? plain.replace(/\./g, "").replace(",", ".") : plain.replace(/,/g, "");
    return digits === "" ? NaN : Number(digits);
  }

  // What a cell is sorted by; null where it has no value, which comes last in either order.
  function readCell(cell, kind) {
    const text = cell.textContent.trim();
    if (text === "" || text === "–" || cell.classList.contains("cut")) return null;
    if (kind === "number") {
      const number = readNumber(text);
      return Number.isNaN(number) ? null : number;
    }
    const time = cell.querySelector("time");
    return time ? time.dateTime : text;
  }

  function compare(one, other) {
    return typeof one === "number" ? one - other : compareTexts(one, other);
  }

  function sortRows(rows, column, kind, direction) {
    const keyed = rows.map((row) => [row, readCell(row.cells[column], kind)]);
    keyed.sort(([, one], [, other]) => {
      if (one === null || other === null) return (one === null) - (other === null);
      return direction === "descending" ? compare(other, one) : compare(one, other);
    });
    return keyed.map(([row]) => row);
  }

  function prepare(table) {
    const body = table.tBodies[0];
    const published = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    if (published.length < 2) return;
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: null }[head.ariaSort];
        const direction = next === undefined ? "ascending" : next;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        if (direction) head.setAttribute("aria-sort", direction);
        const kind = ["number", "date"].find((name) => head.classList.contains(name)) || "text";
        body.append(...(direction ? sortRows(published, column, kind, direction) : published));
      });
    });
  }

  document.querySelectorAll(".table-box > table").forEach(prepare);
})();
