-- The rest of the protocol: edits, recalls, reactions, pins, mentions, bans, wishes to join, a view of one's own,
-- presence. Only adds: a server of the release before goes on beside it. Times are Unix milliseconds.

-- Logins that ended lately, for those who look again and again.
CREATE INDEX refresh_tokens_by_revocation ON refresh_tokens (revoked_at, family_id, user_id) WHERE revoked_at > 0;

-- NULL: never. While they are, they take eight bytes of a row, and nothing of rows from before.
ALTER TABLE entries
    ADD COLUMN edited_at   bigint,
    ADD COLUMN recalled_at bigint;

-- Until then only owner and admins may send; 0: everyone may.
ALTER TABLE conversations ADD COLUMN muted_until bigint NOT NULL DEFAULT 0;

ALTER TABLE users
    -- How often the user's own view changed.
    ADD COLUMN view_no bigint NOT NULL DEFAULT 0,
    -- Who may see whether the user is there, and when they last were; the numbers are those of the wire.
    ADD COLUMN status_visibility smallint NOT NULL DEFAULT 0 CHECK (status_visibility BETWEEN 0 AND 2),
    ADD COLUMN last_seen_visibility smallint NOT NULL DEFAULT 0 CHECK (last_seen_visibility BETWEEN 0 AND 2),
    -- Written behind; 0: never seen.
    ADD COLUMN last_seen_at bigint NOT NULL DEFAULT 0;

-- Which entries are edits, and of which message: what is taken back takes its edits along. 0: of none, but says
-- something of its sender all the same (a reaction, a wish to join); that goes with their account.
CREATE TABLE edits (
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    target_seq      bigint NOT NULL,
    PRIMARY KEY (conversation_id, seq)
);
CREATE INDEX edits_by_target ON edits (conversation_id, target_seq);

CREATE TABLE reactions (
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    user_id         bigint NOT NULL,
    reaction        text COLLATE "C" NOT NULL,
    PRIMARY KEY (conversation_id, seq, user_id, reaction)
);
CREATE INDEX reactions_by_user ON reactions (user_id, conversation_id, seq, reaction);

-- How many rows of `reactions` are alike; none for none.
CREATE TABLE reaction_counts (
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    reaction        text COLLATE "C" NOT NULL,
    count           bigint NOT NULL,
    PRIMARY KEY (conversation_id, seq, reaction)
) WITH (fillfactor = 80);

CREATE TABLE pins (
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    -- The entry that pinned it: the order of pins.
    pinned_by_seq   bigint NOT NULL,
    PRIMARY KEY (conversation_id, seq)
);

-- Who may not become a member, and until when.
CREATE TABLE bans (
    conversation_id bigint NOT NULL REFERENCES conversations (id),
    user_id         bigint NOT NULL REFERENCES users (id),
    until           bigint NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX bans_by_user ON bans (user_id);

-- Who asked to become a member, and what they said to it.
CREATE TABLE join_requests (
    conversation_id bigint NOT NULL REFERENCES conversations (id),
    user_id         bigint NOT NULL REFERENCES users (id),
    text            text NOT NULL,
    requested_at    bigint NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX join_requests_by_user ON join_requests (user_id);

-- Whom messages address by name; 0: everyone, instead of rows for each.
CREATE TABLE mentions (
    user_id         bigint NOT NULL,
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    PRIMARY KEY (user_id, conversation_id, seq)
);
CREATE INDEX mentions_by_entry ON mentions (conversation_id, seq);

-- Entries that a user does not want to see any more; `view_no` counts the changes of that user's view.
CREATE TABLE hidden (
    user_id         bigint NOT NULL REFERENCES users (id),
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    view_no         bigint NOT NULL,
    PRIMARY KEY (user_id, conversation_id, seq)
);
CREATE INDEX hidden_by_change ON hidden (user_id, view_no);
CREATE INDEX hidden_by_entry ON hidden (conversation_id, seq);
