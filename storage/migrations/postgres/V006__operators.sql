-- Operators, what they ask of all nodes, and whom they keep out. Only adds: a server of the release before goes on
-- beside it. Times are Unix milliseconds.

-- People who administer the server; no users. The numbers of roles: 0 looks, 1 moderates, 2 may do everything.
CREATE TABLE operators (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text COLLATE "C" NOT NULL,
    name_key      text COLLATE "C" NOT NULL UNIQUE,
    password_hash text NOT NULL,
    role          smallint NOT NULL CHECK (role BETWEEN 0 AND 2),
    created_at    bigint NOT NULL,
    -- 0: they may log in.
    disabled_at   bigint NOT NULL DEFAULT 0
);

-- Their logins, by the SHA-256 of a token.
CREATE TABLE operator_tokens (
    token_hash  bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    operator_id bigint NOT NULL REFERENCES operators (id),
    expires_at  bigint NOT NULL
);
CREATE INDEX operator_tokens_by_operator ON operator_tokens (operator_id);
CREATE INDEX operator_tokens_by_expiry ON operator_tokens (expires_at);

-- Accounts that nobody gets in with.
CREATE TABLE account_bans (
    account_id  bigint PRIMARY KEY REFERENCES users (id),
    banned_at   bigint NOT NULL,
    -- 0: for good.
    until       bigint NOT NULL DEFAULT 0,
    reason      text NOT NULL DEFAULT '',
    operator_id bigint NOT NULL
);

-- What every node is to do once. The numbers of kinds: 0 tells people something, 1 ends their sessions, 2 does so for good.
CREATE TABLE orders (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       bigint NOT NULL,
    kind     smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),
    -- A JSON list; empty: everybody.
    accounts text NOT NULL DEFAULT '[]',
    text     text NOT NULL DEFAULT ''
);
CREATE INDEX orders_by_time ON orders (at, id);

-- Which operator did it; 0: none.
ALTER TABLE audit ADD COLUMN operator_id bigint NOT NULL DEFAULT 0;
