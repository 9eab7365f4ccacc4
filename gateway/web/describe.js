// Entries and times in words. Nothing here touches the page.

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekdayFormat = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const dateFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });

const DAY_MS = 86_400_000;

export const timeOfDay = (at) => timeFormat.format(at);
export const fullTime = (at) => fullFormat.format(at);
export const dayKey = (at) => new Date(at).toDateString();

/** The heading above the messages of one day. */
export function dayHeading(at) {
  if (dayKey(at) === dayKey(Date.now())) return "Today";
  if (dayKey(at) === dayKey(Date.now() - DAY_MS)) return "Yesterday";
  return dayFormat.format(at);
}

/** As short as the age allows, for the list of conversations. */
export function shortTime(at) {
  if (dayKey(at) === dayKey(Date.now())) return timeFormat.format(at);
  if (Date.now() - at < 6 * DAY_MS) return weekdayFormat.format(at);
  return dateFormat.format(at);
}

/** The text of a message, or what stands for it where it has none; "" where its attachments say it all. */
export function messageText(entry) {
  if (entry.recalledAt) return "This message was taken back.";
  const message = entry.body.message ?? {};
  if (message.text) return message.text;
  if (message.location)
    return `📍 ${message.location.label || `${message.location.latitude ?? 0}, ${message.location.longitude ?? 0}`}`;
  if (message.card) return [message.card.title, message.card.text].filter(Boolean).join("\n") || "A card";
  if (message.attachments?.length > 0) return "";
  return "This kind of message cannot be shown here.";
}

/** The same in one line that is never empty, for lists and quotes. */
export function messageLine(entry) {
  const attachments = entry.body.message?.attachments ?? [];
  const files = entry.recalledAt ? [] : attachments.map(({ name }) => `📎 ${name || "File"}`);
  return [messageText(entry), ...files].filter(Boolean).join(" ").replace(/\s+/g, " ");
}

/** How much a file is. */
export function fileSize(bytes) {
  const steps = ["B", "kB", "MB", "GB"];
  let [size, step] = [bytes, 0];
  for (; size >= 1000 && step < steps.length - 1; step += 1) size /= 1000;
  return `${size >= 10 || step === 0 ? Math.round(size) : size.toFixed(1)}\u00a0${steps[step]}`;
}

/** Whether somebody is there, in words. */
export function presenceText({ status, text, lastSeenAt }) {
  const word = { ONLINE: "online", AWAY: "away", BUSY: "busy" }[status];
  if (word) return text ? `${word} · ${text}` : word;
  if (lastSeenAt > 0) return `last seen ${shortTime(lastSeenAt)}`;
  return "";
}

/** Who writes, in words. */
export function typingText(names, alone) {
  if (names.length === 0) return "";
  if (alone) return "writes…";
  if (names.length > 2) return `${names.length} people write…`;
  return `${names.join(" and ")} ${names.length === 1 ? "writes" : "write"}…`;
}

/** An entry that is no message as a sentence, or null where it is not worth a line. */
export function notice(entry, nameOf) {
  const { body, senderId } = entry;
  const who = nameOf(senderId);
  const names = (ids) => ids?.map(nameOf).join(", ") || "someone";
  if (body.created) return body.created.title ? `${who} created “${body.created.title}”` : `${who} started the chat`;
  if (body.joined) {
    const ids = body.joined.user_ids ?? [];
    const alone = ids.length === 0 || (ids.length === 1 && ids[0] === senderId);
    return alone ? `${who} joined` : `${who} added ${names(ids)}`;
  }
  if (body.left) return `${who} left`;
  if (body.removed) return `${who} removed ${names(body.removed.user_ids)}`;
  if (body.role_changed) {
    const { user_id: id, role = "MEMBER" } = body.role_changed;
    return `${who} made ${names([id])} ${{ OWNER: "the owner", ADMIN: "an admin", MEMBER: "a member" }[role]}`;
  }
  if (body.muted) {
    const { user_id: id = "0", until = "0" } = body.muted;
    return `${who} ${until === "0" ? "unmuted" : "muted"} ${id === "0" ? "everybody" : names([id])}`;
  }
  if (body.banned) {
    const { user_id: id, until = "0" } = body.banned;
    return `${who} ${until === "0" ? "lifted the ban of" : "banned"} ${names([id])}`;
  }
  if (body.join_requested) return `${who} asked to join`;
  if (body.join_refused) return `${who} refused ${names([body.join_refused.user_id])}`;
  if (body.group_changed) {
    const { title } = body.group_changed.settings ?? {};
    return title ? `${who} named the group “${title}”` : `${who} changed the settings`;
  }
  if (body.dissolved) return `${who} closed the group`;
  return null;
}

/** One line about the newest entry, for the list of conversations. */
export function preview(conversation, nameOf) {
  const entry = conversation.newest;
  if (!entry) return "";
  if (!entry.body.message) return notice(entry, nameOf) ?? "";
  const own = entry.senderId === conversation.me;
  const prefix = own || conversation.kind !== "DIRECT" ? `${nameOf(entry.senderId)}: ` : "";
  return prefix + messageLine(entry);
}

/** Up to two letters that stand for a name. */
export function initials(name) {
  const words = name
    .trim()
    .split(/[\s._-]+/)
    .filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/** One of eight colours, always the same for an id. */
export const hue = (id) => Number(BigInt(id) % 8n);

export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
