// What the page shows: the session, its client and outbox, which conversation is open, how the connection is.
//
// Views read this object and listen for `change`; they never talk to each other. Many changes in one turn of the
// event loop are one `change`. Other events: `notice` (detail: a sentence), `ended` (detail: why), `news` (detail:
// {conversation, entry}: somebody else said something), `shown` (detail: seq: bring that message into view).

import { clearSession, deviceId, loadSession, logOut, saveSession, tokens } from "./account.js";
import { Api } from "./api.js";
import { Client } from "./client.js";
import { Wishes } from "./notifications.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { forgetPictures } from "./pictures.js";
import { local } from "./storage.js";
import { userFromWire } from "./wire.js";

/** Why the server ended a session for good, in words for the log-in form. */
const FAREWELLS = {
  4000: "Please log in again.",
  4001: "Your session has expired. Please log in again.",
  4004: "This session was ended from elsewhere.",
  4005: "This account is banned.",
  4006: "You have logged out.",
};
/** The token ended before it was renewed. */
const EXPIRED = 4001;
/** The same device connected again: a copy of this tab took over. */
const REPLACED = 4003;

export class State extends EventTarget {
  session = null;
  client = null;
  outbox = null;
  people = null;
  api = new Api(tokens);
  /** Of what the person wants to be told. */
  wishes = new Wishes(this.api);
  status = { state: "connecting" };
  /** The id of the conversation on the screen, or null. */
  openId = null;
  /** The first seq that was new when the conversation was opened; 0: nothing was. */
  newFrom = 0;
  /** The first list of conversations has come. */
  loaded = false;
  /** What the next message is: {kind: "reply" or "edit", entry}, or null for a plain one. */
  draft = null;
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
    const client = new Client({ url, tokens, deviceId: deviceId(), userId: session.userId });
    const onChange = () => this.change();
    client.addEventListener("change", onChange);
    client.addEventListener("status", ({ detail }) => this.#statusChanged(detail));
    client.addEventListener("ready", () => this.#ready());
    client.addEventListener("entry", ({ detail }) => this.#heard(detail));
    client.addEventListener("gone", ({ detail }) => this.#left(detail.conversation));
    client.addEventListener("notice", ({ detail }) => this.notify(`From the operators: ${detail.text}`));
    this.client = client;
    this.outbox = new Outbox({ client, storage: local, onChange });
    this.people = new People({ api: this.api, client, onChange });
    client.start();
    this.change();
  }

  /** Forgets who is here; unsent messages stay until the same person comes back. */
  end(farewell = "") {
    clearSession();
    const { client } = this;
    this.session = this.client = this.outbox = this.people = this.draft = null;
    this.openId = null;
    client?.stop();
    this.wishes.forget();
    forgetPictures();
    this.dispatchEvent(new CustomEvent("ended", { detail: farewell }));
    this.change();
  }

  /** Logs out, here or wherever the same person is. */
  async logOut(everywhere = false) {
    try {
      await logOut(everywhere);
    } catch (error) {
      // Without the server this device alone can forget; that it could not tell the others has to be seen.
      if (everywhere) throw error;
    }
    location.hash = "";
    this.end(FAREWELLS[4006]);
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
    this.draft = null;
    const { open } = this;
    this.newFrom = open && open.unread > 0 ? open.readSeq + 1 : 0;
    this.change();
  }

  /** Opens a conversation at one of its messages. */
  async jump(conversationId, seq) {
    const conversation = this.client.conversations.get(conversationId);
    if (!conversation) return;
    location.hash = `#/c/${conversationId}`;
    this.show(conversationId);
    try {
      if (!(await this.client.jump(conversation, seq))) this.notify("That message is no longer there.");
    } catch (error) {
      this.notify(error.message);
    }
    this.dispatchEvent(new CustomEvent("shown", { detail: seq }));
  }

  /** The next message answers this one, or is its new text. */
  compose(draft) {
    this.draft = draft;
    this.dispatchEvent(new CustomEvent("composing"));
    this.change();
  }

  /** A short notice for the person in front of the screen. */
  notify(text) {
    this.dispatchEvent(new CustomEvent("notice", { detail: text }));
  }

  /** Does something whose refusal is worth a notice only. */
  async attempt(action) {
    try {
      await action();
    } catch (error) {
      this.notify(error.message);
    }
  }

  nameOf(userId) {
    if (userId === this.client?.me) return "You";
    const user = this.client?.directory.users.get(userId);
    return this.people?.nicknameOf(userId) || user?.displayName || `User ${userId}`;
  }

  userOf(userId) {
    return (
      this.client?.directory.users.get(userId) ?? {
        userId,
        username: "",
        displayName: `User ${userId}`,
        avatarUrl: "",
        color: "",
      }
    );
  }

  titleOf(conversation) {
    const { peer } = conversation;
    if (peer) return this.people?.nicknameOf(peer.userId) || peer.displayName;
    return conversation.title || "Group without a name";
  }

  /** The person changed what others see of them. */
  learnSelf(account) {
    this.client.user = this.client.directory.learn(userFromWire(account));
    this.change();
  }

  change() {
    if (this.#changed) return;
    this.#changed = true;
    queueMicrotask(() => {
      this.#changed = false;
      this.dispatchEvent(new Event("change"));
    });
  }

  #ready() {
    this.loaded = true;
    this.people.load();
    this.change();
  }

  #heard({ conversation, entry }) {
    if (entry.senderId === this.client.me || !entry.body.message) return;
    this.dispatchEvent(new CustomEvent("news", { detail: { conversation, entry } }));
  }

  #statusChanged(status) {
    this.status = status;
    if (status.state === "stopped" && this.session && status.code !== REPLACED) this.#stopped(status.code);
    this.change();
  }

  async #stopped(code) {
    const { client } = this;
    if (code === EXPIRED && loadSession()?.refreshToken) {
      try {
        await tokens.renewed();
        if (this.client === client) client.start();
        return;
      } catch {
        // The login itself has ended.
      }
    }
    if (this.client === client) this.end(FAREWELLS[code] ?? "The server ended the session. Please log in again.");
  }

  #left(conversation) {
    this.notify(`You are no longer in “${this.titleOf(conversation)}”.`);
    if (this.openId === conversation.id) location.hash = "";
  }
}
