// The service worker: shows what the server pushes while no page of this browser is open. It keeps and serves nothing.

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("push", (event) => {
  const told = event.data?.json() ?? {};
  event.waitUntil(show(told));
});

async function show({ conversation_id: id, title, text, unread }) {
  // A browser takes the right to push from a page that shows nothing, so something is shown in any case.
  await registration.showNotification(title || "Ringwire", {
    body: text || "You have new messages.",
    icon: "./icon.svg",
    tag: id ?? "ringwire",
    renotify: true,
    data: { id },
  });
  if (unread > 0) await navigator.setAppBadge?.(unread);
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.id));
});

/** Goes to the conversation in the page that is open, or opens one. */
async function open(id) {
  const address = new URL(/^\d+$/.test(id ?? "") ? `./#/c/${id}` : "./", registration.scope).href;
  const [page] = await clients.matchAll({ type: "window" });
  if (!page) return clients.openWindow(address);
  await page.focus();
  return page.navigate(address);
}
