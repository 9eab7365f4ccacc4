//! `[storage.retention]`: how long entries stay, and rows of the audit log.

use std::time::Duration;

use ringwire_storage::retention::{KeepRule, RetentionRules};
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::validate::Invalid;

/// A century, for ages and pauses that somebody means as "very long".
const MOST_DAYS: u32 = 36_500;

/// How long entries stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// By kind of conversation.
    pub rules: RetentionRules,
    /// How long after a look at every conversation the next one begins.
    pub pass: Duration,
    /// How long rows of the audit log stay, in days; 0: for ever.
    pub audit_days: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawRetention {
    pub(super) direct_days: Number,
    pub(super) direct_count: Number,
    pub(super) group_days: Number,
    pub(super) group_count: Number,
    pub(super) room_days: Number,
    pub(super) room_count: Number,
    pub(super) pass_s: Number,
    pub(super) audit_days: Number,
}

impl Default for RawRetention {
    fn default() -> Self {
        Self {
            direct_days: Number::Whole(0),
            direct_count: Number::Whole(0),
            group_days: Number::Whole(0),
            group_count: Number::Whole(0),
            room_days: Number::Whole(0),
            room_count: Number::Whole(0),
            pass_s: Number::Whole(600),
            audit_days: Number::Whole(365),
        }
    }
}

pub(super) fn retention(raw: &RawRetention) -> Result<RetentionConfig, Invalid> {
    let rule = |kind: &str, days: &Number, count: &Number| {
        Ok(KeepRule {
            days: days.within(&format!("storage.retention.{kind}_days"), 0, MOST_DAYS)?,
            count: count.within(&format!("storage.retention.{kind}_count"), 0, u32::MAX)?,
        })
    };
    let pass_s = raw.pass_s.within("storage.retention.pass_s", 1, 7 * 24 * 60 * 60)?;
    Ok(RetentionConfig {
        rules: RetentionRules {
            direct: rule("direct", &raw.direct_days, &raw.direct_count)?,
            group: rule("group", &raw.group_days, &raw.group_count)?,
            room: rule("room", &raw.room_days, &raw.room_count)?,
        },
        pass: Duration::from_secs(pass_s.into()),
        audit_days: raw.audit_days.within("storage.retention.audit_days", 0, MOST_DAYS)?,
    })
}
