// What somebody can do, as commands of the protocol: one method each.
//
// Commands that make an entry are answered with its place. The session that gave the command gets no push of it, so
// `entered(conversation, seq)` fetches it, and everything before it that may still be missing.

import { entryFromWire, list, memberFromWire, num, randomId, userFromWire } from "./wire.js";

/** Pages of a list fetched at most. */
const MAX_PAGES = 20;
const PAGE = 50;

export class Commands {
  #request;
  #entered;

  /** `request(op, body)` resolves with the reply; `entered(conversation, seq)` when that entry is in the window. */
  constructor({ request, entered }) {
    this.#request = request;
    this.#entered = entered;
  }

  edit(conversation, seq, message) {
    return this.#enter("edit", conversation, { target_seq: String(seq), message });
  }

  recall(conversation, seq) {
    return this.#enter("recall", conversation, { target_seq: String(seq) });
  }

  react(conversation, seq, reaction, remove) {
    return this.#enter("react", conversation, { target_seq: String(seq), reaction, remove });
  }

  pin(conversation, seq, remove) {
    return this.#enter("pin", conversation, { target_seq: String(seq), remove });
  }

  updateGroup(conversation, settings) {
    return this.#enter("update_group", conversation, { settings });
  }

  invite(conversation, usernames) {
    return this.#enter("invite", conversation, { usernames });
  }

  remove(conversation, userId) {
    return this.#enter("remove", conversation, { user_ids: [userId] });
  }

  setRole(conversation, userId, role) {
    return this.#enter("set_role", conversation, { user_id: userId, role });
  }

  /** `userId` "0": everyone but owner and admins. `until` 0 lifts it. */
  mute(conversation, userId, until) {
    return this.#enter("mute", conversation, { user_id: userId, until: String(until) });
  }

  ban(conversation, userId, until) {
    return this.#enter("ban", conversation, { user_id: userId, until: String(until) });
  }

  resolveJoin(conversation, userId, refuse) {
    return this.#enter("resolve_join", conversation, { user_id: userId, refuse });
  }

  /** After these one is no member any more, so there is nothing to fetch. */
  leave({ id }) {
    return this.#request("leave", { conversation_id: id, client_msg_id: randomId() });
  }

  dissolve({ id }) {
    return this.#request("dissolve", { conversation_id: id, client_msg_id: randomId() });
  }

  async hide(conversation, seq) {
    await this.#request("hide", { conversation_id: conversation.id, seqs: [String(seq)] });
  }

  /** One page of the log: `where` is {before_seq}, {after_seq} or {around_seq}. */
  async history({ id }, where) {
    const reply = await this.#request("history", { conversation_id: id, limit: PAGE, ...where });
    const page = reply.history_page ?? {};
    const headSeq = num(page.head_seq);
    const entries = list(page.entries).map((entry) => entryFromWire(entry, headSeq));
    return { entries, more: page.more ?? false, newer: page.newer ?? false };
  }

  /** `which`: MEMBERS, BANNED or REQUESTS. */
  members({ id }, which = "MEMBERS") {
    const body = { conversation_id: id, list: which };
    return this.#pages("members", body, ({ members_page: page }) => [list(page?.members).map(memberFromWire), page]);
  }

  /** Who has read a message: the ids, and how many have it on a device. */
  async readBy({ id }, seq) {
    let deliveredCount = 0;
    const body = { conversation_id: id, seq: String(seq) };
    const userIds = await this.#pages("read_by", body, ({ read_by_page: page }) => {
      deliveredCount = page?.delivered_count ?? 0;
      return [list(page?.user_ids), page];
    });
    return { userIds, deliveredCount };
  }

  async block(userId, remove) {
    await this.#request("block", { user_id: userId, remove });
  }

  blocks() {
    return this.#pages("blocks", {}, ({ blocks_page: page }) => [list(page?.users).map(userFromWire), page]);
  }

  async sessions() {
    return list((await this.#request("sessions", {})).session_list?.sessions);
  }

  /** `sessionId` null: every one but this. */
  async endSession(sessionId) {
    await this.#request("end_session", sessionId === null ? { all_others: true } : { session_id: sessionId });
  }

  async setStatus(body) {
    await this.#request("set_status", body);
  }

  async #enter(op, conversation, body) {
    const reply = await this.#request(op, { conversation_id: conversation.id, client_msg_id: randomId(), ...body });
    await this.#entered(conversation, num(reply.send_ack?.seq));
  }

  /** All pages of a list; `read(reply)` gives [items, page]. */
  async #pages(op, body, read) {
    const all = [];
    let pageToken = "";
    for (let count = 0; count < MAX_PAGES; count += 1) {
      const [items, page] = read(await this.#request(op, { ...body, page_token: pageToken }));
      all.push(...items);
      pageToken = page?.next_page_token ?? "";
      if (pageToken === "") break;
    }
    return all;
  }
}
