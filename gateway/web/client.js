// A client of Ringwire without a user interface: what a program needs to chat, and to miss nothing.
//
//   connection.js ──► client.js ──► follower.js ──► conversation.js, effects.js
//   replies, pushes       │         which entries?  the window of a log, and what an entry changes in it
//                         ├───────► live.js         who writes, who is there
//                         ├───────► directory.js    who is who
//                         └───────► commands.js     what somebody does
//
// Events: `status` (detail: state of the connection), `ready` (connected, conversations known), `change` (anything
// shown may have changed), `entry` (detail: {conversation, entry}), `gone` (detail: {conversation}).

import { Commands } from "./commands.js";
import { Connection } from "./connection.js";
import { Directory } from "./directory.js";
import { hide } from "./effects.js";
import { Follower } from "./follower.js";
import { Live } from "./live.js";
import { entryFromWire, headFromWire, list, num, randomId, userFromWire } from "./wire.js";

/** How long arrivals are gathered before the server is told of them. */
const DELIVERED_MS = 300;
/** Cursors in a `connect` until the server has told its limit. */
const DEFAULT_MAX_CURSORS = 100;

export class Client extends EventTarget {
  directory;
  live;
  commands;
  limits = {};
  /** What the server tells about whose session this is. */
  user = null;
  #connection;
  #me;
  #follower;
  /** Conversations of which something came that the server has not been told about. */
  #arrived = new Set();
  /** The newest change of the person's own view that was heard of. */
  #viewNo = "0";
  #tokens;

  /** `tokens.valid()` and `tokens.renewed()` resolve with a token; the latter with one that was made just now. */
  constructor({ url, tokens, deviceId, userId }) {
    super();
    this.#me = userId;
    this.#tokens = tokens;
    const onChange = () => this.#emit("change");
    const request = (op, body) => this.#connection.request(op, body);
    this.commands = new Commands({ request, entered: (conversation, seq) => this.#follower.reach(conversation, seq) });
    this.directory = new Directory({ ask: (conversation) => this.commands.members(conversation), onChange });
    this.live = new Live({ post: (op, body) => this.#connection.post(op, body), limits: () => this.limits, onChange });
    this.#follower = new Follower({
      me: userId,
      request,
      directory: this.directory,
      on: {
        change: onChange,
        entry: (conversation, entry) => this.#heard(conversation, entry),
        gone: (conversation) => this.#emit("gone", { conversation }),
        readAhead: (conversation) => this.#tellRead(conversation),
      },
    });
    this.#connection = new Connection({
      url,
      hello: async () => ({
        token: await tokens.valid(),
        device_id: deviceId,
        device_class: "web",
        client_name: "Ringwire web",
        cursors: this.#follower.cursors(this.limits.max_cursors || DEFAULT_MAX_CURSORS),
        view_no: this.#viewNo,
        status: this.live.own.status,
      }),
      onStatus: (status) => this.#emit("status", status),
      onConnected: (connected) => this.#connected(connected),
      onPush: (push) => this.#pushed(push),
    });
  }

  /** Conversation id -> Conversation. */
  get conversations() {
    return this.#follower.conversations;
  }

  get me() {
    return this.#me;
  }

  get online() {
    return this.#connection.online;
  }

  start() {
    this.#connection.start();
  }

  stop() {
    this.#connection.stop();
  }

  retryNow() {
    this.#connection.retryNow();
  }

