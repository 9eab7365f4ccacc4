// What survives a reload: the session, the unsent messages, and the name of this tab.
//
// A browser may refuse storage (private windows, a full quota). Then the page works all the same, from memory.

/** A `Storage` of the browser that holds JSON values and never throws. */
class SafeStorage {
  #area;
  #memory = new Map();

  constructor(pick) {
    try {
      this.#area = pick();
    } catch {
      this.#area = null;
    }
  }

  get(key) {
    try {
      return JSON.parse(this.#area.getItem(key)) ?? this.#memory.get(key) ?? null;
    } catch {
      return this.#memory.get(key) ?? null;
    }
  }

  set(key, value) {
    try {
      this.#area.setItem(key, JSON.stringify(value));
    } catch {
      this.#memory.set(key, value);
    }
  }

  remove(key) {
    this.#memory.delete(key);
    try {
      this.#area.removeItem(key);
    } catch {
      // It was never there.
    }
  }

  /** The stored keys that begin so, with their values. */
  withPrefix(prefix) {
    const keys = [...this.#memory.keys()];
    for (let index = 0; index < (this.#area?.length ?? 0); index += 1) keys.push(this.#area.key(index));
    return keys.filter((key) => key.startsWith(prefix)).map((key) => [key, this.get(key)]);
  }
}

/** Shared by all tabs, for ever. */
export const local = new SafeStorage(() => globalThis.localStorage);
/** This tab, until it is closed. */
export const tab = new SafeStorage(() => globalThis.sessionStorage);
