// Starting something new: a direct chat, a group, or joining one.

import { byId, el, face } from "./dom.js";
import { closeOnBackdrop, explain } from "./sheet.js";

/** Starts a direct chat or a group, or joins one. */
export class NewDialog {
  #state;
  #dialog = byId("new-dialog");
  #form = byId("new-form");
  #kind = "direct";

  constructor(state) {
    this.#state = state;
    for (const button of document.querySelectorAll("[data-opens=new-dialog]")) {
      button.addEventListener("click", () => this.show());
    }
    for (const button of this.#dialog.querySelectorAll("[data-kind]")) {
      button.addEventListener("click", () => this.#choose(button.dataset.kind));
    }
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    closeOnBackdrop(this.#dialog);
  }

  show() {
    this.#form.reset();
    this.#choose("direct");
    this.#contacts();
    this.#dialog.showModal();
    this.#focusFirst();
  }

  #choose(kind) {
    this.#kind = kind;
    for (const button of this.#dialog.querySelectorAll("[data-kind]")) {
      button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    }
    for (const part of this.#dialog.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== kind;
    byId("new-submit").textContent = { direct: "Start chat", group: "Create group", join: "Join" }[kind];
    this.#say("");
    this.#focusFirst();
  }

  #focusFirst() {
    this.#dialog.querySelector("[data-for]:not([hidden]) input")?.focus();
  }

  async #submit() {
    const button = byId("new-submit");
    button.disabled = true;
    this.#say("");
    try {
      const conversation = await this.#carryOut(this.#form.elements);
      if (!conversation) return;
      this.#dialog.close();
      location.hash = `#/c/${conversation.id}`;
    } catch (error) {
      this.#say(explain(error));
    } finally {
      button.disabled = false;
    }
  }

  #carryOut(fields) {
    const { client } = this.#state;
    if (this.#kind === "direct") {
      const name = fields.person.value.trim();
      return name === "" ? this.#say("Please enter a user name.") : client.openDirect(name);
    }
    if (this.#kind === "group") {
      const title = fields.title.value.trim();
      const usernames = fields.people.value.split(/[\s,;]+/).filter(Boolean);
      if (title === "") return this.#say("Please give the group a name.");
      return client.createGroup({ title, usernames, open: fields.open.checked });
    }
    const number = fields.number.value.trim().replace(/^#/, "");
    if (!/^[1-9]\d{0,15}$/.test(number)) return this.#say("Please enter the number of the group.");
    return this.#join(number, fields);
  }

  /** Where somebody has to grant it, there is nothing to open yet. */
  async #join(number, fields) {
    const conversation = await this.#state.client.join(number, {
      code: fields.code.value.trim(),
      text: fields.request.value.trim(),
    });
    if (conversation) return conversation;
    this.#dialog.close();
    this.#state.notify("You have asked to join. Owner and admins decide.");
    return null;
  }

  /** Contacts are at hand: a press is enough. */
  #contacts() {
    const contacts = this.#state.people.sorted.map(({ user, nickname }) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: "contact", onclick: () => this.#fill(user.username) },
          face(user),
          nickname || user.displayName,
        ),
      ),
    );
    byId("contacts").replaceChildren(...contacts);
    byId("contacts-title").hidden = contacts.length === 0;
  }

  #fill(username) {
    this.#form.elements.person.value = username;
    this.#submit();
  }

  #say(text) {
    byId("new-error").textContent = text;
    byId("new-error").hidden = text === "";
  }
}