  /** Sends a message and resolves when it is committed. Safe to repeat with the same `clientMsgId`. */
  async send(conversationId, clientMsgId, message) {
    const reply = await this.#connection.request("send", {
      conversation_id: conversationId,
      client_msg_id: clientMsgId,
      message,
    });
    this.live.sent(conversationId);
    const ack = reply.send_ack ?? {};
    // The ack takes the place of the push that the sending session does not get.
    this.#follower.offer(entryFromWire({ ...ack, sender_id: this.#me, client_msg_id: clientMsgId, body: { message } }));
  }

  /** Fetches one page of older entries of what is shown. */
  async loadOlder(conversation) {
    const part = conversation.shown;
    if (part.complete) return;
    const low = part.entries[0]?.seq ?? conversation.low;
    const { entries, more } = await this.commands.history(conversation, { before_seq: String(low) });
    if (part === conversation.shown) conversation.prepend(entries, more, part);
    this.#emit("change");
  }

  /** Fetches one page of newer entries behind an excerpt. */
  async loadNewer(conversation) {
    const { excerpt } = conversation;
    if (!excerpt) return;
    const { entries } = await this.commands.history(conversation, { after_seq: String(excerpt.entries.at(-1).seq) });
    if (excerpt === conversation.excerpt) conversation.extend(entries);
    this.#emit("change");
  }

  /** Makes a message one that can be shown, wherever in the log it stands; false where it is gone. */
  async jump(conversation, seq) {
    if (conversation.shown.entries.some((entry) => entry.seq === seq)) return true;
    if (seq >= conversation.low) {
      conversation.excerpt = null;
    } else {
      const { entries, more } = await this.commands.history(conversation, { around_seq: String(seq) });
      conversation.excerptOf(entries, more);
    }
    this.#emit("change");
    return conversation.at(seq) !== undefined;
  }

  /** Tells the server that everything received so far was seen. */
  markRead(conversation) {
    if (conversation.readSeq >= conversation.cursor || !this.online) return;
    conversation.applyCursor(this.#me, conversation.cursor);
    this.#tellRead(conversation);
    this.#emit("change");
  }

  /** The direct conversation with somebody. */
  openDirect(username) {
    return this.#opened("open_direct", { username });
  }

  /** A new group; with `open`, anyone who knows its number may join. */
  createGroup({ title, usernames, open }) {
    const kind = open ? "ROOM" : "GROUP";
    return this.#opened("create_group", { kind, settings: { title }, usernames, client_msg_id: randomId() });
  }

  /** Joins a group; undefined where that was a request that somebody has to grant. */
  join(conversationId, { code, text }) {
    const body = { conversation_id: conversationId, join_code: code, text, client_msg_id: randomId() };
    return this.#opened("join", body, conversationId);
  }

  /** Asks anew for what a list of conversations says about one. */
  refresh({ id }) {
    return this.#follower.fetchHeads([id]);
  }

  async leave(conversation) {
    await this.commands.leave(conversation);
    this.#follower.forget(conversation);
  }

  /** Ends a group for everybody. */
  async dissolve(conversation) {
    await this.commands.dissolve(conversation);
    this.#follower.forget(conversation);
  }

  /** Takes a message out of one's own view. */
  async hide(conversation, seq) {
    await this.commands.hide(conversation, seq);
    hide(conversation, [seq]);
    this.#emit("change");
  }

  /** Says how this session shows to others; said again on every new connection. */
  async setStatus(said) {
    await this.commands.setStatus(said);
    const { own } = this.live;
    own.status = said.status;
    own.text = said.text;
    own.statusVisibility = said.status_visibility ?? own.statusVisibility;
    own.lastSeenVisibility = said.last_seen_visibility ?? own.lastSeenVisibility;
  }

  #tellRead({ id, readSeq }) {
    this.#connection.post("read", { conversation_id: id, seq: String(readSeq) });
  }

  async #opened(op, body, conversationId) {
    const reply = await this.#connection.request(op, body);
    const opened = reply.conversation_opened;
    if (opened?.head) return this.#follower.adopt(headFromWire(opened.head));
    await this.#follower.fetchHeads([conversationId]);
    return this.conversations.get(conversationId);
  }

  async #connected(connected) {
    this.limits = connected.limits ?? {};
    this.#me = connected.user?.user_id ?? this.#me;
    if (connected.user) this.user = this.directory.learn(userFromWire(connected.user));
    this.#viewNo = connected.view_no ?? "0";
    this.directory.reconnected();
    this.live.reconnected();
    if (this.live.own.text) this.#connection.post("set_status", { text: this.live.own.text });
    await this.#follower.connected(connected);
    this.#emit("ready");
  }

  #pushed(push) {
    if (push.entry) this.#follower.offer(entryFromWire(push.entry));
    if (push.lag) this.#follower.lagged(push.lag.conversation_id, num(push.lag.head_seq));
    if (push.cursor) {
      const { conversation_id: id, user_id: userId, read_seq: read, delivered_seq: delivered } = push.cursor;
      this.conversations.get(id)?.applyCursor(userId, num(read), num(delivered));
      this.#emit("change");
    }
    if (push.view_changed) {
      const { conversation_id: id, hidden_seqs: seqs, view_no: viewNo } = push.view_changed;
      if (this.conversations.has(id)) hide(this.conversations.get(id), list(seqs).map(Number));
      this.#viewNo = viewNo ?? this.#viewNo;
      this.#emit("change");
    }
    if (push.typing) this.live.pushedTyping(push.typing);
    if (push.presence) this.live.pushedPresence(push.presence);
    if (push.token_expiring) this.#renew();
    if (push.notice) this.#emit("notice", push.notice);
  }

  /** The live session goes on with a new token. */
  async #renew() {
    try {
      await this.#connection.request("refresh", { token: await this.#tokens.renewed() });
    } catch {
      // The server ends the session when the old token ends; what follows then is a log-in.
    }
  }

  /** An entry came; the server is told, in a while and for all that came until then, that this device has it. */
  #heard(conversation, entry) {
    this.live.spoke(conversation.id, entry.senderId);
    if (this.#arrived.size === 0) setTimeout(() => this.#tellDelivered(), DELIVERED_MS);
    this.#arrived.add(conversation);
    this.#emit("entry", { conversation, entry });
  }

  #tellDelivered() {
    for (const { id, cursor } of this.#arrived) {
      this.#connection.post("delivered", { conversation_id: id, seq: String(cursor) });
    }
    this.#arrived.clear();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
