// From the JSON form of the protocol to plain objects, and back.
//
// The wire carries canonical proto3 JSON: 64-bit numbers are strings and zero fields are left out. Here an id stays
// the string it is (it is only compared and used as a key), and a seq, a count or a time becomes a Number: the
// schema bounds ids by 2^53−1, and no log or clock comes near that, so a Number holds each of them exactly.

/** A 64-bit number of the wire as a Number; a field that was left out is 0. */
export const num = (value) => Number(value ?? 0);

/** A list that may have been left out because it was empty. */
export const list = (value) => value ?? [];

/** The frames of one text message: one JSON object a line. */
export function* frames(text) {
  for (const line of text.split("\n")) {
    if (line.trim() !== "") yield JSON.parse(line);
  }
}

/** A `User` of the schema. */
export function userFromWire(user) {
  return {
    userId: user.user_id ?? "0",
    username: user.username ?? "",
    displayName: user.display_name || user.username || "",
    avatarUrl: user.avatar_url ?? "",
    color: user.color ?? "",
  };
}

/** A `Member` of the schema. */
export function memberFromWire(member) {
  return {
    user: userFromWire(member.user ?? {}),
    role: member.role ?? "MEMBER",
    readSeq: num(member.read_seq),
    deliveredSeq: num(member.delivered_seq),
    mutedUntil: num(member.muted_until),
    bannedUntil: num(member.banned_until),
    requestedAt: num(member.requested_at),
    requestText: member.request_text ?? "",
  };
}

/**
 * An `Entry` of the schema. `body` keeps its wire form: an object with the one key that names its kind. `asOf` is the
 * newest seq whose effects it shows already: that of the page it came with, or its own.
 */
export function entryFromWire(entry, asOf = num(entry.seq)) {
  return {
    asOf,
    conversationId: entry.conversation_id ?? "0",
    seq: num(entry.seq),
    msgNo: num(entry.msg_no),
    senderId: entry.sender_id ?? "0",
    createdAt: num(entry.created_at),
    clientMsgId: entry.client_msg_id ?? "",
    // What was taken back has no body any more, and still is a message.
    body: num(entry.recalled_at) > 0 ? { message: {} } : (entry.body ?? {}),
    editedAt: num(entry.edited_at),
    recalledAt: num(entry.recalled_at),
    reactions: list(entry.reactions).map(({ reaction, count, own }) => ({ reaction, count, own: own ?? false })),
    hidden: entry.hidden ?? false,
  };
}

/** A `Head` of the schema. */
export function headFromWire(head) {
  const conversation = head.conversation ?? {};
  return {
    id: conversation.conversation_id ?? "0",
    kind: conversation.kind ?? "DIRECT",
    settings: conversation.settings ?? {},
    pinned: list(conversation.pinned_seqs).map(Number),
    mutedUntil: num(conversation.muted_until),
    ownMutedUntil: num(conversation.own_muted_until),
    memberCount: conversation.member_count ?? 0,
    role: conversation.role ?? "MEMBER",
    users: list(conversation.users).map(userFromWire),
    headSeq: num(head.head_seq),
    msgNo: num(head.msg_no),
    lastActivityAt: num(head.last_activity_at) || num(conversation.created_at),
    lastEntry: head.last_entry ? entryFromWire(head.last_entry, num(head.head_seq)) : null,
    unread: num(head.unread),
    mentions: num(head.mentions_unread),
    readSeq: num(head.read_seq),
  };
}

/** A fresh identifier of 128 random bits. (`crypto.randomUUID` is missing on pages served without TLS.) */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
