// Starts the page: makes the state, gives it to the views, and turns addresses and network events into calls.

import "./theme.js";
import { loadSession } from "./account.js";
import { AuthView } from "./auth_view.js";
import { ComposerView } from "./composer_view.js";
import { DetailsDialog } from "./details_dialog.js";
import { byId, el } from "./dom.js";
import { Keys } from "./keys.js";
import { ListView } from "./list_view.js";
import { Menu } from "./menu.js";
import { MessageActions } from "./message_actions.js";
import { NewDialog } from "./new_dialog.js";
import { Notifier } from "./notifier.js";
import { PinsView } from "./pins_view.js";
import { ProfileDialog } from "./profile_dialog.js";
import { SearchDialog } from "./search_dialog.js";
import { State } from "./state.js";
import { ThreadView } from "./thread_view.js";

const NOTICE_MS = 4_000;

const state = new State();
const menu = new Menu();
const notifier = new Notifier(state);
const actions = new MessageActions(state, menu);
const search = new SearchDialog(state);
const fresh = new NewDialog(state);
const keys = new Keys(state, { search, fresh });
const views = [
  new AuthView(state),
  new ListView(state),
  new ThreadView(state, actions),
  new PinsView(state),
  new ComposerView(state, actions),
];
new DetailsDialog(state, menu);
new ProfileDialog(state, notifier);

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
}

function showNotice(text) {
  const toast = el("p", { class: "toast" }, text);
  byId("toasts").append(toast);
  setTimeout(() => toast.remove(), NOTICE_MS);
}

state.addEventListener("change", render);
state.addEventListener("notice", ({ detail }) => showNotice(detail));
state.addEventListener("ended", () => {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
});
addEventListener("hashchange", render);
addEventListener("online", () => state.client?.retryNow());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") state.client?.retryNow();
});
// Logging out in one tab logs out the others.
addEventListener("storage", () => {
  if (state.session && !loadSession()) state.end();
});
byId("find").addEventListener("click", () => search.show());
byId("find-here").addEventListener("click", () => search.show(state.open));
byId("keys-help").addEventListener("click", () => keys.showHelp());

const remembered = loadSession();
if (remembered) {
  state.begin(remembered);
  notifier.begin();
}
render();
