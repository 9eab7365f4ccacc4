-- What a company needs besides chatting: encryption, search, retention, files, devices, blocks, sessions that last,
-- offline push, audit. Times are Unix milliseconds.

-- Before anything that keeps readers and writers of the log out: it takes as long as there are identities.
CREATE INDEX identities_by_user ON identities (user_id);

-- Keys of text are compared byte by byte, as SQLite does, whatever the language of the database: no
-- update of the system's locales can leave an index in another order than its comparisons.
ALTER TABLE users
    ALTER COLUMN username_key TYPE text COLLATE "C",
    ALTER COLUMN email_key TYPE text COLLATE "C";
ALTER TABLE identities
    ALTER COLUMN issuer TYPE text COLLATE "C",
    ALTER COLUMN subject TYPE text COLLATE "C";
ALTER TABLE conversations ALTER COLUMN creation_id TYPE text COLLATE "C";
ALTER TABLE entries ALTER COLUMN client_msg_id TYPE text COLLATE "C";

ALTER TABLE entries
    -- Which key sealed the body; 0: it is plain.
    ADD COLUMN key_id       integer  NOT NULL DEFAULT 0,
    -- Raised whenever the body changes (edit, recall), so that an old sealed body cannot be put back.
    ADD COLUMN body_version smallint NOT NULL DEFAULT 0;

-- Tombstones: an id is never used again, and the entries of a deleted user keep their sender.
ALTER TABLE conversations ADD COLUMN deleted_at bigint NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN deleted_at bigint NOT NULL DEFAULT 0;

-- Names of rooms.
CREATE TABLE aliases (
    -- Lower case, made by the server.
    name_key        text COLLATE "C" PRIMARY KEY,
    name            text NOT NULL,
    conversation_id bigint NOT NULL REFERENCES conversations (id),
    created_at      bigint NOT NULL
);
CREATE INDEX aliases_by_conversation ON aliases (conversation_id);

-- An installation of a client, by the id it chose.
CREATE TABLE devices (
    user_id      bigint NOT NULL REFERENCES users (id),
    device_id    text COLLATE "C" NOT NULL CHECK (octet_length(device_id) BETWEEN 1 AND 64),
    -- Phone, desktop, web: whatever the client says; at most one session of a class under that policy.
    device_class text NOT NULL DEFAULT '',
    name         text NOT NULL DEFAULT '',
    -- Where pushes go while no session is there: "", "webhook", "webpush", "fcm".
    push_kind    text NOT NULL DEFAULT '',
    push_token   text NOT NULL DEFAULT '',
    created_at   bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    PRIMARY KEY (user_id, device_id)
);

-- One row for each refresh token ever given, by its hash; a family is one login. Using a token twice ends its family.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    family_id  bytea NOT NULL CHECK (octet_length(family_id) = 16),
    user_id    bigint NOT NULL REFERENCES users (id),
    device_id  text COLLATE "C" NOT NULL DEFAULT '',
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    -- 0: not yet.
    used_at    bigint NOT NULL DEFAULT 0,
    revoked_at bigint NOT NULL DEFAULT 0
);
CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- `user_id` does not want to hear from `blocked_id`.
CREATE TABLE blocks (
    user_id    bigint NOT NULL REFERENCES users (id),
    blocked_id bigint NOT NULL REFERENCES users (id),
    created_at bigint NOT NULL,
    PRIMARY KEY (user_id, blocked_id)
);
CREATE INDEX blocks_by_blocked ON blocks (blocked_id);

-- Uploaded files; the bytes lie in the object store.
CREATE TABLE attachments (
    file_id         text COLLATE "C" PRIMARY KEY CHECK (octet_length(file_id) BETWEEN 1 AND 64),
    owner_id        bigint NOT NULL REFERENCES users (id),
    -- The conversation whose members may download it; NULL: nobody but the owner yet.
    conversation_id bigint REFERENCES conversations (id),
    -- The entry that carries it; 0: none. Files without one are cleaned up; -1: somebody is removing the bytes.
    seq             bigint NOT NULL DEFAULT 0,
    name            text NOT NULL,
    mime_type       text NOT NULL,
    size_bytes      bigint NOT NULL CHECK (size_bytes >= 0),
    sha256          bytea NOT NULL CHECK (octet_length(sha256) = 32),
    width           integer NOT NULL DEFAULT 0,
    height          integer NOT NULL DEFAULT 0,
    created_at      bigint NOT NULL
);
CREATE INDEX attachments_by_owner ON attachments (owner_id, created_at);
CREATE INDEX attachments_by_entry ON attachments (conversation_id, seq);
CREATE INDEX attachments_unused ON attachments (created_at, file_id) WHERE seq <= 0;

-- Entries whose absent recipients are still to be notified.
CREATE TABLE push_outbox (
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    created_at      bigint NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    next_try_at     bigint NOT NULL,
    PRIMARY KEY (conversation_id, seq)
);
CREATE INDEX push_outbox_due ON push_outbox (next_try_at);

-- Who did what with an operator's power; only ever added to.
CREATE TABLE audit (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       bigint NOT NULL,
    -- 0: the server itself, or a command at the console.
    actor_id bigint NOT NULL,
    action   text NOT NULL,
    target   text NOT NULL,
    -- JSON.
    detail   text NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_actor ON audit (actor_id, at, id);

-- Retention in two passes: a head is noted, and only what lay at or below it 10 minutes later is old enough to go,
-- whatever the clocks of the owners said.
CREATE TABLE retention_marks (
    conversation_id bigint PRIMARY KEY,
    seq             bigint NOT NULL,
    marked_at       bigint NOT NULL
);

-- The keys that may have sealed bodies; 0 stands for plain ones.
CREATE TABLE body_keys (
    key_id  integer PRIMARY KEY,
    -- To recognize the key by; tells nothing about it.
    proof   bytea  NOT NULL,
    -- How often somebody began to write with it.
    uses    bigint NOT NULL,
    -- Bodies that did not open in the present pass.
    damaged bigint NOT NULL DEFAULT 0
);

-- How far the pass is that brings every body under one key.
CREATE TABLE body_pass (
    one             smallint PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    target          integer NOT NULL,
    conversation_id bigint  NOT NULL,
    seq             bigint  NOT NULL,
    -- The uses of all other keys when it began; if they change, it begins anew.
    other_uses      bigint  NOT NULL,
    changed         bigint  NOT NULL,
    done            boolean NOT NULL
);
INSERT INTO body_pass (target, conversation_id, seq, other_uses, changed, done) VALUES (0, 0, 0, 0, 0, true);

-- The words of messages, written by a background job; entries without words have no row.
CREATE TABLE search_entries (
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    created_at      bigint NOT NULL,
    words           tsvector NOT NULL,
    PRIMARY KEY (conversation_id, seq)
);
CREATE INDEX search_entries_by_word ON search_entries USING gin (words);

-- How far each log is indexed.
CREATE TABLE search_positions (
    conversation_id bigint PRIMARY KEY,
    seq             bigint NOT NULL
);

-- Accounts that are gone while their messages are still being erased; `deleted_at` by the database's clock.
CREATE TABLE deletions (
    user_id         bigint PRIMARY KEY REFERENCES users (id),
    deleted_at      bigint NOT NULL,
    -- What they sent up to here, in the order of the dedupe key, is erased.
    conversation_id bigint NOT NULL DEFAULT 0,
    client_msg_id   text COLLATE "C" NOT NULL DEFAULT ''
);
