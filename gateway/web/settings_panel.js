// The settings of a group, for its owner and admins. Only what was changed is told to the server.

import { button, el, field } from "./dom.js";

const HOUR_MS = 3_600_000;
/** Of groups; rooms are open. */
const POLICIES = {
  INVITE_ONLY: "Invited people only",
  BY_APPROVAL: "Who asks, when it is granted",
  BY_LINK: "Who has the code",
  OPEN: "Anyone",
};

export class SettingsPanel {
  #state;
  #sheet;

  constructor(state, sheet) {
    this.#state = state;
    this.#sheet = sheet;
  }

  view(conversation) {
    const { settings, kind } = conversation;
    const policy = settings.join_policy ?? (kind === "ROOM" ? "OPEN" : "INVITE_ONLY");
    const inputs = {
      title: el("input", { name: "group-title", maxlength: "100", value: settings.title ?? "" }),
      description: el(
        "textarea",
        { name: "group-description", rows: "2", maxlength: "500" },
        settings.description ?? "",
      ),
      join_policy: el(
        "select",
        { name: "group-policy" },
        ...Object.entries(POLICIES).map(([value, label]) => el("option", { value, selected: value === policy }, label)),
      ),
      members_may_invite: el("input", {
        name: "members-invite",
        type: "checkbox",
        checked: settings.members_may_invite ?? false,
      }),
      announcement_only: el("input", {
        name: "announcements",
        type: "checkbox",
        checked: settings.announcement_only ?? false,
      }),
    };
    const submit = (event) => {
      event.preventDefault();
      this.#save(conversation, inputs, policy);
    };
    return el(
      "details",
      { class: "panel", id: "group-settings" },
      el("summary", {}, "Settings"),
      el(
        "form",
        { onsubmit: submit },
        field("Name", inputs.title),
        field("About", inputs.description),
        kind === "ROOM" ? null : field("Who may join", inputs.join_policy),
        el("label", { class: "check" }, inputs.members_may_invite, "Members may add people"),
        el("label", { class: "check" }, inputs.announcement_only, "Only owner and admins may write"),
        el(
          "div",
          { class: "buttons" },
          this.#silence(conversation),
          el("button", { class: "primary", id: "save-settings" }, "Save"),
        ),
      ),
    );
  }

  /** Everybody but owner and admins keeps silent for a while. */
  #silence(conversation) {
    const label = () => (conversation.mutedUntil > Date.now() ? "Let everybody write" : "Mute everybody for an hour");
    const control = button(
      label(),
      async () => {
        const until = conversation.mutedUntil > Date.now() ? 0 : Date.now() + HOUR_MS;
        await this.#sheet.attempt(() => this.#state.client.commands.mute(conversation, "0", until));
        control.textContent = label();
      },
      { id: "mute-all" },
    );
    return control;
  }

  async #save(conversation, inputs, policy) {
    const { settings } = conversation;
    const now = {
      title: inputs.title.value.trim(),
      description: inputs.description.value.trim(),
      join_policy: inputs.join_policy.value,
      members_may_invite: inputs.members_may_invite.checked,
      announcement_only: inputs.announcement_only.checked,
    };
    const before = {
      title: "",
      description: "",
      members_may_invite: false,
      announcement_only: false,
      ...settings,
      join_policy: policy,
    };
    const changed = Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== before[name]));
    if (Object.keys(changed).length === 0) return;
    const { client } = this.#state;
    const done = await this.#sheet.attempt(async () => {
      await client.commands.updateGroup(conversation, changed);
      // The entry of the change does not carry the code to join with.
      await client.refresh(conversation);
    });
    if (done) this.#state.notify("Saved.");
  }
}
