// What this client holds of one conversation: a window of its log, its settings, and where its people have read to.
//
//   log on the server   1 ─────────────────────────────────────── head
//   window here                            low ────── cursor
//   excerpt, after a jump    from ── to
//
// Invariants: the window has no gap; `cursor` rises by one entry at a time, or jumps where the server says that the
// entries between are gone; `unread` is a subtraction of message numbers and can be recomputed at any time. What an
// entry changes in earlier ones stands in effects.js.

import { applyEffects } from "./effects.js";

/** Entries kept of a conversation that is not on the screen. */
const KEEP_IN_BACKGROUND = 200;
/** Entries kept at most; older ones are fetched again when somebody scrolls back. */
const KEEP_AT_MOST = 5_000;

export class Conversation {
  /** The window, oldest first. */
  entries = [];
  /** The highest seq received without a gap. */
  cursor = 0;
  /** The oldest entry that still exists is in the window. */
  complete = false;
  /** A stretch far from the end that somebody jumped to, or null: {entries, complete}. */
  excerpt = null;
  /** How far each member has read, and has everything on a device: user id -> seq. */
  readBy = new Map();
  deliveredTo = new Map();
  /** Its members as last asked for, or null. */
  members = null;

  /** Starts at the newest entry; what came before is fetched when somebody scrolls back. */
  constructor(head, me) {
    this.id = head.id;
    this.me = me;
    this.cursor = head.headSeq;
    if (head.lastEntry?.seq === head.headSeq) this.entries.push(head.lastEntry);
    this.complete = this.low <= 1;
    this.msgNo = head.msgNo;
    this.readSeq = 0;
    this.readMsgNo = 0;
    this.applyHead(head);
  }

  /** The oldest seq of the window. */
  get low() {
    return this.entries[0]?.seq ?? this.cursor + 1;
  }

  get unread() {
    return Math.max(0, this.msgNo - this.readMsgNo);
  }

  /** What to show: the stretch that was jumped to, or the end of the log. */
  get shown() {
    return this.excerpt ?? this;
  }

  get title() {
    return this.settings.title ?? "";
  }

  get isDirect() {
    return this.kind === "DIRECT";
  }

  /** Owner and admins decide about members and settings. */
  get manages() {
    return !this.isDirect && this.role !== "MEMBER";
  }

  get mayInvite() {
    return this.manages || (!this.isDirect && (this.settings.members_may_invite ?? false));
  }

  get mayPin() {
    return this.isDirect || this.manages;
  }

  /** Why nothing can be written here at present, or "". */
  silence(now = Date.now()) {
    if (this.ownMutedUntil > now) return "You are muted in this group.";
    if (this.manages || this.isDirect) return "";
    if (this.mutedUntil > now) return "Everybody is muted at present.";
    return this.settings.announcement_only ? "Only owner and admins write here." : "";
  }

  /** Takes over what the list of conversations says. The log itself moves by entries only. */
  applyHead(head) {
    this.kind = head.kind;
    this.settings = head.settings;
    this.memberCount = head.memberCount;
    this.role = head.role;
    this.pinned = head.pinned;
    this.mutedUntil = head.mutedUntil;
    this.ownMutedUntil = head.ownMutedUntil;
    this.mentions = head.mentions;
    if (head.users.length > 0) this.users = head.users;
    this.lastActivityAt = Math.max(this.lastActivityAt ?? 0, head.lastActivityAt);
    this.readSeq = Math.max(this.readSeq, head.readSeq);
    this.readMsgNo = Math.max(this.readMsgNo, head.msgNo - head.unread);
  }

  /** Offers the next entry: "applied", "known" (had it already) or "gap" (something before it is missing). */
  offer(entry) {
    if (entry.seq <= this.cursor) return "known";
    if (entry.seq > this.cursor + 1) return "gap";
    this.entries.push(entry);
    this.cursor = entry.seq;
    this.msgNo = Math.max(this.msgNo, entry.msgNo);
    this.lastActivityAt = Math.max(this.lastActivityAt, entry.createdAt);
    // Who writes has seen what came before.
    if (entry.senderId === this.me && entry.body.message) this.readMsgNo = Math.max(this.readMsgNo, entry.msgNo);
    applyEffects(this, entry);
    this.shrink(KEEP_AT_MOST);
    return "applied";
  }

