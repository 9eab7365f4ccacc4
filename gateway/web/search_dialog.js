// Search: conversations by name, people by user name, messages by their words. One field and one list, and the keyboard
// is enough.

import { messageLine, shortTime } from "./describe.js";
import { el, emblem, face } from "./dom.js";
import { Sheet } from "./sheet.js";
import { entryFromWire, list } from "./wire.js";

/** How long the person has to pause before the server is asked. */
const PAUSE_MS = 200;
const MOST = 6;
const MESSAGES = 20;

export class SearchDialog {
  #state;
  #sheet = new Sheet("search-dialog", "Search", { wide: true });
  #input = el("input", {
    id: "search",
    type: "search",
    placeholder: "Conversations, people, messages",
    autocomplete: "off",
    role: "combobox",
    "aria-label": "Search",
    "aria-controls": "search-results",
    "aria-expanded": "true",
  });
  #results = el("div", { id: "search-results", class: "results", role: "listbox", "aria-label": "Results" });
  /** {conversationId or null: everywhere}. */
  #only = null;
  #timer = 0;
  #asked = 0;
  #at = 0;

  constructor(state) {
    this.#state = state;
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Opens, to search everywhere or in the messages of one conversation. */
  show(conversation = null) {
    this.#only = conversation;
    this.#input.value = "";
    const title = conversation ? `Search in ${this.#state.titleOf(conversation)}` : "Search";
    this.#sheet.open(title, [this.#input, this.#results]);
    this.#typed();
    this.#input.focus();
  }

  #typed() {
    const text = this.#input.value.trim();
    const asked = (this.#asked += 1);
    clearTimeout(this.#timer);
    const near = this.#only ? [] : this.#conversations(text);
    this.#fill([["Conversations", near]]);
    if (text === "") return;
    this.#timer = setTimeout(async () => {
      const [people, messages] = await Promise.allSettled([this.#only ? [] : this.#people(text), this.#messages(text)]);
      if (asked !== this.#asked) return;
      this.#fill(
        [
          ["Conversations", near],
          ["People", people.value ?? []],
          ["Messages", messages.value ?? []],
        ],
        true,
      );
      const refused = messages.reason ?? people.reason;
      if (refused) this.#sheet.say(refused.message);
    }, PAUSE_MS);
  }

  #conversations(text) {
    const wanted = text.toLowerCase();
    const titles = this.#state.conversations.map((conversation) => [conversation, this.#state.titleOf(conversation)]);
    return titles
      .filter(([, title]) => title.toLowerCase().includes(wanted))
      .slice(0, MOST)
      .map(([conversation, title]) =>
        this.#line(emblem(conversation, title), title, "", () => (location.hash = `#/c/${conversation.id}`)),
      );
  }

  async #people(text) {
    const users = await this.#state.people.find(text);
    return users
      .slice(0, MOST)
      .map((user) => this.#line(face(user), user.displayName, `@${user.username}`, () => this.#write(user)));
  }

  async #messages(text) {
    // The last word may be the beginning of one.
    const words = /[\w\p{L}]$/u.test(text) ? `${text}*` : text;
    const only = this.#only ? `&conversation_id=${this.#only.id}` : "";
    const answer = await this.#state.api.get(`search?limit=${MESSAGES}&q=${encodeURIComponent(words)}${only}`);
    return list(answer?.entries).map((wire) => this.#message(entryFromWire(wire)));
  }

  #message(entry) {
    const conversation = this.#state.client.conversations.get(entry.conversationId);
    const title = conversation ? this.#state.titleOf(conversation) : "A conversation";
    const about = `${title} · ${this.#state.nameOf(entry.senderId)} · ${shortTime(entry.createdAt)}`;
    return this.#line(face(this.#state.userOf(entry.senderId)), messageLine(entry), about, () =>
      this.#state.jump(entry.conversationId, entry.seq),
    );
  }

  #line(badge, title, about, run) {
    return el(
      "div",
      { role: "option", class: "result", onclick: () => this.#choose(run) },
      badge,
      el(
        "span",
        { class: "grow" },
        el("span", { class: "ellipsis", dir: "auto" }, title),
        about ? el("small", { dir: "auto" }, about) : null,
      ),
    );
  }

  #choose(run) {
    this.#sheet.close();
    run();
  }

  #write({ username }) {
    return this.#state.attempt(async () => {
      const conversation = await this.#state.client.openDirect(username);
      location.hash = `#/c/${conversation.id}`;
    });
  }

  #fill(groups, complete = false) {
    const parts = groups
      .filter(([, lines]) => lines.length > 0)
      .flatMap(([name, lines]) => [el("h3", { role: "presentation" }, name), ...lines]);
    const none = complete && parts.length === 0 ? [el("p", { class: "note" }, "Nothing found.")] : [];
    this.#results.replaceChildren(...parts, ...none);
    this.#sheet.say("");
    this.#at = 0;
    [...this.#options].forEach((option, index) => (option.id = `result-${index}`));
    this.#mark();
  }

  get #options() {
    return this.#results.querySelectorAll("[role=option]");
  }

  #pressed(event) {
    const options = this.#options;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      // The field would only empty itself; and what is behind the dialog is not meant.
      event.preventDefault();
      this.#sheet.close();
    }
    if (options.length === 0) return;
    if (step) this.#at = (this.#at + step + options.length) % options.length;
    else if (event.key === "Enter") options[this.#at].click();
    else return;
    event.preventDefault();
    this.#mark();
  }

  #mark() {
    const options = this.#options;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === this.#at)));
    options[this.#at]?.scrollIntoView({ block: "nearest" });
    if (options.length > 0) this.#input.setAttribute("aria-activedescendant", `result-${this.#at}`);
    else this.#input.removeAttribute("aria-activedescendant");
  }
}
