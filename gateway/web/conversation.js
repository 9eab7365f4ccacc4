// What this client holds of one conversation: a window of its log, and where its people have read to.
//
//   log on the server   1 ─────────────────────────────── head
//   window here                    low ────── cursor
//
// Invariants: the window has no gap; `cursor` rises by one entry at a time, or jumps where the server says that the
// entries between are gone; `unread` is a subtraction of message numbers and can be recomputed at any time.

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
  /** How far each member has read: user id -> seq. */
  readBy = new Map();

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

  /** Takes over what the list of conversations says. The log itself moves by entries only. */
  applyHead(head) {
    this.kind = head.kind;
    this.title = head.title;
    this.memberCount = head.memberCount;
    this.role = head.role;
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
    this.#applyBody(entry);
    this.shrink(KEEP_AT_MOST);
    return "applied";
  }

  /** Puts a page of older entries in front of the window. */
  prepend(older, more) {
    const fitting = older.filter((entry) => entry.seq < this.low);
    if (fitting.length > 0 && fitting.at(-1).seq !== this.low - 1) return;
    this.entries.unshift(...fitting);
    this.complete = !more || this.low <= 1;
  }

  /** Entries below `floor` no longer exist: the window begins there. */
  jump(floor) {
    this.entries = [];
    this.cursor = floor - 1;
    this.complete = true;
  }

  /** Lets go of old entries that nobody looks at. */
  shrink(keep = KEEP_IN_BACKGROUND) {
    if (this.entries.length <= keep) return;
    this.entries.splice(0, this.entries.length - keep);
    this.complete = false;
  }

  /** A cursor rose, here or on another device. */
  applyCursor(userId, readSeq) {
    if (readSeq > (this.readBy.get(userId) ?? 0)) this.readBy.set(userId, readSeq);
    if (userId !== this.me || readSeq <= this.readSeq) return;
    this.readSeq = readSeq;
    if (readSeq >= this.cursor) {
      this.readMsgNo = this.msgNo;
    } else {
      const read = this.entries.find((entry) => entry.seq === readSeq);
      if (read) this.readMsgNo = Math.max(this.readMsgNo, read.msgNo);
    }
  }

  /** The other side of a direct conversation; undefined for groups. */
  get peer() {
    if (this.kind !== "DIRECT") return undefined;
    return this.users?.find((user) => user.userId !== this.me) ?? this.users?.[0];
  }

  /** The newest entry that says something in a list of conversations. */
  get newest() {
    return this.entries.findLast((entry) => !entry.body.reacted && !entry.body.edited && !entry.body.pinned);
  }

  has(clientMsgId) {
    return this.entries.some((entry) => entry.clientMsgId === clientMsgId && entry.senderId === this.me);
  }

  /** An entry may change earlier ones, or the conversation itself. */
  #applyBody({ body, createdAt }) {
    const target = (seq) => this.entries.find((entry) => entry.seq === Number(seq));
    if (body.edited) {
      const entry = target(body.edited.target_seq);
      if (entry) {
        entry.body = { message: body.edited.message ?? {} };
        entry.editedAt = createdAt;
      }
    } else if (body.recalled) {
      const entry = target(body.recalled.target_seq);
      if (entry) {
        entry.body = { message: {} };
        entry.recalledAt = createdAt;
      }
    } else if (body.group_changed) {
      this.title = body.group_changed.settings?.title ?? this.title;
    } else if (body.joined) {
      this.memberCount += body.joined.user_ids?.length ?? 1;
    } else if (body.removed) {
      this.memberCount -= body.removed.user_ids?.length ?? 0;
    } else if (body.left) {
      this.memberCount -= 1;
    }
  }
}
