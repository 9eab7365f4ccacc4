// The left pane: who is logged in, how the connection is, and the conversations with what is new in them.

import { presenceText, preview, shortTime, typingText } from "./describe.js";
import { byId, el, emblem, face, reconcile, setText } from "./dom.js";

/** A connection that comes back within this time is not worth a warning. */
const QUIET_MS = 1_500;
/** The newest conversations show whether the other side is there. */
const WATCHED = 100;

export class ListView {
  #state;
  #list = byId("conversations");
  #filter = byId("filter");
  #status = byId("status");
  #banner = byId("banner");
  #offlineSince = 0;

  constructor(state) {
    this.#state = state;
    this.#filter.addEventListener("input", () => this.render());
    this.#list.addEventListener("keydown", (event) => this.#moveFocus(event));
    byId("retry-now").addEventListener("click", () => state.reconnect());
    setInterval(() => this.#renderStatus(), 500);
  }

  render() {
    const { session, client } = this.#state;
    if (!session) return;
    const self = client.user ?? { userId: session.userId, displayName: session.username };
    setText(byId("me"), self.displayName);
    const badge = byId("profile");
    const shown = JSON.stringify(self);
    if (badge.dataset.for !== shown) {
      badge.dataset.for = shown;
      badge.replaceChildren(face(self));
    }
    if (client.online)
      client.live.watch(this.#state.conversations.slice(0, WATCHED).flatMap(({ peer }) => (peer ? [peer.userId] : [])));
    this.#renderStatus();
    this.#renderList();
  }

  #renderList() {
    const state = this.#state;
    const wanted = this.#filter.value.trim().toLowerCase();
    const all = state.conversations;
    const shown = all.filter((conversation) => state.titleOf(conversation).toLowerCase().includes(wanted));
    reconcile(
      this.#list,
      shown.map((conversation) => this.#item(conversation)),
    );
    byId("list-empty").hidden = !state.loaded || all.length > 0;
    byId("list-none").hidden = all.length === 0 || shown.length > 0;
    byId("list-loading").hidden = state.loaded || all.length > 0;
  }

  #item(conversation) {
    const state = this.#state;
    const title = state.titleOf(conversation);
    const failed = state.outbox.of(conversation.id).some((item) => item.state === "failed");
    const { live } = state.client;
    const { peer, mentions } = conversation;
    const typing = typingText(
      live.typingIn(conversation.id).map((id) => state.nameOf(id)),
      Boolean(peer),
    );
    const text = failed ? "Message not sent" : typing || preview(conversation, (id) => state.nameOf(id));
    const presence = peer ? live.presenceOf(peer.userId) : { status: "OFFLINE" };
    const picture = [peer?.avatarUrl, peer?.color, conversation.settings.avatar_url];
    const time = conversation.lastActivityAt ? shortTime(conversation.lastActivityAt) : "";
    const { unread } = conversation;
    const current = state.openId === conversation.id;
    return {
      key: conversation.id,
      signature: JSON.stringify([title, text, time, unread, current, failed, mentions, presence, picture]),
      build: () =>
        el(
          "li",
          {},
          el(
            "a",
            {
              class: "item",
              href: `#/c/${conversation.id}`,
              "data-conversation": conversation.id,
              "aria-current": current ? "true" : null,
            },
            el(
              "span",
              { class: "item-face", "data-presence": presence.status, title: presenceText(presence) || null },
              emblem(conversation, title),
            ),
            el("span", { class: "item-title" }, title),
            el("span", { class: "item-time" }, time),
            el("span", { class: failed ? "item-text failed" : "item-text" }, text),
            unread === 0
              ? null
              : el(
                  "span",
                  {
                    class: "badge",
                    "aria-label": mentions > 0 ? `${unread} unread, you are named` : `${unread} unread`,
                  },
                  `${mentions > 0 ? "@ " : ""}${unread > 999 ? "999+" : unread}`,
                ),
          ),
        ),
    };
  }

  #renderStatus() {
    const { status, session } = this.#state;
    if (!session) return;
    const online = status.state === "online";
    if (online) this.#offlineSince = 0;
    else this.#offlineSince ||= Date.now();
    const replaced = status.state === "stopped";
    const trouble = replaced || (!online && Date.now() - this.#offlineSince > QUIET_MS);
    this.#status.dataset.state = online ? "online" : trouble ? "offline" : "connecting";
    setText(this.#status, online ? "Connected" : trouble ? "Offline" : "Connecting…");
    this.#banner.hidden = !trouble;
    if (!trouble) return;
    byId("retry-now").hidden = status.state === "connecting";
    setText(byId("retry-now"), replaced ? "Use here" : "Try now");
    setText(byId("banner-text"), replaced ? "Ringwire is open in another tab." : this.#explain(status));
  }

  #explain({ state, retryAt }) {
    const seconds = Math.ceil((retryAt - Date.now()) / 1000);
    if (state === "waiting" && seconds > 0)
      return `No connection. Trying again in ${seconds}\u00a0s. What you write is kept.`;
    return "No connection. Trying again… What you write is kept.";
  }

  #moveFocus(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const links = [...this.#list.querySelectorAll("a")];
    links[links.indexOf(document.activeElement) + step]?.focus();
  }
}
