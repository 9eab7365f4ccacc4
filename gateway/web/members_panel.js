// Who is in a group, who asked to join, who is banned; and what owner and admins do about it.

import { shortTime } from "./describe.js";
import { button, el, face, iconButton } from "./dom.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** As good as for ever. */
const LONG_MS = 3650 * DAY_MS;
const RANKS = { MEMBER: 0, ADMIN: 1, OWNER: 2 };
const LISTS = { MEMBERS: "Members", REQUESTS: "Requests", BANNED: "Banned" };

export class MembersPanel {
  #state;
  #sheet;
  #menu;
  #list = el("ul", { class: "members", id: "info-members" });
  #tabs = el("div", { class: "choice", role: "group", "aria-label": "Which people" });
  #which = "MEMBERS";
  #signature = "";

  constructor(state, sheet, menu) {
    this.#state = state;
    this.#sheet = sheet;
    this.#menu = menu;
  }

  view(conversation) {
    this.#signature = "";
    this.#which = "MEMBERS";
    const lists = conversation.manages ? Object.entries(LISTS) : [];
    this.#tabs.replaceChildren(
      ...lists.map(([which, label]) => button(label, () => this.#choose(conversation, which), { "data-list": which })),
    );
    this.#tabs.hidden = lists.length === 0;
    this.#choose(conversation, "MEMBERS");
    return el(
      "section",
      { class: "panel" },
      el("h3", {}, "People"),
      this.#tabs,
      this.#list,
      conversation.mayInvite ? this.#invitation(conversation) : null,
    );
  }

  /** Follows the conversation while its members are shown. */
  render(conversation) {
    if (this.#which === "MEMBERS" && conversation.members) this.#fill(conversation, conversation.members);
  }

  async #choose(conversation, which) {
    this.#which = which;
    for (const tab of this.#tabs.children) tab.setAttribute("aria-pressed", String(tab.dataset.list === which));
    if (which === "MEMBERS" && conversation.members) this.#fill(conversation, conversation.members);
    else this.#list.replaceChildren(el("li", { class: "note" }, "Loading…"));
    await this.#load(conversation);
  }

  async #load(conversation) {
    const which = this.#which;
    const { directory, commands } = this.#state.client;
    await this.#sheet.attempt(async () => {
      const members =
        which === "MEMBERS" ? await directory.members(conversation) : await commands.members(conversation, which);
      if (which === this.#which) this.#fill(conversation, members);
    });
  }

  #fill(conversation, members) {
    const signature = JSON.stringify([
      conversation.id,
      conversation.role,
      this.#which,
      members.map(({ user, role, mutedUntil }) => [user, role, mutedUntil]),
    ]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    const row = { MEMBERS: this.#member, REQUESTS: this.#request, BANNED: this.#banned }[this.#which];
    const none = el("li", { class: "note" }, "Nobody.");
    this.#list.replaceChildren(
      ...(members.length > 0 ? members.map((member) => row.call(this, conversation, member)) : [none]),
    );
  }

  #member(conversation, member) {
    const { user, role, mutedUntil } = member;
    const actions = this.#actions(conversation, member);
    const muted = mutedUntil > Date.now();
    return el(
      "li",
      { "data-user": user.userId },
      face(user),
      this.#name(user),
      el(
        "span",
        { class: "role" },
        [muted ? "muted" : "", role === "MEMBER" ? "" : role.toLowerCase()].filter(Boolean).join(", "),
      ),
      actions.length === 0
        ? null
        : iconButton(
            "more",
            `Actions for ${user.displayName}`,
            (event) => this.#menu.open(event.currentTarget, actions),
            { class: "icon more", "aria-haspopup": "menu" },
          ),
    );
  }

  #request(conversation, { user, requestText, requestedAt }) {
    const resolve = (refuse) =>
      this.#act(conversation, (commands) => commands.resolveJoin(conversation, user.userId, refuse));
    return el(
      "li",
      { "data-user": user.userId },
      face(user),
      this.#name(user, requestText || `asked ${shortTime(requestedAt)}`),
      button("Refuse", () => resolve(true), { class: "link" }),
      button("Take in", () => resolve(false), { class: "link" }),
    );
  }

  #banned(conversation, { user, bannedUntil }) {
    const until = bannedUntil > Date.now() + LONG_MS / 2 ? "for good" : `until ${shortTime(bannedUntil)}`;
    return el(
      "li",
      { "data-user": user.userId },
      face(user),
      this.#name(user, until),
      button("Lift", () => this.#act(conversation, (commands) => commands.ban(conversation, user.userId, 0)), {
        class: "link",
      }),
    );
  }

  #name(user, note = "") {
    const own = user.userId === this.#state.client.me ? " (you)" : "";
    return el("span", { class: "grow" }, user.displayName, own, note ? el("small", { dir: "auto" }, note) : null);
  }

  /** What the caller may do with a member: only with those of lower rank. */
  #actions(conversation, { user, role, mutedUntil }) {
    if (user.userId === this.#state.client.me) return [];
    const chat = { name: "chat", label: "Write to them", run: () => this.#write(user) };
    if (!conversation.manages || RANKS[conversation.role] <= RANKS[role]) return [chat];
    const act = (label, action, danger = false) => ({ label, danger, run: () => this.#act(conversation, action) });
    const { userId } = user;
    const owner = conversation.role === "OWNER";
    const muted = mutedUntil > Date.now();
    return [
      chat,
      ...(owner && role === "MEMBER"
        ? [act("Make admin", (commands) => commands.setRole(conversation, userId, "ADMIN"))]
        : []),
      ...(owner && role === "ADMIN"
        ? [act("Make member", (commands) => commands.setRole(conversation, userId, "MEMBER"))]
        : []),
      ...(owner
        ? [act("Hand the group over", (commands) => commands.setRole(conversation, userId, "OWNER"), true)]
        : []),
      muted
        ? act("Unmute", (commands) => commands.mute(conversation, userId, 0))
        : act("Mute for an hour", (commands) => commands.mute(conversation, userId, Date.now() + HOUR_MS)),
      act("Remove", (commands) => commands.remove(conversation, userId), true),
      act("Ban for a day", (commands) => commands.ban(conversation, userId, Date.now() + DAY_MS), true),
      act("Ban for good", (commands) => commands.ban(conversation, userId, Date.now() + LONG_MS), true),
    ];
  }

  async #act(conversation, action) {
    if (await this.#sheet.attempt(() => action(this.#state.client.commands))) await this.#load(conversation);
  }

  async #write({ username }) {
    await this.#sheet.attempt(async () => {
      const conversation = await this.#state.client.openDirect(username);
      this.#sheet.close();
      location.hash = `#/c/${conversation.id}`;
    });
  }

  #invitation(conversation) {
    const input = el("input", {
      name: "invite",
      "aria-label": "Add people by user name",
      placeholder: "User names, with commas between",
      autocapitalize: "none",
      spellcheck: "false",
    });
    const submit = (event) => {
      event.preventDefault();
      const names = input.value.split(/[\s,;]+/).filter(Boolean);
      if (names.length === 0) return;
      this.#act(conversation, async (commands) => {
        await commands.invite(conversation, names);
        input.value = "";
      });
    };
    return el(
      "form",
      { class: "inline", id: "invite-form", onsubmit: submit },
      input,
      el("button", { class: "primary" }, "Add"),
    );
  }
}
