// What can be done with a message: the menu beside it, who has read it, and what its parts do when pressed.

import { download } from "./attachment_view.js";
import { plural } from "./describe.js";
import { el, face } from "./dom.js";
import { Lightbox } from "./lightbox.js";
import { Menu } from "./menu.js";
import { Sheet } from "./sheet.js";
import { list } from "./wire.js";

/** The reactions that are offered. Others that somebody gave can be joined. */
const REACTIONS = [
  ["👍", "Thumbs up"],
  ["❤️", "Heart"],
  ["😂", "Laughing"],
  ["😮", "Astonished"],
  ["😢", "Sad"],
  ["🎉", "Party"],
];

export class MessageActions {
  #state;
  #menu;
  #readers = new Sheet("readers-dialog", "Read by");
  #lightbox = new Lightbox();

  constructor(state, menu = new Menu()) {
    this.#state = state;
    this.#menu = menu;
  }

  /** Opens the menu of a message beside a button. */
  menu = (entry, anchor) => {
    const conversation = this.#state.open;
    if (!conversation) return;
    const silent = conversation.silence() !== "";
    const own = (reaction) => entry.reactions?.find((counted) => counted.reaction === reaction)?.own ?? false;
    const top = silent
      ? []
      : REACTIONS.map(([text, label]) => ({
          text,
          label,
          pressed: own(text),
          run: () => this.react(entry, text, own(text)),
        }));
    this.#menu.open(anchor, this.#items(conversation, entry, silent), top);
  };

  react = (entry, reaction, remove) =>
    this.#attempt((commands, conversation) => commands.react(conversation, entry.seq, reaction, remove));

  jump = (seq) => this.#state.jump(this.#state.openId, seq);

  /** Shows an attached picture in full. */
  picture = (attachment) => {
    this.#lightbox.open(attachment, () => download(attachment).catch((error) => this.#state.notify(error.message)));
  };

  /** Shows who has read a message, and who has it. */
  readers = async (entry) => {
    const conversation = this.#state.open;
    const { commands } = this.#state.client;
    this.#readers.open("Read by", el("p", { class: "note" }, "Loading…"));
    await this.#readers.attempt(async () => {
      const { userIds: stored, deliveredCount } = await commands.readBy(conversation, entry.seq);
      // The server stores cursors a moment after it tells them.
      const told = [...conversation.readBy]
        .filter(([id, seq]) => seq >= entry.seq && id !== entry.senderId)
        .map(([id]) => id);
      const userIds = [...new Set([...stored, ...told])];
      const person = (id) => el("li", {}, face(this.#state.userOf(id)), el("span", {}, this.#state.nameOf(id)));
      const total = plural(conversation.memberCount - 1, "other", "others");
      const delivered = Math.max(deliveredCount, userIds.length);
      this.#readers.fill([
        el("ul", { class: "members" }, ...userIds.map(person)),
        el("p", { class: "note" }, `Read by ${userIds.length} of ${total}, on a device of ${delivered}.`),
      ]);
    });
  };

  /** Begins to change what one said. */
  edit = (entry) => this.#state.compose({ kind: "edit", entry });

  /** Whether a message may still be changed by who wrote it. */
  mayEdit(conversation, entry) {
    const { edit_window_ms: window } = this.#state.client.limits;
    const message = entry.body.message;
    return entry.senderId === conversation.me && !entry.recalledAt && Boolean(message?.text) && within(entry, window);
  }

  #items(conversation, entry, silent) {
    const pinned = conversation.pinned.includes(entry.seq);
    const mine = entry.senderId === conversation.me;
    const { recall_window_ms: window } = this.#state.client.limits;
    const text = entry.body.message?.text ?? "";
    const item = (wanted, name, label, run, danger = false) => (wanted ? [{ name, label, run, danger }] : []);
    return [
      ...item(!silent, "reply", "Reply", () => this.#state.compose({ kind: "reply", entry })),
      ...item(!silent && this.mayEdit(conversation, entry), "edit", "Edit", () => this.edit(entry)),
      ...item(text !== "", "copy", "Copy text", () => this.#copy(text)),
      ...list(entry.body.message?.attachments)
        .filter(({ file_id: id }) => id)
        .flatMap((file) =>
          item(true, "download", `Download ${file.name || "file"}`, () => this.#state.attempt(() => download(file))),
        ),
      ...item(conversation.mayPin, "pin", pinned ? "Unpin" : "Pin", () =>
        this.#attempt((commands) => commands.pin(conversation, entry.seq, pinned)),
      ),
      ...item(mine, "eye", "Read by…", () => this.readers(entry)),
      ...item(true, "hide", "Remove for me", () =>
        this.#state.attempt(() => this.#state.client.hide(conversation, entry.seq)),
      ),
      ...item(
        conversation.manages || (mine && within(entry, window)),
        "recall",
        "Take back for all",
        () => this.#attempt((commands) => commands.recall(conversation, entry.seq)),
        true,
      ),
    ];
  }

  #attempt(action) {
    return this.#state.attempt(() => action(this.#state.client.commands, this.#state.open));
  }

  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.#state.notify("Copied.");
    } catch {
      this.#state.notify("The browser does not let this page copy.");
    }
  }
}

/** Whether a window of time that begins with the message is still open; 0 is for ever. */
function within({ createdAt }, windowMs = 0) {
  const window = Number(windowMs);
  return window === 0 || Date.now() < createdAt + window;
}
