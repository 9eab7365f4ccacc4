-- More of a profile, contacts, and passwords that were forgotten. Only adds: a server of the release before goes on beside
-- it. Times are Unix milliseconds.

-- `#rrggbb`; empty: whatever the client chooses.
ALTER TABLE users ADD COLUMN color TEXT NOT NULL DEFAULT '';
-- What the user says about themselves.
ALTER TABLE users ADD COLUMN status_text TEXT NOT NULL DEFAULT '';

-- Search by the beginning of a name. Only A to Z lose their case: that is the same in both databases, whatever their
-- language. (Those of `username_key` have no other letters.)
CREATE INDEX users_by_display_name ON users (lower(display_name), id) WHERE display_name <> '';

-- What the user calls it; empty: the name its client gave.
ALTER TABLE devices ADD COLUMN label TEXT NOT NULL DEFAULT '';

-- Whom a user wants at hand, and what they call them.
CREATE TABLE contacts (
    user_id    INTEGER NOT NULL REFERENCES users (id),
    contact_id INTEGER NOT NULL REFERENCES users (id),
    nickname   TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_by_contact ON contacts (contact_id);

-- Permissions to set a new password without the old one, by the hashes of their tokens.
CREATE TABLE password_resets (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- 0: not yet.
    used_at    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX password_resets_by_user ON password_resets (user_id);
CREATE INDEX password_resets_by_expiry ON password_resets (expires_at);
