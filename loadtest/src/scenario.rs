//! What a run does: a TOML file, with single fields overridden from the command line.
//!
//! ```text
//!   direct.toml ──► table ──► --set users=1000 … ──► Scenario (validated once; nothing later checks again)
//! ```
//!
//! Invariant: an unknown key is an error that lists the valid ones, in the file as on the command line, so that a
//! misspelt field never silently measures something else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ringwire_protocol::codec;
use ringwire_protocol::ids::MAX_ID;
use serde::{Deserialize, Serialize};

use crate::message;
use crate::threshold::Thresholds;

/// The most users a process can hold: what is left of its file descriptors is decided when it starts.
const MAX_USERS: u32 = 1_000_000;

/// A load test, complete and valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the report calls it.
    pub name: String,
    /// Virtual users; even, because they talk in pairs.
    pub users: u32,
    /// The id of the first user; the others follow.
    #[serde(default = "default_first_user_id")]
    pub first_user_id: u64,
    /// How the schema travels.
    #[serde(default)]
    pub encoding: Encoding,
    /// Sends per second over all users.
    pub rate_per_s: f64,
    /// How sends are spread over time.
    #[serde(default)]
    pub arrival: Arrival,
    /// How long sends are offered, in seconds, warm-up included.
    pub duration_s: f64,
    /// How long latencies are not yet recorded, in seconds; see [`Self::warmup`].
    #[serde(default)]
    pub warmup_s: f64,
    /// Bytes of text in each message.
    #[serde(default = "default_text_bytes")]
    pub text_bytes: usize,
    /// The most unacknowledged sends per user; 0: the server's own limit.
    #[serde(default = "default_depth")]
    pub depth: u32,
    /// New connections per second.
    #[serde(default = "default_connect_rate")]
    pub connect_rate_per_s: f64,
    /// Whether lost connections and temporary refusals are overcome.
    #[serde(default = "default_true")]
    pub retry: bool,
    /// How long to wait, after the last send, for what is still under way, in seconds.
    #[serde(default = "default_drain_s")]
    pub drain_s: f64,
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

/// How sends are spread over time; both are open loops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrival {
    /// Evenly spaced.
    #[default]
    Constant,
    /// Independent of each other: exponential gaps.
    Poisson,
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
            set(&mut table, argument)?;
        }
        let scenario: Self = table
            .try_into()
            .map_err(|error: toml::de::Error| ScenarioError::Parse(error.message().to_owned()))?;
        scenario.validate()?;
        Ok(scenario)
    }

    /// How long latencies are not yet recorded: at most half the run, so that a short one still measures something.
    pub fn warmup(&self) -> Duration {
        Duration::from_secs_f64(self.warmup_s.min(self.duration_s / 2.0))
    }

    fn validate(&self) -> Result<(), ScenarioError> {
        let check = |sound: bool, field: &'static str, reason: &str| {
            if sound {
                Ok(())
            } else {
                Err(ScenarioError::Invalid { field, reason: reason.to_owned() })
            }
        };
        // A year, and as many sends a second as nobody can make: what is beyond would overflow clocks.
        let positive = |value: f64| value > 0.0 && value <= 31_536_000.0;
        check(
            self.users >= 2 && self.users.is_multiple_of(2) && self.users <= MAX_USERS,
            "users",
            "must be an even number of at least 2 and at most 1000000",
        )?;
        check(
            self.first_user_id >= 1 && self.first_user_id <= MAX_ID - u64::from(self.users),
            "first_user_id",
            "must be at least 1, and all ids below 2^53",
        )?;
        check(positive(self.rate_per_s), "rate_per_s", "must be above 0 and at most 31536000")?;
        check(positive(self.duration_s), "duration_s", "must be above 0 and at most 31536000")?;
        let warmup_is_sound = self.warmup_s.is_finite() && self.warmup_s >= 0.0;
        check(warmup_is_sound, "warmup_s", "must be at least 0")?;
        check(
            self.text_bytes >= message::MIN_TEXT_BYTES && self.text_bytes <= 1 << 20,
            "text_bytes",
            "must be at least 40 and at most 1048576",
        )?;
        check(
            positive(self.connect_rate_per_s),
            "connect_rate_per_s",
            "must be above 0 and at most 31536000",
        )?;
        check(self.drain_s.is_finite() && self.drain_s >= 0.0, "drain_s", "must be at least 0")?;
        check((1..=256).contains(&self.threads), "threads", "must be between 1 and 256")
    }
}

/// Applies one `key=value`; a dot leads into a table: `thresholds.lost=0`.
fn set(table: &mut toml::Table, argument: &str) -> Result<(), ScenarioError> {
    let fail = |reason: &str| ScenarioError::Set {
        argument: argument.to_owned(),
        reason: reason.to_owned(),
    };
    let (key, value) =
        argument.split_once('=').ok_or_else(|| fail("expected key=value, as in users=1000"))?;
    let (key, value) = (key.trim(), value.trim());
    let mut table = table;
    let mut names = key.split('.').peekable();
    while let Some(name) = names.next() {
        if name.is_empty() {
            return Err(fail("the key is empty"));
        }
        if names.peek().is_none() {
            table.insert(name.to_owned(), scalar(value));
            return Ok(());
        }
        table = table
            .entry(name)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()
            .ok_or_else(|| fail(&format!("{name} is not a table")))?;
    }
    Err(fail("the key is empty"))
}

/// A value as the command line gives it: TOML where it is TOML, else text, so that `encoding=json` needs no quotes.
fn scalar(value: &str) -> toml::Value {
    toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()))
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
        ])
        .unwrap();
        assert_eq!(scenario.users, 20);
        assert_eq!(scenario.encoding, Encoding::Json);
        assert_eq!(scenario.arrival, Arrival::Constant);
        assert!((scenario.rate_per_s - 2000.0).abs() < f64::EPSILON);
        assert_eq!(scenario.name, "my run");
        assert_eq!(scenario.thresholds.ack_p99_ms, Some(10.0));
        assert_eq!(scenario.thresholds.lost, 0);
        assert_eq!(scenario.warmup(), Duration::from_secs(1));
        assert_eq!(parse(&["duration_s=1"]).unwrap().warmup(), Duration::from_millis(500));
    }

    #[test]
    fn unknown_keys_name_the_valid_ones() {
        let error = parse(&["user=20"]).unwrap_err();
        assert!(error.contains("user") && error.contains("rate_per_s"), "{error}");
        let error = parse(&["thresholds.p99=20"]).unwrap_err();
        assert!(error.contains("p99") && error.contains("ack_p99_ms"), "{error}");
    }

    #[test]
    fn impossible_values_are_refused_by_name() {
        for (argument, field) in [
            ("users=3", "users"),
            ("users=0", "users"),
            ("rate_per_s=0", "rate_per_s"),
            ("rate_per_s=nan", "rate_per_s"),
            ("warmup_s=-1", "warmup_s"),
            ("text_bytes=3", "text_bytes"),
            ("threads=0", "threads"),
            ("first_user_id=9007199254740991", "first_user_id"),
            ("users", "key=value"),
            ("name.x=3", "not a table"),
        ] {
            let error = parse(&[argument]).unwrap_err();
            assert!(error.contains(field), "{argument}: {error}");
        }
    }
}
