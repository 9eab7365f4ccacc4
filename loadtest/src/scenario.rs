//! What a run does: a TOML file, with single fields overridden from the command line.
//!
//! ```text
//!   direct.toml ──► table ──► --set users=1000 … ──► Scenario (validated once; nothing later checks again)
//!                             (overrides)             ├─ its parts (plan): conversation, arrival, connections …
//!                                                     └─ what is spoken (protocol), and whether it can do all that
//! ```
//!
//! Invariant: an unknown key is an error that lists the valid ones, in the file as on the command line, so that a
//! misspelt field never silently measures something else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ringwire_protocol::ids::MAX_ID;
use serde::{Deserialize, Serialize};

use crate::message::{self, Sizes};
use crate::rate::Rate;
use crate::threshold::Thresholds;

mod overrides;
mod plan;
mod protocol;

pub use plan::{
    Activity, Arrival, Connections, Conversation, Encoding, Shape, SlowReaders, Verify,
};
pub use protocol::{Acks, Foreign, Protocol};

/// The most users a process can hold: what is left of its file descriptors is decided when it starts.
const MAX_USERS: u32 = 1_000_000;
/// A year, and as many sends a second as nobody can make: what is beyond would overflow clocks.
pub const MOST_ALLOWED: f64 = 31_536_000.0;

/// A load test, complete and valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the report calls it.
    pub name: String,
    /// Virtual users: as many as whole conversations need.
    pub users: u32,
    /// The id of the first user; the others follow.
    #[serde(default = "default_first_user_id")]
    pub first_user_id: u64,
    /// What is spoken with the server.
    #[serde(default)]
    pub protocol: Protocol,
    /// What a foreign server has to be told.
    #[serde(default)]
    pub foreign: Foreign,
    /// How Ringwire's own schema travels.
    #[serde(default)]
    pub encoding: Encoding,
    /// Who talks with whom.
    #[serde(default)]
    pub conversation: Conversation,
    /// Sends per second over all users, at the beginning; 0: nobody sends. Closed loops have no rate.
    #[serde(default)]
    pub rate_per_s: f64,
    /// How that rate changes.
    #[serde(default)]
    pub shape: Shape,
    /// How sends are spread over time.
    #[serde(default)]
    pub arrival: Arrival,
    /// How long users of a closed loop think in the mean, in seconds; exponentially distributed. 0: not at all.
    #[serde(default = "default_think_s")]
    pub think_s: f64,
    /// How many sends each user of a closed loop has under way at once, every one followed by the next.
    #[serde(default = "default_at_once")]
    pub at_once: u32,
    /// How long sends are offered, in seconds, warm-up included.
    pub duration_s: f64,
    /// How long latencies are not yet recorded, in seconds; see [`Self::warmup`].
    #[serde(default)]
    pub warmup_s: f64,
    /// Bytes of text in each message.
    #[serde(default = "default_text_bytes")]
    pub text_bytes: usize,
    /// Bytes of text in the longest message; 0: all have `text_bytes`. Lengths between are as likely on a logarithmic
    /// scale.
    #[serde(default)]
    pub text_bytes_max: usize,
    /// The most unacknowledged sends per user; 0: the server's own limit.
    #[serde(default = "default_depth")]
    pub depth: u32,
    /// What users do beside sending.
    #[serde(default)]
    pub activity: Activity,
    /// What becomes of connections.
    #[serde(default)]
    pub connections: Connections,
    /// New connections per second.
    #[serde(default = "default_connect_rate")]
    pub connect_rate_per_s: f64,
    /// How long all users together may take to become live after the last one began to connect, in seconds.
    #[serde(default = "default_connect_limit_s")]
    pub connect_limit_s: f64,
    /// Users who read too slowly.
    #[serde(default)]
    pub slow_readers: SlowReaders,
    /// Whether lost connections and temporary refusals are overcome.
    #[serde(default = "default_true")]
    pub retry: bool,
    /// How long to wait, after the last send, for what is still under way, in seconds.
    #[serde(default = "default_drain_s")]
    pub drain_s: f64,
    /// How much is remembered to judge the run.
    #[serde(default)]
    pub verify: Verify,
    /// Whether the server's log is read back and compared.
    #[serde(default = "default_true")]
    pub verify_log: bool,
    /// Threads of the generator.
    #[serde(default = "default_threads")]
    pub threads: u32,
    /// Seed of the schedule.
    #[serde(default)]
    pub seed: u64,
    /// What the run must meet.
    #[serde(default)]
    pub thresholds: Thresholds,
}

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read scenario {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of the wrong type.
    #[error("scenario: {0}")]
    Parse(String),
    /// A `--set` that is not `key=value`, or whose key leads nowhere.
    #[error("--set {argument}: {reason}")]
    Set {
        /// As it was given.
        argument: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value that no run can have.
    #[error("scenario: {field} {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What it must be.
        reason: String,
    },
}

