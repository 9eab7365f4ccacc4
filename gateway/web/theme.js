// Light or dark: as the system has it, or as the person says.

import { local } from "./storage.js";

const KEY = "ringwire.theme";

export const THEMES = { auto: "As the system", light: "Light", dark: "Dark" };

export const theme = () => (local.get(KEY) in THEMES ? local.get(KEY) : "auto");

/** Shows the page so from now on; style.css knows the attribute. */
export function setTheme(name) {
  local.set(KEY, name);
  document.documentElement.dataset.theme = name;
}

setTheme(theme());
addEventListener("storage", () => (document.documentElement.dataset.theme = theme()));
