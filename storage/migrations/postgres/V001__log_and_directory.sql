-- The log, the conversations and the directory of users. Times are Unix milliseconds.

-- Each call hands a node the block of 1,000 ids that begins at the value returned.
CREATE SEQUENCE user_ids START 1 INCREMENT 1000;
CREATE SEQUENCE conversation_ids START 1 INCREMENT 1000;

CREATE TABLE users (
    id           bigint PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    username     text NOT NULL,
    -- Lower case, made by the server, so that both databases agree on what that is.
    username_key text NOT NULL CONSTRAINT users_username_key UNIQUE,
    email        text,
    email_key    text CONSTRAINT users_email_key UNIQUE,
    display_name text NOT NULL DEFAULT '',
    avatar_url   text NOT NULL DEFAULT '',
    created_at   bigint NOT NULL
);

CREATE TABLE credentials (
    user_id       bigint PRIMARY KEY REFERENCES users (id),
    password_hash text NOT NULL,
    changed_at    bigint NOT NULL
);

-- Who a token's (issuer, subject) is.
CREATE TABLE identities (
    issuer  text NOT NULL,
    subject text NOT NULL,
    user_id bigint NOT NULL REFERENCES users (id),
    PRIMARY KEY (issuer, subject)
);

CREATE TABLE conversations (
    id               bigint PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    kind             smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),
    settings         bytea NOT NULL,
    -- The pair of a direct conversation.
    low_user_id      bigint REFERENCES users (id),
    high_user_id     bigint REFERENCES users (id),
    -- The creator of a group and the id of the command that made it: a retry finds the first try.
    creator_id       bigint REFERENCES users (id),
    creation_id      text,
    member_count     integer NOT NULL,
    -- Entries below are gone.
    floor_seq        bigint NOT NULL DEFAULT 1,
    created_at       bigint NOT NULL,
    -- Written behind; orders lists, decides nothing. Not indexed, so that its updates stay heap-only.
    last_activity_at bigint NOT NULL,
    UNIQUE (low_user_id, high_user_id),
    UNIQUE (creator_id, creation_id),
    CHECK ((kind = 0) = (low_user_id IS NOT NULL AND high_user_id IS NOT NULL AND low_user_id <= high_user_id))
) WITH (fillfactor = 80);

CREATE TABLE members (
    conversation_id bigint NOT NULL REFERENCES conversations (id),
    user_id         bigint NOT NULL REFERENCES users (id),
    role            smallint NOT NULL CHECK (role BETWEEN 0 AND 2),
    joined_at       bigint NOT NULL,
    muted_until     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id, conversation_id);

CREATE TABLE cursors (
    conversation_id bigint NOT NULL,
    user_id         bigint NOT NULL,
    read_seq        bigint NOT NULL DEFAULT 0,
    read_msg_no     bigint NOT NULL DEFAULT 0,
    delivered_seq   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, user_id)
) WITH (fillfactor = 80);

-- The log. No reference to conversations: the check would cost every append, and the owner has loaded the
-- conversation before it appends.
CREATE TABLE entries (
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL CHECK (seq >= 1),
    msg_no          bigint NOT NULL CHECK (msg_no >= 0),
    -- 0: the server. Not NULL, because NULLs would be distinct in the constraint below.
    sender_id       bigint NOT NULL,
    created_at      bigint NOT NULL,
    client_msg_id   text NOT NULL CHECK (octet_length(client_msg_id) BETWEEN 1 AND 64),
    command_hash    bigint NOT NULL,
    body            bytea NOT NULL,
    PRIMARY KEY (conversation_id, seq),
    CONSTRAINT entries_once UNIQUE (conversation_id, sender_id, client_msg_id)
);

-- The key of `command_hash`: made once, the same for every node and start.
CREATE TABLE command_key (
    key bytea NOT NULL CHECK (octet_length(key) = 16)
);
INSERT INTO command_key (key) VALUES (uuid_send(gen_random_uuid()));
