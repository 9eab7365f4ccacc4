// A dialog: a heading, what it is about, an error where something was refused, and buttons.

import { el, setText } from "./dom.js";

/** What people should read where the server's own sentence is meant for developers. */
const EXPLANATIONS = {
  USER_NOT_FOUND: "There is nobody with that user name.",
  CONVERSATION_NOT_FOUND: "There is no open group with that number.",
  FORBIDDEN: "You may not do that.",
  GROUP_FULL: "That group is full.",
  ALREADY_MEMBER: "That person is a member already.",
  ALREADY_REQUESTED: "You have asked already.",
  BANNED: "You are banned from that group.",
  BLOCKED: "One of you has blocked the other.",
  NOT_SUPPORTED: "This server does not offer that.",
};

/** A refusal of a command in words. */
export const explain = (error) => EXPLANATIONS[error.reason] ?? error.message;

/** A press beside the dialog, or on something that closes it, closes it. */
export function closeOnBackdrop(dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-closes]")) dialog.close();
  });
}

export class Sheet {
  #heading;
  #error;
  #footer = el("div", { class: "buttons" });
  /** Where the content goes. */
  body = el("div", { class: "sheet-body" });

  constructor(id, title, { wide = false } = {}) {
    this.#heading = el("h2", { id: `${id}-title`, class: "ellipsis" }, title);
    this.#error = el("p", { class: "error", role: "alert", hidden: true });
    this.element = el(
      "dialog",
      { id, class: wide ? "wide-sheet" : null, "aria-labelledby": `${id}-title` },
      el("div", { class: "sheet" }, this.#heading, this.body, this.#error, this.#footer),
    );
    closeOnBackdrop(this.element);
    document.body.append(this.element);
  }

  get isOpen() {
    return this.element.open;
  }

  /** Shows this content; `buttons` stand before the one that closes. */
  open(title, content, buttons = []) {
    setText(this.#heading, title);
    this.fill(content, buttons);
    if (!this.isOpen) this.element.showModal();
  }

  fill(content, buttons = []) {
    this.body.replaceChildren(...[content].flat().filter(Boolean));
    const close = el("button", { type: "button", "data-closes": true }, "Close");
    this.#footer.replaceChildren(...buttons, close);
    this.say("");
  }

  close() {
    this.element.close();
  }

  say(text) {
    setText(this.#error, text);
    this.#error.hidden = text === "";
  }

  /** Does something; a refusal is shown here. Resolves with whether it was done. */
  async attempt(action) {
    this.say("");
    try {
      await action();
      return true;
    } catch (error) {
      this.say(explain(error));
      return false;
    }
  }
}
