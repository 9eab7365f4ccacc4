// Oneself: how one shows to others, how this page behaves, the password, the devices, and the ways out.

import { button, el, face, field } from "./dom.js";
import { SecurityPanel } from "./security_panel.js";
import { Sheet } from "./sheet.js";
import { setTheme, theme, THEMES } from "./theme.js";

const STATUSES = { ONLINE: "Online", AWAY: "Away", BUSY: "Busy", INVISIBLE: "Invisible" };
const AUDIENCES = { CONTACTS: "People I write with", EVERYONE: "Everyone", NOBODY: "Nobody" };

export class ProfileDialog {
  #state;
  #notifier;
  #sheet = new Sheet("profile-dialog", "You", { wide: true });
  #security;

  constructor(state, notifier) {
    this.#state = state;
    this.#notifier = notifier;
    this.#security = new SecurityPanel(state, this.#sheet);
    document.getElementById("profile").addEventListener("click", () => this.show());
  }

  async show() {
    this.#sheet.open("You", el("p", { class: "note" }, "Loading…"));
    let account = null;
    const known = await this.#sheet.attempt(async () => (account = await this.#state.api.get("account")));
    const parts = [this.#status(), this.#page()];
    const refusal = known ? [] : [el("p", { class: "error" }, "The profile cannot be changed at present.")];
    this.#sheet.fill(
      [...(known ? [this.#profile(account)] : refusal), ...parts, ...(known ? this.#security.view(account) : [])],
      [
        button("Log out", () => this.#leave(false), { id: "logout" }),
        button("Log out everywhere", () => this.#leave(true), { id: "logout-everywhere", class: "danger" }),
      ],
    );
  }

  async #leave(everywhere) {
    if (await this.#sheet.attempt(() => this.#state.logOut(everywhere))) this.#sheet.close();
  }

  #profile(account) {
    const name = el("input", {
      name: "display_name",
      maxlength: "64",
      value: account.display_name,
      placeholder: account.username,
    });
    const about = el("input", { name: "status_text", maxlength: "140", value: account.status_text });
    const color = el("input", { name: "color", type: "color", value: account.color || "#4f6bd8" });
    const self = this.#state.client.user ?? this.#state.userOf(this.#state.client.me);
    const badge = face({ ...self, avatarUrl: account.avatar_url, color: account.color });
    const picture = el("input", {
      id: "avatar-input",
      type: "file",
      accept: "image/png,image/jpeg,image/webp,image/gif",
      hidden: true,
      onchange: () => this.#picture(picture.files[0]),
    });
    const save = (event) => {
      event.preventDefault();
      this.#save({
        display_name: name.value.trim(),
        status_text: about.value.trim(),
        ...(color.dataset.chosen ? { color: color.value } : {}),
      });
    };
    color.addEventListener("input", () => (color.dataset.chosen = "true"));
    return el(
      "section",
      { class: "panel" },
      el(
        "div",
        { class: "about" },
        badge,
        el(
          "div",
          {},
          el("strong", {}, account.display_name || account.username),
          el("p", { class: "note" }, `@${account.username}`),
        ),
        picture,
        button("Picture…", () => picture.click(), { id: "avatar" }),
        account.avatar_url ? button("Remove", () => this.#save({ avatar_url: "" }), { id: "no-avatar" }) : null,
      ),
      el(
        "form",
        { id: "profile-form", onsubmit: save },
        field("Name", name),
        field("About you", about),
        field("Colour", color),
        el("div", { class: "buttons" }, el("button", { class: "primary", id: "save-profile" }, "Save")),
      ),
    );
  }

  async #picture(file) {
    if (!file) return;
    let uploaded = null;
    const { api } = this.#state;
    const sent = { onProgress: () => {}, signal: new AbortController().signal };
    if (!(await this.#sheet.attempt(async () => (uploaded = await api.upload(file, sent))))) return;
    // What is no picture would be shown by nobody.
    if (!uploaded.thumbnail_url) this.#sheet.say("That file is no picture that can be shown.");
    else await this.#save({ avatar_url: uploaded.url });
  }

  async #save(change) {
    const done = await this.#sheet.attempt(async () => {
      const account = await this.#state.api.patch("account", change);
      this.#state.learnSelf(account);
    });
    if (!done) return;
    this.#state.notify("Saved.");
    await this.show();
  }

  #status() {
    const { client } = this.#state;
    const presence = client.live.own;
    const status = choice("status", STATUSES, presence.status);
    const text = el("input", {
      name: "presence_text",
      maxlength: "60",
      value: presence.text,
      placeholder: "What you are doing",
    });
    const seen = choice("status_visibility", AUDIENCES, presence.statusVisibility);
    const last = choice("last_seen_visibility", AUDIENCES, presence.lastSeenVisibility);
    const save = (event) => {
      event.preventDefault();
      this.#sheet.attempt(async () => {
        const own = { status: status.value, text: text.value.trim() };
        // What was not touched stays as the account has it.
        if (seen.dataset.chosen) own.status_visibility = seen.value;
        if (last.dataset.chosen) own.last_seen_visibility = last.value;
        await client.setStatus(own);
        this.#state.notify("Saved.");
      });
    };
    for (const select of [seen, last]) select.addEventListener("change", () => (select.dataset.chosen = "true"));
    return el(
      "details",
      { class: "panel", id: "presence" },
      el("summary", {}, "Presence"),
      el(
        "form",
        { onsubmit: save },
        field("Status", status),
        field("Beside it", text),
        field("Who sees it", seen),
        field("Who sees when you were here", last),
        el("div", { class: "buttons" }, el("button", { class: "primary", id: "save-status" }, "Save")),
      ),
    );
  }

  #page() {
    const colours = choice("theme", THEMES, theme());
    colours.addEventListener("change", () => setTheme(colours.value));
    const notify = el("input", {
      type: "checkbox",
      name: "notify",
      checked: this.#notifier.isOn,
      onchange: () => this.#notify(notify),
    });
    return el(
      "section",
      { class: "panel" },
      el("h3", {}, "This page"),
      field("Colours", colours),
      el("label", { class: "check" }, notify, "Notify me of new messages"),
    );
  }

  async #notify(box) {
    const done = await this.#sheet.attempt(() => (box.checked ? this.#notifier.turnOn() : this.#notifier.turnOff()));
    if (!done) box.checked = this.#notifier.isOn;
  }
}

function choice(name, options, value) {
  const select = el(
    "select",
    { name },
    ...Object.entries(options).map(([key, label]) => el("option", { value: key }, label)),
  );
  select.value = value;
  return select;
}
