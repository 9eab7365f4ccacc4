// What hangs on a message: pictures as thumbnails, everything else as a line with its name and a way to get it.
//
// A name is text and nothing else; the type that a sender claims decides only how the line looks. What is fetched is a
// file of this server by its id; addresses elsewhere are links that somebody has to press.

import { tokens } from "./account.js";
import { Api } from "./api.js";
import { fileSize } from "./describe.js";
import { el, linked } from "./dom.js";
import { icon } from "./icons.js";
import { showPicture } from "./pictures.js";
import { num } from "./wire.js";

const api = new Api(tokens);
/** The largest side of a thumbnail on the screen, in pixels. */
const THUMBNAIL_PX = 280;

/** The attachments of a message; `open(attachment)` shows one large, `failed(error)` hears of refusals. */
export function attachmentsView(attachments, { open, failed }) {
  const views = attachments.map((attachment) =>
    isPicture(attachment) ? pictureView(attachment, open) : fileView(attachment, failed),
  );
  return el("div", { class: "attachments" }, ...views);
}

/** Gives a file to the browser to save, by a link that is good for a short while. */
export async function download({ file_id: id, name }) {
  const { url } = await api.post(`files/${encodeURIComponent(id)}/link`);
  const link = el("a", { href: url, download: name || "file", rel: "noopener" });
  link.click();
}

const isPicture = ({ file_id: id, mime_type: type = "" }) => Boolean(id) && /^image\/(png|jpeg|gif|webp)$/.test(type);

function pictureView(attachment, open) {
  const { file_id: id, name, width = 0, height = 0 } = attachment;
  const scale = Math.min(1, THUMBNAIL_PX / Math.max(width, height, 1));
  const image = el("img", {
    alt: name || "Picture",
    width: Math.round(width * scale) || THUMBNAIL_PX,
    height: Math.round(height * scale) || THUMBNAIL_PX,
  });
  showPicture(image, `files/${encodeURIComponent(id)}/thumbnail`);
  return el(
    "button",
    { type: "button", class: "picture", "aria-label": `Show ${name || "picture"}`, onclick: () => open(attachment) },
    el("span", { class: "picture-name" }, name || "Picture"),
    image,
  );
}

function fileView(attachment, failed) {
  const { file_id: id, url = "", name, size_bytes: size } = attachment;
  const label = el("span", { class: "file-name", dir: "auto" }, name || "File");
  const about = el("small", {}, num(size) > 0 ? fileSize(num(size)) : "");
  if (!id)
    return el(
      "div",
      { class: "file" },
      icon("file"),
      el("span", { class: "file-text" }, label, el("small", {}, linked(url))),
    );
  return el(
    "button",
    {
      type: "button",
      class: "file",
      "aria-label": `Download ${name || "file"}`,
      onclick: () => download(attachment).catch(failed),
    },
    icon("file"),
    el("span", { class: "file-text" }, label, about),
    icon("download"),
  );
}
