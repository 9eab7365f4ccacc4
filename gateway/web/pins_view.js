// The bar above the messages that names what is pinned.

import { messageLine } from "./describe.js";
import { button, byId, el } from "./dom.js";
import { icon } from "./icons.js";

/** The bar of the pinned messages: the newest one, and by pressing again the ones before it. */
export class PinsView {
  #state;
  #bar = byId("pins");
  #at = 0;
  #signature = "";

  constructor(state) {
    this.#state = state;
  }

  render() {
    const { open: conversation } = this.#state;
    const pinned = conversation?.pinned ?? [];
    const texts = pinned.map((seq) => {
      const entry = conversation.at(seq);
      return entry?.body.message && !entry.recalledAt ? messageLine(entry) : "An earlier message";
    });
    const signature = JSON.stringify([conversation?.id, pinned, texts]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    this.#at = pinned.length - 1;
    this.#fill(pinned, texts);
  }

  #fill(pinned, texts) {
    this.#bar.hidden = pinned.length === 0;
    if (pinned.length === 0) return;
    const at = this.#at;
    const count = pinned.length > 1 ? ` ${at + 1} of ${pinned.length}` : "";
    this.#bar.replaceChildren(button("", () => this.#next(pinned, texts), { class: "pin" }));
    this.#bar.firstElementChild.append(
      el("b", {}, icon("pin"), `Pinned${count}`),
      el("span", { class: "ellipsis", dir: "auto" }, texts[at]),
    );
  }

  /** Goes to the message that is named, and names the one before it. */
  #next(pinned, texts) {
    this.#state.jump(this.#state.openId, pinned[this.#at]);
    this.#at = (this.#at + pinned.length - 1) % pinned.length;
    this.#fill(pinned, texts);
  }
}
