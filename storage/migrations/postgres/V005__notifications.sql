-- Notifications: what a member wants to be told of, what is under way to devices, and events for webhooks. Only adds.
-- Times are Unix milliseconds.

ALTER TABLE members
    -- 0: of every message, 1: of those that mention the user or everyone, 2: of nothing.
    ADD COLUMN notify smallint NOT NULL DEFAULT 0 CHECK (notify BETWEEN 0 AND 2),
    -- Of nothing until then; 0: not muted.
    ADD COLUMN notify_muted_until bigint NOT NULL DEFAULT 0;

-- The newest message of a conversation that a device is still to be told of. By the database's clock.
CREATE TABLE push_deliveries (
    user_id         bigint NOT NULL,
    device_id       text COLLATE "C" NOT NULL,
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    created_at      bigint NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    next_try_at     bigint NOT NULL,
    PRIMARY KEY (user_id, device_id, conversation_id),
    FOREIGN KEY (user_id, device_id) REFERENCES devices (user_id, device_id) ON DELETE CASCADE
);
CREATE INDEX push_deliveries_due ON push_deliveries (next_try_at);

-- Events that a webhook is still to be told of; of one conversation the oldest first. By the database's clock.
CREATE TABLE hook_outbox (
    hook            text COLLATE "C" NOT NULL,
    -- 0: the event is about a user, whose id is in `seq`.
    conversation_id bigint NOT NULL,
    seq             bigint NOT NULL,
    kind            smallint NOT NULL,
    created_at      bigint NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    next_try_at     bigint NOT NULL,
    PRIMARY KEY (hook, conversation_id, seq)
);
CREATE INDEX hook_outbox_due ON hook_outbox (hook, next_try_at);
CREATE INDEX hook_outbox_by_age ON hook_outbox (created_at);
