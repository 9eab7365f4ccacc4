// Starts the page: makes the state, gives it to the views, and turns addresses, keys and network events into calls.

import { loadSession } from "./account.js";
import { AuthView } from "./auth_view.js";
import { ComposerView } from "./composer_view.js";
import { InfoDialog, NewDialog } from "./dialogs.js";
import { byId, el } from "./dom.js";
import { ListView } from "./list_view.js";
import { State } from "./state.js";
import { ThreadView } from "./thread_view.js";

const NOTICE_MS = 4_000;

const state = new State();
const views = [new AuthView(state), new ListView(state), new ThreadView(state), new ComposerView(state)];
const newDialog = new NewDialog(state);
new InfoDialog(state);

/** The address names the open conversation, so that reloading and the back button do what one expects. */
function follow() {
  const id = /^#\/c\/(\d+)$/.exec(location.hash)?.[1] ?? null;
  if (!state.session) return;
  if (id === null || state.client.conversations.has(id)) state.show(id);
  else if (state.loaded) location.hash = "";
}

function render() {
  follow();
  const shell = byId("shell");
  shell.hidden = state.session === null;
  shell.dataset.pane = state.openId ? "thread" : "list";
  for (const view of views) view.render();
  const unread = state.session ? state.unread : 0;
  document.title = unread > 0 ? `(${unread}) Ringwire` : "Ringwire";
}

function showNotice(text) {
  const toast = el("p", { class: "toast" }, text);
  byId("toasts").append(toast);
  setTimeout(() => toast.remove(), NOTICE_MS);
}

/** Opens the conversation above or below the open one. */
function step(by) {
  const ids = state.conversations.map(({ id }) => id);
  const next = ids[ids.indexOf(state.openId) + by];
  if (next) location.hash = `#/c/${next}`;
}

function pressed(event) {
  if (!state.session || document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "k") newDialog.show();
  else if (event.altKey && event.key === "ArrowDown") step(1);
  else if (event.altKey && event.key === "ArrowUp") step(-1);
  else if (event.key === "Escape" && state.openId) location.hash = "";
  else return;
  event.preventDefault();
}

state.addEventListener("change", render);
state.addEventListener("notice", ({ detail }) => showNotice(detail));
state.addEventListener("ended", () => {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
});
addEventListener("hashchange", render);
addEventListener("keydown", pressed);
addEventListener("online", () => state.client?.retryNow());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") state.client?.retryNow();
});
// Logging out in one tab logs out the others.
addEventListener("storage", () => {
  if (state.session && !loadSession()) state.end();
});
byId("logout").addEventListener("click", () => {
  state.end();
  location.hash = "";
});

const remembered = loadSession();
if (remembered) state.begin(remembered);
render();
