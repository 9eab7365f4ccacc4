// One message as a row of the thread: who, what it answers, text, attachments, reactions, and how far it has come.
//
// A row says in its signature everything that it shows, so that it is built anew exactly when something changed.

import { attachmentsView } from "./attachment_view.js";
import { fullTime, messageLine, messageText, timeOfDay } from "./describe.js";
import { el, face, iconButton, linked } from "./dom.js";
import { icon } from "./icons.js";
import { list, num } from "./wire.js";

/** Messages of one person closer together than this form one block. */
const BLOCK_MS = 5 * 60_000;

const STATES = {
  waiting: { sign: "…", label: "Waiting for the connection" },
  sending: { sign: "…", label: "Sending" },
  sent: { sign: "✓", label: "Sent" },
  delivered: { sign: "✓✓", label: "Delivered" },
  read: { sign: "✓✓", label: "Read" },
  failed: { sign: "!", label: "Not sent" },
};

/**
 * The row of a message. `about` is {state, conversation, reach, previous, item}: `reach` as far as the others are,
 * `item` of the outbox while it is there. `actions` are {menu, react, jump, readers, picture}.
 */
export function messageRow(entry, about, actions) {
  const { state, conversation, reach, previous, item } = about;
  const own = entry.senderId === conversation.me;
  const message = entry.body.message ?? {};
  const shown = {
    own,
    name: state.nameOf(entry.senderId),
    sender: state.userOf(entry.senderId),
    text: messageText(entry),
    progress: own
      ? (item?.state ?? (entry.seq <= reach.read ? "read" : entry.seq <= reach.delivered ? "delivered" : "sent"))
      : "",
    follows:
      Boolean(previous?.body.message) &&
      previous.senderId === entry.senderId &&
      entry.createdAt - previous.createdAt < BLOCK_MS,
    edited: entry.editedAt > 0 && !entry.recalledAt,
    recalled: entry.recalledAt > 0,
    pinned: conversation.pinned.includes(entry.seq),
    mentions: mentioned(message, state),
    calls: list(message.mentions).includes(conversation.me) || (message.mention_all ?? false),
    answers: num(message.reply_to),
    quote: quoteOf(message, conversation, state),
    attachments: entry.recalledAt ? [] : list(message.attachments),
    reactions: entry.reactions ?? [],
    error: item?.error ?? "",
    grouped: !conversation.isDirect,
  };
  return {
    key: own && entry.clientMsgId ? `m:${entry.clientMsgId}` : `s:${entry.seq}`,
    signature: JSON.stringify([shown, entry.createdAt, entry.seq]),
    build: () => build(entry, shown, item, state, actions),
  };
}

function build(entry, shown, item, state, actions) {
  const classes = [
    "message",
    shown.own && "own",
    shown.follows && "follows",
    shown.recalled && "recalled",
    shown.calls && !shown.own && "calls",
  ];
  const placed = entry.seq > 0;
  return el(
    "li",
    {
      class: classes.filter(Boolean).join(" "),
      "data-state": shown.progress || null,
      "data-seq": placed ? entry.seq : null,
      tabindex: placed ? "-1" : null,
    },
    shown.grouped && !shown.own ? face(shown.sender) : null,
    el(
      "div",
      { class: "bubble" },
      shown.grouped && !shown.own && !shown.follows
        ? el("span", { class: "sender" }, shown.name)
        : el("span", { class: "unseen" }, `${shown.name}: `),
      shown.quote === null ? null : quoteView(shown, actions),
      shown.attachments.length > 0
        ? attachmentsView(shown.attachments, { open: actions.picture, failed: (error) => state.notify(error.message) })
        : null,
      shown.text === "" ? null : el("span", { class: "text", dir: "auto" }, linked(shown.text, shown.mentions)),
      metaView(entry, shown, actions),
      shown.reactions.length > 0 ? reactionsView(entry, shown.reactions, actions) : null,
    ),
    placed && !shown.recalled
      ? iconButton("more", "Actions for this message", (event) => actions.menu(entry, event.currentTarget), {
          class: "icon more",
          "aria-haspopup": "menu",
        })
      : null,
    shown.progress === "failed" ? failureView(item, state) : null,
  );
}

function quoteView({ answers, quote }, actions) {
  return el(
    "button",
    { type: "button", class: "quote", onclick: () => actions.jump(answers) },
    el("b", {}, quote.name),
    el("span", { dir: "auto" }, quote.text),
  );
}

function metaView(entry, { progress, edited, pinned }, actions) {
  const { sign, label } = STATES[progress] ?? {};
  const placed = entry.seq > 0;
  return el(
    "span",
    { class: "meta", title: fullTime(entry.createdAt) },
    pinned ? el("span", { class: "pinned", role: "img", "aria-label": "Pinned", title: "Pinned" }, icon("pin")) : null,
    edited ? "edited " : null,
    el("time", { datetime: new Date(entry.createdAt).toISOString() }, timeOfDay(entry.createdAt)),
    !sign
      ? null
      : placed
        ? el(
            "button",
            {
              type: "button",
              class: "sign",
              "aria-label": `${label}. Who?`,
              title: label,
              onclick: () => actions.readers(entry),
            },
            sign,
          )
        : el("span", { class: "sign", role: "img", "aria-label": label, title: label }, sign),
  );
}

function reactionsView(entry, reactions, actions) {
  const chip = ({ reaction, count, own }) =>
    el(
      "button",
      {
        type: "button",
        class: "reaction",
        "aria-pressed": String(own),
        "aria-label": `${reaction}, ${count}`,
        onclick: () => actions.react(entry, reaction, own),
      },
      el("span", {}, reaction),
      count > 1 ? el("span", { class: "count" }, String(count)) : null,
    );
  return el("div", { class: "reactions" }, ...reactions.map(chip));
}

function failureView(item, { outbox }) {
  return el(
    "div",
    { class: "failure", role: "alert" },
    el("span", {}, `Not sent: ${item.error}`),
    el("button", { type: "button", class: "link", onclick: () => outbox.retry(item.id) }, "Retry"),
    el("button", { type: "button", class: "link", onclick: () => outbox.discard(item.id) }, "Delete"),
  );
}

/** What a message answers: {name, text}, or null where it answers nothing. */
function quoteOf(message, conversation, state) {
  const seq = num(message.reply_to);
  if (seq === 0) return null;
  const entry = conversation.at(seq);
  if (!entry?.body.message || entry.hidden) return { name: "Answer to", text: "an earlier message" };
  return { name: state.nameOf(entry.senderId), text: messageLine(entry) };
}

/** The names that a text may address, in small letters. */
function mentioned(message, state) {
  const names = list(message.mentions)
    .map((id) => state.userOf(id).username.toLowerCase())
    .filter(Boolean);
  return message.mention_all ? [...names, "all"] : names;
}
