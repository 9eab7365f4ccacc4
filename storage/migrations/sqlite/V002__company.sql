-- What a company needs besides chatting: encryption, search, retention, files, devices, blocks, sessions that last,
-- offline push, audit. Times are Unix milliseconds.

-- The log again, as a table with row ids: bodies then lie in the order of writing, and a batch over many conversations
-- touches some pages of bodies and of narrow keys instead of one wide page an entry. (Measured at 512 entries a batch over
-- 2,000 conversations: 1.5 times the rows a CPU second of a table clustered by its key.)
CREATE TABLE entries_with_row_ids (
    conversation_id INTEGER NOT NULL,
    seq             INTEGER NOT NULL CHECK (seq >= 1),
    msg_no          INTEGER NOT NULL CHECK (msg_no >= 0),
    -- 0: the server. Not NULL, because NULLs would be distinct in the index below.
    sender_id       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    client_msg_id   TEXT NOT NULL CHECK (length(CAST(client_msg_id AS BLOB)) BETWEEN 1 AND 64),
    command_hash    INTEGER NOT NULL,
    body            BLOB NOT NULL,
    -- Which key sealed the body; 0: it is plain.
    key_id          INTEGER NOT NULL DEFAULT 0,
    -- Raised whenever the body changes (edit, recall), so that an old sealed body cannot be put back.
    body_version    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, seq)
) STRICT;
INSERT INTO entries_with_row_ids (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body)
    SELECT conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body FROM entries
    ORDER BY conversation_id, seq;
DROP TABLE entries;
ALTER TABLE entries_with_row_ids RENAME TO entries;
CREATE UNIQUE INDEX entries_once ON entries (conversation_id, sender_id, client_msg_id);

-- Tombstones: an id is never used again, and the entries of a deleted user keep their sender.
ALTER TABLE conversations ADD COLUMN deleted_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN deleted_at INTEGER NOT NULL DEFAULT 0;

-- Names of rooms.
CREATE TABLE aliases (
    -- Lower case, made by the server.
    name_key        TEXT PRIMARY KEY,
    name            TEXT NOT NULL,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_conversation ON aliases (conversation_id);

-- An installation of a client, by the id it chose.
CREATE TABLE devices (
    user_id      INTEGER NOT NULL REFERENCES users (id),
    device_id    TEXT NOT NULL CHECK (length(CAST(device_id AS BLOB)) BETWEEN 1 AND 64),
    -- Phone, desktop, web: whatever the client says; at most one session of a class under that policy.
    device_class TEXT NOT NULL DEFAULT '',
    name         TEXT NOT NULL DEFAULT '',
    -- Where pushes go while no session is there: "", "webhook", "webpush", "fcm".
    push_kind    TEXT NOT NULL DEFAULT '',
    push_token   TEXT NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT, WITHOUT ROWID;

-- One row for each refresh token ever given, by its hash; a family is one login. Using a token twice ends its family.
CREATE TABLE refresh_tokens (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    family_id  BLOB NOT NULL CHECK (length(family_id) = 16),
    user_id    INTEGER NOT NULL REFERENCES users (id),
    device_id  TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- 0: not yet.
    used_at    INTEGER NOT NULL DEFAULT 0,
    revoked_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- `user_id` does not want to hear from `blocked_id`.
CREATE TABLE blocks (
    user_id    INTEGER NOT NULL REFERENCES users (id),
    blocked_id INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, blocked_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_by_blocked ON blocks (blocked_id);

-- Uploaded files; the bytes lie in the object store.
CREATE TABLE attachments (
    file_id         TEXT PRIMARY KEY CHECK (length(CAST(file_id AS BLOB)) BETWEEN 1 AND 64),
    owner_id        INTEGER NOT NULL REFERENCES users (id),
    -- The conversation whose members may download it; NULL: nobody but the owner yet.
    conversation_id INTEGER REFERENCES conversations (id),
    -- The entry that carries it; 0: none. Files without one are cleaned up; -1: somebody is removing the bytes.
    seq             INTEGER NOT NULL DEFAULT 0,
    name            TEXT NOT NULL,
    mime_type       TEXT NOT NULL,
    size_bytes      INTEGER NOT NULL CHECK (size_bytes >= 0),
    sha256          BLOB NOT NULL CHECK (length(sha256) = 32),
    width           INTEGER NOT NULL DEFAULT 0,
    height          INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_by_owner ON attachments (owner_id, created_at);
CREATE INDEX attachments_by_entry ON attachments (conversation_id, seq);
CREATE INDEX attachments_unused ON attachments (created_at, file_id) WHERE seq <= 0;

-- Entries whose absent recipients are still to be notified.
CREATE TABLE push_outbox (
    conversation_id INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    tries           INTEGER NOT NULL DEFAULT 0,
    next_try_at     INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX push_outbox_due ON push_outbox (next_try_at);

-- Who did what with an operator's power; only ever added to.
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    -- 0: the server itself, or a command at the console.
    actor_id INTEGER NOT NULL,
    action   TEXT NOT NULL,
    target   TEXT NOT NULL,
    -- JSON.
    detail   TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_actor ON audit (actor_id, at, id);

-- Retention in two passes: a head is noted, and only what lay at or below it 10 minutes later is old enough to go,
-- whatever the clocks of the owners said.
CREATE TABLE retention_marks (
    conversation_id INTEGER PRIMARY KEY,
    seq             INTEGER NOT NULL,
    marked_at       INTEGER NOT NULL
) STRICT;

-- The keys that may have sealed bodies; 0 stands for plain ones.
CREATE TABLE body_keys (
    key_id  INTEGER PRIMARY KEY,
    -- To recognize the key by; tells nothing about it.
    proof   BLOB    NOT NULL,
    -- How often somebody began to write with it.
    uses    INTEGER NOT NULL,
    -- Bodies that did not open in the present pass.
    damaged INTEGER NOT NULL DEFAULT 0
) STRICT;

-- How far the pass is that brings every body under one key.
CREATE TABLE body_pass (
    one             INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    target          INTEGER NOT NULL,
    conversation_id INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    -- The uses of all other keys when it began; if they change, it begins anew.
    other_uses      INTEGER NOT NULL,
    changed         INTEGER NOT NULL,
    done            INTEGER NOT NULL
) STRICT;
INSERT INTO body_pass (target, conversation_id, seq, other_uses, changed, done) VALUES (0, 0, 0, 0, 0, 1);

-- The words of messages, written by a background job; entries without words have no row. Which entry a row of
-- `search_words` is:
CREATE TABLE search_entries (
    id              INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    UNIQUE (conversation_id, seq)
) STRICT;
CREATE VIRTUAL TABLE search_words USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
);

-- How far each log is indexed.
CREATE TABLE search_positions (
    conversation_id INTEGER PRIMARY KEY,
    seq             INTEGER NOT NULL
) STRICT;

-- Accounts that are gone while their messages are still being erased; `deleted_at` by the database's clock.
CREATE TABLE deletions (
    user_id         INTEGER PRIMARY KEY REFERENCES users (id),
    deleted_at      INTEGER NOT NULL,
    -- What they sent up to here, in the order of the dedupe key, is erased.
    conversation_id INTEGER NOT NULL DEFAULT 0,
    client_msg_id   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX identities_by_user ON identities (user_id);
