// Who is who: the names of everybody this client has heard of, and the members of its conversations.
//
// Entries carry user ids only. Names come with direct conversations, with the entry that made a group, and with its
// list of members, which is asked for when a name is missing or a conversation is looked at.

import { list, userFromWire } from "./wire.js";

/** The server stores cursors of others up to two seconds late; what was read just before is asked for again. */
const CURSORS_SETTLE_MS = 3_000;

export class Directory {
  /** User id -> user. */
  users = new Map();
  #ask;
  #onChange;
  /** Conversation id -> its number of members when they were last asked for on this connection. */
  #asked = new Map();

  /** `ask(conversation)` fetches its members; `onChange()` is told when names or read positions came. */
  constructor({ ask, onChange }) {
    this.#ask = ask;
    this.#onChange = onChange;
  }

  /** A new connection: lists that were asked for on the last one may have changed since. */
  reconnected() {
    this.#asked.clear();
  }

  /** Somebody as told just now. Who is known already stays the same object, wherever it is held. */
  learn(user) {
    const known = this.users.get(user.userId);
    if (known) return Object.assign(known, user);
    this.users.set(user.userId, user);
    return user;
  }

  /** An entry may bring names along, or show that a name is missing. */
  learnFrom(conversation, { body, senderId }) {
    for (const member of list(body.created?.members)) {
      if (member.user?.username) this.learn(userFromWire(member.user));
    }
    const named = [senderId, ...list(body.joined?.user_ids)];
    if (named.some((id) => id !== "0" && !this.users.has(id))) this.learnMembers(conversation);
  }

  /** Learns who is in a conversation, once for each connection and number of members. */
  learnMembers(conversation) {
    if (this.#asked.get(conversation.id) === conversation.memberCount) return;
    this.#asked.set(conversation.id, conversation.memberCount);
    this.members(conversation).catch(() => {});
    if (conversation.kind !== "DIRECT") return;
    setTimeout(() => this.members(conversation).catch(() => {}), CURSORS_SETTLE_MS);
  }

  /** All members of a conversation; learns their names and how far they have read. */
  async members(conversation) {
    const members = await this.#ask(conversation);
    for (const { user, readSeq, deliveredSeq } of members) {
      conversation.applyCursor(user.userId, readSeq, deliveredSeq);
    }
    conversation.members = members.map((member) => ({ ...member, user: this.learn(member.user) }));
    conversation.memberCount = Math.max(conversation.memberCount, members.length);
    this.#asked.set(conversation.id, conversation.memberCount);
    this.#onChange();
    return conversation.members;
  }
}
