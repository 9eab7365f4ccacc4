// Registering, logging in and out, and remembering who is logged in.

import { call } from "./api.js";
import { local, tab } from "./storage.js";
import { num, randomId } from "./wire.js";

const SESSION_KEY = "ringwire.session";
const DEVICE_KEY = "ringwire.device";
/** Held by the one tab that asks for a new token. */
const LOCK = "ringwire.refresh";
/** A token that ends sooner than this is not begun with. */
const MARGIN_MS = 60_000;

export const register = (account) => begin("register", account);

export const login = (credentials) => begin("login", credentials);

async function begin(action, body) {
  return sessionFrom(await call("POST", `auth/${action}`, { body: { ...body, device_id: deviceId() } }));
}

function sessionFrom({ user, token, expires_at: expiresAt, refresh_token: refreshToken }) {
  return { userId: user.user_id, username: user.username, token, expiresAt: num(expiresAt), refreshToken };
}

/** The remembered session {userId, username, token, expiresAt, refreshToken}, or null. */
export function loadSession() {
  const session = local.get(SESSION_KEY);
  return session?.token ? session : null;
}

export function saveSession(session) {
  local.set(SESSION_KEY, session);
}

/** The user has another name from now on. */
export function renameSession(username) {
  const session = loadSession();
  if (session) saveSession({ ...session, username });
}

export function clearSession() {
  local.remove(SESSION_KEY);
}

/** Names this tab as one device: two tabs are two devices, a reload stays the same one. */
export function deviceId() {
  const known = tab.get(DEVICE_KEY);
  if (known) return known;
  const fresh = `web-${randomId()}`;
  tab.set(DEVICE_KEY, fresh);
  return fresh;
}

/**
 * The tokens of who is logged in. They stand in the storage that all tabs share: a refresh token is good for one use,
 * so one tab uses it and the others find what it got.
 */
export const tokens = {
  /** A token to begin something with. One that could not be renewed is for the server to refuse. */
  async valid() {
    const { token, expiresAt } = loadSession() ?? {};
    if (expiresAt - Date.now() > MARGIN_MS) return token;
    return tokens.renewed().catch(() => token);
  },

  /** A token that was made just now, here or in another tab. */
  async renewed() {
    const before = loadSession();
    const renew = async () => {
      const now = loadSession();
      if (now?.refreshToken !== before?.refreshToken) return now?.token;
      const answer = await call("POST", "auth/refresh", { body: { refresh_token: before?.refreshToken ?? "" } });
      if (loadSession()) saveSession(sessionFrom(answer));
      return answer.token;
    };
    return navigator.locks ? navigator.locks.request(LOCK, renew) : renew();
  },
};

/** Ends the login on the server too; where that cannot be reached, this device forgets it all the same. */
export async function logOut(everywhere) {
  const session = loadSession();
  if (!session) return;
  await call("POST", "auth/logout", { token: session.token, body: { everywhere } });
}
