// The keyboard: what works everywhere, and the list of it.

import { el } from "./dom.js";
import { Sheet } from "./sheet.js";

const SHORTCUTS = [
  ["Ctrl K", "Search everywhere"],
  ["Ctrl F", "Search in this conversation"],
  ["Alt N", "New conversation"],
  ["Alt ↑ ↓", "Conversation above, below"],
  ["Esc", "Close what is open"],
  ["Shift Tab", "From the text to the messages, from a message to what is above them"],
  ["↑ ↓", "Message above, below; Enter: what can be done with it"],
  ["↑", "In an empty field: edit the last message"],
  ["Enter", "Send; with Shift: a new line"],
  ["@", "Address somebody of the group"],
  ["Ctrl /", "This list"],
];

export class Keys {
  #state;
  #dialogs;
  #help = new Sheet("keys-dialog", "Keyboard");

  /** `dialogs`: {search, fresh}, each with `show`. */
  constructor(state, dialogs) {
    this.#state = state;
    this.#dialogs = dialogs;
    addEventListener("keydown", (event) => this.#pressed(event));
  }

  showHelp() {
    const rows = SHORTCUTS.flatMap(([keys, does]) => [
      el("dt", {}, ...keys.split(" ").map((key) => el("kbd", {}, key))),
      el("dd", {}, does),
    ]);
    this.#help.open("Keyboard", el("dl", { class: "shortcuts" }, ...rows));
  }

  #pressed(event) {
    if (
      event.defaultPrevented ||
      !this.#state.session ||
      document.querySelector("dialog[open], [popover]:popover-open")
    )
      return;
    const run = this.#meaning(event);
    if (!run) return;
    event.preventDefault();
    run();
  }

  #meaning({ ctrlKey, metaKey, altKey, key }) {
    const { open } = this.#state;
    if (ctrlKey || metaKey) {
      return {
        k: () => this.#dialogs.search.show(),
        f: open ? () => this.#dialogs.search.show(open) : undefined,
        "/": () => this.showHelp(),
      }[key];
    }
    if (altKey)
      return { ArrowDown: () => this.#step(1), ArrowUp: () => this.#step(-1), n: () => this.#dialogs.fresh.show() }[
        key
      ];
    return key === "Escape" && open ? () => (location.hash = "") : undefined;
  }

  /** Opens the conversation above or below the open one. */
  #step(by) {
    const ids = this.#state.conversations.map(({ id }) => id);
    const next = ids[ids.indexOf(this.#state.openId) + by];
    if (next) location.hash = `#/c/${next}`;
  }
}
