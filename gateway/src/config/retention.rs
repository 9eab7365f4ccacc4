//! `[storage.retention]`: how long entries stay.

use std::time::Duration;

use ringwire_storage::retention::{KeepRule, RetentionRules};
use serde::{Deserialize, Serialize};

use super::validate::{Invalid, within};

/// A century, for ages and pauses that somebody means as "very long".
const MOST_DAYS: u32 = 36_500;

/// How long entries stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// By kind of conversation.
    pub rules: RetentionRules,
    /// How long after a look at every conversation the next one begins.
    pub pass: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawRetention {
    pub(super) direct_days: u32,
    pub(super) direct_count: u32,
    pub(super) group_days: u32,
    pub(super) group_count: u32,
    pub(super) room_days: u32,
    pub(super) room_count: u32,
    pub(super) pass_s: u32,
}

impl Default for RawRetention {
    fn default() -> Self {
        Self {
            direct_days: 0,
            direct_count: 0,
            group_days: 0,
            group_count: 0,
            room_days: 0,
            room_count: 0,
            pass_s: 600,
        }
    }
}

pub(super) fn retention(raw: &RawRetention) -> Result<RetentionConfig, Invalid> {
    let rule = |kind: &str, days, count| {
        Ok(KeepRule {
            days: within(&format!("storage.retention.{kind}_days"), days, 0, MOST_DAYS)?,
            count,
        })
    };
    let pass_s = within("storage.retention.pass_s", raw.pass_s, 1, 7 * 24 * 60 * 60)?;
    Ok(RetentionConfig {
        rules: RetentionRules {
            direct: rule("direct", raw.direct_days, raw.direct_count)?,
            group: rule("group", raw.group_days, raw.group_count)?,
            room: rule("room", raw.room_days, raw.room_count)?,
        },
        pass: Duration::from_secs(pass_s.into()),
    })
}
