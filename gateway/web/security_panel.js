// What one logs in with: name, address and password; and where one is logged in.

import { shortTime } from "./describe.js";
import { deviceId, renameSession } from "./account.js";
import { button, el, field } from "./dom.js";
import { list, num } from "./wire.js";

export class SecurityPanel {
  #state;
  #sheet;

  constructor(state, sheet) {
    this.#state = state;
    this.#sheet = sheet;
  }

  view(account) {
    return [this.#login(account), this.#password(account), this.#devices()];
  }

  #login({ username, email, has_password: has }) {
    const name = el("input", { name: "own_username", maxlength: "32", autocomplete: "off", value: username });
    const address = el("input", { name: "own_email", type: "email", maxlength: "254", value: email ?? "" });
    const proof = el("input", {
      name: "own_password",
      type: "password",
      autocomplete: "current-password",
      maxlength: "1024",
      required: true,
    });
    const save = (event) => {
      event.preventDefault();
      this.#sheet.attempt(async () => {
        const account = await this.#state.api.patch("account", {
          ...(name.value === username ? {} : { username: name.value }),
          ...(address.value === (email ?? "") ? {} : { email: address.value }),
          ...(has ? { password: proof.value } : {}),
        });
        renameSession(account.username);
        this.#state.learnSelf(account);
        panel.replaceWith(this.#login(account));
        this.#state.notify("Saved.");
      });
    };
    const form = el(
      "form",
      { id: "login-form", onsubmit: save },
      field("User name", name),
      field("E-mail address", address),
      has ? field("Password", proof) : null,
      el("div", { class: "buttons" }, el("button", { class: "primary", id: "save-login" }, "Save")),
    );
    const panel = el(
      "details",
      { class: "panel", id: "login-panel" },
      el("summary", {}, "User name and e-mail address"),
      form,
    );
    return panel;
  }

  #password({ has_password: has }) {
    const old = el("input", {
      name: "old_password",
      type: "password",
      autocomplete: "current-password",
      maxlength: "1024",
    });
    const fresh = el("input", {
      name: "new_password",
      type: "password",
      autocomplete: "new-password",
      maxlength: "1024",
    });
    const save = (event) => {
      event.preventDefault();
      this.#sheet.attempt(async () => {
        await this.#state.api.post("account/password", {
          ...(has ? { old_password: old.value } : {}),
          new_password: fresh.value,
        });
        form.reset();
        this.#state.notify("The password is changed. Other logins have ended.");
      });
    };
    const form = el(
      "form",
      { id: "password-form", onsubmit: save },
      has ? field("Present password", old) : null,
      field("New password", fresh),
      el("div", { class: "buttons" }, el("button", { class: "primary", id: "save-password" }, "Change")),
    );
    return el("details", { class: "panel", id: "password-panel" }, el("summary", {}, "Password"), form);
  }

  #devices() {
    const devices = el("ul", { class: "members", id: "devices" });
    const panel = el("details", { class: "panel", id: "devices-panel" }, el("summary", {}, "Devices"), devices);
    panel.addEventListener("toggle", () => panel.open && this.#load(devices));
    return panel;
  }

  async #load(into) {
    await this.#sheet.attempt(async () => {
      const [{ devices }, sessions] = await Promise.all([
        this.#state.api.get("devices"),
        this.#state.client.commands.sessions(),
      ]);
      const live = new Set(sessions.filter((session) => session.live).map((session) => session.device_id));
      into.replaceChildren(...list(devices).map((device) => this.#device(device, live, into)));
    });
  }

  #device({ device_id: id, name, device_class: kind, last_seen_at: seenAt }, live, into) {
    const here = id === deviceId();
    const when = here ? "this one" : live.has(id) ? "connected" : `last seen ${shortTime(num(seenAt))}`;
    const end = button("Log out", () => this.#end(id, into), { class: "link" });
    return el(
      "li",
      { "data-device": id },
      el("span", { class: "grow" }, name || kind || "Device", el("small", {}, when)),
      here ? null : end,
    );
  }

  async #end(id, into) {
    if (await this.#sheet.attempt(() => this.#state.api.delete(`devices/${encodeURIComponent(id)}`)))
      await this.#load(into);
  }
}
