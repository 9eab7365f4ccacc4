// The operators' page: login, the areas behind the tabs, and the stream of figures that keeps the first one alive.

import { byId, setText } from "../dom.js";
import { ask, Refusal, token, watch } from "./api.js";
import * as overview from "./overview.js";
import * as people from "./people.js";
import * as server from "./server.js";
import * as sessions from "./sessions.js";

const ROLES = ["viewer", "moderator", "admin"];
const STREAM = { live: "live", waiting: "no figures at present", refused: "logged out" };

let role = "viewer";
let stop = null;
let prepared = false;

const may = (least) => ROLES.indexOf(role) >= ROLES.indexOf(least);

/** Does something and tells how it went; a login that is over leads back to the form. */
async function run(act) {
  const told = byId("told");
  try {
    setText(told, (await act()) ?? "");
    told.dataset.state = "done";
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return leave();
    setText(told, error.message);
    told.dataset.state = "refused";
  }
}

const LOADERS = {
  sessions: () => sessions.load(run, may, false),
  people: () => people.load(run, may, false),
  server: () => server.load(may),
  audit: () => (may("admin") ? server.loadAudit(false) : "The audit log is for admins."),
};

function select(tab, focus) {
  for (const other of byId("tabs").children) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    byId(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (focus) tab.focus();
  const load = LOADERS[tab.getAttribute("aria-controls")];
  if (load) run(load);
}

function prepareTabs() {
  const tabs = [...byId("tabs").children];
  const keys = { ArrowRight: 1, ArrowLeft: -1 };
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => select(tab, false));
    tab.addEventListener("keydown", (event) => {
      const step = keys[event.key];
      let wanted = step ? (place + step + tabs.length) % tabs.length : null;
      if (event.key === "Home") wanted = 0;
      if (event.key === "End") wanted = tabs.length - 1;
      if (wanted === null) return;
      event.preventDefault();
      select(tabs[wanted], true);
    });
  }
}

function enter(operator) {
  role = operator.role;
  setText(byId("who"), `${operator.name} (${operator.role})`);
  byId("login").hidden = true;
  byId("desk").hidden = false;
  if (!prepared) {
    prepared = true;
    prepareTabs();
    overview.prepare();
    sessions.prepare(run, may);
    people.prepare(run, may);
  }
  server.prepare(run, may);
  select(byId("tab-overview"), false);
  stop = new AbortController();
  watch(stop.signal, overview.show, (state) => {
    byId("stream").dataset.state = state;
    setText(byId("stream"), STREAM[state]);
    if (state === "refused") leave();
  });
}

function leave() {
  stop?.abort();
  token.clear();
  // What an operator saw is not for the next one.
  if (prepared) return location.reload();
  byId("desk").hidden = true;
  byId("login").hidden = false;
  byId("login-form").elements.name.focus();
}

byId("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = byId("login-error");
  error.hidden = true;
  byId("login-submit").disabled = true;
  try {
    const { operator, token: given } = await ask("POST", "login", Object.fromEntries(new FormData(event.target)));
    token.set(given);
    event.target.reset();
    enter(operator);
  } catch (refused) {
    setText(error, refused.message);
    error.hidden = false;
  } finally {
    byId("login-submit").disabled = false;
  }
});

byId("logout").addEventListener("click", async () => {
  await ask("POST", "logout").catch(() => null);
  leave();
});

if (token.get()) {
  ask("GET", "me").then(enter, leave);
} else {
  leave();
}
