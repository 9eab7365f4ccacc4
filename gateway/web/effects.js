// What an entry changes beside being there: an earlier message, or the conversation.
//
// Invariant: an effect is applied to a message once. Pages bring messages with the effects of everything up to their
// `asOf`; only what came after that is applied here.

import { list, num } from "./wire.js";

/** Applies one entry that was just added to the window. */
export function applyEffects(conversation, entry) {
  const { body } = entry;
  const kind = Object.keys(body)[0];
  const target = num(body[kind]?.target_seq);
  if (target > 0) {
    for (const part of [conversation, conversation.excerpt]) {
      const message = part?.entries.find((candidate) => candidate.seq === target);
      if (message && entry.seq > message.asOf) changeMessage(message, kind, entry, conversation.me);
    }
  }
  CHANGES[kind]?.(conversation, body[kind], entry);
}

/** Takes hidden messages out of the person's own view. */
export function hide(conversation, seqs) {
  for (const part of [conversation, conversation.excerpt]) {
    for (const entry of part?.entries ?? []) {
      if (seqs.includes(entry.seq)) entry.hidden = true;
    }
  }
}

function changeMessage(message, kind, { body, createdAt, senderId }, me) {
  if (kind === "edited") {
    message.body = { message: body.edited.message ?? {} };
    message.editedAt = createdAt;
  } else if (kind === "recalled") {
    message.body = { message: {} };
    message.recalledAt = createdAt;
    message.reactions = [];
  } else if (kind === "reacted") {
    react(message, body.reacted, senderId, senderId === me);
  }
}

/**
 * Counts a reaction, or counts it back. Somebody may say the same twice; then it counts once, as far as this client
 * has heard what they said before.
 */
function react(message, { reaction, removed = false }, userId, own) {
  message.heard ??= new Map();
  const key = `${userId} ${reaction}`;
  const known = message.reactions.find((candidate) => candidate.reaction === reaction);
  const before = message.heard.get(key) ?? (own ? (known?.own ?? false) : removed);
  message.heard.set(key, !removed);
  if (before === !removed) return;
  const counted = known ?? { reaction, count: 0, own: false };
  if (!known) message.reactions.push(counted);
  counted.count += removed ? -1 : 1;
  if (own) counted.own = !removed;
  message.reactions = message.reactions.filter(({ count }) => count > 0);
}

function roleOf(conversation, userId, role) {
  if (userId === conversation.me) conversation.role = role;
  const member = conversation.members?.find(({ user }) => user.userId === userId);
  if (member) member.role = role;
}

function without(conversation, userIds) {
  conversation.memberCount -= userIds.length;
  conversation.members &&= conversation.members.filter(({ user }) => !userIds.includes(user.userId));
}

/** What an entry changes in the conversation itself, by the kind of its body. */
const CHANGES = {
  pinned(conversation, { target_seq: target, removed }) {
    conversation.pinned = conversation.pinned.filter((seq) => seq !== Number(target));
    if (!removed) conversation.pinned.push(Number(target));
  },
  recalled(conversation, { target_seq: target }) {
    conversation.pinned = conversation.pinned.filter((seq) => seq !== Number(target));
  },
  group_changed(conversation, { settings }) {
    conversation.settings = { ...conversation.settings, ...settings };
  },
  joined(conversation, { user_ids: ids }) {
    conversation.memberCount += ids?.length ?? 1;
  },
  removed(conversation, { user_ids: ids }) {
    without(conversation, list(ids));
  },
  left(conversation, { new_owner_id: owner }, { senderId }) {
    without(conversation, [senderId]);
    if (owner) roleOf(conversation, owner, "OWNER");
  },
  banned(conversation, { user_id: id, until }) {
    // Who never was a member may be banned too; only the members' list tells.
    if (num(until) > 0 && conversation.members?.some(({ user }) => user.userId === id)) without(conversation, [id]);
  },
  role_changed(conversation, { user_id: id, role = "MEMBER" }, { senderId }) {
    if (role === "OWNER") roleOf(conversation, senderId, "ADMIN");
    roleOf(conversation, id, role);
  },
  muted(conversation, { user_id: id = "0", until }) {
    if (id === "0") conversation.mutedUntil = num(until);
    else if (id === conversation.me) conversation.ownMutedUntil = num(until);
    const member = conversation.members?.find(({ user }) => user.userId === id);
    if (member) member.mutedUntil = num(until);
  },
};
