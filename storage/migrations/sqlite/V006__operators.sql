-- Operators, what they ask of all nodes, and whom they keep out. Only adds: a server of the release before goes on
-- beside it. Times are Unix milliseconds.

-- People who administer the server; no users. The numbers of roles: 0 looks, 1 moderates, 2 may do everything.
CREATE TABLE operators (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role          INTEGER NOT NULL CHECK (role BETWEEN 0 AND 2),
    created_at    INTEGER NOT NULL,
    -- 0: they may log in.
    disabled_at   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Their logins, by the SHA-256 of a token.
CREATE TABLE operator_tokens (
    token_hash  BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    operator_id INTEGER NOT NULL REFERENCES operators (id),
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX operator_tokens_by_operator ON operator_tokens (operator_id);
CREATE INDEX operator_tokens_by_expiry ON operator_tokens (expires_at);

-- Accounts that nobody gets in with.
CREATE TABLE account_bans (
    account_id  INTEGER PRIMARY KEY REFERENCES users (id),
    banned_at   INTEGER NOT NULL,
    -- 0: for good.
    until       INTEGER NOT NULL DEFAULT 0,
    reason      TEXT NOT NULL DEFAULT '',
    operator_id INTEGER NOT NULL
) STRICT;

-- What every node is to do once. The numbers of kinds: 0 tells people something, 1 ends their sessions, 2 does so for good.
CREATE TABLE orders (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    kind     INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
    -- A JSON list; empty: everybody.
    accounts TEXT NOT NULL DEFAULT '[]',
    text     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX orders_by_time ON orders (at, id);

-- Which operator did it; 0: none.
ALTER TABLE audit ADD COLUMN operator_id INTEGER NOT NULL DEFAULT 0;
