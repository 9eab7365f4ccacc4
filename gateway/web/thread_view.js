// The right pane: the messages of the open conversation.
//
//   entries of the window ─┐
//   new-messages line      ├─► rows with keys ──► reconcile ──► <ol>
//   outbox ────────────────┘
//
// A message of one's own keeps one key from the outbox to the log, so it turns from "sending" to "sent" in place.

import { dayHeading, dayKey, fullTime, messageText, notice, plural, timeOfDay } from "./describe.js";
import { avatar, byId, el, linked, reconcile, setText } from "./dom.js";

/** Messages of one person closer together than this form one block. */
const BLOCK_MS = 5 * 60_000;
/** This close to the end counts as the end, and this close to the top fetches more. */
const END_PX = 48;
const TOP_PX = 300;
/** A freshly opened conversation is filled up to this many entries. */
const FIRST_FILL = 30;

const STATES = {
  waiting: { sign: "…", label: "Waiting for the connection" },
  sending: { sign: "…", label: "Sending" },
  sent: { sign: "✓", label: "Sent" },
  read: { sign: "✓✓", label: "Read" },
  failed: { sign: "!", label: "Not sent" },
};

export class ThreadView {
  #state;
  #scroller = byId("scroller");
  #list = byId("messages");
  #shown = null;
  #atEnd = true;
  #loading = false;