impl Scenario {
    /// Reads a scenario file and applies `key=value` overrides in order.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, overrides)
    }

    /// Parses the text of a scenario file and applies `key=value` overrides in order.
    pub fn parse(text: &str, overrides: &[String]) -> Result<Self, ScenarioError> {
        let mut table: toml::Table =
            toml::from_str(text).map_err(|error| ScenarioError::Parse(error.to_string()))?;
        for argument in overrides {
            overrides::set(&mut table, argument)?;
        }
        let scenario: Self = serde_path_to_error::deserialize(table).map_err(|error| {
            let reason = error.inner().message();
            ScenarioError::Parse(match error.path().to_string().as_str() {
                "." => reason.to_owned(),
                field => format!("{field}: {reason}"),
            })
        })?;
        scenario.validate()?;
        Ok(scenario)
    }

    /// How long latencies are not yet recorded: at most half the run, so that a short one still measures something.
    pub fn warmup(&self) -> Duration {
        Duration::from_secs_f64(self.warmup_s.min(self.duration_s / 2.0))
    }

    /// Sends per second of an open loop, in the mean over the whole run; `None`: a closed loop.
    pub fn mean_rate_per_s(&self) -> Option<f64> {
        match (self.conversation, self.arrival, self.shape) {
            (Conversation::None {}, ..) => Some(0.0),
            (_, Arrival::Closed, _) => None,
            (_, _, Shape::Steady {}) => Some(self.rate_per_s),
            (_, _, shape) => {
                let rate = Rate::new(self.rate_per_s, shape, self.duration_s);
                Some(rate.total() / self.duration_s)
            }
        }
    }

    /// How long messages are.
    pub(crate) fn sizes(&self) -> Sizes {
        Sizes { min: self.text_bytes, max: self.text_bytes_max.max(self.text_bytes) }
    }

    fn validate(&self) -> Result<(), ScenarioError> {
        let check = |sound: bool, field: &'static str, reason: &str| {
            if sound {
                Ok(())
            } else {
                Err(ScenarioError::Invalid { field, reason: reason.to_owned() })
            }
        };
        let positive = |value: f64, field| {
            check(
                value > 0.0 && value <= MOST_ALLOWED,
                field,
                "must be above 0 and at most 31536000",
            )
        };
        let not_negative = |value: f64, field| {
            check(
                (0.0..=MOST_ALLOWED).contains(&value),
                field,
                "must be at least 0 and at most 31536000",
            )
        };
        // What would come after the last send would never happen, and the run pass without it.
        let within = |at_s: f64, field| {
            let reason = format!("must be at least 0 and below duration_s ({})", self.duration_s);
            check((0.0..self.duration_s).contains(&at_s), field, &reason)
        };
        let share = |value: f64, field| {
            check((0.0..=1.0).contains(&value), field, "must be between 0 and 1")
        };
        check((1..=MAX_USERS).contains(&self.users), "users", "must be between 1 and 1000000")?;
        check(
            self.first_user_id >= 1 && self.first_user_id <= MAX_ID - u64::from(self.users),
            "first_user_id",
            "must be at least 1, and all ids below 2^53",
        )?;
        let members = self.conversation.members(self.users);
        if self.conversation.is_any() {
            let enough = members >= 2 || self.conversation == Conversation::Alone {};
            check(enough, "conversation.members", "must be at least 2")?;
            let whole = self.users >= members && self.users.is_multiple_of(members);
            check(whole, "users", &format!("must be a multiple of {members}, to sit together"))?;
        }
        not_negative(self.rate_per_s, "rate_per_s")?;
        match self.shape {
            Shape::Steady {} => {}
            Shape::Ramp { to_per_s } => not_negative(to_per_s, "shape.to_per_s")?,
            Shape::Steps { to_per_s, steps } => {
                not_negative(to_per_s, "shape.to_per_s")?;
                check((2..=1000).contains(&steps), "shape.steps", "must be between 2 and 1000")?;
            }
            Shape::Spike { at_s, for_s, to_per_s } => {
                within(at_s, "shape.at_s")?;
                positive(for_s, "shape.for_s")?;
                not_negative(to_per_s, "shape.to_per_s")?;
            }
        }
        let has_schedule = self.arrival != Arrival::Closed;
        check(
            has_schedule || self.shape == Shape::Steady {},
            "shape",
            "must be steady in a closed loop, which follows the answers and no rate",
        )?;
        check(
            self.mean_rate_per_s() != Some(0.0) || !self.conversation.is_any(),
            "rate_per_s",
            "must be above 0 where users have a conversation; one of kind \"none\" measures connections alone",
        )?;
        not_negative(self.think_s, "think_s")?;
        check((1..=1024).contains(&self.at_once), "at_once", "must be between 1 and 1024")?;
        check(
            self.at_once == 1 || !has_schedule,
            "at_once",
            "is for a closed loop (arrival = \"closed\"); a schedule waits for nobody",
        )?;
        check(
            has_schedule || self.depth == 0 || self.at_once <= self.depth,
            "at_once",
            &format!(
                "must be at most depth ({}): more would wait here, not be under way",
                self.depth
            ),
        )?;
        positive(self.duration_s, "duration_s")?;
        not_negative(self.warmup_s, "warmup_s")?;
        check(
            self.text_bytes >= message::MIN_TEXT_BYTES && self.text_bytes <= 1 << 20,
            "text_bytes",
            "must be at least 40 and at most 1048576",
        )?;
        check(
            self.text_bytes_max == 0 || (self.text_bytes..=1 << 20).contains(&self.text_bytes_max),
            "text_bytes_max",
            "must be 0, or at least text_bytes and at most 1048576",
        )?;
        share(self.activity.typing, "activity.typing")?;
        share(self.activity.history, "activity.history")?;
        not_negative(self.activity.receipts_every_s, "activity.receipts_every_s")?;
        match self.connections {
            Connections::Hold {} | Connections::Storm {} => {}
            Connections::Reconnect { at_s, share: cut, spread_s } => {
                within(at_s, "connections.at_s")?;
                share(cut, "connections.share")?;
                not_negative(spread_s, "connections.spread_s")?;
            }
            Connections::Churn { rate_per_s, away_s } => {
                positive(rate_per_s, "connections.rate_per_s")?;
                not_negative(away_s, "connections.away_s")?;
            }
        }
        let comes_back =
            !matches!(self.connections, Connections::Reconnect { .. } | Connections::Churn { .. });
        check(
            self.retry || comes_back,
            "retry",
            "must be true where connections are cut: users come back",
        )?;
        positive(self.connect_rate_per_s, "connect_rate_per_s")?;
        positive(self.connect_limit_s, "connect_limit_s")?;
        check(
            (0.0..1.0).contains(&self.slow_readers.share),
            "slow_readers.share",
            "must be at least 0 and below 1",
        )?;
        not_negative(self.drain_s, "drain_s")?;
        let longest_away_s = match self.connections {
            Connections::Hold {} | Connections::Storm {} => 0.0,
            Connections::Reconnect { at_s, spread_s, .. } => at_s + spread_s - self.duration_s,
            Connections::Churn { away_s, .. } => away_s,
        };
        check(
            longest_away_s <= self.drain_s,
            "drain_s",
            "must be long enough for those to come back who were cut last (connections.away_s, or at_s + spread_s)",
        )?;
        for (field, time_ms) in self.thresholds.times_ms() {
            not_negative(time_ms, field)?;
        }
        check((1..=256).contains(&self.threads), "threads", "must be between 1 and 256")?;
        match self.protocol.refusal(self) {
            Some((field, reason)) => Err(ScenarioError::Invalid { field, reason }),
            None => Ok(()),
        }
    }
}

