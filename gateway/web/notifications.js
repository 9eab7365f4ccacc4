// Of what somebody wants to be told in a conversation; kept by the server, for all their devices.

import { el, field } from "./dom.js";
import { num } from "./wire.js";

const SILENCE_MS = 8 * 3_600_000;
const CHOICES = {
  all: "Every message",
  mentions: "Only where I am named",
  none: "Nothing",
  later: "Nothing for 8 hours",
};
const ALL = { level: "all", mutedUntil: 0 };

/** What is wanted by conversation, as far as it was asked for. */
export class Wishes {
  #api;
  #known = new Map();

  constructor(api) {
    this.#api = api;
  }

  /** {level: all, mentions or none, mutedUntil}; null where the server keeps no such wishes. */
  async of(conversationId) {
    const known = this.#known.get(conversationId);
    if (known) return known;
    try {
      return this.#keep(conversationId, await this.#api.get(`conversations/${conversationId}/notifications`));
    } catch {
      return null;
    }
  }

  async set(conversationId, wish) {
    this.#keep(conversationId, await this.#api.put(`conversations/${conversationId}/notifications`, wish));
  }

  /** Whether a message is one to be told of. */
  async wants(conversation, { body }) {
    const { level, mutedUntil } = (await this.of(conversation.id)) ?? ALL;
    if (mutedUntil > Date.now() || level === "none") return false;
    const { mentions = [], mention_all: everybody = false } = body.message;
    return level === "all" || everybody || mentions.includes(conversation.me);
  }

  forget() {
    this.#known.clear();
  }

  #keep(conversationId, { level, muted_until: mutedUntil }) {
    const wish = { level, mutedUntil: num(mutedUntil) };
    this.#known.set(conversationId, wish);
    return wish;
  }
}

/** The choice in the details of a conversation. */
export class NotificationsField {
  #state;
  #sheet;

  constructor(state, sheet) {
    this.#state = state;
    this.#sheet = sheet;
  }

  view(conversation) {
    const { wishes } = this.#state;
    const select = el(
      "select",
      { name: "notifications", onchange: () => this.#choose(conversation, select) },
      ...Object.entries(CHOICES).map(([value, label]) => el("option", { value }, label)),
    );
    const view = field("Notify me of", select);
    view.hidden = true;
    wishes.of(conversation.id).then((wish) => {
      if (wish === null) return;
      select.value = wish.mutedUntil > Date.now() ? "later" : wish.level;
      view.hidden = false;
    });
    return view;
  }

  #choose({ id }, { value }) {
    const wish =
      value === "later" ? { muted_until: String(Date.now() + SILENCE_MS) } : { level: value, muted_until: "0" };
    return this.#sheet.attempt(() => this.#state.wishes.set(id, wish));
  }
}
