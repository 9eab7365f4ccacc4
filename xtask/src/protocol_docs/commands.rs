//! What the schema cannot say about commands: what each does in a line, its answer, and what it may be refused for
//! beside what any command may.

/// One command of the schema.
#[derive(Debug)]
pub(super) struct Command {
    /// Its field in `Command.op`.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) summary: &'static str,
    /// Its answer: a field of `Reply.outcome`.
    pub(super) reply: &'static str,
    /// Names of error codes.
    pub(super) errors: &'static [&'static str],
}

/// What any command may be refused for.
pub(super) const ANY: [&str; 9] = [
    "INTERNAL",
    "BUSY",
    "RATE_LIMITED",
    "DRAINING",
    "UNAVAILABLE",
    "INVALID_ARGUMENT",
    "TOO_LARGE",
    "TOO_MANY_UNANSWERED",
    "NOT_CONNECTED",
];

const fn command(
    name: &'static str,
    summary: &'static str,
    reply: &'static str,
    errors: &'static [&'static str],
) -> Command {
    Command { name, summary, reply, errors }
}

/// Every command, in the order of the schema; `mod.rs` checks that none is missing.
pub(super) const COMMANDS: [Command; 35] = [
    command(
        "connect",
        "Begins a session, or continues one.",
        "connected",
        &["UNAUTHENTICATED", "TOKEN_EXPIRED", "ALREADY_CONNECTED", "LIMIT_REACHED"],
    ),
    command(
        "refresh",
        "Swaps the token of the live session.",
        "refreshed",
        &["UNAUTHENTICATED", "TOKEN_EXPIRED", "FORBIDDEN"],
    ),
    command("ping", "Asks whether the server is there, and tells the resume count.", "pong", &[]),
    command("set_status", "Says how the caller shows to others.", "done", &[]),
    command("block", "Blocks a user, or ends the block.", "done", &["USER_NOT_FOUND"]),
    command("end_session", "Ends other sessions of the caller.", "done", &["NOT_FOUND"]),
    command(
        "send",
        "Says something in a conversation.",
        "send_ack",
        &[
            "NOT_MEMBER",
            "FORBIDDEN",
            "MUTED",
            "BLOCKED",
            "EMPTY_MESSAGE",
            "NOT_FOUND",
            "CONFLICT",
            "OUT_OF_ORDER",
        ],
    ),
    command(
        "edit",
        "Gives a message another content.",
        "send_ack",
        &[
            "NOT_MEMBER",
            "FORBIDDEN",
            "MUTED",
            "BLOCKED",
            "EMPTY_MESSAGE",
            "NOT_FOUND",
            "ENTRY_NOT_FOUND",
            "WINDOW_PASSED",
            "CONFLICT",
        ],
    ),
    command(
        "recall",
        "Takes a message back; its content is erased everywhere, and it is not pinned any more.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "ENTRY_NOT_FOUND", "WINDOW_PASSED", "CONFLICT"],
    ),
    command(
        "react",
        "Reacts to a message, or takes that back. `done`: it is so already.",
        "send_ack",
        &["NOT_MEMBER", "MUTED", "BLOCKED", "ENTRY_NOT_FOUND", "CONFLICT"],
    ),
    command(
        "pin",
        "Pins a message, or unpins it. `done`: it is so already.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "BLOCKED", "ENTRY_NOT_FOUND", "LIMIT_REACHED", "CONFLICT"],
    ),
    command(
        "hide",
        "Removes entries from the caller's own view, on all their devices.",
        "done",
        &["NOT_MEMBER"],
    ),
    command("read", "Tells how far the caller has read.", "done", &["NOT_MEMBER"]),
    command("delivered", "Tells how far this device has everything.", "done", &["NOT_MEMBER"]),
    command(
        "typing",
        "Shows to the others that the caller writes.",
        "done",
        &["NOT_MEMBER", "FORBIDDEN", "MUTED", "BLOCKED"],
    ),
    command("watch_presence", "Changes whom this session watches.", "done", &["LIMIT_REACHED"]),
    command(
        "sync",
        "Asks for the entries after a position, oldest first: closes a gap.",
        "sync_page",
        &["NOT_MEMBER"],
    ),
    command(
        "history",
        "Asks for a window of the log: scrolls, or jumps.",
        "history_page",
        &["NOT_MEMBER"],
    ),
    command("heads", "Lists the caller's conversations.", "heads_page", &[]),
    command(
        "members",
        "Lists members, the banned, or who asked to join.",
        "members_page",
        &["NOT_MEMBER", "FORBIDDEN"],
    ),
    command(
        "read_by",
        "Lists who has read an entry.",
        "read_by_page",
        &["NOT_MEMBER", "ENTRY_NOT_FOUND"],
    ),
    command("blocks", "Lists whom the caller blocks.", "blocks_page", &[]),
    command("sessions", "Lists the caller's sessions.", "session_list", &[]),
    command(
        "open_direct",
        "Opens the direct conversation with a user; makes it on first use.",
        "conversation_opened",
        &["USER_NOT_FOUND", "BLOCKED"],
    ),
    command(
        "create_group",
        "Makes a group or room, which the caller owns.",
        "conversation_opened",
        &["USER_NOT_FOUND", "GROUP_FULL", "CONFLICT"],
    ),
    command(
        "update_group",
        "Changes settings of a group. `done`: they are so already.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "CONFLICT"],
    ),
    command(
        "join",
        "Becomes a member, or asks to.",
        "send_ack",
        &[
            "BANNED",
            "ALREADY_MEMBER",
            "ALREADY_REQUESTED",
            "GROUP_FULL",
            "LIMIT_REACHED",
            "CONFLICT",
            "CONVERSATION_NOT_FOUND",
        ],
    ),
    command(
        "leave",
        "Ceases to be a member.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "CONFLICT"],
    ),
    command(
        "invite",
        "Takes users into the group.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "USER_NOT_FOUND", "ALREADY_MEMBER", "GROUP_FULL", "CONFLICT"],
    ),
    command(
        "remove",
        "Puts members out.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "USER_NOT_FOUND", "CONFLICT"],
    ),
    command(
        "set_role",
        "Gives a member another role; OWNER hands the group over. `done`: they have it already.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "USER_NOT_FOUND", "CONFLICT"],
    ),
    command(
        "mute",
        "Keeps a member, or everyone but owner and admins, from sending for a while. `done`: it is so already.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "USER_NOT_FOUND", "CONFLICT"],
    ),
    command(
        "ban",
        "Puts a user out and keeps them out for a while, or lifts that (NOT_FOUND: no ban holds). `done`: it is \
         so already.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "USER_NOT_FOUND", "NOT_FOUND", "LIMIT_REACHED", "CONFLICT"],
    ),
    command(
        "resolve_join",
        "Takes in who asked to join, or refuses them.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "USER_NOT_FOUND", "GROUP_FULL", "CONFLICT"],
    ),
    command(
        "dissolve",
        "Ends the group for everyone.",
        "send_ack",
        &["NOT_MEMBER", "FORBIDDEN", "CONFLICT"],
    ),
];
