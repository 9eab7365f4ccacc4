// What the page shows: the session, its client and outbox, which conversation is open, how the connection is.
//
// Views read this object and listen for `change`; they never talk to each other. Many changes in one turn of the
// event loop are one `change`.

import { clearSession, deviceId, saveSession } from "./account.js";
import { Client } from "./client.js";
import { Outbox } from "./outbox.js";
import { local } from "./storage.js";

/** Why the server ended a session for good, in words for the log-in form. */
const FAREWELLS = {
  4000: "Please log in again.",
  4001: "Your session has expired. Please log in again.",
  4004: "This session was ended from elsewhere.",
  4005: "This account is banned.",
  4006: "You have logged out.",
};
/** The same device connected again: a copy of this tab took over. */
const REPLACED = 4003;

export class State extends EventTarget {
  session = null;
  client = null;
  outbox = null;
  status = { state: "connecting" };
  /** The id of the conversation on the screen, or null. */
  openId = null;
  /** The first seq that was new when the conversation was opened; 0: nothing was. */
  newFrom = 0;
  /** The first list of conversations has come. */
  loaded = false;
  #changed = false;

  get open() {
    return this.client?.conversations.get(this.openId) ?? null;
  }

  /** Newest first. */
  get conversations() {
    return [...(this.client?.conversations.values() ?? [])].sort((a, b) => b.lastActivityAt - a.lastActivityAt);
  }

  get unread() {
    return this.conversations.reduce((sum, conversation) => sum + conversation.unread, 0);
  }

  /** Logs in with a token that was just given or remembered. */
  begin(session) {
    saveSession(session);
    this.session = session;
    this.loaded = false;
    const url = new URL("./ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.search = url.hash = "";
    const client = new Client({ url, token: session.token, deviceId: deviceId(), userId: session.userId });
    client.addEventListener("change", () => this.change());
    client.addEventListener("status", ({ detail }) => this.#statusChanged(detail));
    client.addEventListener("ready", () => {
      this.loaded = true;
      this.change();
    });
    client.addEventListener("gone", ({ detail }) => this.#left(detail.conversation));
    this.client = client;
    this.outbox = new Outbox({ client, storage: local, onChange: () => this.change() });
    client.start();
    this.change();
  }

  /** Logs out; unsent messages stay until the same person comes back. */
  end(farewell = "") {
    clearSession();
    const { client } = this;
    this.session = this.client = this.outbox = null;
    this.openId = null;
    client?.stop();
    this.dispatchEvent(new CustomEvent("ended", { detail: farewell }));
    this.change();
  }

  /** Somebody asked for the connection now; also where another tab had taken it over. */
  reconnect() {
    if (this.status.state === "stopped") this.client?.start();
    else this.client?.retryNow();
  }

  /** Shows a conversation, or with null the list alone. */
  show(id) {
    if (this.openId === id) return;
    this.open?.shrink();
    this.openId = id;
    const { open } = this;
    this.newFrom = open && open.unread > 0 ? open.readSeq + 1 : 0;
    this.change();
  }

  /** A short notice for the person in front of the screen. */
  notify(text) {
    this.dispatchEvent(new CustomEvent("notice", { detail: text }));
  }

  nameOf(userId) {
    if (userId === this.client?.me) return "You";
    return this.client?.directory.users.get(userId)?.displayName ?? `User ${userId}`;
  }

  titleOf(conversation) {
    if (conversation.peer) return conversation.peer.displayName;
    return conversation.title || "Group without a name";
  }

  change() {
    if (this.#changed) return;
    this.#changed = true;
    queueMicrotask(() => {
      this.#changed = false;
      this.dispatchEvent(new Event("change"));
    });
  }

  #statusChanged(status) {
    this.status = status;
    if (status.state === "stopped" && this.session && status.code !== REPLACED) {
      this.end(FAREWELLS[status.code] ?? "The server ended the session. Please log in again.");
    }
    this.change();
  }

  #left(conversation) {
    this.notify(`You are no longer in “${this.titleOf(conversation)}”.`);
    if (this.openId === conversation.id) location.hash = "";
  }
}
