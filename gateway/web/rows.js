// What the thread shows, as rows with keys:
//
//   entries of the window or excerpt ─┐
//   days, new-messages line           ├─► rows ──► reconcile ──► <ol>
//   outbox ───────────────────────────┘
//
// A message of one's own keeps one key from the outbox to the log, so it turns from "sending" to "sent" in place.

import { dayHeading, dayKey, notice } from "./describe.js";
import { el } from "./dom.js";
import { messageRow } from "./message_view.js";

export function rows(state, conversation, actions) {
  const all = [];
  const about = { state, conversation, reach: conversation.reach, previous: null, item: null };
  let marked = false;
  const dayRow = (at) => {
    if (about.previous && dayKey(about.previous.createdAt) === dayKey(at)) return;
    all.push(line(`day:${dayKey(at)}`, "day", dayHeading(at)));
    about.previous = null;
  };
  for (const entry of conversation.shown.entries) {
    if (entry.hidden) continue;
    const sentence = entry.body.message ? null : notice(entry, (id) => state.nameOf(id));
    if (!entry.body.message && sentence === null) continue;
    dayRow(entry.createdAt);
    if (state.newFrom > 0 && entry.seq >= state.newFrom && !marked && entry.senderId !== conversation.me) {
      all.push(line("new", "new", "New"));
      marked = true;
      about.previous = null;
    }
    all.push(sentence === null ? messageRow(entry, { ...about }, actions) : line(`s:${entry.seq}`, "notice", sentence));
    about.previous = entry;
  }
  // What waits to be sent stands at the end of the log, which an excerpt does not show.
  if (!conversation.excerpt) all.push(...unsent(state, conversation, about, dayRow, actions));
  return all;
}

function unsent(state, conversation, about, dayRow, actions) {
  const all = [];
  for (const item of state.outbox.of(conversation.id)) {
    if (conversation.has(item.id)) continue;
    const entry = {
      senderId: conversation.me,
      createdAt: item.queuedAt,
      clientMsgId: item.id,
      body: { message: item.message },
    };
    dayRow(entry.createdAt);
    all.push(messageRow(entry, { ...about, item }, actions));
    about.previous = entry;
  }
  return all;
}

function line(key, kind, text) {
  return { key, signature: text, build: () => el("li", { class: `line line-${kind}` }, el("span", {}, text)) };
}
