// Registering, logging in, and remembering who is logged in.

import { local, tab } from "./storage.js";
import { num, randomId } from "./wire.js";

const SESSION_KEY = "ringwire.session";
const DEVICE_KEY = "ringwire.device";

/** What people should read where the server's own sentence is meant for developers. */
const EXPLANATIONS = {
  INVALID_CREDENTIALS: "The user name or password is wrong.",
  ALREADY_EXISTS: "That user name or e-mail address is already taken.",
  RATE_LIMITED: "Too many attempts. Please wait a moment.",
  UNAVAILABLE: "The server cannot reach its database at present. Please try again soon.",
};

export const register = (account) => post("register", account);

export const login = (credentials) => post("login", credentials);

/** The remembered session {userId, username, token, expiresAt}, or null. */
export function loadSession() {
  const session = local.get(SESSION_KEY);
  return session?.token ? session : null;
}

export function saveSession(session) {
  local.set(SESSION_KEY, session);
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

async function post(action, body) {
  let response;
  try {
    response = await fetch(`./api/v1/auth/${action}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server cannot be reached. Please check the connection and try again.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const { name, message } = answer.error ?? {};
    throw new Error(EXPLANATIONS[name] ?? message ?? `The server answered with status ${response.status}.`);
  }
  const { user, token, expires_at: expiresAt } = answer;
  return { userId: user.user_id, username: user.username, token, expiresAt: num(expiresAt) };
}
