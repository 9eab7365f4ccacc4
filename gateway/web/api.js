// Calls of the server's HTTP side, and its refusals as errors that people can read.

import { randomId } from "./wire.js";

/** What people should read where the server's own sentence is meant for developers. */
const EXPLANATIONS = {
  INVALID_CREDENTIALS: "The user name or password is wrong.",
  RATE_LIMITED: "Too many attempts. Please wait a moment.",
  BUSY: "The server is busy. Please try again.",
  UNAVAILABLE: "The server cannot reach its database at present. Please try again soon.",
  NOT_SUPPORTED: "This server does not offer that.",
  LIMIT_REACHED: "There is no room for more.",
};

/** How long an answer may take; a line that went dead does not tell. Files take their time. */
const TIMEOUT_MS = 30_000;

/** The server refused, or could not be reached (`status` 0). */
export class ApiError extends Error {
  constructor(message, reason = "", status = 0) {
    super(message);
    this.reason = reason;
    this.status = status;
  }
}

/** One request; resolves with the answer's JSON, or null where there is none. */
export async function call(method, path, { token, body } = {}) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(`./api/v1/${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiError("The server cannot be reached. Please check the connection and try again.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw refusal(response.status, answer);
  return answer;
}

/** An answer that is no success, as an error. */
export function refusal(status, answer) {
  const { name = "", message } = answer?.error ?? {};
  if (name === "ALREADY_EXISTS")
    return new ApiError("That user name or e-mail address is already taken.", name, status);
  return new ApiError(EXPLANATIONS[name] ?? message ?? `The server answered with status ${status}.`, name, status);
}

/** The HTTP side for somebody who is logged in. */
export class Api {
  #tokens;

  constructor(tokens) {
    this.#tokens = tokens;
  }

  get = (path) => this.#call("GET", path);
  post = (path, body) => this.#call("POST", path, body);
  put = (path, body) => this.#call("PUT", path, body);
  patch = (path, body) => this.#call("PATCH", path, body);
  delete = (path) => this.#call("DELETE", path);

  /** The bytes of a file as a `Blob`. */
  async bytes(path) {
    const headers = { authorization: `Bearer ${await this.#tokens.valid()}` };
    const response = await fetch(`./api/v1/${path}`, { headers });
    if (!response.ok) throw refusal(response.status, await response.json().catch(() => null));
    return response.blob();
  }

  /** Sends a file and resolves with what the server says about it; `onProgress` hears a part of 1. */
  async upload(file, { onProgress, signal }) {
    const token = await this.#tokens.valid();
    const form = new FormData();
    form.append("file", file, file.name || `file-${randomId().slice(0, 8)}`);
    return new Promise((resolve, reject) => {
      // `fetch` does not tell how far an upload is.
      const request = new XMLHttpRequest();
      request.open("POST", "./api/v1/files");
      request.setRequestHeader("authorization", `Bearer ${token}`);
      request.responseType = "json";
      request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
      request.onload = () => {
        if (request.status >= 200 && request.status < 300) resolve(request.response);
        else reject(refusal(request.status, request.response));
      };
      request.onerror = () => reject(new ApiError("The file could not be sent: the connection was lost."));
      request.onabort = () => reject(new ApiError("Not sent."));
      signal.addEventListener("abort", () => request.abort());
      request.send(form);
    });
  }

  async #call(method, path, body) {
    return call(method, path, { token: await this.#tokens.valid(), body });
  }
}
