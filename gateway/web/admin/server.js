// The server: what it says to people, what it logs, its end; and who did what.

import { byId } from "../dom.js";
import { ask } from "./api.js";
import { moment } from "./chart.js";
import { head, rows } from "./table.js";

const AUDIT = ["When", "Operator", "What", "To what", "Outcome", "More"];
const OPERATORS = ["Operator", "Role", "Since", "State"];

let audit = [];
let next = "";

function onSubmit(id, run, act) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    run(() => act(fields, event.target));
  });
}

export function prepare(run, may) {
  head(byId("audit-table"), AUDIT);
  head(byId("operators"), OPERATORS);
  onSubmit("broadcast-form", run, async ({ text, users }, form) => {
    const ids = users.split(",").map((id) => id.trim()).filter((id) => id);
    await ask("POST", "broadcast", ids.length ? { text, user_ids: ids } : { text });
    form.reset();
    return ids.length ? "Sent to those of them who are there." : "Sent to everybody who is there.";
  });
  onSubmit("log-form", run, async ({ filter }) => {
    await ask("PUT", "log", { filter });
    return "The log follows the filter from now on.";
  });
  onSubmit("drain-form", run, async ({ confirm }) => {
    if (confirm.trim() !== "drain") return "Nothing was stopped: type drain to confirm.";
    await ask("POST", "drain");
    return "The server stops when everything under way is done.";
  });
  byId("audit-more").addEventListener("click", () => run(() => loadAudit(true)));
  for (const [id, role] of [["broadcast-form", "moderator"], ["log-form", "admin"], ["drain-form", "admin"]]) {
    for (const field of byId(id).elements) field.disabled = !may(role);
  }
}

export async function load(may) {
  const { filter } = await ask("GET", "log");
  byId("log-form").elements.filter.value = filter ?? "";
  if (!may("admin")) return;
  const { operators } = await ask("GET", "operators");
  rows(byId("operators"), operators.map((operator) => ({
    key: operator.name,
    cells: [operator.name, operator.role, moment(operator.created_at), operator.disabled ? "disabled" : "enabled"],
  })));
}

export async function loadAudit(more) {
  const page = await ask("GET", more ? `audit?page_token=${encodeURIComponent(next)}` : "audit");
  audit = more ? [...audit, ...page.rows] : page.rows;
  next = page.next_page_token;
  byId("audit-more").hidden = !next;
  rows(byId("audit-table"), audit.map((row) => ({
    key: row.id,
    cells: [moment(row.at), row.operator ?? (row.actor_id ? `user ${row.actor_id}` : "server"), row.action, row.target,
      row.code ? `${row.outcome}: ${row.code}` : row.outcome,
      Object.keys(row.detail ?? {}).length > 0 ? JSON.stringify(row.detail) : ""],
  })));
}