  constructor(state) {
    this.#state = state;
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    document.addEventListener("visibilitychange", () => this.#markRead());
    byId("to-end").addEventListener("click", () => this.#toEnd());
    // A keyboard that slides in, or a taller text field, must not hide the newest message.
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe(this.#scroller);
  }

  render() {
    const conversation = this.#state.open;
    byId("thread").hidden = !conversation;
    byId("welcome").hidden = Boolean(conversation);
    if (!conversation) {
      this.#shown = null;
      return;
    }
    const fresh = this.#shown !== conversation;
    this.#renderHeader(conversation);
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    const lowBefore = this.#list.dataset.low;
    if (fresh) this.#list.replaceChildren();
    reconcile(this.#list, this.#rows(conversation));
    this.#list.dataset.low = conversation.low;
    this.#shown = conversation;
    byId("older").hidden = conversation.complete;
    if (fresh) this.#begin();
    else if (this.#atEnd) this.#toEnd();
    else if (lowBefore !== this.#list.dataset.low) this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
    byId("to-end").hidden = this.#atEnd;
    this.#markRead();
    if (this.#state.client.online) this.#state.client.directory.learnMembers(conversation);
    if (conversation.entries.length < FIRST_FILL) this.#loadOlder();
  }

  #renderHeader(conversation) {
    const state = this.#state;
    const title = state.titleOf(conversation);
    setText(byId("thread-title"), title);
    const count = plural(conversation.memberCount, "member", "members");
    const subtitle = { DIRECT: "Direct chat", GROUP: count, ROOM: `Open group · ${count}` }[conversation.kind];
    setText(byId("thread-subtitle"), subtitle ?? "");
    const place = byId("thread-avatar");
    if (place.dataset.for !== conversation.id + title) {
      place.dataset.for = conversation.id + title;
      place.replaceChildren(avatar(conversation.peer?.userId ?? conversation.id, title, conversation.kind));
    }
  }

  #rows(conversation) {
    const { newFrom, outbox } = this.#state;
    const rows = [];
    let previous = null;
    let marked = false;
    const dayRow = (at) => {
      if (previous && dayKey(previous.createdAt) === dayKey(at)) return;
      rows.push(this.#line(`day:${dayKey(at)}`, "day", dayHeading(at)));
      previous = null;
    };
    for (const entry of conversation.entries) {
      const sentence = entry.body.message ? null : notice(entry, (id) => this.#state.nameOf(id));
      if (!entry.body.message && sentence === null) continue;
      dayRow(entry.createdAt);
      if (newFrom > 0 && entry.seq >= newFrom && !marked && entry.senderId !== conversation.me) {
        rows.push(this.#line("new", "new", "New"));
        marked = true;
        previous = null;
      }
      if (sentence === null) rows.push(this.#messageRow(conversation, entry, previous));
      else rows.push(this.#line(`s:${entry.seq}`, "notice", sentence));
      previous = entry;
    }
    for (const item of outbox.of(conversation.id)) {
      if (conversation.has(item.id)) continue;
      const entry = {
        senderId: conversation.me,
        createdAt: item.queuedAt,
        clientMsgId: item.id,
        body: { message: { text: item.text } },
      };
      dayRow(entry.createdAt);
      rows.push(this.#messageRow(conversation, entry, previous, item));
      previous = entry;
    }
    return rows;
  }

  #line(key, kind, text) {
    return { key, signature: text, build: () => el("li", { class: `line line-${kind}` }, el("span", {}, text)) };
  }

  #messageRow(conversation, entry, previous, item = null) {
    const own = entry.senderId === conversation.me;
    const name = this.#state.nameOf(entry.senderId);
    const follows =
      Boolean(previous?.body.message) && previous.senderId === entry.senderId && entry.createdAt - previous.createdAt < BLOCK_MS;
    const peer = conversation.peer;
    const read = peer && (conversation.readBy.get(peer.userId) ?? 0) >= entry.seq;
    const state = own ? (item?.state ?? (read ? "read" : "sent")) : "";
    const text = messageText(entry);
    const edited = entry.editedAt > 0;
    const named = !own && !follows && conversation.kind !== "DIRECT";
    return {
      key: own && entry.clientMsgId ? `m:${entry.clientMsgId}` : `s:${entry.seq}`,
      signature: JSON.stringify([name, text, state, follows, edited, entry.recalledAt, entry.createdAt, item?.error]),
      build: () =>
        el("li", {
          class: ["message", own ? "own" : "", follows ? "follows" : "", entry.recalledAt ? "recalled" : ""].join(" "),
          "data-state": state || null,
          "data-seq": entry.seq ?? null,
        },
          conversation.kind === "DIRECT" || own ? null : avatar(entry.senderId, name),
          el("div", { class: "bubble" },
            named ? el("span", { class: "sender" }, name) : el("span", { class: "unseen" }, `${name}: `),
            el("span", { class: "text", dir: "auto" }, linked(text)),
            this.#meta(entry, state, edited)),
          state === "failed" ? this.#failure(item) : null),
    };
  }

  #meta(entry, state, edited) {
    const { sign, label } = STATES[state] ?? {};
    return el("span", { class: "meta", title: fullTime(entry.createdAt) },
      edited ? "edited " : null,
      el("time", { datetime: new Date(entry.createdAt).toISOString() }, timeOfDay(entry.createdAt)),
      sign ? el("span", { class: "sign", role: "img", "aria-label": label, title: label }, sign) : null);
  }

  #failure(item) {
    const { outbox } = this.#state;
    return el("div", { class: "failure", role: "alert" },
      el("span", {}, `Not sent: ${item.error}`),
      el("button", { type: "button", class: "link", onclick: () => outbox.retry(item.id) }, "Retry"),
      el("button", { type: "button", class: "link", onclick: () => outbox.discard(item.id) }, "Delete"));
  }

  /** Shows where reading stopped last time, or the end. */
  #begin() {
    const line = this.#list.querySelector(".line-new");
    this.#atEnd = true;
    if (line) this.#scroller.scrollTop = line.offsetTop - this.#scroller.clientHeight / 4;
    else this.#toEnd();
    this.#atEnd = this.#isAtEnd();
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #isAtEnd() {
    return this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight < END_PX;
  }

  #scrolled() {
    if (!this.#shown) return;
    this.#atEnd = this.#isAtEnd();
    byId("to-end").hidden = this.#atEnd;
    this.#markRead();
    if (this.#scroller.scrollTop < TOP_PX) this.#loadOlder();
  }

  /** Seen is what was on the screen: the window visible, and scrolled to the end. */
  #markRead() {
    const conversation = this.#shown;
    if (!conversation || !this.#atEnd || document.visibilityState !== "visible") return;
    this.#state.client?.markRead(conversation);
  }

  async #loadOlder() {
    const conversation = this.#shown;
    const { client } = this.#state;
    if (!conversation || this.#loading || conversation.complete || !client?.online) return;
    this.#loading = true;
    try {
      await client.loadOlder(conversation);
    } catch {
      // Asked again at the next scroll, or when the connection is back.
    } finally {
      this.#loading = false;
    }
  }
}
