// Other people as this one sees them: contacts with nicknames, whom they block, and finding somebody.

import { list, userFromWire } from "./wire.js";

const PAGE = 200;
const MAX_PAGES = 20;

export class People {
  /** User id -> {user, nickname}. */
  contacts = new Map();
  /** The ids of those who are blocked. */
  blocked = new Set();
  #api;
  #client;
  #onChange;

  constructor({ api, client, onChange }) {
    this.#api = api;
    this.#client = client;
    this.#onChange = onChange;
  }

  /** Fetches both lists; what a server does not have stays empty. */
  async load() {
    await Promise.allSettled([this.#loadContacts(), this.#loadBlocked()]);
    this.#onChange();
  }

  nicknameOf(userId) {
    return this.contacts.get(userId)?.nickname ?? "";
  }

  /** Contacts by name. */
  get sorted() {
    const name = ({ user, nickname }) => nickname || user.displayName;
    return [...this.contacts.values()].sort((a, b) => name(a).localeCompare(name(b)));
  }

  /** People whose name or user name begins so; without the one who asks. */
  async find(text) {
    const answer = await this.#api.get(`users?limit=20&q=${encodeURIComponent(text)}`);
    return list(answer?.users)
      .map((user) => this.#client.directory.learn(userFromWire(user)))
      .filter(({ userId }) => userId !== this.#client.me);
  }

  /** Learns somebody anew, and resolves with what they say about themselves. */
  async profileOf(userId) {
    const profile = await this.#api.get(`users/${userId}`);
    this.#client.directory.learn(userFromWire(profile));
    this.#onChange();
    return profile.status_text ?? "";
  }

  async put(user, nickname) {
    await this.#api.put(`contacts/${user.userId}`, { nickname });
    this.contacts.set(user.userId, { user, nickname });
    this.#onChange();
  }

  async remove(userId) {
    await this.#api.delete(`contacts/${userId}`);
    this.contacts.delete(userId);
    this.#onChange();
  }

  async block(userId, remove = false) {
    await this.#client.commands.block(userId, remove);
    if (remove) this.blocked.delete(userId);
    else this.blocked.add(userId);
    this.#onChange();
  }

  async #loadContacts() {
    const contacts = new Map();
    let pageToken = "";
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await this.#api.get(`contacts?limit=${PAGE}&page_token=${encodeURIComponent(pageToken)}`);
      for (const { user, nickname = "" } of list(answer?.contacts)) {
        const known = this.#client.directory.learn(userFromWire(user));
        contacts.set(known.userId, { user: known, nickname });
      }
      pageToken = answer?.next_page_token ?? "";
      if (pageToken === "") break;
    }
    this.contacts = contacts;
  }

  async #loadBlocked() {
    this.blocked = new Set((await this.#client.commands.blocks()).map(({ userId }) => userId));
  }
}
