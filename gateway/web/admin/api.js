// Requests as an operator. The token lives as long as the tab; it is sent as a header, never as a cookie, so no other
// site can act for the operator.

const KEY = "ringwire-operator";
const BASE = "/api/v1/admin/";

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  clear: () => sessionStorage.removeItem(KEY),
};

/** A refusal of the server, in its own words. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function headers(body) {
  const all = {};
  if (token.get()) all.authorization = `Bearer ${token.get()}`;
  if (body !== undefined) all["content-type"] = "application/json";
  return all;
}

async function refusal(response) {
  const body = await response.json().catch(() => ({}));
  return new Refusal(response.status, body.error?.message ?? `the server answers ${response.status}`);
}

/** One request; its answer as an object, or null where there is none. */
export async function ask(method, path, body) {
  const response = await fetch(BASE + path, {
    method,
    headers: headers(body),
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
  });
  if (!response.ok) throw await refusal(response);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/**
 * The figures of each second, until `signal` aborts: `told(stats)` for each, `changed(state)` when the stream lives,
 * ends or is refused. Server-sent events over fetch, because EventSource cannot send the token.
 */
export async function watch(signal, told, changed) {
  let pause = 500;
  while (!signal.aborted) {
    try {
      const response = await fetch(`${BASE}stats/stream`, { headers: headers(), signal, cache: "no-store" });
      if (!response.ok) throw await refusal(response);
      changed("live");
      pause = 500;
      await readEvents(response.body.getReader(), told);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refusal && error.status === 401) {
        changed("refused");
        return;
      }
    }
    changed("waiting");
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 10_000);
  }
}

async function readEvents(reader, told) {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length > 0) told(JSON.parse(data.map((line) => line.slice(5).trimStart()).join("\n")));
    }
  }
}
