//! Names of what passes between clients and the server, as labels.

use ringwire_protocol::wire::command::Op;
use ringwire_protocol::wire::message::Kind;

macro_rules! commands {
    ($($variant:ident = $name:literal,)+) => {
        #[repr(usize)]
        enum Place { Unknown, $($variant,)+ }

        /// The names of all commands; the first is for those without a known operation.
        pub const COMMANDS: &[&str] = &["unknown", $($name),+];

        /// The place of a command in [`COMMANDS`].
        pub fn command(op: Option<&Op>) -> usize {
            match op {
                None => Place::Unknown as usize,
                $(Some(Op::$variant(_)) => Place::$variant as usize,)+
            }
        }
    };
}

commands! {
    Connect = "connect",
    Refresh = "refresh",
    Ping = "ping",
    SetStatus = "set_status",
    Block = "block",
    EndSession = "end_session",
    Send = "send",
    Edit = "edit",
    Recall = "recall",
    React = "react",
    Pin = "pin",
    Hide = "hide",
    Read = "read",
    Delivered = "delivered",
    Typing = "typing",
    WatchPresence = "watch_presence",
    Sync = "sync",
    History = "history",
    Heads = "heads",
    Members = "members",
    ReadBy = "read_by",
    Blocks = "blocks",
    Sessions = "sessions",
    OpenDirect = "open_direct",
    CreateGroup = "create_group",
    UpdateGroup = "update_group",
    Join = "join",
    Leave = "leave",
    Invite = "invite",
    Remove = "remove",
    SetRole = "set_role",
    Mute = "mute",
    Ban = "ban",
    ResolveJoin = "resolve_join",
    Dissolve = "dissolve",
}

/// The names of kinds of messages, in the order of their numbers.
pub const MESSAGES: &[&str] =
    &["text", "image", "voice", "video", "file", "location", "card", "custom", "notice"];

/// The place of a kind in [`MESSAGES`].
pub const fn message(kind: Kind) -> usize {
    kind as usize
}

/// What the server sends without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum PushKind {
    /// An entry of a log.
    Entry,
    /// How far a member is.
    Cursor,
    /// Somebody types.
    Typing,
    /// The user's own view changed.
    View,
    /// Entries were left out.
    Lag,
    /// How somebody shows.
    Presence,
    /// A token is about to expire.
    TokenExpiring,
    /// The server stops.
    GoAway,
    /// An operator says something.
    Notice,
}

/// The names of [`PushKind`]s, in their order.
pub const PUSHES: &[&str] = &[
    "entry",
    "cursor",
    "typing",
    "view",
    "lag",
    "presence",
    "token_expiring",
    "go_away",
    "notice",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_message_has_its_name() {
        let kinds = (0..).map_while(|number| Kind::try_from(number).ok());
        let names: Vec<String> =
            kinds.clone().map(|kind| kind.as_str_name().to_ascii_lowercase()).collect();
        assert_eq!(names, MESSAGES);
        assert!(kinds.enumerate().all(|(place, kind)| message(kind) == place));
    }

    #[test]
    fn every_kind_has_its_name() {
        assert_eq!(PUSHES[PushKind::Notice as usize], "notice");
        assert_eq!(PUSHES.len(), PushKind::Notice as usize + 1);
        assert_eq!(COMMANDS[command(None)], "unknown");
        assert_eq!(
            COMMANDS[command(Some(&Op::ReadBy(ringwire_protocol::wire::ReadBy::default())))],
            "read_by"
        );
        assert_eq!(
            command(Some(&Op::Dissolve(ringwire_protocol::wire::Dissolve::default()))),
            COMMANDS.len() - 1
        );
    }
}
