-- More of a profile, contacts, and passwords that were forgotten. Only adds: a server of the release before goes on beside
-- it. Times are Unix milliseconds.

ALTER TABLE users
    -- `#rrggbb`; empty: whatever the client chooses.
    ADD COLUMN color text NOT NULL DEFAULT '',
    -- What the user says about themselves.
    ADD COLUMN status_text text NOT NULL DEFAULT '';

-- Search by the beginning of a name. Only A to Z lose their case: that is the same in both databases, whatever their
-- language. (Those of `username_key` have no other letters.)
CREATE INDEX users_by_display_name ON users (lower(display_name COLLATE "C"), id) WHERE display_name <> '';

-- What the user calls it; empty: the name its client gave.
ALTER TABLE devices ADD COLUMN label text NOT NULL DEFAULT '';

-- Whom a user wants at hand, and what they call them.
CREATE TABLE contacts (
    user_id    bigint NOT NULL REFERENCES users (id),
    contact_id bigint NOT NULL REFERENCES users (id),
    nickname   text NOT NULL DEFAULT '',
    created_at bigint NOT NULL,
    PRIMARY KEY (user_id, contact_id)
);
CREATE INDEX contacts_by_contact ON contacts (contact_id);

-- Permissions to set a new password without the old one, by the hashes of their tokens.
CREATE TABLE password_resets (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    user_id    bigint NOT NULL REFERENCES users (id),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    -- 0: not yet.
    used_at    bigint NOT NULL DEFAULT 0
);
CREATE INDEX password_resets_by_user ON password_resets (user_id);
CREATE INDEX password_resets_by_expiry ON password_resets (expires_at);
