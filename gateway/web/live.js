// What is true only now: who is writing, and who is there.
//
// Nothing of it is kept. A new connection begins with nobody writing and nobody watched.

import { list, num } from "./wire.js";

/** How long a `typing` lasts where the server has not told. */
const DEFAULT_TYPING_MS = 6_000;
const DEFAULT_MAX_WATCHED = 1_000;

export class Live {
  /** User id -> {status, text, lastSeenAt}. */
  presences = new Map();
  /** How this session shows to others. It begins as ONLINE, and again with every connection. */
  own = { status: "ONLINE", text: "", statusVisibility: "CONTACTS", lastSeenVisibility: "CONTACTS" };
  #post;
  #limits;
  #onChange;
  /** Conversation id -> user id -> the timer that ends it. */
  #typing = new Map();
  #watched = new Set();
  /** Conversation id -> when this side last said that it writes. */
  #told = new Map();

  /** `post(op, body)` tells the server; `limits()` gives what it told; `onChange()` hears of every change. */
  constructor({ post, limits, onChange }) {
    this.#post = post;
    this.#limits = limits;
    this.#onChange = onChange;
  }

  /** A new connection: it watches nobody yet. */
  reconnected() {
    this.#watched.clear();
    this.#told.clear();
    for (const conversationId of [...this.#typing.keys()]) this.#silent(conversationId);
  }

  /** Watches whether these people are there. */
  watch(userIds) {
    const room = (this.#limits().max_watched || DEFAULT_MAX_WATCHED) - this.#watched.size;
    const add = userIds.filter((id) => !this.#watched.has(id)).slice(0, Math.max(0, room));
    if (add.length === 0) return;
    for (const id of add) this.#watched.add(id);
    this.#post("watch_presence", { add });
  }

  presenceOf(userId) {
    return this.presences.get(userId) ?? { status: "OFFLINE", text: "", lastSeenAt: 0 };
  }

  /** The ids of those who write in a conversation. */
  typingIn(conversationId) {
    return [...(this.#typing.get(conversationId)?.keys() ?? [])];
  }

  /** This side writes (or has stopped); told as seldom as the others need to see it without a break. */
  writes(conversationId, stopped = false) {
    const last = this.#told.get(conversationId) ?? 0;
    if (stopped ? last === 0 : Date.now() - last < this.#lastsMs / 2) return;
    if (stopped) this.#told.delete(conversationId);
    else this.#told.set(conversationId, Date.now());
    this.#post("typing", stopped ? { conversation_id: conversationId, stopped } : { conversation_id: conversationId });
  }

  /** This side said what it was writing: the server knows that it has stopped. */
  sent(conversationId) {
    this.#told.delete(conversationId);
  }

  pushedTyping({ conversation_id: conversationId, user_id: userId, stopped }) {
    if (stopped) {
      this.#silent(conversationId, userId);
      return;
    }
    const writers = this.#typing.get(conversationId) ?? new Map();
    this.#typing.set(conversationId, writers);
    clearTimeout(writers.get(userId));
    writers.set(
      userId,
      setTimeout(() => this.#silent(conversationId, userId), this.#lastsMs),
    );
    this.#onChange();
  }

  pushedPresence({ users }) {
    for (const { user_id: id, status = "OFFLINE", text = "", last_seen_at: lastSeenAt } of list(users)) {
      this.presences.set(id, { status, text, lastSeenAt: num(lastSeenAt) });
    }
    this.#onChange();
  }

  /** A message ends the writing of it. */
  spoke(conversationId, userId) {
    if (this.#typing.get(conversationId)?.has(userId)) this.#silent(conversationId, userId);
  }

  get #lastsMs() {
    return this.#limits().typing_ms || DEFAULT_TYPING_MS;
  }

  #silent(conversationId, userId) {
    const writers = this.#typing.get(conversationId);
    for (const id of userId ? [userId] : [...(writers?.keys() ?? [])]) {
      clearTimeout(writers?.get(id));
      writers?.delete(id);
    }
    this.#onChange();
  }
}
