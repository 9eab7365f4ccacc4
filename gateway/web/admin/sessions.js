// The sessions of this node, and how to end one.

import { byId } from "../dom.js";
import { ask } from "./api.js";
import { bytes, moment } from "./chart.js";
import { button, head, rows } from "./table.js";

const TITLES = ["User", "Id", "Device", "Client", "Encoding", "Since", "State", "Outbox", ""];

let found = [];
let next = "";
let user = "";

export function prepare(run, may) {
  head(byId("sessions-table"), TITLES);
  byId("sessions-form").addEventListener("submit", (event) => {
    event.preventDefault();
    user = new FormData(event.target).get("user_id").trim();
    run(() => load(run, may, false));
  });
  byId("sessions-more").addEventListener("click", () => run(() => load(run, may, true)));
}

export async function load(run, may, more) {
  const query = new URLSearchParams();
  if (user) query.set("user_id", user);
  if (more) query.set("page_token", next);
  const page = await ask("GET", `sessions?${query}`);
  found = more ? [...found, ...page.sessions] : page.sessions;
  next = page.next_page_token;
  byId("sessions-more").hidden = !next;
  rows(byId("sessions-table"), found.map((session) => ({
    key: session.session_id,
    cells: [session.username || "–", session.user_id, session.device_class || session.device_id || "–",
      session.client_name || "–", session.encoding, moment(session.connected_at),
      session.live ? "connected" : "waits", bytes(session.outbox_bytes), end(session, run, may)],
  })));
}

function end(session, run, may) {
  if (!may("moderator")) return "";
  const label = `End the session of ${session.username || session.user_id}`;
  return button("End", label, session.session_id, () => run(async () => {
    await ask("DELETE", `sessions/${encodeURIComponent(session.session_id)}`);
    await load(run, may, false);
    return "The session has ended.";
  }), "danger");
}
