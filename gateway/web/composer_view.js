// The field in which messages are written. A draft belongs to its conversation and waits there.

import { byId } from "./dom.js";

const DEFAULT_MAX_TEXT_BYTES = 4096;
const MAX_HEIGHT_PX = 180;

export class ComposerView {
  #state;
  #form = byId("composer");
  #field = byId("text");
  #button = byId("send");
  #hint = byId("composer-hint");
  #drafts = new Map();
  #shownId = null;

  constructor(state) {
    this.#state = state;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => {
      // Enter that ends the composition of a character (Japanese, Chinese …) is not meant for us.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
  }

  render() {
    const { openId } = this.#state;
    if (openId === this.#shownId) return;
    if (this.#shownId) this.#drafts.set(this.#shownId, this.#field.value);
    this.#shownId = openId;
    this.#field.value = this.#drafts.get(openId) ?? "";
    this.#changed();
    // On a phone the keyboard would cover what one came to read.
    if (openId && matchMedia("(pointer: fine)").matches) this.#field.focus();
  }

  #send() {
    const text = this.#field.value.trim();
    const { open, outbox, client } = this.#state;
    if (!open || text === "" || this.#tooLong(text)) return;
    this.#field.value = "";
    this.#changed();
    this.#field.focus();
    this.#state.newFrom = 0;
    outbox.add(open.id, text);
    if (!client.online) client.retryNow();
    byId("to-end").click();
  }

  #changed() {
    const text = this.#field.value.trim();
    const tooLong = this.#tooLong(text);
    this.#button.disabled = text === "" || tooLong > 0;
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
