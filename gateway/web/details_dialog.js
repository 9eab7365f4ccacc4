// The details of the open conversation: a person, or a group with its members, settings and ways out.

import { presenceText } from "./describe.js";
import { button, byId, el, emblem, face, field } from "./dom.js";
import { MembersPanel } from "./members_panel.js";
import { NotificationsField } from "./notifications.js";
import { SettingsPanel } from "./settings_panel.js";
import { Sheet } from "./sheet.js";

export class DetailsDialog {
  #state;
  #sheet = new Sheet("info-dialog", "Details", { wide: true });
  #members;
  #settings;
  #notifications;
  #conversation = null;
  #about = el("div");

  constructor(state, menu) {
    this.#state = state;
    this.#members = new MembersPanel(state, this.#sheet, menu);
    this.#settings = new SettingsPanel(state, this.#sheet);
    this.#notifications = new NotificationsField(state, this.#sheet);
    byId("info").addEventListener("click", () => this.#show());
    byId("thread-about").addEventListener("click", () => this.#show());
    state.addEventListener("change", () => this.#render());
  }

  #show() {
    const { open: conversation } = this.#state;
    if (!conversation) return;
    this.#conversation = conversation;
    if (conversation.isDirect)
      this.#sheet.open("Person", this.#person(conversation), this.#personButtons(conversation));
    else this.#showGroup(conversation);
    this.#render();
  }

  async #showGroup(conversation) {
    const show = () => this.#sheet.open("Group", this.#group(conversation), this.#groupButtons(conversation));
    const code = conversation.settings.join_code;
    show();
    // No entry tells the code to join with.
    if (!conversation.mayInvite || conversation.settings.join_policy !== "BY_LINK") return;
    await this.#sheet.attempt(() => this.#state.client.refresh(conversation));
    if (this.#sheet.isOpen && conversation.settings.join_code !== code) show();
  }

  /** What changes while the dialog is open. */
  #render() {
    if (!this.#sheet.isOpen || !this.#conversation) return;
    if (this.#state.open !== this.#conversation) this.#sheet.close();
    else if (!this.#conversation.isDirect) {
      this.#members.render(this.#conversation);
      this.#renderAbout(this.#conversation);
    }
  }

  #renderAbout(conversation) {
    const title = this.#state.titleOf(conversation);
    const description = conversation.settings.description ?? "";
    const shown = JSON.stringify([title, description, conversation.settings.avatar_url]);
    if (this.#about.dataset.for === shown) return;
    this.#about.dataset.for = shown;
    this.#about.replaceChildren(
      emblem(conversation, title),
      el("div", {}, el("strong", {}, title), el("p", { class: "note", dir: "auto" }, description)),
    );
  }

  #person(conversation) {
    const { peer } = conversation;
    const { people, client } = this.#state;
    const about = el("p", { class: "note", dir: "auto" });
    const name = el("strong", {}, peer.displayName);
    if (peer.userId !== client.me) {
      people.profileOf(peer.userId).then(
        (text) => {
          about.textContent = text;
          name.textContent = peer.displayName;
        },
        () => {},
      );
    }
    const nickname = el("input", {
      name: "nickname",
      maxlength: "64",
      value: people.nicknameOf(peer.userId),
      placeholder: peer.displayName,
    });
    const save = button("Save", () => this.#keep(peer, nickname.value.trim()), { id: "save-contact" });
    return [
      el(
        "div",
        { class: "about" },
        face(peer),
        el(
          "div",
          {},
          name,
          el("p", { class: "note" }, `@${peer.username}`),
          el("p", { class: "note" }, presenceText(client.live.presenceOf(peer.userId))),
          about,
        ),
      ),
      peer.userId === client.me
        ? null
        : el("div", { class: "inline" }, field("Your name for this contact", nickname), save),
      this.#notifications.view(conversation),
    ];
  }

  #personButtons({ peer }) {
    const { people, client } = this.#state;
    if (peer.userId === client.me) return [];
    const blocked = people.blocked.has(peer.userId);
    return [
      ...(people.contacts.has(peer.userId)
        ? [button("Remove contact", () => this.#again(() => people.remove(peer.userId)), { id: "remove-contact" })]
        : []),
      button(blocked ? "Unblock" : "Block", () => this.#again(() => people.block(peer.userId, blocked)), {
        id: "block",
        class: "danger",
      }),
    ];
  }

  async #keep(peer, nickname) {
    if (await this.#sheet.attempt(() => this.#state.people.put(peer, nickname))) this.#show();
  }

  /** Does something and shows what is true then. */
  async #again(action) {
    if (await this.#sheet.attempt(action)) this.#show();
  }

  #group(conversation) {
    this.#about = el("div", { class: "about" });
    this.#renderAbout(conversation);
    const number =
      conversation.kind === "ROOM" || conversation.settings.join_policy ? this.#number(conversation) : null;
    return [
      this.#about,
      number,
      this.#notifications.view(conversation),
      conversation.manages ? this.#settings.view(conversation) : null,
      this.#members.view(conversation),
    ];
  }

  #number({ id, settings }) {
    const line = (label, value, name) =>
      el(
        "p",
        { class: "number" },
        el("span", {}, `${label}: `, el("output", { id: name }, value)),
        button("Copy", () => this.#copy(value), { class: "link" }),
      );
    return el(
      "div",
      { id: "info-room" },
      line("Number to join", id, "info-number"),
      settings.join_code ? line("Code to join", settings.join_code, "info-code") : null,
    );
  }

  #groupButtons(conversation) {
    const { client } = this.#state;
    const leave = surely("Leave group", "Really leave?", () => this.#close(() => client.leave(conversation)));
    leave.id = "leave";
    const dissolve = surely("Dissolve group", "Really, for all?", () =>
      this.#close(() => client.dissolve(conversation)),
    );
    dissolve.id = "dissolve";
    return conversation.role === "OWNER" ? [dissolve, leave] : [leave];
  }

  async #close(action) {
    if (await this.#sheet.attempt(action)) this.#sheet.close();
  }

  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.#state.notify("Copied.");
    } catch {
      this.#state.notify(text);
    }
  }
}

/** What cannot be undone takes two presses. */
function surely(label, question, run) {
  const control = button(
    label,
    () => {
      if (control.dataset.sure) {
        run();
        return;
      }
      control.dataset.sure = "true";
      control.textContent = question;
    },
    { class: "danger" },
  );
  return control;
}
