//! Presence: who is there, and who is told. Pure machines; the shard carries mail between them.
//!
//! ```text
//!   home of the watched                                       home of the watcher
//!   sessions ─► board: the most present status ── news ────► watches: what each session may see, and was not told
//!                 ▲  at most once a second                      │ at most one push per session and second
//!                 └────────── follow, unfollow ◄────────────────┘
//! ```
//!
//! A shard follows a user as long as one of its sessions watches them and may see something of them; so one piece of
//! news goes to a shard however many watch there. Nothing here is stored but the time of last being there; all of it ends
//! with the shard. Invariants: who may see nothing is told nothing but "offline"; what a session was not told, because
//! its outbox was full or its connection gone, it is told later, as it is by then.

pub mod board;
pub mod post;
#[cfg(test)]
mod tests;
pub mod watches;

use std::sync::Arc;

use ringwire_protocol::{CommandError, ErrorCode, UnixMs, UserId, wire};
use wire::presence::Status as WireStatus;

use crate::command::message::invalid;
use crate::command::text::check_name;
use crate::limits;

/// How present somebody is, the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// There, and not to be seen: as if they were not.
    Invisible,
    /// There, but not looking.
    Away,
    /// Looking, and not to be disturbed.
    Busy,
    /// There.
    #[default]
    Online,
}

impl Status {
    /// The status a client gave; `None`: the one it has.
    pub fn from_wire(number: i32) -> Result<Option<Self>, CommandError> {
        match WireStatus::try_from(number) {
            Ok(WireStatus::Offline) => Ok(None),
            Ok(WireStatus::Online) => Ok(Some(Self::Online)),
            Ok(WireStatus::Away) => Ok(Some(Self::Away)),
            Ok(WireStatus::Busy) => Ok(Some(Self::Busy)),
            Ok(WireStatus::Invisible) => Ok(Some(Self::Invisible)),
            Err(_) => Err(invalid("status is not known")),
        }
    }

    const fn shown(self) -> WireStatus {
        match self {
            Self::Invisible => WireStatus::Offline,
            Self::Away => WireStatus::Away,
            Self::Busy => WireStatus::Busy,
            Self::Online => WireStatus::Online,
        }
    }
}

/// Checks a text that is shown beside a status.
pub fn check_text(text: &str) -> Result<(), CommandError> {
    let most = limits::MAX_STATUS_TEXT_BYTES;
    if text.len() > most {
        return Err(CommandError::new(
            ErrorCode::TooLarge,
            format!("text is longer than {most} bytes"),
        ));
    }
    check_name(text, "text")
}

/// How one session shows its user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// How present.
    pub status: Status,
    /// Beside it.
    pub text: Arc<str>,
}

/// How a user shows to those who may see everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The most present of their sessions; invisible, too, when there is none.
    pub status: Status,
    /// What that session says; empty while invisible.
    pub text: Arc<str>,
    /// When they last were to be seen, since the server started; 0 before that and while they are.
    pub last_seen_at: UnixMs,
}

impl Shown {
    /// Who is not there.
    pub fn offline(last_seen_at: UnixMs) -> Self {
        Self { status: Status::Invisible, text: Arc::default(), last_seen_at }
    }
}

/// Both sides of a shard, and the mail between shards.
#[derive(Debug)]
pub struct Presence {
    /// The users of this shard.
    pub board: board::Board,
    /// What its sessions watch.
    pub watches: watches::Watches,
    /// Mail to other shards, and to itself.
    pub post: post::Post,
    /// Times of last being there are being saved.
    pub saving: bool,
}

impl Presence {
    /// Nobody is there.
    pub fn new(shard: crate::placement::ShardId, shards: usize) -> Self {
        Self {
            board: board::Board::default(),
            watches: watches::Watches::default(),
            post: post::Post::new(shard, shards),
            saving: false,
        }
    }

    /// Whether no time of last being there waits to be saved.
    pub fn is_saved(&self) -> bool {
        !self.saving && self.board.is_saved()
    }
}

/// What one user may see of another, as the store last said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct May {
    /// Whether they are there.
    pub status: bool,
    /// When they last were.
    pub last_seen: bool,
    /// The time the store knows; 0: none, or not to be seen.
    pub last_seen_at: UnixMs,
}

impl May {
    /// Whether there is anything to see.
    pub const fn anything(self) -> bool {
        self.status || self.last_seen
    }

    /// What is told of a user, of whom this is known.
    pub fn tell(self, user: UserId, shown: Option<&Shown>) -> wire::Presence {
        let visible = shown.filter(|shown| self.status && shown.status > Status::Invisible);
        let lately = shown.map_or(0, |shown| shown.last_seen_at);
        match visible {
            Some(shown) => wire::Presence {
                user_id: user.get(),
                status: shown.status.shown().into(),
                text: shown.text.to_string(),
                last_seen_at: 0,
            },
            None => wire::Presence {
                user_id: user.get(),
                status: WireStatus::Offline.into(),
                text: String::new(),
                last_seen_at: if self.last_seen { self.last_seen_at.max(lately) } else { 0 },
            },
        }
    }
}
