// A menu that opens beside a button: one list of actions at a time, closed by Esc, by a press elsewhere, or by
// choosing. The browser gives the keyboard back to where it was before.

import { button, el } from "./dom.js";
import { icon } from "./icons.js";

const GAP_PX = 6;

export class Menu {
  #element = el("div", { id: "menu", class: "menu", role: "menu", popover: "auto" });

  constructor() {
    document.body.append(this.#element);
    this.#element.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /**
   * Opens beside `anchor`. `items` are {name (of its icon), label, run, danger}; `top` are {label, text, pressed, run}
   * that stand in one line above them.
   */
  open(anchor, items, top = []) {
    const choose = (run) => () => {
      this.#element.hidePopover();
      run();
    };
    const quick = top.map(({ label, text, pressed, run }) =>
      button(text, choose(run), {
        role: "menuitemcheckbox",
        "aria-label": label,
        "aria-checked": String(pressed),
        class: "quick",
      }),
    );
    const lines = items.map(({ name, label, run, danger }) =>
      el(
        "button",
        { type: "button", role: "menuitem", class: danger ? "danger-text" : null, onclick: choose(run) },
        name ? icon(name) : null,
        label,
      ),
    );
    this.#element.replaceChildren(
      ...(quick.length > 0 ? [el("div", { class: "quick-row", role: "group", "aria-label": "React" }, ...quick)] : []),
      ...lines,
    );
    this.#element.showPopover();
    this.#place(anchor);
    this.#items[0]?.focus();
  }

  get #items() {
    return [...this.#element.querySelectorAll("button")];
  }

  /** Below the button where there is room, above it otherwise, and never outside the window. */
  #place(anchor) {
    const at = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.#element;
    const below = at.bottom + GAP_PX + height <= innerHeight;
    const top = below ? at.bottom + GAP_PX : at.top - GAP_PX - height;
    const left = at.left + at.width / 2 > innerWidth / 2 ? at.right - width : at.left;
    this.#element.style.top = `${Math.max(GAP_PX, Math.min(top, innerHeight - height - GAP_PX))}px`;
    this.#element.style.left = `${Math.max(GAP_PX, Math.min(left, innerWidth - width - GAP_PX))}px`;
  }

  #pressed(event) {
    const items = this.#items;
    const at = items.indexOf(document.activeElement);
    const quick = items.filter((item) => item.classList.contains("quick")).length;
    const step = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: at < quick ? quick - at : 1,
      ArrowUp: at === quick ? -quick || -1 : -1,
    }[event.key];
    const next =
      { Home: items[0], End: items.at(-1) }[event.key] ??
      (step ? items[(at + step + items.length) % items.length] : undefined);
    if (event.key === "Tab") this.#element.hidePopover();
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
