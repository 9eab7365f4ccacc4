//! The parts a scenario is put together from: who talks with whom, when, what about, and how connections behave.
//!
//! ```text
//!   Conversation × Arrival × Shape × Activity × Connections × SlowReaders
//! ```
//!
//! All sets are closed: a new kind of load is a new variant, which the compiler then asks every user of it about.

use ringwire_protocol::codec;
use serde::{Deserialize, Serialize};

/// How the schema travels, as scenario files name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Binary frames.
    #[default]
    Protobuf,
    /// Text frames.
    Json,
}

impl From<Encoding> for codec::Encoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Protobuf => Self::Protobuf,
            Encoding::Json => Self::Json,
        }
    }
}

/// Who talks with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Conversation {
    /// Nobody: users are connected, and that is all.
    None {},
    /// Everybody is alone and hears itself; for servers that echo.
    Alone {},
    /// Direct conversations of two.
    Pairs {},
    /// Groups.
    Groups {
        /// Members of each.
        members: u32,
    },
    /// One public room of all users.
    Room {},
}

impl Default for Conversation {
    fn default() -> Self {
        Self::Pairs {}
    }
}

impl Conversation {
    /// How many of `users` sit together.
    pub const fn members(self, users: u32) -> u32 {
        match self {
            Self::None {} | Self::Alone {} => 1,
            Self::Pairs {} => 2,
            Self::Groups { members } => members,
            Self::Room {} => users,
        }
    }

    /// There is something to say and somebody to hear it.
    pub const fn is_any(self) -> bool {
        !matches!(self, Self::None {})
    }
}

/// How sends are spread over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrival {
    /// Open loop, evenly spaced.
    #[default]
    Constant,
    /// Open loop, independent of each other: exponential gaps.
    Poisson,
    /// Closed loop: each user thinks after every answer, then sends again.
    Closed,
}

/// How the rate of an open loop changes over time. It begins with the scenario's `rate_per_s`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Shape {
    /// Always the same.
    Steady {},
    /// Grows or falls evenly until the end.
    Ramp {
        /// The rate at the end.
        to_per_s: f64,
    },
    /// Changes in equal steps of equal length.
    Steps {
        /// The rate of the last step.
        to_per_s: f64,
        /// How many steps, the first and the last counted.
        steps: u32,
    },
    /// Another rate for a while.
    Spike {
        /// When it begins.
        at_s: f64,
        /// How long it lasts.
        for_s: f64,
        /// The rate meanwhile.
        to_per_s: f64,
    },
}

impl Default for Shape {
    fn default() -> Self {
        Self::Steady {}
    }
}

/// What becomes of connections once users have one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "plan", rename_all = "lowercase", deny_unknown_fields)]
pub enum Connections {
    /// Users connect at `connect_rate_per_s` and stay.
    Hold {},
    /// All users connect at once, and stay.
    Storm {},
    /// A share of the connections is cut at one moment.
    Reconnect {
        /// When, in seconds after the first send was due.
        at_s: f64,
        /// Whose, as a share of all users.
        #[serde(default = "everybody")]
        share: f64,
        /// Over how many seconds their users spread their return, each at a moment drawn for it; 0: all at once.
        #[serde(default)]
        spread_s: f64,
    },
    /// Connections end and come back all the time.
    Churn {
        /// How many end per second, over all users.
        rate_per_s: f64,
        /// How long their users stay away, in seconds.
        #[serde(default)]
        away_s: f64,
    },
}

impl Default for Connections {
    fn default() -> Self {
        Self::Hold {}
    }
}

const fn everybody() -> f64 {
    1.0
}

/// What users do beside sending.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Activity {
    /// Share of sends that a typing signal goes ahead of.
    pub typing: f64,
    /// Each user confirms what it has read at most this often, in seconds; 0: never.
    pub receipts_every_s: f64,
    /// Share of sends that a look at the history goes ahead of.
    pub history: f64,
    /// Entries of such a look.
    pub history_entries: u32,
}

impl Default for Activity {
    fn default() -> Self {
        Self { typing: 0.0, receipts_every_s: 0.0, history: 0.0, history_entries: 50 }
    }
}

/// Users who read too slowly. They never send, their latencies are left out, and once the sending is over they read on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlowReaders {
    /// Which share of all users.
    pub share: f64,
    /// What each reads per second; 0: nothing at all.
    pub bytes_per_s: u32,
}

/// How much is remembered of a run to judge it; see [`crate::verify::Level`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// The most that is affordable at the rate and the sizes asked for.
    #[default]
    Auto,
    /// Every arrival at every user.
    Ledger,
    /// Every send; of every user a cursor and a hash of what it received.
    Counters,
    /// Counts alone.
    Off,
}
