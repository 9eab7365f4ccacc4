// The conversations, and how each follows the log on the server without missing anything.
//
//   connected, pushes, acks, pages ──► offer ─┬─ the next entry: taken
//                                             ├─ an older one: known
//                                             └─ a later one: a gap, so `sync` from the cursor
//
// Each conversation has a cursor that only moves from n to n+1. The cursors go along with every `connect`; the server
// answers with what came since. Whenever an entry does not fit, after a `lag`, or when a page of the answer says that
// there is more, this asks on from the cursor it has.

import { CommandError } from "./connection.js";
import { Conversation } from "./conversation.js";
import { entryFromWire, headFromWire, list, num } from "./wire.js";

const PAGE = 50;
/** Pages of the list of conversations fetched at most. */
const MAX_HEADS_PAGES = 50;

export class Follower {
  /** Conversation id -> Conversation. */
  conversations = new Map();
  #me;
  #request;
  #directory;
  #on;
  /** Conversations with a running `sync` -> the highest seq known to exist. */
  #syncing = new Map();
  /** Conversations heard of but not fetched yet -> the highest seq pushed. */
  #unknown = new Map();

  /**
   * `request(op, body)` asks the server. `on` hears `change()`, `entry(conversation, entry)`, `gone(conversation)`, and
   * `readAhead(conversation)`: the server knows less of what was read than this side.
   */
  constructor({ me, request, directory, on }) {
    this.#me = me;
    this.#request = request;
    this.#directory = directory;
    this.#on = on;
  }

  /** Where each conversation stands, for `connect`; the most recent ones first. */
  cursors(most) {
    return [...this.conversations.values()]
      .sort((a, b) => b.lastActivityAt - a.lastActivityAt)
      .slice(0, most)
      .map(({ id, cursor }) => ({ conversation_id: id, seq: String(cursor) }));
  }

  /** The server's answer to `connect`. Resolves when all conversations are known. */
  async connected({ sync, heads }) {
    this.#syncing.clear();
    this.#unknown.clear();
    const followed = new Set();
    for (const state of list(sync)) this.#resumeAt(state, followed);
    this.#applyHeads(heads, followed);
    this.#on.change();
    await this.#restOfHeads(heads?.next_page_token ?? "", followed);
  }

  /** What the server says about one of the cursors it was given; the entries follow as pushes. */
  #resumeAt(state, followed) {
    const conversation = this.conversations.get(state.conversation_id);
    if (!conversation) return;
    if (state.not_member) {
      this.forget(conversation);
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
        const reply = await this.#request("heads", { page_token: pageToken, limit: PAGE });
        this.#applyHeads(reply.heads_page, followed);
        pageToken = reply.heads_page?.next_page_token ?? "";
        this.#on.change();
      }
    } catch {
      // The connection went; the next `connected` begins anew.
    }
  }

  #applyHeads(page, followed = new Set()) {
    for (const wire of list(page?.heads)) {
      const head = headFromWire(wire);
      const conversation = this.adopt(head);
      if (head.headSeq > conversation.cursor && !followed.has(head.id)) this.#sync(conversation, head.headSeq);
    }
  }

  /** Takes in what a list of conversations says about one. */
  adopt(head) {
    head.users = head.users.map((user) => this.#directory.learn(user));
    let conversation = this.conversations.get(head.id);
    if (conversation) {
      conversation.applyHead(head);
      // A crash of the server may have cost it what was read last.
      if (conversation.readSeq > head.readSeq) this.#on.readAhead(conversation);
    } else {
      conversation = new Conversation(head, this.#me);
      this.conversations.set(head.id, conversation);
      for (const entry of conversation.entries) this.#directory.learnFrom(conversation, entry);
    }
    const pushed = this.#unknown.get(head.id) ?? 0;
    this.#unknown.delete(head.id);
    // What made this conversation known is news, as any other entry.
    if (pushed > 0 && head.lastEntry) this.#on.entry(conversation, head.lastEntry);
    if (pushed > conversation.cursor) this.#sync(conversation, pushed);
    this.#on.change();
    return conversation;
  }

  /** The rule of the cursor, for an entry from a push, an ack or a page. */
  offer(entry) {
    const conversation = this.conversations.get(entry.conversationId);
    if (!conversation) {
      this.#discover(entry);
      return;
    }
    const outcome = conversation.offer(entry);
    if (outcome === "gap") {
      this.#sync(conversation, entry.seq);
    } else if (outcome === "applied") {
      this.#directory.learnFrom(conversation, entry);
      this.#on.entry(conversation, entry);
      if (this.#tookMeOut(entry)) this.forget(conversation);
    }
    this.#on.change();
  }

  /** Somebody opened a conversation with us, or added us to one. */
  #discover(entry) {
    const id = entry.conversationId;
    const asked = this.#unknown.has(id);
    this.#unknown.set(id, Math.max(this.#unknown.get(id) ?? 0, entry.seq));
    if (this.#tookMeOut(entry)) this.#unknown.delete(id);
    else if (!asked) this.fetchHeads([id]).catch(() => this.#unknown.delete(id));
  }

  /** Asks for conversations by their ids. */
  async fetchHeads(ids) {
    const reply = await this.#request("heads", { conversation_ids: ids });
    this.#applyHeads(reply.heads_page);
  }

  /** There is something up to `seq` that was not pushed. */
  lagged(id, seq) {
    const conversation = this.conversations.get(id);
    if (conversation) this.#sync(conversation, seq);
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
        const page = (await this.#request("sync", body)).sync_page ?? {};
        this.#jump(conversation, num(page.trimmed_floor));
        const headSeq = num(page.head_seq);
        for (const entry of list(page.entries)) this.offer(entryFromWire(entry, headSeq));
        more = page.more ?? false;
        // A page that brings nothing would be asked for again and again.
        if (conversation.cursor === before) break;
      }
    } catch (error) {
      if (error instanceof CommandError && error.reason === "NOT_MEMBER") this.forget(conversation);
      // Otherwise the next connection, or the next entry that does not fit, starts over.
    } finally {
      this.#syncing.delete(id);
      this.#on.change();
    }
  }

  #jump(conversation, floor) {
    if (floor > conversation.cursor + 1) conversation.jump(floor);
  }

  /** Resolves when the window holds the entry of a command that was just carried out. */
  async reach(conversation, seq) {
    if (seq > conversation.cursor) await this.#sync(conversation, seq);
  }

  #tookMeOut({ senderId, body }) {
    if (body.left) return senderId === this.#me;
    if (body.dissolved) return true;
    if (body.banned) return body.banned.user_id === this.#me && num(body.banned.until) > 0;
    return list(body.removed?.user_ids).includes(this.#me);
  }

  /** One is no longer a member. */
  forget(conversation) {
    if (!this.conversations.delete(conversation.id)) return;
    this.#on.gone(conversation);
    this.#on.change();
  }
}
