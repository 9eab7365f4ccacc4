//! The numbers of one shard: plain memory that it alone writes.
//!
//! ```text
//!   slots: [ figures | commands by kind | refusals by code | pushes, messages by kind | histograms: buckets …, sum ]
//! ```
//!
//! One array holds everything, so that publishing and reading are one loop each and cannot disagree.

use std::time::Duration;

use ringwire_protocol::wire::command::Op;
use ringwire_protocol::wire::message::Kind;
use ringwire_protocol::{CommandError, ErrorCode};

use super::kinds::{COMMANDS, MESSAGES, PUSHES, PushKind, command, message};

/// Whether a number only rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rises {
    /// It counts what has happened.
    Counter,
    /// It tells how something is now.
    Gauge,
}

/// How a figure is told.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its name, without what is common to all; `_total` is added to counters.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Counter or gauge.
    pub rises: Rises,
    /// What tells it from others of the same name.
    pub label: Option<(&'static str, &'static str)>,
}

macro_rules! label {
    () => {
        None
    };
    ($label:literal = $value:literal) => {
        Some(($label, $value))
    };
}

macro_rules! figures {
    ($($(#[doc = $doc:literal])+ $figure:ident = $rises:ident $name:literal $($label:literal = $value:literal)?;)+) => {
        /// A number of a shard.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Figure { $($(#[doc = $doc])+ $figure,)+ }

        /// How each [`Figure`] is told; those of one name stand together.
        pub const FIGURES: &[Description] = &[$(Description {
            name: $name,
            help: concat!($($doc),+).trim_ascii(),
            rises: Rises::$rises,
            label: label!($($label = $value)?),
        }),+];
    };
}

figures! {
    /// Turns a shard has taken: something arrived, or a second passed
    Turns = Counter "shard_turns";
    /// Messages of other threads that a shard has handled
    Mails = Counter "shard_mails";
    /// Reads from sockets that gave bytes
    Receives = Counter "shard_receives";
    /// Bytes read from sessions' sockets
    ReceivedBytes = Counter "shard_received_bytes";
    /// Times an outbox was given to its socket
    Sends = Counter "shard_sends";
    /// Bytes that sessions' sockets took
    SentBytes = Counter "shard_sent_bytes";
    /// Replies to commands
    Replies = Counter "replies";
    /// Entries committed for conversations of this shard
    Entries = Counter "entries_committed";
    /// Pushes handed to the home shards of their recipients, one for all users of a shard
    Deliveries = Counter "deliveries";
    /// Entries that sessions were not pushed because their outbox was full; they are told to sync
    LeftOut = Counter "pushes_left_out";
    /// WebSocket connections that are sessions
    ConnectionsProtobuf = Gauge "connections" "encoding" = "protobuf";
    /// WebSocket connections that are sessions
    ConnectionsJson = Gauge "connections" "encoding" = "json";
    /// Sessions
    SessionsConnected = Gauge "sessions" "state" = "connected";
    /// Sessions
    SessionsDetached = Gauge "sessions" "state" = "detached";
    /// Sessions whose snapshot is being read
    Opening = Gauge "sessions_opening";
    /// Sessions in line for that
    OpeningWaiting = Gauge "sessions_waiting";
    /// Conversations in memory
    Conversations = Gauge "conversations_loaded";
    /// Entries at the writers or waiting for them
    UnderWay = Gauge "entries_under_way";
    /// Answers under way to a shard, each with its place reserved
    Credits = Gauge "credits_in_use";
    /// Bytes in outboxes
    OutboxBytes = Gauge "outbox_bytes";
    /// Bytes kept for sessions to be resumed with
    ResumeBytes = Gauge "resume_bytes";
}

/// A distribution of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Spread {
    /// Users to whom a committed entry is pushed.
    FanOut,
    /// From an entry's way to a writer to its commit.
    Ack,
    /// From the commit to the sockets.
    Deliver,
}

/// How a [`Spread`] is told.
#[derive(Clone, Copy, Debug)]
pub struct SpreadDescription {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Upper bounds of its buckets.
    pub bounds: &'static [u64; BOUNDS],
    /// How many of the unit counted make one of the unit told.
    pub scale: f64,
}

/// Buckets of a distribution, but for the one without an upper bound.
pub const BOUNDS: usize = 18;
const BUCKETS: usize = BOUNDS + 1;
/// The buckets and the sum.
const SPREAD_SLOTS: usize = BUCKETS + 1;

/// Microseconds, doubling from 50 µs to 6.5 s.
const TIMES: [u64; BOUNDS] = {
    let mut bounds = [50; BOUNDS];
    let mut place = 1;
    while place < BOUNDS {
        bounds[place] = bounds[place - 1] * 2;
        place += 1;
    }
    bounds
};

/// Users.
const USERS: [u64; BOUNDS] =
    [0, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 100_000];

/// How each [`Spread`] is told.
pub const SPREADS: &[SpreadDescription] = &[
    SpreadDescription {
        name: "fan_out_users",
        help: "Users to whom a committed entry is pushed",
        bounds: &USERS,
        scale: 1.0,
    },
    SpreadDescription {
        name: "ack_latency_seconds",
        help: "From an entry's way to a writer to the word that it is committed",
        bounds: &TIMES,
        scale: 1e6,
    },
    SpreadDescription {
        name: "deliver_latency_seconds",
        help: "From the word that an entry is committed to its bytes being given to the sockets of a shard",
        bounds: &TIMES,
        scale: 1e6,
    },
];

const COMMANDS_AT: usize = FIGURES.len();
const REFUSALS_AT: usize = COMMANDS_AT + COMMANDS.len();
const PUSHES_AT: usize = REFUSALS_AT + ErrorCode::ALL.len();
const MESSAGES_AT: usize = PUSHES_AT + PUSHES.len();
const SPREADS_AT: usize = MESSAGES_AT + MESSAGES.len();
/// Everything that a shard counts.
pub const SLOTS: usize = SPREADS_AT + SPREADS.len() * SPREAD_SLOTS;

/// The numbers of a shard, or of several together.
#[derive(Clone, Debug)]
pub struct Figures {
    slots: [u64; SLOTS],
}

impl Default for Figures {
    fn default() -> Self {
        Self { slots: [0; SLOTS] }
    }
}

impl Figures {
    /// Counts something that happened so many times.
    pub fn add(&mut self, figure: Figure, count: u64) {
        self.slots[figure as usize] += count;
    }

    /// Tells how something is now.
    pub fn set(&mut self, figure: Figure, value: u64) {
        self.slots[figure as usize] = value;
    }

    /// One less.
    pub fn lower(&mut self, figure: Figure) {
        let slot = &mut self.slots[figure as usize];
        *slot = slot.saturating_sub(1);
    }

    /// A number.
    pub fn get(&self, figure: Figure) -> u64 {
        self.slots[figure as usize]
    }

    /// The number at a place of [`FIGURES`].
    pub(super) fn number(&self, place: usize) -> u64 {
        self.slots[place]
    }

    /// Counts a command that came.
    pub fn command(&mut self, op: Option<&Op>) {
        self.slots[COMMANDS_AT + command(op)] += 1;
    }

    /// Counts a reply that goes out.
    pub fn reply<T>(&mut self, outcome: &Result<T, CommandError>) {
        self.add(Figure::Replies, 1);
        if let Err(error) = outcome
            && let Some(place) = ErrorCode::ALL.iter().position(|code| *code == error.code)
        {
            self.slots[REFUSALS_AT + place] += 1;
        }
    }

    /// Counts pushes to sessions.
    pub fn pushed(&mut self, kind: PushKind) {
        self.slots[PUSHES_AT + kind as usize] += 1;
    }

    /// Counts a message that was committed.
    pub fn said(&mut self, kind: Kind) {
        self.slots[MESSAGES_AT + message(kind)] += 1;
    }

    /// Adds to a distribution.
    pub fn observe(&mut self, spread: Spread, value: u64, times: u64) {
        let bounds = SPREADS[spread as usize].bounds;
        let first = SPREADS_AT + spread as usize * SPREAD_SLOTS;
        let bucket = bounds.partition_point(|bound| *bound < value);
        self.slots[first + bucket] += times;
        self.slots[first + BUCKETS] += value.saturating_mul(times);
    }

    /// Adds a time to a distribution of times.
    pub fn observe_time(&mut self, spread: Spread, took: Duration, times: u64) {
        self.observe(spread, took.as_micros() as u64, times);
    }

    /// Commands of each kind, in the order of [`COMMANDS`].
    pub fn commands(&self) -> &[u64] {
        &self.slots[COMMANDS_AT..REFUSALS_AT]
    }

    /// Refusals by code, in the order of [`ErrorCode::ALL`].
    pub fn refusals(&self) -> &[u64] {
        &self.slots[REFUSALS_AT..PUSHES_AT]
    }

    /// Pushes of each kind, in the order of [`PUSHES`].
    pub fn pushes(&self) -> &[u64] {
        &self.slots[PUSHES_AT..MESSAGES_AT]
    }

    /// Messages of each kind, in the order of [`MESSAGES`].
    pub fn messages(&self) -> &[u64] {
        &self.slots[MESSAGES_AT..SPREADS_AT]
    }

    /// The buckets of a distribution, and the sum of all values.
    pub fn spread(&self, spread: Spread) -> (&[u64], u64) {
        let first = SPREADS_AT + spread as usize * SPREAD_SLOTS;
        (&self.slots[first..first + BUCKETS], self.slots[first + BUCKETS])
    }

    /// Adds the numbers of another shard.
    pub fn merge(&mut self, other: &Self) {
        for (slot, more) in self.slots.iter_mut().zip(other.slots) {
            *slot = slot.saturating_add(more);
        }
    }

    pub(super) fn slots(&self) -> &[u64; SLOTS] {
        &self.slots
    }

    pub(super) fn slots_mut(&mut self) -> &mut [u64; SLOTS] {
        &mut self.slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fall_into_the_bucket_that_holds_them() {
        let mut figures = Figures::default();
        for users in [0, 1, 2, 4, 5, 100_000, 100_001] {
            figures.observe(Spread::FanOut, users, 1);
        }
        figures.observe_time(Spread::Deliver, Duration::from_micros(51), 3);
        let (buckets, sum) = figures.spread(Spread::FanOut);
        assert_eq!(buckets[..5], [1, 1, 1, 0, 2]);
        assert_eq!(buckets[BOUNDS - 1..], [1, 1]);
        assert_eq!(sum, 200_013);
        let (buckets, sum) = figures.spread(Spread::Deliver);
        assert_eq!((buckets[1], sum), (3, 153));
        assert_eq!(figures.spread(Spread::Ack).0.iter().sum::<u64>(), 0);
    }

    #[test]
    fn what_is_counted_is_found_where_it_is_told() {
        let mut figures = Figures::default();
        figures.add(Figure::Turns, 2);
        figures.command(None);
        figures.pushed(PushKind::Lag);
        figures.said(Kind::Notice);
        figures.reply(&Ok(()));
        figures.reply::<()>(&Err(CommandError::new(ErrorCode::Busy, "")));
        figures.lower(Figure::ConnectionsJson);
        let mut both = figures.clone();
        both.merge(&figures);
        assert_eq!((both.get(Figure::Turns), both.get(Figure::Replies)), (4, 4));
        assert_eq!(both.get(Figure::ConnectionsJson), 0);
        assert_eq!((both.commands()[0], both.pushes()[PushKind::Lag as usize]), (2, 2));
        assert_eq!(both.messages(), [0, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(both.refusals().iter().sum::<u64>(), 2);
    }

    #[test]
    fn figures_of_one_name_stand_together_and_say_the_same() {
        let mut seen: Vec<&str> = Vec::new();
        for figure in FIGURES {
            match seen.last() {
                Some(last) if *last == figure.name => {
                    let first = FIGURES.iter().find(|other| other.name == figure.name).unwrap();
                    assert_eq!((first.help, first.rises), (figure.help, figure.rises));
                    assert!(first.label.is_some() && first.label != figure.label);
                }
                _ => {
                    assert!(!seen.contains(&figure.name), "{}", figure.name);
                    seen.push(figure.name);
                }
            }
        }
    }
}
