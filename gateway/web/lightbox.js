// A picture as large as the window.

import { el, iconButton } from "./dom.js";
import { closeOnBackdrop } from "./sheet.js";
import { showPicture } from "./pictures.js";

export class Lightbox {
  #image = el("img", { alt: "" });
  #name = el("span", { class: "ellipsis", dir: "auto" });
  #save = iconButton("download", "Download", () => this.#download());
  #dialog = el(
    "dialog",
    { id: "lightbox", class: "lightbox", "aria-label": "Picture" },
    el(
      "header",
      {},
      this.#name,
      this.#save,
      iconButton("close", "Close", () => this.#dialog.close()),
    ),
    this.#image,
  );
  #download = () => {};

  constructor() {
    document.body.append(this.#dialog);
    closeOnBackdrop(this.#dialog);
    this.#image.addEventListener("click", () => this.#dialog.close());
  }

  /** Shows a file of this server; `save` is what the button does. */
  open({ file_id: id, name }, save) {
    this.#name.textContent = name || "Picture";
    this.#image.alt = name || "Picture";
    this.#download = save;
    showPicture(this.#image, `files/${encodeURIComponent(id)}`);
    this.#dialog.showModal();
  }
}
