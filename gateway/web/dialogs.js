// The two dialogs: starting something new, and the details of the open conversation.

import { avatar, byId, el } from "./dom.js";

/** What people should read where the server's own sentence is meant for developers. */
const EXPLANATIONS = {
  USER_NOT_FOUND: "There is nobody with that user name.",
  CONVERSATION_NOT_FOUND: "There is no open group with that number.",
  FORBIDDEN: "That group is not open to everyone.",
  GROUP_FULL: "That group is full.",
  OWNER_MUST_STAY: "You own this group: hand it over first.",
  NOT_SUPPORTED: "This server does not offer that.",
};

const explain = (error) => EXPLANATIONS[error.reason] ?? error.message;

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
    return /^[1-9]\d{0,15}$/.test(number) ? client.join(number) : this.#say("Please enter the number of the group.");
  }

  #say(text) {
    byId("new-error").textContent = text;
    byId("new-error").hidden = text === "";
  }
}

/** Who is in the open conversation, its number, and the way out. */
export class InfoDialog {
  #state;
  #dialog = byId("info-dialog");
  #sure = false;

  constructor(state) {
    this.#state = state;
    byId("info").addEventListener("click", () => this.#show());
    byId("leave").addEventListener("click", () => this.#leave());
    byId("copy-number").addEventListener("click", () => this.#copy());
    closeOnBackdrop(this.#dialog);
  }

  async #show() {
    const { open: conversation, client } = this.#state;
    if (!conversation) return;
    this.#sure = false;
    byId("leave").textContent = "Leave group";
    byId("leave").hidden = conversation.kind === "DIRECT";
    byId("info-title").textContent = this.#state.titleOf(conversation);
    byId("info-number").textContent = conversation.id;
    byId("info-room").hidden = conversation.kind !== "ROOM";
    this.#fill(conversation.users?.map((user) => ({ user, role: "MEMBER" })) ?? []);
    this.#say("");
    this.#dialog.showModal();
    try {
      this.#fill(await client.directory.members(conversation));
    } catch (error) {
      this.#say(client.online ? explain(error) : "The list of members needs a connection.");
    }
  }

  #fill(members) {
    const rows = members.map(({ user, role }) =>
      el("li", {},
        avatar(user.userId, user.displayName),
        el("span", {}, user.displayName, user.userId === this.#state.client.me ? " (you)" : ""),
        role === "MEMBER" ? null : el("span", { class: "role" }, role.toLowerCase())));
    byId("info-members").replaceChildren(...rows);
  }

  /** Leaving cannot be undone in a closed group, so it takes two presses. */
  async #leave() {
    const { open: conversation, client } = this.#state;
    if (!conversation) return;
    if (!this.#sure) {
      this.#sure = true;
      byId("leave").textContent = "Really leave?";
      return;
    }
    try {
      await client.leave(conversation);
      this.#dialog.close();
    } catch (error) {
      this.#say(explain(error));
    }
  }

  async #copy() {
    const number = byId("info-number").textContent;
    try {
      await navigator.clipboard.writeText(number);
      this.#state.notify("Copied.");
    } catch {
      this.#state.notify(`The number is ${number}.`);
    }
  }

  #say(text) {
    byId("info-error").textContent = text;
    byId("info-error").hidden = text === "";
  }
}

function closeOnBackdrop(dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-closes]")) dialog.close();
  });
}
