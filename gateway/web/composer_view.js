// The field in which messages are written. A draft belongs to its conversation and waits there.
//
//   text + files of the tray + names ──► a new message · an answer · the new text of a message (draft of the state)

import { messageLine } from "./describe.js";
import { byId, setText } from "./dom.js";
import { Mentions } from "./mentions.js";
import { Tray } from "./tray.js";

const DEFAULT_MAX_TEXT_BYTES = 4096;
const MAX_HEIGHT_PX = 180;

export class ComposerView {
  #state;
  #actions;
  #form = byId("composer");
  #field = byId("text");
  #button = byId("send");
  #hint = byId("composer-hint");
  #tray;
  #mentions;
  #drafts = new Map();
  #shownId = null;
  #shownDraft = null;

  /** `actions` knows what may be edited. */
  constructor(state, actions) {
    this.#state = state;
    this.#actions = actions;
    this.#tray = new Tray(state, () => this.#changed());
    this.#mentions = new Mentions(state, this.#field);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#field.addEventListener("input", () => this.#typed());
    this.#field.addEventListener("click", () => this.#mentions.update());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    byId("draft-cancel").addEventListener("click", () => this.#cancel());
    state.addEventListener("composing", () => this.#begin());
    this.#takeFiles();
  }

  render() {
    const { openId } = this.#state;
    this.#renderDraft();
    if (openId === this.#shownId) return;
    if (this.#shownId) this.#drafts.set(this.#shownId, this.#field.value);
    this.#shownId = openId;
    this.#field.value = this.#drafts.get(openId) ?? "";
    this.#mentions.close();
    this.#tray.render();
    // On a phone the keyboard would cover what one came to read.
    if (openId && matchMedia("(pointer: fine)").matches) this.#field.focus();
  }

  /** An answer or an edit begins: what is said stands above the field. */
  #begin() {
    const { draft } = this.#state;
    if (draft?.kind === "edit") this.#field.value = draft.entry.body.message.text;
    this.#changed();
    this.#field.focus();
    this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length);
  }

  #renderDraft() {
    const { draft } = this.#state;
    byId("draft").hidden = !draft;
    if (draft === this.#shownDraft || !draft) return;
    this.#shownDraft = draft;
    const { kind, entry } = draft;
    setText(byId("draft-kind"), kind === "edit" ? "Edit" : `Answer to ${this.#state.nameOf(entry.senderId)}`);
    setText(byId("draft-text"), messageLine(entry));
  }

  #cancel() {
    if (this.#state.draft?.kind === "edit") this.#field.value = "";
    this.#state.compose(null);
  }

  #pressed(event) {
    // Enter that ends the composition of a character (Japanese, Chinese …) is not meant for us.
    if (event.isComposing) return;
    const { draft, open } = this.#state;
    if (this.#mentions.pressed(event)) event.stopPropagation();
    else if (event.key === "Enter" && !event.shiftKey) this.#send();
    else if (event.key === "Tab" && event.shiftKey) byId("scroller").focus();
    else if (event.key === "Escape" && draft) {
      this.#cancel();
      event.stopPropagation();
    } else if (event.key === "ArrowUp" && this.#field.value === "" && open && !draft) {
      const last = open.entries.findLast((entry) => this.#actions.mayEdit(open, entry));
      if (!last) return;
      this.#actions.edit(last);
    } else return;
    event.preventDefault();
  }

  #send() {
    const text = this.#field.value.trim();
    const { open, draft } = this.#state;
    if (!open || !this.#canSend(text)) return;
    if (draft?.kind === "edit") this.#edit(open, draft.entry, text);
    else this.#say(open, draft, text);
    this.#field.value = "";
    this.#state.compose(null);
  }

  #say(open, draft, text) {
    const { outbox, client } = this.#state;
    const attachments = this.#tray.take();
    const message = { ...kindOf(attachments), text, ...this.#mentions.of(text) };
    if (attachments.length > 0) message.attachments = attachments;
    if (draft) message.reply_to = String(draft.entry.seq);
    this.#state.newFrom = 0;
    outbox.add(open.id, message);
    if (!client.online) client.retryNow();
    byId("to-end").click();
  }

  #edit(open, entry, text) {
    const message = {
      ...entry.body.message,
      mentions: undefined,
      mention_all: undefined,
      text,
      ...this.#mentions.of(text),
    };
    if (text === entry.body.message.text) return;
    this.#state.attempt(() => this.#state.client.commands.edit(open, entry.seq, message));
  }

  #typed() {
    const { open, client, draft } = this.#state;
    this.#changed();
    this.#mentions.update();
    if (open && draft?.kind !== "edit") client.live.writes(open.id, this.#field.value === "");
  }

  /** By button, by paste, or dropped anywhere on the thread. */
  #takeFiles() {
    const input = byId("attach-input");
    byId("attach").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.#tray.add(input.files);
      input.value = "";
      this.#field.focus();
    });
    this.#field.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length === 0) return;
      event.preventDefault();
      this.#tray.add(event.clipboardData.files);
    });
    const thread = byId("thread");
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    thread.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      thread.classList.add("dropping");
    });
    thread.addEventListener("dragleave", (event) => {
      if (!thread.contains(event.relatedTarget)) thread.classList.remove("dropping");
    });
    thread.addEventListener("drop", (event) => {
      thread.classList.remove("dropping");
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.#tray.add(event.dataTransfer.files);
    });
  }

  #canSend(text) {
    const something = text !== "" || (!this.#tray.isEmpty && this.#state.draft?.kind !== "edit");
    return something && this.#tray.isReady && this.#tooLong(text) === 0;
  }

  #changed() {
    const text = this.#field.value.trim();
    const tooLong = this.#tooLong(text);
    this.#button.disabled = !this.#canSend(text);
    this.#hint.hidden = tooLong === 0;
    this.#hint.textContent = tooLong > 0 ? `This is ${tooLong} bytes too long for one message.` : "";
    this.#field.style.height = "auto";
    const border = this.#field.offsetHeight - this.#field.clientHeight;
    const height = this.#field.scrollHeight + border;
    this.#field.style.height = `${Math.min(height, MAX_HEIGHT_PX)}px`;
    this.#field.style.overflowY = height > MAX_HEIGHT_PX ? "auto" : "hidden";
  }

  /** How many bytes too many; 0: it fits. */
  #tooLong(text) {
    const limit = this.#state.client?.limits.max_text_bytes || DEFAULT_MAX_TEXT_BYTES;
    return Math.max(0, new TextEncoder().encode(text).length - limit);
  }
}

/** What a message with these files is. */
function kindOf(attachments) {
  if (attachments.length === 0) return {};
  return { kind: attachments.every(({ mime_type: type }) => type.startsWith("image/")) ? "IMAGE" : "FILE" };
}