const fn default_first_user_id() -> u64 {
    1_000_000_001
}
const fn default_text_bytes() -> usize {
    64
}
const fn default_depth() -> u32 {
    16
}
const fn default_connect_rate() -> f64 {
    1000.0
}
const fn default_at_once() -> u32 {
    1
}
const fn default_think_s() -> f64 {
    1.0
}
const fn default_connect_limit_s() -> f64 {
    30.0
}
const fn default_drain_s() -> f64 {
    10.0
}
const fn default_threads() -> u32 {
    1
}
const fn default_true() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECT: &str = include_str!("../scenarios/direct.toml");

    fn parse(overrides: &[&str]) -> Result<Scenario, String> {
        let overrides: Vec<_> = overrides.iter().map(|&argument| argument.to_owned()).collect();
        Scenario::parse(DIRECT, &overrides).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shipped_scenario_is_valid_and_every_field_can_be_set() {
        let scenario = parse(&[
            "users=20",
            "encoding=json",
            "rate_per_s=2000",
            "duration_s=5",
            "name=\"my run\"",
            "arrival=constant",
            "thresholds.ack_p99_ms=10",
            "conversation.kind=room",
            "shape={kind='spike', at_s=1, for_s=2, to_per_s=50}",
            "activity.receipts_every_s=2",
            "verify=counters",
        ])
        .unwrap();
        assert_eq!(scenario.users, 20);
        assert_eq!(scenario.encoding, Encoding::Json);
        assert_eq!(scenario.arrival, Arrival::Constant);
        assert!((scenario.rate_per_s - 2000.0).abs() < f64::EPSILON);
        assert_eq!(scenario.name, "my run");
        assert_eq!(scenario.thresholds.ack_p99_ms, Some(10.0));
        assert_eq!(scenario.thresholds.lost, 0);
        assert_eq!(scenario.conversation, Conversation::Room {});
        assert_eq!(scenario.shape, Shape::Spike { at_s: 1.0, for_s: 2.0, to_per_s: 50.0 });
        assert_eq!(scenario.verify, Verify::Counters);
        assert_eq!(scenario.warmup(), Duration::from_secs(1));
        assert_eq!(parse(&["duration_s=1"]).unwrap().warmup(), Duration::from_millis(500));
    }

    #[test]
    fn every_shipped_scenario_is_valid_and_named_after_its_file() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 12, "{files:?}");
        for file in files {
            let scenario = Scenario::load(&file, &[]).unwrap();
            let stem = file.file_stem().and_then(|stem| stem.to_str());
            assert_eq!(Some(scenario.name.as_str()), stem);
        }
    }

    #[test]
    fn the_mean_rate_follows_the_shape_and_a_closed_loop_has_none() {
        let mean = |overrides: &[&str]| parse(overrides).unwrap().mean_rate_per_s();
        assert_eq!(mean(&[]), Some(1000.0));
        assert_eq!(mean(&["arrival=closed"]), None);
        assert_eq!(mean(&["conversation.kind=none"]), Some(0.0));
        let ramp = mean(&["shape={kind='ramp', to_per_s=3000}"]).unwrap();
        assert!((ramp - 2000.0).abs() < 1e-6, "{ramp}");
    }

    #[test]
    fn what_would_offer_nothing_or_less_than_it_says_is_refused() {
        let error = parse(&["rate_per_s=0"]).unwrap_err();
        assert!(error.contains("rate_per_s"), "{error}");
        assert!(parse(&["rate_per_s=0", "conversation.kind=none"]).is_ok());
        assert!(parse(&["rate_per_s=0", "shape={kind='ramp', to_per_s=5}"]).is_ok());
        assert!(parse(&["rate_per_s=0", "arrival=closed"]).is_ok());
        let error = parse(&["arrival=closed", "at_once=17"]).unwrap_err();
        assert!(error.contains("depth (16)"), "{error}");
        assert!(parse(&["arrival=closed", "at_once=17", "depth=0"]).is_ok());
        let error = parse(&["at_once=2"]).unwrap_err();
        assert!(error.contains("closed"), "{error}");
    }

    #[test]
    fn who_is_cut_comes_back_before_the_end() {
        for (plan, fits) in [
            ("{plan='churn', rate_per_s=1, away_s=9}", true),
            ("{plan='churn', rate_per_s=1, away_s=11}", false),
            ("{plan='reconnect', at_s=1, share=1, spread_s=9}", true),
            ("{plan='reconnect', at_s=1, share=1, spread_s=99}", false),
        ] {
            let parsed = parse(&["drain_s=10", &format!("connections={plan}")]);
            assert_eq!(parsed.is_ok(), fits, "{plan}");
            assert!(parsed.is_ok() || parsed.unwrap_err().contains("come back"), "{plan}");
        }
    }

    #[test]
    fn unknown_keys_name_the_valid_ones() {
        let error = parse(&["user=20"]).unwrap_err();
        assert!(error.contains("user") && error.contains("rate_per_s"), "{error}");
        let error = parse(&["thresholds.p99=20"]).unwrap_err();
        assert!(error.contains("p99") && error.contains("ack_p99_ms"), "{error}");
        let error = parse(&["connections={plan='churn', rate=3}"]).unwrap_err();
        assert!(error.contains("rate_per_s") && error.contains("away_s"), "{error}");
        let error = parse(&["shape.kind=stairs"]).unwrap_err();
        assert!(error.contains("stairs") && error.contains("steps"), "{error}");
    }

    #[test]
    fn a_closed_loop_has_no_rate_that_could_change() {
        let shape = "shape={kind='ramp', to_per_s=9}";
        let error = parse(&["arrival=closed", shape]).unwrap_err();
        assert!(error.contains("shape must be steady"), "{error}");
        assert!(parse(&["arrival=poisson", shape]).is_ok());
    }

    #[test]
    fn impossible_values_are_refused_by_name() {
        for (argument, field) in [
            ("users=3", "users"),
            ("users=0", "users"),
            ("rate_per_s=-1", "rate_per_s"),
            ("rate_per_s=nan", "rate_per_s"),
            ("warmup_s=-1", "warmup_s"),
            ("text_bytes=3", "text_bytes"),
            ("threads=0", "threads"),
            ("first_user_id=9007199254740991", "first_user_id"),
            ("users", "key=value"),
            ("name.x=3", "not a table"),
            ("conversation={kind='groups', members=7}", "multiple of 7"),
            ("conversation={kind='groups', members=1}", "members"),
            ("conversation.kind=crowd", "crowd"),
            ("conversation={kind='pairs', members=2}", "members"),
            ("shape={kind='steps', to_per_s=9, steps=1}", "shape.steps"),
            ("connections={plan='reconnect', at_s=1, share=2}", "connections.share"),
            ("slow_readers.share=1", "slow_readers.share"),
            ("text_bytes_max=41", "text_bytes_max"),
            ("activity.typing=1.5", "activity.typing"),
            ("thresholds.ack_p99_ms=nan", "thresholds.ack_p99_ms"),
            ("thresholds.send_slip_p99_ms=-1", "thresholds.send_slip_p99_ms"),
            ("connections={plan='reconnect', at_s=86400}", "connections.at_s"),
            ("shape={kind='spike', at_s=86400, for_s=1, to_per_s=9}", "shape.at_s"),
            ("users=-1", "users"),
            ("thresholds.lost=x", "thresholds.lost"),
            ("conversation=foo", "conversation"),
        ] {
            let error = parse(&[argument]).unwrap_err();
            assert!(error.contains(field), "{argument}: {error}");
        }
    }
}
