//! Which command is given by which method and path, and what of it stands where.
//!
//! Paths are those of things, methods what is done to them; fields of a command that no row places in path or query are
//! the body's. A test holds the table against the schema: a command that is in neither list is forgotten.

use axum::http::Method;

/// One command at one path.
#[derive(Debug)]
pub(in crate::api) struct Row {
    pub(in crate::api) method: Method,
    /// As axum and OpenAPI write it.
    pub(in crate::api) path: &'static str,
    /// Its name in descriptions, one of a kind.
    pub(in crate::api) name: &'static str,
    /// The field of `Command.op`.
    pub(in crate::api) op: &'static str,
    /// What it does, in a line.
    pub(in crate::api) summary: &'static str,
    pub(in crate::api) fills: &'static [Fill],
    pub(in crate::api) shape: Shape,
}

impl Row {
    /// Fields that the body has to have.
    pub(in crate::api) fn needed(&self) -> impl Iterator<Item = &'static str> {
        self.fills.iter().filter_map(|fill| match *fill {
            Fill::Needed(field) => Some(field),
            _ => None,
        })
    }
}

/// Where a field of the command comes from, if not from the body.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) enum Fill {
    /// A parameter of the path, and the field it is.
    Path(&'static str, &'static str),
    /// The same, as the only element of a list.
    PathList(&'static str, &'static str),
    /// Text, a number or the name of a value.
    Query(&'static str),
    /// Several of them: repeated, or with commas.
    QueryList(&'static str),
    /// Always set.
    True(&'static str),
    /// Always this value.
    Text(&'static str, &'static str),
    /// Of the body, and not to be left out: its absence would mean something else than people expect.
    Needed(&'static str),
    /// Not to be given at all: it would mean another path.
    Without(&'static str),
    /// `page` and `per_page`.
    Pages,
}

/// What of the reply is the answer, and its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Shape {
    /// The reply's message: 200; nothing for `done`: 204.
    Reply,
    /// The reply's message, of something that was made: 201.
    Made,
    /// The conversation, and 201 if it was made by this very command.
    Opened,
    /// The one head that was asked for.
    Head,
    /// The one entry that was asked for.
    Entry,
}

use Fill::{Needed, Pages, Path, PathList, Query, QueryList, Text, True, Without};

/// Commands that only sessions give.
#[cfg(test)]
pub(super) const OF_SESSIONS: [&str; 4] = ["connect", "refresh", "ping", "watch_presence"];

const CONVERSATION: Fill = Path("conversation_id", "conversation_id");
const USER: Fill = Path("user_id", "user_id");
const TARGET: Fill = Path("seq", "target_seq");

const fn row(
    method: Method,
    path: &'static str,
    name: &'static str,
    op: &'static str,
    summary: &'static str,
    fills: &'static [Fill],
) -> Row {
    shaped(Shape::Reply, method, path, name, op, summary, fills)
}

const fn shaped(
    shape: Shape,
    method: Method,
    path: &'static str,
    name: &'static str,
    op: &'static str,
    summary: &'static str,
    fills: &'static [Fill],
) -> Row {
    Row { method, path, name, op, summary, fills, shape }
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

/// Every command over HTTP.
#[rustfmt::skip]
pub(in crate::api) static ROWS: [Row; 47] = [
    row(GET, "/api/v1/conversations", "list_conversations", "heads",
        "Lists the caller's conversations, the most recently active first.",
        &[Query("page_token"), Query("limit"), QueryList("conversation_ids"), Pages]),
    shaped(Shape::Opened, POST, "/api/v1/conversations", "create_group", "create_group",
        "Makes a group or room, which the caller owns.", &[]),
    shaped(Shape::Opened, POST, "/api/v1/conversations/direct", "open_direct", "open_direct",
        "Opens the direct conversation with a user; makes it on first use.", &[]),
    shaped(Shape::Head, GET, "/api/v1/conversations/{conversation_id}", "get_conversation", "heads",
        "One of the caller's conversations as it stands in the list.",
        &[PathList("conversation_id", "conversation_ids")]),
    row(PATCH, "/api/v1/conversations/{conversation_id}", "update_group", "update_group",
        "Changes settings of a group.", &[CONVERSATION]),
    row(DELETE, "/api/v1/conversations/{conversation_id}", "dissolve_group", "dissolve",
        "Ends the group for everyone.", &[CONVERSATION]),
    row(POST, "/api/v1/conversations/{conversation_id}/join", "join", "join",
        "Becomes a member, or asks to.", &[CONVERSATION]),
    row(POST, "/api/v1/conversations/{conversation_id}/leave", "leave", "leave",
        "Ceases to be a member.", &[CONVERSATION]),
    row(POST, "/api/v1/conversations/{conversation_id}/transfer", "transfer_group", "set_role",
        "Hands the group over to another member.",
        &[CONVERSATION, Text("role", "OWNER"), Needed("user_id")]),
    row(POST, "/api/v1/conversations/{conversation_id}/typing", "typing", "typing",
        "Shows to the others that the caller writes, or has stopped.", &[CONVERSATION]),

    shaped(Shape::Made, POST, "/api/v1/conversations/{conversation_id}/messages", "send_message", "send",
        "Says something in a conversation.", &[CONVERSATION, Needed("message")]),
    row(GET, "/api/v1/conversations/{conversation_id}/messages", "list_messages", "history",
        "A window of the log: the newest entries, those before or after one, or those around it.",
        &[CONVERSATION, Query("before_seq"), Query("after_seq"), Query("around_seq"), Query("limit"), Pages]),
    shaped(Shape::Entry, GET, "/api/v1/conversations/{conversation_id}/messages/{seq}", "get_message", "history",
        "One entry of the log.", &[CONVERSATION, Path("seq", "around_seq"), Text("limit", "1")]),
    row(PATCH, "/api/v1/conversations/{conversation_id}/messages/{seq}", "edit_message", "edit",
        "Gives a message another content.", &[CONVERSATION, TARGET, Needed("message")]),
    row(DELETE, "/api/v1/conversations/{conversation_id}/messages/{seq}", "recall_message", "recall",
        "Takes a message back; its content is erased everywhere.", &[CONVERSATION, TARGET]),
    row(PUT, "/api/v1/conversations/{conversation_id}/messages/{seq}/reactions/{reaction}", "react", "react",
        "Reacts to a message.", &[CONVERSATION, TARGET, Path("reaction", "reaction"), Without("remove")]),
    row(DELETE, "/api/v1/conversations/{conversation_id}/messages/{seq}/reactions/{reaction}", "unreact", "react",
        "Takes a reaction back.", &[CONVERSATION, TARGET, Path("reaction", "reaction"), True("remove")]),
    row(PUT, "/api/v1/conversations/{conversation_id}/messages/{seq}/pin", "pin_message", "pin",
        "Pins a message.", &[CONVERSATION, TARGET, Without("remove")]),
    row(DELETE, "/api/v1/conversations/{conversation_id}/messages/{seq}/pin", "unpin_message", "pin",
        "Unpins a message.", &[CONVERSATION, TARGET, True("remove")]),
    row(POST, "/api/v1/conversations/{conversation_id}/messages/{seq}/hide", "hide_message", "hide",
        "Removes an entry from the caller's own view, on all their devices and for good.",
        &[CONVERSATION, PathList("seq", "seqs")]),
    row(POST, "/api/v1/conversations/{conversation_id}/hide", "hide_messages", "hide",
        "Removes entries from the caller's own view, on all their devices and for good.",
        &[CONVERSATION, Needed("seqs")]),
    row(GET, "/api/v1/conversations/{conversation_id}/messages/{seq}/read-by", "read_by", "read_by",
        "Who has read up to an entry, its sender left out.",
        &[CONVERSATION, Path("seq", "seq"), Query("page_token"), Query("limit"), Pages]),
    row(GET, "/api/v1/conversations/{conversation_id}/sync", "sync", "sync",
        "The entries after a position, oldest first: closes a gap.",
        &[CONVERSATION, Query("seq"), Query("limit")]),
    row(POST, "/api/v1/conversations/{conversation_id}/read", "mark_read", "read",
        "Tells how far the caller has read.", &[CONVERSATION, Needed("seq")]),
    row(POST, "/api/v1/conversations/{conversation_id}/delivered", "mark_delivered", "delivered",
        "Tells how far the caller's device has everything.", &[CONVERSATION, Needed("seq")]),

    row(GET, "/api/v1/conversations/{conversation_id}/members", "list_members", "members",
        "Lists members, the banned, or who asked to join.",
        &[CONVERSATION, Query("list"), Query("page_token"), Query("limit"), Pages]),
    row(POST, "/api/v1/conversations/{conversation_id}/members", "invite", "invite",
        "Takes users into the group.", &[CONVERSATION]),
    row(DELETE, "/api/v1/conversations/{conversation_id}/members/{user_id}", "remove_member", "remove",
        "Puts a member out.", &[CONVERSATION, PathList("user_id", "user_ids")]),
    row(POST, "/api/v1/conversations/{conversation_id}/members/remove", "remove_members", "remove",
        "Puts members out.", &[CONVERSATION, Needed("user_ids")]),
    row(PUT, "/api/v1/conversations/{conversation_id}/members/{user_id}/role", "set_role", "set_role",
        "Gives a member another role; OWNER hands the group over.", &[CONVERSATION, USER, Needed("role")]),
    row(PUT, "/api/v1/conversations/{conversation_id}/members/{user_id}/mute", "mute_member", "mute",
        "Keeps a member from sending until a time.", &[CONVERSATION, USER, Needed("until")]),
    row(DELETE, "/api/v1/conversations/{conversation_id}/members/{user_id}/mute", "unmute_member", "mute",
        "Lets a member send again.", &[CONVERSATION, USER, Without("until")]),
    row(PUT, "/api/v1/conversations/{conversation_id}/mute", "mute_all", "mute",
        "Keeps everyone but owner and admins from sending until a time.",
        &[CONVERSATION, Without("user_id"), Needed("until")]),
    row(DELETE, "/api/v1/conversations/{conversation_id}/mute", "unmute_all", "mute",
        "Lets everyone send again.", &[CONVERSATION, Without("user_id"), Without("until")]),
    row(GET, "/api/v1/conversations/{conversation_id}/bans", "list_bans", "members",
        "Lists who is kept out; for owner and admins.",
        &[CONVERSATION, Text("list", "BANNED"), Query("page_token"), Query("limit"), Pages]),
    row(PUT, "/api/v1/conversations/{conversation_id}/bans/{user_id}", "ban", "ban",
        "Puts a user out and keeps them out until a time.", &[CONVERSATION, USER, Needed("until")]),
    row(DELETE, "/api/v1/conversations/{conversation_id}/bans/{user_id}", "unban", "ban",
        "Keeps a user out no longer.", &[CONVERSATION, USER, Without("until")]),
    row(GET, "/api/v1/conversations/{conversation_id}/requests", "list_requests", "members",
        "Lists who asked to join; for owner and admins.",
        &[CONVERSATION, Text("list", "REQUESTS"), Query("page_token"), Query("limit"), Pages]),
    row(POST, "/api/v1/conversations/{conversation_id}/requests/{user_id}/accept", "accept_request", "resolve_join",
        "Takes in who asked to join.", &[CONVERSATION, USER, Without("refuse")]),
    row(POST, "/api/v1/conversations/{conversation_id}/requests/{user_id}/refuse", "refuse_request", "resolve_join",
        "Refuses who asked to join.", &[CONVERSATION, USER, True("refuse")]),

    row(GET, "/api/v1/blocks", "list_blocks", "blocks",
        "Lists whom the caller blocks.", &[Query("page_token"), Query("limit"), Pages]),
    row(PUT, "/api/v1/blocks/{user_id}", "block", "block",
        "Blocks a user.", &[USER, Without("remove")]),
    row(DELETE, "/api/v1/blocks/{user_id}", "unblock", "block",
        "Ends a block.", &[USER, True("remove")]),
    row(GET, "/api/v1/sessions", "list_sessions", "sessions",
        "Lists the caller's sessions on this node.", &[]),
    row(DELETE, "/api/v1/sessions", "end_sessions", "end_session",
        "Ends all of the caller's sessions on this node.", &[True("all_others"), Without("session_id")]),
    row(DELETE, "/api/v1/sessions/{session_id}", "end_session", "end_session",
        "Ends a session of the caller.", &[Path("session_id", "session_id"), Without("all_others")]),
    row(PATCH, "/api/v1/presence/visibility", "set_visibility", "set_status",
        "Says who may see the caller's status, and when they were last there.",
        &[Without("status"), Without("text")]),
];
