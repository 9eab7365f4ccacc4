// One connection to the gateway that comes back by itself.
//
//   start ──► connecting ──► online ──► (socket lost) ──► waiting ──► connecting …
//                                  └──► stopped: close codes 4000–4099, or stop()
//
// It owns the WebSocket, pairs replies with commands, notices a dead line, and decides when to try again. It knows
// nothing about conversations; client.js builds those on top.
//
// Invariants: a request is settled exactly once, with its reply or with an error; `onConnected` runs before any push
// of that connection; after `stop` nothing runs any more.

import { frames, num } from "./wire.js";

const SUBPROTOCOL = "ringwire.v1.json";
/** How long a socket may take until `connected` is there. */
const OPEN_TIMEOUT_MS = 15_000;
/** Silence after which the line is probed with a `ping`, and how long the answer may take. */
const PROBE_AFTER_MS = 25_000;
const PROBE_TIMEOUT_MS = 10_000;
const CHECK_EVERY_MS = 5_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;
/** How we close a socket that went silent; the code stays on this side. */
const CLOSE_SILENT = 4999;

/** The server refused a command; see the table of error codes. */
export class CommandError extends Error {
  constructor({ code, name, message, temporary, retry_after_ms: retryAfterMs }) {
    super(message || name || "The server refused the command.");
    this.code = code ?? 0;
    this.reason = name ?? "";
    this.temporary = temporary ?? false;
    this.retryAfterMs = retryAfterMs ?? 0;
  }
}

/** The connection ended before the reply came: whether the command was carried out is unknown. */
export class ConnectionLost extends Error {
  constructor() {
    super("The connection was lost.");
  }
}

export class Connection {
  #url;
  #hello;
  #onStatus;
  #onConnected;
  #onPush;
  #socket = null;
  #online = false;
  #stopped = true;
  #pending = new Map();
  #lastId = 0;
  #attempts = 0;
  #timer = 0;
  #checker = 0;
  #heardAt = 0;
  #probedAt = 0;
  #reconnectNotBefore = 0;

  /**
   * `hello()` resolves with the body of the `connect` command, anew for every attempt. `onStatus({state, retryAt,
   * code})` tells every change of state, `onConnected(connected)` and `onPush(push)` what the server says.
   */
  constructor({ url, hello, onStatus, onConnected, onPush }) {
    this.#url = url;
    this.#hello = hello;
    this.#onStatus = onStatus;
    this.#onConnected = onConnected;
    this.#onPush = onPush;
  }

  get online() {
    return this.#online;
  }

  start() {
    this.#stopped = false;
    this.#attempts = 0;
    this.#checker = setInterval(() => this.#checkLine(), CHECK_EVERY_MS);
    this.#open();
  }

  /** Ends the connection for good; `code` says why, where the server did it. */
  stop(code = 0) {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#checker);
    clearTimeout(this.#timer);
    this.#detach();
    this.#onStatus({ state: "stopped", code });
  }

  /** The network may be back, or somebody asked: do not sit out the back-off, and do not trust an old line. */
  retryNow() {
    if (this.#stopped) return;
    if (this.#online) {
      this.#probe();
    } else if (this.#socket === null) {
      clearTimeout(this.#timer);
      this.#open();
    }
  }

  /** Sends a command and resolves with its reply. Rejects with `CommandError` or `ConnectionLost`. */
  request(op, body = {}) {
    if (!this.#online) return Promise.reject(new ConnectionLost());
    return this.#ask(op, body);
  }

  /** Sends a command that wants no reply; without a connection it is dropped. */
  post(op, body) {
    if (this.#online) this.#socket.send(JSON.stringify({ [op]: body }));
  }

  #ask(op, body) {
    const id = String(++this.#lastId);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, [op]: body }));
    });
  }

  #open() {
    this.#onStatus({ state: "connecting" });
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    this.#socket = socket;
    socket.onopen = () => this.#connect();
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => this.#lost(event.code);
    this.#timer = setTimeout(() => this.#lost(CLOSE_SILENT), OPEN_TIMEOUT_MS);
  }

  async #connect() {
    const socket = this.#socket;
    try {
      const hello = await this.#hello();
      if (this.#socket !== socket) return;
      await this.#ask("connect", hello);
    } catch (error) {
      if (error instanceof CommandError) {
        if (error.temporary) this.#lost(CLOSE_SILENT, error.retryAfterMs);
        else this.stop(error.reason === "TOKEN_EXPIRED" ? 4001 : 4000);
      }
    }
  }

  #received(text) {
    this.#heardAt = performance.now();
    this.#probedAt = 0;
    const socket = this.#socket;
    for (const { reply, push } of frames(text)) {
      if (reply) this.#settle(reply);
      if (push) this.#pushed(push);
      // A handler may have ended this connection.
      if (this.#socket !== socket) return;
    }
  }

  #settle(reply) {
    if (reply.connected) {
      clearTimeout(this.#timer);
      this.#online = true;
      this.#attempts = 0;
      this.#reconnectNotBefore = 0;
      this.#onConnected(reply.connected);
      this.#onStatus({ state: "online" });
    }
    const waiting = this.#pending.get(reply.id);
    if (!waiting) return;
    this.#pending.delete(reply.id);
    if (reply.error) waiting.reject(new CommandError(reply.error));
    else waiting.resolve(reply);
  }

  #pushed(push) {
    if (push.go_away) {
      // The server spreads its clients over this delay; it closes the socket itself when it is done.
      this.#reconnectNotBefore = performance.now() + num(push.go_away.delay_ms);
    }
    this.#onPush(push);
  }

  /** A dead line does not close: no answer to a `ping` is the only sign of it. */
  #checkLine() {
    if (!this.#online) return;
    const now = performance.now();
    if (this.#probedAt !== 0 && now - this.#probedAt > PROBE_TIMEOUT_MS) this.#lost(CLOSE_SILENT);
    else if (this.#probedAt === 0 && now - this.#heardAt > PROBE_AFTER_MS) this.#probe();
  }

  #probe() {
    if (this.#probedAt === 0) this.#probedAt = performance.now();
    this.#ask("ping", {}).catch(() => {});
  }

  #lost(code, retryAfterMs = 0) {
    if (code >= 4000 && code <= 4099) {
      this.stop(code);
      return;
    }
    this.#detach();
    let delayMs;
    if (code >= 4200 && code <= 4299) {
      delayMs = Math.max(0, this.#reconnectNotBefore - performance.now());
    } else {
      const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#attempts);
      this.#attempts += 1;
      // Half of it random: clients that were cut off together do not come back together.
      delayMs = Math.max(retryAfterMs, ceilingMs * (0.5 + Math.random() / 2));
    }
    this.#timer = setTimeout(() => this.#open(), delayMs);
    this.#onStatus({ state: "waiting", code, retryAt: Date.now() + delayMs });
  }

  #detach() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#online = false;
    this.#probedAt = 0;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(new ConnectionLost());
  }
}
