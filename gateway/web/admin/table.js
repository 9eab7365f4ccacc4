// Tables whose rows stay where they are while their cells change, so that a focused button keeps the focus.

import { el } from "../dom.js";

/** Sets the head of a table, once. */
export function head(table, titles) {
  const cells = titles.map((title) => el("th", { scope: "col" }, title));
  table.replaceChildren(el("thead", {}, el("tr", {}, ...cells)), el("tbody"));
}

/** Makes the rows of a table [{key, cells}] what they are; a cell is a text or an element, which stays if it was there. */
export function rows(table, all) {
  const body = table.tBodies[0];
  const old = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  for (const { key, cells } of all) {
    let row = old.get(key);
    old.delete(key);
    if (!row) row = el("tr", { "data-key": key }, ...cells.map(() => el("td")));
    body.append(row);
    cells.forEach((cell, place) => {
      const td = row.cells[place];
      if (cell instanceof Node) {
        if (td.dataset.made !== cell.dataset?.signature || !td.firstChild) {
          td.replaceChildren(cell);
          td.dataset.made = cell.dataset?.signature ?? "";
        }
      } else if (td.textContent !== String(cell)) {
        td.textContent = cell;
      }
    });
  }
  for (const row of old.values()) row.remove();
  table.dataset.rows = String(all.length);
}

/** A button in a row; `signature` says when it is another one. */
export function button(text, label, signature, act, kind = "plain") {
  return el("button", { class: kind, "aria-label": label, "data-signature": signature, onclick: act }, text);
}
