// The few helpers that build and update the page. Text reaches it as text nodes only, never as markup.

import { hue, initials } from "./describe.js";
import { icon } from "./icons.js";
import { showPicture, thumbnailPath } from "./pictures.js";

export const byId = (id) => document.getElementById(id);

/** Makes an element: attributes (`class`, `aria-label`, `data-…`), listeners (`onclick`), then children. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Writes only what differs, so that screen readers and selections are left in peace. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The badge that stands for somebody or for a group: their picture, or else their initials on their colour. */
export function avatar({ id, name, group = false, url = "", color = "" }) {
  const badge = el(
    "span",
    { class: `avatar hue-${hue(id)}${group ? " avatar-group" : ""}`, "aria-hidden": "true" },
    initials(name),
  );
  if (/^#[0-9a-f]{6}$/i.test(color)) badge.style.background = color;
  const path = thumbnailPath(url);
  if (path) {
    const image = el("img", { alt: "" });
    badge.append(image);
    showPicture(image, path);
  }
  return badge;
}

/** The badge of a user. */
export const face = ({ userId, displayName, avatarUrl, color }) =>
  avatar({ id: userId, name: displayName, url: avatarUrl, color });

/** The badge of a conversation: of the other side, or of the group. */
export function emblem(conversation, title) {
  if (conversation.peer) return face(conversation.peer);
  return avatar({ id: conversation.id, name: title, group: true, url: conversation.settings.avatar_url });
}

/** A button with a word on it. */
export const button = (label, onclick, attributes = {}) =>
  el("button", { type: "button", onclick, ...attributes }, label);

/** A button with a picture on it, whose name is read aloud and shown as a hint. */
export const iconButton = (name, label, onclick, attributes = {}) =>
  el(
    "button",
    { type: "button", class: "icon", "aria-label": label, title: label, onclick, ...attributes },
    icon(name),
  );

/** A field of a form with its label. */
export function field(label, input) {
  return el("label", { class: "field" }, el("span", {}, label), input);
}

/**
 * Makes the children of `parent` follow `items` [{key, signature, build}]: a child stays as long as its key is
 * wanted, is built anew when its signature changed, and moves without being rebuilt.
 */
export function reconcile(parent, items) {
  const old = new Map();
  for (const child of parent.children) old.set(child.dataset.key, child);
  let place = parent.firstElementChild;
  for (const { key, signature, build } of items) {
    let child = old.get(key);
    old.delete(key);
    if (!child || child.dataset.signature !== signature) {
      const fresh = build();
      fresh.dataset.key = key;
      fresh.dataset.signature = signature;
      if (child) {
        const focused = child.contains(document.activeElement);
        if (child === place) place = place.nextElementSibling;
        child.replaceWith(fresh);
        if (focused) (fresh.matches("button") ? fresh : fresh.querySelector("button"))?.focus();
      }
      child = fresh;
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
}

const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;

/** A text with its web addresses made into links and `names` (as `@name`) marked; everything else stays plain text. */
export function linked(text, names = []) {
  const parts = document.createDocumentFragment();
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    parts.append(...marked(text.slice(end, match.index), names));
    parts.append(el("a", { href: match[0], target: "_blank", rel: "noopener noreferrer" }, match[0]));
    end = match.index + match[0].length;
  }
  parts.append(...marked(text.slice(end), names));
  return parts;
}

function marked(text, names) {
  if (names.length === 0) return [text];
  return text
    .split(/(@[\w.-]+)/)
    .map((part) =>
      names.includes(part.slice(1).toLowerCase()) && part.startsWith("@") ? el("b", { class: "mention" }, part) : part,
    );
}
