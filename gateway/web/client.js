// A client of Ringwire without a user interface: what a program needs to chat, and to miss nothing.
//
//   connection.js ──► client.js ──► conversation.js
//   replies, pushes   whose entry?  next entry: take it · older: known · later: a gap, so `sync`
//
// How nothing is lost: each conversation has a cursor that only moves from n to n+1. The cursors go along with every
// `connect`; the server answers with what came since. Whenever an entry does not fit, after a `lag`, or when a page
// of the answer says that there is more, the client asks on with `sync` from the cursor it has.
//
// Events: `status` (detail: state of the connection), `ready` (connected, conversations known), `change` (anything
// shown may have changed), `entry` (detail: {conversation, entry}), `gone` (detail: {conversation}).

import { CommandError, Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Directory } from "./directory.js";
import { entryFromWire, headFromWire, list, num, randomId, userFromWire } from "./wire.js";

const PAGE = 50;
/** Pages of the list of conversations fetched at most. */
const MAX_HEADS_PAGES = 50;
/** Cursors in a `connect` until the server has told its limit. */
const DEFAULT_MAX_CURSORS = 100;

export class Client extends EventTarget {
  /** Conversation id -> Conversation. */
  conversations = new Map();
  directory;
  limits = {};
  #connection;
  #me;
  /** Conversations with a running `sync` -> the highest seq known to exist. */
  #syncing = new Map();
  /** Conversations heard of but not fetched yet -> the highest seq pushed. */
  #unknown = new Map();

