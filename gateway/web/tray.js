// The files that go along with the next message: sent to the server at once, shown with how far that is.

import { fileSize } from "./describe.js";
import { byId, el, iconButton } from "./dom.js";
import { num } from "./wire.js";

/** Files of one message. */
const MOST = 10;

export class Tray {
  #state;
  #onChange;
  #list = byId("tray");
  /** Conversation id -> files: {file, part, info, error, abort}. */
  #files = new Map();

  constructor(state, onChange) {
    this.#state = state;
    this.#onChange = onChange;
    state.addEventListener("ended", () => this.#forget());
  }

  get #open() {
    return this.#files.get(this.#state.openId) ?? [];
  }

  get isEmpty() {
    return this.#open.length === 0;
  }

  /** Nothing is on its way any more, and nothing failed. */
  get isReady() {
    return this.#open.every(({ info }) => info);
  }

  /** Takes files for the open conversation. */
  add(files) {
    const { openId } = this.#state;
    if (!openId) return;
    const room = MOST - this.#open.length;
    if (files.length > room) this.#state.notify(`A message carries up to ${MOST} files.`);
    const added = [...files]
      .slice(0, room)
      .map((file) => ({ file, part: 0, info: null, error: "", abort: new AbortController() }));
    this.#files.set(openId, [...this.#open, ...added]);
    for (const item of added) this.#send(item);
    this.render();
  }

  /** Gives away what is ready, as attachments. */
  take() {
    const attachments = this.#open.map(({ info }) => ({
      file_id: info.file_id,
      url: info.url ?? "",
      name: info.name,
      mime_type: info.mime_type,
      size_bytes: String(num(info.size_bytes)),
      thumbnail_url: info.thumbnail_url ?? "",
      width: num(info.width),
      height: num(info.height),
    }));
    this.#files.delete(this.#state.openId);
    this.render();
    return attachments;
  }

  render() {
    const items = this.#open;
    this.#list.hidden = items.length === 0;
    this.#list.replaceChildren(...items.map((item) => this.#view(item)));
    this.#onChange();
  }

  async #send(item) {
    item.error = "";
    try {
      const onProgress = (part) => {
        item.part = part;
        item.bar?.setAttribute("value", String(part));
      };
      item.info = await this.#state.api.upload(item.file, { onProgress, signal: item.abort.signal });
    } catch (error) {
      item.error = error.message;
    }
    this.render();
  }

  #view(item) {
    const { file, info, error } = item;
    item.bar = el("progress", { max: "1", value: String(item.part), "aria-label": `Sending ${file.name}` });
    return el(
      "li",
      { class: error ? "failed" : null },
      el(
        "span",
        { class: "file-text" },
        el("span", { class: "file-name", dir: "auto" }, file.name || "Picture"),
        el("small", {}, error || fileSize(file.size)),
      ),
      info || error ? null : item.bar,
      error ? iconButton("retry", `Try ${file.name} again`, () => this.#again(item)) : null,
      iconButton("close", `Remove ${file.name}`, () => this.#remove(item)),
    );
  }

  #again(item) {
    this.#send(item);
    this.render();
  }

  #remove(item) {
    item.abort.abort();
    for (const [id, items] of this.#files)
      this.#files.set(
        id,
        items.filter((other) => other !== item),
      );
    this.render();
  }

  #forget() {
    for (const items of this.#files.values()) items.forEach(({ abort }) => abort.abort());
    this.#files.clear();
  }
}
