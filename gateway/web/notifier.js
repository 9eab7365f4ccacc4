// Tells of new messages while the page is not looked at: in its title, and by notifications of the system.
//
//   page open, not in front ──► Notification API, one for each conversation
//   no page open            ──► Web Push ──► sw.js (where the server has a key for it)

import { deviceId } from "./account.js";
import { messageLine } from "./describe.js";
import { local } from "./storage.js";

const WANTED_KEY = "ringwire.notify";
/** The device of this browser that the server pushes to: the tab that began last. */
const PUSHED_KEY = "ringwire.pushed";

export class Notifier {
  #state;

  constructor(state) {
    this.#state = state;
    state.addEventListener("news", ({ detail }) => this.#news(detail));
    state.addEventListener("change", () => this.#title());
  }

  /** Whether the person wants notifications, and the browser shows them. */
  get isOn() {
    return local.get(WANTED_KEY) === true && globalThis.Notification?.permission === "granted";
  }

  /** Turns them on; the browser asks the person. */
  async turnOn() {
    if (!globalThis.Notification) throw new Error("This browser has no notifications here.");
    if ((await Notification.requestPermission()) !== "granted")
      throw new Error("The browser does not allow this page to notify.");
    local.set(WANTED_KEY, true);
    await this.begin();
  }

  async turnOff() {
    local.remove(WANTED_KEY);
    const registration = await navigator.serviceWorker?.getRegistration();
    await (await registration?.pushManager?.getSubscription())?.unsubscribe();
    await this.#unpush();
  }

  /** Lets the server push to this browser while no page of it is open; where it cannot, nothing changes. */
  async begin() {
    if (!this.isOn || !navigator.serviceWorker) return;
    try {
      const { public_key: key } = await this.#state.api.get("push/vapid-key");
      await navigator.serviceWorker.register("./sw.js");
      const { pushManager } = await navigator.serviceWorker.ready;
      const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
      await this.#push(subscription.toJSON());
    } catch {
      // Notifications while the page is open work without it.
    }
  }

  /** One browser is pushed to once, whatever number of its tabs were ever open. */
  async #push(subscription) {
    const before = local.get(PUSHED_KEY);
    const device = deviceId();
    await this.#state.api.put(`devices/${device}/push`, { kind: "webpush", subscription });
    local.set(PUSHED_KEY, device);
    if (before && before !== device) await this.#state.api.delete(`devices/${before}/push`).catch(() => {});
  }

  async #unpush() {
    const device = local.get(PUSHED_KEY);
    local.remove(PUSHED_KEY);
    if (device) await this.#state.api.delete(`devices/${device}/push`).catch(() => {});
  }

  #title() {
    const unread = this.#state.session ? this.#state.unread : 0;
    document.title = unread > 0 ? `(${unread}) Ringwire` : "Ringwire";
  }

  async #news({ conversation, entry }) {
    const { openId, wishes } = this.#state;
    const seen = document.visibilityState === "visible" && document.hasFocus() && openId === conversation.id;
    if (seen || !this.isOn || !(await wishes.wants(conversation, entry))) return;
    const from = conversation.isDirect ? "" : `${this.#state.nameOf(entry.senderId)}: `;
    const notification = new Notification(this.#state.titleOf(conversation), {
      body: from + messageLine(entry),
      icon: "./icon.svg",
      tag: conversation.id,
      renotify: true,
    });
    notification.onclick = () => {
      window.focus();
      location.hash = `#/c/${conversation.id}`;
      notification.close();
    };
  }
}
