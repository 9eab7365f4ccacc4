-- The log, the conversations and the directory of users. Times are Unix milliseconds.

-- The next free number of each kind of id. Single process, so numbers are taken one at a time inside the
-- transaction that uses them: nothing is ever skipped.
CREATE TABLE ids (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO ids (name, next) VALUES ('user', 1), ('conversation', 1);

CREATE TABLE users (
    id           INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    username     TEXT NOT NULL,
    -- Lower case, made by the server, so that both databases agree on what that is.
    username_key TEXT NOT NULL UNIQUE,
    email        TEXT,
    email_key    TEXT UNIQUE,
    display_name TEXT NOT NULL DEFAULT '',
    avatar_url   TEXT NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE credentials (
    user_id       INTEGER PRIMARY KEY REFERENCES users (id),
    password_hash TEXT NOT NULL,
    changed_at    INTEGER NOT NULL
) STRICT;

-- Who a token's (issuer, subject) is.
CREATE TABLE identities (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
    id               INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    kind             INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
    settings         BLOB NOT NULL,
    -- The pair of a direct conversation.
    low_user_id      INTEGER REFERENCES users (id),
    high_user_id     INTEGER REFERENCES users (id),
    -- The creator of a group and the id of the command that made it: a retry finds the first try.
    creator_id       INTEGER REFERENCES users (id),
    creation_id      TEXT,
    member_count     INTEGER NOT NULL,
    -- Entries below are gone.
    floor_seq        INTEGER NOT NULL DEFAULT 1,
    created_at       INTEGER NOT NULL,
    -- Written behind; orders lists, decides nothing.
    last_activity_at INTEGER NOT NULL,
    UNIQUE (low_user_id, high_user_id),
    UNIQUE (creator_id, creation_id),
    CHECK ((kind = 0) = (low_user_id IS NOT NULL AND high_user_id IS NOT NULL AND low_user_id <= high_user_id))
) STRICT;

CREATE TABLE members (
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    user_id         INTEGER NOT NULL REFERENCES users (id),
    role            INTEGER NOT NULL CHECK (role BETWEEN 0 AND 2),
    joined_at       INTEGER NOT NULL,
    muted_until     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id, conversation_id);

CREATE TABLE cursors (
    conversation_id INTEGER NOT NULL,
    user_id         INTEGER NOT NULL,
    read_seq        INTEGER NOT NULL DEFAULT 0,
    read_msg_no     INTEGER NOT NULL DEFAULT 0,
    delivered_seq   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;

-- The log. No reference to conversations: the check would cost every append, and the owner has loaded the
-- conversation before it appends.
CREATE TABLE entries (
    conversation_id INTEGER NOT NULL,
    seq             INTEGER NOT NULL CHECK (seq >= 1),
    msg_no          INTEGER NOT NULL CHECK (msg_no >= 0),
    -- 0: the server. Not NULL, because NULLs would be distinct in the index below.
    sender_id       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    client_msg_id   TEXT NOT NULL CHECK (length(CAST(client_msg_id AS BLOB)) BETWEEN 1 AND 64),
    command_hash    INTEGER NOT NULL,
    body            BLOB NOT NULL,
    PRIMARY KEY (conversation_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entries_once ON entries (conversation_id, sender_id, client_msg_id);

-- The key of `command_hash`: made once, the same for every node and start.
CREATE TABLE command_key (
    key BLOB NOT NULL CHECK (length(key) = 16)
) STRICT;
INSERT INTO command_key (key) VALUES (randomblob(16));