  constructor({ url, token, deviceId, userId }) {
    super();
    this.#me = userId;
    this.directory = new Directory({
      request: (op, body) => this.#connection.request(op, body),
      onChange: () => this.#emit("change"),
    });
    this.#connection = new Connection({
      url,
      hello: () => ({
        token,
        device_id: deviceId,
        device_class: "web",
        client_name: "Ringwire web",
        cursors: this.#cursors(),
      }),
      onStatus: (status) => this.#emit("status", status),
      onConnected: (connected) => this.#connected(connected),
      onPush: (push) => this.#pushed(push),
    });
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

  /** Sends a text and resolves when it is committed. Safe to repeat with the same `clientMsgId`. */
  async send(conversationId, clientMsgId, text) {
    const message = { text };
    const reply = await this.#connection.request("send", {
      conversation_id: conversationId,
      client_msg_id: clientMsgId,
      message,
    });
    const ack = reply.send_ack ?? {};
    // The ack takes the place of the push that the sending session does not get.
    this.#offer({
      conversationId,
      seq: num(ack.seq),
      msgNo: num(ack.msg_no),
      senderId: this.#me,
      createdAt: num(ack.created_at),
      clientMsgId,
      body: { message },
      editedAt: 0,
      recalledAt: 0,
    });
  }

  /** Fetches one page of older entries. */
  async loadOlder(conversation) {
    if (conversation.complete) return;
    const reply = await this.#connection.request("history", {
      conversation_id: conversation.id,
      before_seq: String(conversation.low),
      limit: PAGE,
    });
    const page = reply.history_page ?? {};
    conversation.prepend(list(page.entries).map(entryFromWire), page.more ?? false);
    this.#emit("change");
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

  async join(conversationId) {
    return this.#opened("join", { conversation_id: conversationId, client_msg_id: randomId() }, conversationId);
  }

  async leave(conversation) {
    await this.#connection.request("leave", { conversation_id: conversation.id, client_msg_id: randomId() });
    this.#forget(conversation);
  }

  #tellRead({ id, readSeq }) {
    this.#connection.post("read", { conversation_id: id, seq: String(readSeq) });
  }

  async #opened(op, body, conversationId) {
    const reply = await this.#connection.request(op, body);
    const opened = reply.conversation_opened;
    if (opened?.head) return this.#adopt(headFromWire(opened.head));
    await this.#fetchHeads([conversationId]);
    return this.conversations.get(conversationId);
  }

  #cursors() {
    return [...this.conversations.values()]
      .sort((a, b) => b.lastActivityAt - a.lastActivityAt)
      .slice(0, this.limits.max_cursors || DEFAULT_MAX_CURSORS)
      .map(({ id, cursor }) => ({ conversation_id: id, seq: String(cursor) }));
  }

  async #connected(connected) {
    this.limits = connected.limits ?? {};
    this.#me = connected.user?.user_id ?? this.#me;
    if (connected.user) this.directory.learn(userFromWire(connected.user));
    this.#syncing.clear();
    this.#unknown.clear();
    this.directory.reconnected();
    const followed = new Set();
    for (const state of list(connected.sync)) this.#resumeAt(state, followed);
    this.#applyHeads(connected.heads, followed);
    this.#emit("change");
    await this.#restOfHeads(connected.heads?.next_page_token ?? "", followed);
    this.#emit("ready");
  }

  /** What the server says about one of the cursors it was given; the entries follow as pushes. */
  #resumeAt(state, followed) {
    const conversation = this.conversations.get(state.conversation_id);
    if (!conversation) return;
    if (state.not_member) {
      this.#forget(conversation);
      return;
    }
    this.#jump(conversation, num(state.trimmed_floor));
    followed.add(conversation.id);
    if (num(state.pushed_seq) < num(state.head_seq)) this.#sync(conversation, num(state.head_seq));
  }

  async #restOfHeads(firstToken, followed) {
    let pageToken = firstToken;
    try {
      for (let page = 0; page < MAX_HEADS_PAGES && pageToken !== ""; page += 1) {
        const reply = await this.#connection.request("heads", { page_token: pageToken, limit: PAGE });
        this.#applyHeads(reply.heads_page, followed);
        pageToken = reply.heads_page?.next_page_token ?? "";
        this.#emit("change");
      }
    } catch {
      // The connection went; the next `connected` begins anew.
    }
  }

  #applyHeads(page, followed = new Set()) {
    for (const wire of list(page?.heads)) {
      const head = headFromWire(wire);
      const conversation = this.#adopt(head);
      if (head.headSeq > conversation.cursor && !followed.has(head.id)) this.#sync(conversation, head.headSeq);
    }
  }

  #adopt(head) {
    for (const user of head.users) this.directory.learn(user);
    let conversation = this.conversations.get(head.id);
    if (conversation) {
      conversation.applyHead(head);
      // A crash of the server may have cost it what was read last.
      if (conversation.readSeq > head.readSeq) this.#tellRead(conversation);
    } else {
      conversation = new Conversation(head, this.#me);
      this.conversations.set(head.id, conversation);
      for (const entry of conversation.entries) this.directory.learnFrom(conversation, entry);
    }
    const pushed = this.#unknown.get(head.id) ?? 0;
    this.#unknown.delete(head.id);
    if (pushed > conversation.cursor) this.#sync(conversation, pushed);
    this.#emit("change");
    return conversation;
  }

  #pushed(push) {
    if (push.entry) this.#offer(entryFromWire(push.entry));
    if (push.lag) {
      const conversation = this.conversations.get(push.lag.conversation_id);
      if (conversation) this.#sync(conversation, num(push.lag.head_seq));
    }
    if (push.cursor) {
      const conversation = this.conversations.get(push.cursor.conversation_id);
      conversation?.applyCursor(push.cursor.user_id, num(push.cursor.read_seq));
      this.#emit("change");
    }
  }

  /** The rule of the cursor, for an entry from a push, an ack or a page. */
  #offer(entry) {
    const conversation = this.conversations.get(entry.conversationId);
    if (!conversation) {
      this.#discover(entry);
      return;
    }
    const outcome = conversation.offer(entry);
    if (outcome === "gap") {
      this.#sync(conversation, entry.seq);
    } else if (outcome === "applied") {
      this.directory.learnFrom(conversation, entry);
      this.#emit("entry", { conversation, entry });
      if (this.#tookMeOut(entry)) this.#forget(conversation);
    }
    this.#emit("change");
  }

  /** Somebody opened a conversation with us, or added us to one. */
  #discover(entry) {
    const id = entry.conversationId;
    const asked = this.#unknown.has(id);
    this.#unknown.set(id, Math.max(this.#unknown.get(id) ?? 0, entry.seq));
    if (this.#tookMeOut(entry)) this.#unknown.delete(id);
    else if (!asked) this.#fetchHeads([id]).catch(() => this.#unknown.delete(id));
  }

  async #fetchHeads(ids) {
    const reply = await this.#connection.request("heads", { conversation_ids: ids });
    this.#applyHeads(reply.heads_page);
  }

  /** Closes the gap behind the cursor, page by page, at least up to `seq`. */
  async #sync(conversation, seq) {
    const { id } = conversation;
    const wanted = this.#syncing.get(id);
    this.#syncing.set(id, Math.max(wanted ?? 0, seq));
    if (wanted !== undefined) return;
    try {
      let more = true;
      while (more || conversation.cursor < this.#syncing.get(id)) {
        const before = conversation.cursor;
        const body = { conversation_id: id, seq: String(before) };
        const page = (await this.#connection.request("sync", body)).sync_page ?? {};
        this.#jump(conversation, num(page.trimmed_floor));
        for (const entry of list(page.entries)) this.#offer(entryFromWire(entry));
        more = page.more ?? false;
        // A page that brings nothing would be asked for again and again.
        if (conversation.cursor === before) break;
      }
    } catch (error) {
      if (error instanceof CommandError && error.reason === "NOT_MEMBER") this.#forget(conversation);
      // Otherwise the next connection, or the next entry that does not fit, starts over.
    } finally {
      this.#syncing.delete(id);
      this.#emit("change");
    }
  }

  #jump(conversation, floor) {
    if (floor > conversation.cursor + 1) conversation.jump(floor);
  }

  #tookMeOut({ senderId, body }) {
    if (body.left) return senderId === this.#me;
    return list(body.removed?.user_ids).includes(this.#me);
  }

  #forget(conversation) {
    if (!this.conversations.delete(conversation.id)) return;
    this.#emit("gone", { conversation });
    this.#emit("change");
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
