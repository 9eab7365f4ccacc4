// The few helpers that build and update the page. Text reaches it as text nodes only, never as markup.

import { hue, initials } from "./describe.js";

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

/** The round badge that stands for a person or group. */
export function avatar(id, name, kind = "DIRECT") {
  const shape = kind === "DIRECT" ? "" : " avatar-group";
  return el("span", { class: `avatar hue-${hue(id)}${shape}`, "aria-hidden": "true" }, initials(name));
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

/** A text with its web addresses made into links; everything else stays plain text. */
export function linked(text) {
  const parts = document.createDocumentFragment();
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    parts.append(text.slice(end, match.index));
    parts.append(el("a", { href: match[0], target: "_blank", rel: "noopener noreferrer" }, match[0]));
    end = match.index + match[0].length;
  }
  parts.append(text.slice(end));
  return parts;
}
