// Users and conversations: found, kicked, banned. Nothing here shows what people write.

import { byId, el } from "../dom.js";
import { ask } from "./api.js";
import { moment } from "./chart.js";
import { button, head, rows } from "./table.js";

const TITLES = ["User", "Id", "Name", "E-mail", "Since", "Conversations", "State", ""];

let found = [];
let next = "";
let query = "";

export function prepare(run, may) {
  head(byId("people-table"), TITLES);
  byId("people-form").addEventListener("submit", (event) => {
    event.preventDefault();
    query = new FormData(event.target).get("q").trim();
    run(() => load(run, may, false));
  });
  byId("people-more").addEventListener("click", () => run(() => load(run, may, true)));
  byId("conversation-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const id = new FormData(event.target).get("id").trim();
    run(async () => showConversation(await ask("GET", `conversations/${encodeURIComponent(id)}`)));
  });
}

export async function load(run, may, more) {
  const search = new URLSearchParams({ q: query });
  if (more) search.set("page_token", next);
  const page = await ask("GET", `users?${search}`);
  found = more ? [...found, ...page.users] : page.users;
  next = page.next_page_token;
  byId("people-more").hidden = !next;
  rows(byId("people-table"), found.map((user) => ({
    key: user.user_id,
    cells: [user.username, user.user_id, user.display_name || "–", user.email ?? "–", moment(user.created_at),
      user.memberships, state(user), actions(user, run, may)],
  })));
}

function state(user) {
  if (user.deleted_at !== "0") return "deleted";
  if (!user.ban) return "–";
  const until = user.ban.until === "0" ? "for good" : `until ${moment(user.ban.until)}`;
  return `banned ${until}${user.ban.reason ? `: ${user.ban.reason}` : ""}`;
}

function actions(user, run, may) {
  const { reason } = byId("people-form").elements;
  const name = user.username;
  const path = `users/${user.user_id}`;
  const act = (text, label, kind, done, request) =>
    button(text, `${label} ${name}`, text, () => run(async () => {
      await request();
      await load(run, may, false);
      return done;
    }), kind);
  const signature = `${user.user_id} ${Boolean(user.ban)}`;
  const cell = el("span", { class: "actions", "data-signature": signature });
  cell.append(button("Look", `Look at ${name}`, "look", () => run(async () => showPerson(await ask("GET", path)))));
  if (!may("moderator") || user.deleted_at !== "0") return cell;
  cell.append(act("Kick", "End the sessions of", "plain", `${name}'s sessions end.`, () => ask("POST", `${path}/kick`)));
  if (user.ban) {
    cell.append(act("Unban", "Unban", "plain", `${name} may come back.`, () => ask("DELETE", `${path}/ban`)));
  } else {
    cell.append(act("Ban", "Ban", "danger", `${name} is banned.`, () => ask("PUT", `${path}/ban`, { reason: reason.value })));
  }
  return cell;
}

function list(title, items) {
  return el("div", {}, el("h3", {}, title), el("ul", {}, ...items.map((item) => el("li", {}, item))));
}

function showPerson(user) {
  const devices = user.devices.map((device) =>
    `${device.name || device.device_id} (${device.device_class || "?"}), last seen ${moment(device.last_seen_at)}`);
  const conversations = user.conversations.map((conversation) =>
    `${conversation.conversation_id}: ${conversation.kind} ${conversation.title}, ${conversation.role}, ` +
    `${conversation.members} members`);
  byId("person").replaceChildren(
    el("h2", {}, `${user.username} (${user.user_id})`),
    list("Devices", devices),
    list("Conversations", conversations),
  );
}

function showConversation(conversation) {
  const members = conversation.members.map((member) =>
    `${member.username ?? member.user_id} (${member.user_id}), ${member.role}, since ${moment(member.joined_at)}`);
  const title = conversation.title || "without a title";
  byId("conversation").replaceChildren(
    el("h3", {}, `${conversation.kind} ${conversation.conversation_id}, ${title}`),
    el("p", {}, `${conversation.messages} messages, ${conversation.member_count} members, ` +
      `${conversation.bans} banned, ${conversation.requests} waiting, ${conversation.pins} pinned`),
    list("Members", members),
  );
}
