// Messages that are written but not yet acknowledged.
//
//   add ──► waiting ──► sending ──► (ack: committed) gone
//              ▲            │ connection lost, or a temporary refusal
//              ├────────────┘
//              └── retry ── failed (refused for good) ──► discard
//
// Invariants: a message is stored before it is first sent and removed only after its ack, so closing the page loses
// nothing; it keeps its `client_msg_id` for ever, so sending it again doubles nothing; of one conversation one
// message is on its way at a time, so the order written is the order sent.

import { CommandError, ConnectionLost } from "./connection.js";
import { randomId } from "./wire.js";

const RETRY_MS = 2_000;

export class Outbox {
  /** In the order written: {id, conversationId, message, queuedAt, number, state, error}. */
  items = [];
  #client;
  #storage;
  #prefix;
  #onChange;
  #busy = new Set();
  #number = 0;

  constructor({ client, storage, onChange }) {
    this.#client = client;
    this.#storage = storage;
    this.#onChange = onChange;
    this.#prefix = `ringwire.outbox.${client.me}.`;
    for (const [key, value] of storage.withPrefix(this.#prefix)) {
      this.items.push({
        ...value,
        message: value.message ?? { text: value.text },
        id: key.slice(this.#prefix.length),
        state: value.failed ? "failed" : "waiting",
      });
    }
    this.items.sort((a, b) => a.queuedAt - b.queuedAt || a.number - b.number);
    client.addEventListener("ready", () => this.#pump());
    // An entry of ours that comes by push or sync is as good as its ack.
    client.addEventListener("entry", ({ detail: { entry } }) => {
      if (entry.senderId === client.me) this.#remove(entry.clientMsgId);
    });
    // Nothing can be said any more in a conversation that one has left.
    client.addEventListener("gone", ({ detail: { conversation } }) => {
      for (const { id } of this.of(conversation.id)) this.#remove(id);
    });
  }

  of(conversationId) {
    return this.items.filter((item) => item.conversationId === conversationId);
  }

  /** `message` as the schema has it. */
  add(conversationId, message) {
    const item = { id: randomId(), conversationId, message, queuedAt: Date.now(), number: ++this.#number };
    item.state = "waiting";
    this.items.push(item);
    this.#store(item);
    this.#pump();
  }

  retry(id) {
    const item = this.items.find((candidate) => candidate.id === id);
    if (item?.state !== "failed") return;
    item.state = "waiting";
    item.error = "";
    this.#store(item);
    this.#pump();
  }

  /** Gives up a message that was refused. */
  discard(id) {
    this.#remove(id);
    this.#onChange();
  }

  #pump() {
    this.#onChange();
    if (!this.#client.online) return;
    const seen = new Set(this.#busy);
    for (const item of [...this.items]) {
      if (item.state !== "waiting" || seen.has(item.conversationId)) continue;
      seen.add(item.conversationId);
      this.#sendOne(item);
    }
  }

  async #sendOne(item) {
    this.#busy.add(item.conversationId);
    item.state = "sending";
    let pauseMs = 0;
    try {
      await this.#client.send(item.conversationId, item.id, item.message);
      this.#acknowledged(item);
    } catch (error) {
      item.state = "waiting";
      if (error instanceof CommandError && error.temporary) {
        pauseMs = error.retryAfterMs || RETRY_MS;
      } else if (!(error instanceof ConnectionLost)) {
        item.state = "failed";
        item.error = error.message;
        this.#store(item);
      }
    }
    if (pauseMs > 0) await new Promise((wake) => setTimeout(wake, pauseMs));
    this.#busy.delete(item.conversationId);
    this.#pump();
  }

  /** Committed. While entries before it are still being fetched it stays on the screen as sent. */
  #acknowledged(item) {
    this.#storage.remove(this.#prefix + item.id);
    const conversation = this.#client.conversations.get(item.conversationId);
    if (!conversation || conversation.has(item.id)) this.#remove(item.id);
    else item.state = "sent";
  }

  #remove(id) {
    const index = this.items.findIndex((item) => item.id === id);
    if (index < 0) return;
    this.items.splice(index, 1);
    this.#storage.remove(this.#prefix + id);
  }

  #store({ id, conversationId, message, queuedAt, number, state, error }) {
    const failed = state === "failed";
    this.#storage.set(this.#prefix + id, { conversationId, message, queuedAt, number, failed, error });
  }
}
