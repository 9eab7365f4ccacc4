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

/** The text of a message, or what stands for it where it has none. */
export function messageText(entry) {
  if (entry.recalledAt) return "This message was taken back.";
  const message = entry.body.message ?? {};
  if (message.text) return message.text;
  const attachment = message.attachments?.[0];
  if (attachment) return `📎 ${attachment.name || "Attachment"}`;
  return "This kind of message cannot be shown here.";
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
  if (body.role_changed) return `${who} changed the role of ${names([body.role_changed.user_id])}`;
  if (body.muted) return `${who} changed who may write`;
  if (body.banned) return `${who} banned ${names([body.banned.user_id])}`;
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
  return prefix + messageText(entry).replace(/\s+/g, " ");
}

/** Up to two letters that stand for a name. */
export function initials(name) {
  const words = name.trim().split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/** One of eight colours, always the same for an id. */
export const hue = (id) => Number(BigInt(id) % 8n);

export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
