// Addressing people by name in a message: the list that opens behind an `@`, and who a finished text addresses.

import { byId, el, face } from "./dom.js";

const MOST = 6;

export class Mentions {
  #state;
  #field;
  #list = byId("mentions");
  #at = 0;

  /** `field` is where messages are written. */
  constructor(state, field) {
    this.#state = state;
    this.#field = field;
    field.addEventListener("blur", () => this.close());
    // A press must not take the keyboard away from the field.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  /** The text or the place in it changed. */
  update() {
    const found = this.#found();
    this.#list.hidden = found.length === 0;
    this.#at = 0;
    this.#list.replaceChildren(
      ...found.map((user, index) =>
        el(
          "li",
          { id: `mention-${index}`, role: "option", onclick: () => this.#choose(user) },
          face(user),
          el("span", {}, user.displayName),
          el("small", {}, `@${user.username}`),
        ),
      ),
    );
    this.#mark();
  }

  close() {
    this.#list.hidden = true;
    this.#mark();
  }

  /** A key in the field; whether it was meant for the list. */
  pressed(event) {
    if (!this.isOpen) return false;
    const { children } = this.#list;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#at = (this.#at + step + children.length) % children.length;
    else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) children[this.#at].click();
    else if (event.key === "Escape") this.close();
    else return false;
    this.#mark();
    return true;
  }

  /** Whom a text addresses, for the message: {mentions, mention_all}. */
  of(text) {
    const conversation = this.#state.open;
    const names = new Set(
      [...text.matchAll(/@([\w.-]+)/g)].map(([, name]) => name.replace(/[.-]+$/, "").toLowerCase()),
    );
    const mentions = this.#people(conversation)
      .filter(({ username }) => names.has(username.toLowerCase()))
      .map(({ userId }) => userId);
    const all = names.has("all") && conversation.manages;
    return { ...(mentions.length > 0 ? { mentions } : {}), ...(all ? { mention_all: true } : {}) };
  }

  #people({ members, users, me }) {
    return (members?.map(({ user }) => user) ?? users ?? []).filter(({ userId }) => userId !== me);
  }

  /** Who fits what stands between the last `@` and the place in the text. */
  #found() {
    const conversation = this.#state.open;
    const typed = /(?:^|\s)@([\w.-]*)$/
      .exec(this.#field.value.slice(0, this.#field.selectionStart))?.[1]
      ?.toLowerCase();
    if (typed === undefined || !conversation || conversation.isDirect) return [];
    const fits = ({ username, displayName }) =>
      username.toLowerCase().startsWith(typed) || displayName.toLowerCase().startsWith(typed);
    return this.#people(conversation).filter(fits).slice(0, MOST);
  }

  #choose({ username }) {
    const place = this.#field.selectionStart;
    const begin = this.#field.value.lastIndexOf("@", place - 1);
    this.#field.setRangeText(`@${username} `, begin, place, "end");
    this.close();
    this.#field.dispatchEvent(new Event("input"));
  }

  #mark() {
    [...this.#list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === this.#at)));
    this.#field.setAttribute("aria-expanded", String(this.isOpen));
    if (this.isOpen) this.#field.setAttribute("aria-activedescendant", `mention-${this.#at}`);
    else this.#field.removeAttribute("aria-activedescendant");
  }
}