  /** Puts a page of older entries in front of the window, or of the excerpt. */
  prepend(older, more, part = this) {
    const low = part === this ? this.low : part.entries[0].seq;
    const fitting = older.filter((entry) => entry.seq < low);
    if (fitting.length > 0 && fitting.at(-1).seq !== low - 1) return;
    part.entries.unshift(...fitting);
    part.complete = !more || (part.entries[0]?.seq ?? this.low) <= 1;
  }

  /** Puts a page of newer entries behind the excerpt. Where it meets the window, the two become one. */
  extend(newer) {
    const { excerpt } = this;
    if (!excerpt) return;
    for (const entry of newer) {
      if (entry.seq === excerpt.entries.at(-1).seq + 1) excerpt.entries.push(entry);
    }
    if (excerpt.entries.at(-1).seq < this.low - 1) return;
    this.entries.unshift(...excerpt.entries.filter((entry) => entry.seq < this.low));
    this.complete = excerpt.complete;
    this.excerpt = null;
  }

  /** Shows a stretch of the log that does not touch the window (or makes it part of the window where it does). */
  excerptOf(entries, more) {
    this.excerpt = entries.length > 0 ? { entries, complete: !more } : null;
    this.extend([]);
  }

  /** The entry at a place, where this client has it. */
  at(seq) {
    const same = (entry) => entry.seq === seq;
    return this.entries.find(same) ?? this.excerpt?.entries.find(same);
  }

  /** Entries below `floor` no longer exist: the window begins there. */
  jump(floor) {
    this.entries = [];
    this.excerpt = null;
    this.cursor = floor - 1;
    this.complete = true;
  }

  /** Lets go of old entries that nobody looks at. */
  shrink(keep = KEEP_IN_BACKGROUND) {
    if (keep === KEEP_IN_BACKGROUND) this.excerpt = null;
    if (this.entries.length <= keep) return;
    this.entries.splice(0, this.entries.length - keep);
    this.complete = false;
  }

  /** A cursor rose, here or on another device. */
  applyCursor(userId, readSeq, deliveredSeq = 0) {
    raise(this.readBy, userId, readSeq);
    raise(this.deliveredTo, userId, Math.max(readSeq, deliveredSeq));
    if (userId !== this.me || readSeq <= this.readSeq) return;
    this.readSeq = readSeq;
    if (readSeq >= this.cursor) {
      this.readMsgNo = this.msgNo;
      this.mentions = 0;
    } else {
      const read = this.entries.find((entry) => entry.seq === readSeq);
      if (read) this.readMsgNo = Math.max(this.readMsgNo, read.msgNo);
    }
  }

  /** Up to where all the others have read, and have everything on a device: {read, delivered}. */
  get reach() {
    const others = this.peer
      ? [this.peer.userId]
      : (this.members ?? []).map(({ user }) => user.userId).filter((id) => id !== this.me);
    const least = (cursors) =>
      others.reduce((low, id) => Math.min(low, cursors.get(id) ?? 0), others.length > 0 ? Infinity : 0);
    return { read: least(this.readBy), delivered: least(this.deliveredTo) };
  }

  /** The other side of a direct conversation; undefined for groups. */
  get peer() {
    if (!this.isDirect) return undefined;
    return this.users?.find((user) => user.userId !== this.me) ?? this.users?.[0];
  }

  /** The newest entry that says something in a list of conversations. */
  get newest() {
    return this.entries.findLast(
      ({ body, hidden }) => !hidden && !body.reacted && !body.edited && !body.recalled && !body.pinned,
    );
  }

  has(clientMsgId) {
    return this.entries.some((entry) => entry.clientMsgId === clientMsgId && entry.senderId === this.me);
  }
}

function raise(cursors, userId, seq) {
  if (seq > (cursors.get(userId) ?? 0)) cursors.set(userId, seq);
}
