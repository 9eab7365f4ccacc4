// The right pane: the messages of the open conversation, and where one is in them.
//
//   the end of the log ◄── scrolled to the end: seen, and kept in view
//   an excerpt         ◄── after a jump: grows at both ends until it meets the window

import { plural, presenceText, typingText } from "./describe.js";
import { byId, emblem, reconcile, setText } from "./dom.js";
import { rows } from "./rows.js";

/** This close to the end counts as the end, and this close to the top fetches more. */
const END_PX = 48;
const TOP_PX = 300;
/** A freshly opened conversation is filled up to this many entries. */
const FIRST_FILL = 30;
/** How long a message that was jumped to stands out. */
const FLASH_MS = 2_000;

export class ThreadView {
  #state;
  #actions;
  #scroller = byId("scroller");
  #list = byId("messages");
  #shown = null;
  #atEnd = true;
  #loading = false;
  /** Shift+Tab is on its way out of the messages. */
  #leaving = false;
  /** The seq to bring into view once its row is there. */
  #wanted = 0;

  /** `actions`: see `messageRow`. */
  constructor(state, actions) {
    this.#state = state;
    this.#actions = actions;
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#list.addEventListener("keydown", (event) => this.#pressed(event));
    this.#scroller.addEventListener("focus", () => this.#enter());
    // While something in it has the keyboard the scroller is no stop: Shift+Tab would go back to it, and from there to the
    // newest message again, for ever.
    this.#scroller.addEventListener("focusin", () => this.#stopsHere(document.activeElement === this.#scroller));
    this.#scroller.addEventListener("focusout", ({ relatedTarget }) => {
      if (!this.#scroller.contains(relatedTarget)) this.#stopsHere(true);
    });
    document.addEventListener("visibilitychange", () => this.#markRead());
    byId("to-end").addEventListener("click", () => this.#leaveExcerpt());
    state.addEventListener("shown", ({ detail }) => {
      this.#wanted = detail;
      state.change();
    });
    // A keyboard that slides in, or a taller text field, must not hide the newest message.
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe(this.#scroller);
    // Nor must a picture that has just come.
    this.#list.addEventListener("load", () => this.#atEnd && this.#toEnd(), true);
  }

  render() {
    const conversation = this.#state.open;
    byId("thread").hidden = !conversation;
    byId("welcome").hidden = Boolean(conversation);
    if (!conversation) {
      this.#shown = null;
      return;
    }
    const fresh = this.#shown !== conversation;
    this.#renderHeader(conversation);
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    const before = this.#list.dataset.low;
    if (fresh) this.#list.replaceChildren();
    reconcile(this.#list, rows(this.#state, conversation, this.#actions));
    this.#list.dataset.low = conversation.shown.entries[0]?.seq ?? conversation.low;
    this.#shown = conversation;
    byId("older").hidden = conversation.shown.complete;
    if (this.#wanted > 0) this.#bringIntoView();
    else if (fresh) this.#begin();
    else if (this.#atEnd) this.#toEnd();
    else if (Number(before) > Number(this.#list.dataset.low))
      this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
    byId("to-end").hidden = this.#atEnd && !conversation.excerpt;
    this.#markRead();
    const { client } = this.#state;
    if (client.online) {
      client.directory.learnMembers(conversation);
      if (conversation.peer) client.live.watch([conversation.peer.userId]);
    }
    if (conversation.shown.entries.length < FIRST_FILL) this.#load("Older");
  }

  #renderHeader(conversation) {
    const state = this.#state;
    const title = state.titleOf(conversation);
    setText(byId("thread-title"), title);
    const { live } = state.client;
    const { peer } = conversation;
    const typing = typingText(
      live.typingIn(conversation.id).map((id) => state.nameOf(id)),
      Boolean(peer),
    );
    const count = plural(conversation.memberCount, "member", "members");
    const about = peer
      ? presenceText(live.presenceOf(peer.userId)) || "Direct chat"
      : conversation.kind === "ROOM"
        ? `Open group · ${count}`
        : count;
    const subtitle = byId("thread-subtitle");
    setText(subtitle, typing || about);
    subtitle.classList.toggle("typing", typing !== "");
    const place = byId("thread-avatar");
    const face = JSON.stringify([
      conversation.id,
      title,
      peer?.avatarUrl,
      peer?.color,
      conversation.settings.avatar_url,
    ]);
    if (place.dataset.for !== face) {
      place.dataset.for = face;
      place.replaceChildren(emblem(conversation, title));
    }
    const silence = conversation.silence();
    setText(byId("silence"), silence);
    byId("silence").hidden = silence === "";
    byId("composer").hidden = silence !== "";
  }

  /** Shows where reading stopped last time, or the end. */
  #begin() {
    const line = this.#list.querySelector(".line-new");
    this.#atEnd = true;
    if (line) this.#scroller.scrollTop = line.offsetTop - this.#scroller.clientHeight / 4;
    else this.#toEnd();
    this.#atEnd = this.#isAtEnd();
  }

  #bringIntoView() {
    const row = this.#list.querySelector(`[data-seq="${this.#wanted}"]`);
    if (!row) return;
    this.#wanted = 0;
    row.scrollIntoView({ block: "center" });
    this.#atEnd = this.#isAtEnd();
    this.#focus(row);
    row.classList.add("flash");
    setTimeout(() => row.classList.remove("flash"), FLASH_MS);
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #leaveExcerpt() {
    if (this.#shown?.excerpt) {
      this.#shown.excerpt = null;
      this.#atEnd = true;
      this.#state.change();
    }
    this.#toEnd();
  }

  #isAtEnd() {
    return !this.#shown?.excerpt && this.#distanceToEnd < END_PX;
  }

  get #distanceToEnd() {
    return this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight;
  }

  #scrolled() {
    if (!this.#shown) return;
    this.#atEnd = this.#isAtEnd();
    byId("to-end").hidden = this.#atEnd;
    this.#markRead();
    if (this.#scroller.scrollTop < TOP_PX) this.#load("Older");
    if (this.#shown.excerpt && this.#distanceToEnd < TOP_PX) this.#load("Newer");
  }

  /** Seen is what was on the screen: the window visible, and scrolled to the end. */
  #markRead() {
    const conversation = this.#shown;
    if (!conversation || !this.#atEnd || conversation.excerpt || document.visibilityState !== "visible") return;
    this.#state.client?.markRead(conversation);
  }

  /** One more page, "Older" or "Newer". */
  async #load(which) {
    const conversation = this.#shown;
    const { client } = this.#state;
    if (!conversation || this.#loading || !client?.online) return;
    if (which === "Older" && conversation.shown.complete) return;
    this.#loading = true;
    try {
      await client[`load${which}`](conversation);
    } catch {
      // Asked again at the next scroll, or when the connection is back.
    } finally {
      this.#loading = false;
    }
  }

  /** The messages are one stop of the Tab key; inside, arrows move from one to the next. */
  #pressed(event) {
    const row = event.target.closest(".message");
    const placed = [...this.#list.querySelectorAll(".message[tabindex]")];
    const at = placed.indexOf(row);
    if (at < 0) return;
    const next = { ArrowUp: placed[at - 1], ArrowDown: placed[at + 1], Home: placed[0], End: placed.at(-1) }[event.key];
    if (event.key === "Tab" && event.shiftKey && event.target === row) return this.#leave();
    if (next) this.#focus(next);
    else if (event.target === row && ["Enter", " ", "ContextMenu"].includes(event.key))
      row.querySelector(".more")?.click();
    else return;
    event.preventDefault();
  }

  /** The keyboard came to the messages: it begins at the newest one. */
  #enter() {
    const rows = this.#list.querySelectorAll(".message[tabindex]");
    if (!this.#leaving && this.#scroller.matches(":focus-visible")) rows[rows.length - 1]?.focus();
  }

  /** Shift+Tab on a message goes to what is before all of them: the browser does that, from the scroller. */
  #leave() {
    this.#leaving = true;
    this.#scroller.focus({ preventScroll: true });
    this.#leaving = false;
  }

  /** Whether the Tab key finds the messages as a whole. */
  #stopsHere(does) {
    this.#scroller.tabIndex = does ? 0 : -1;
  }

  #focus(row) {
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
}
