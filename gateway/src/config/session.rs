//! `[session]`: what a user's sessions mean to each other, and how long one outlives its connection.

use serde::{Deserialize, Serialize};

use super::number::Number;
use super::validate::{Invalid, invalid};

/// The longest time a session may outlive its connection, in seconds.
const MOST_RESUME_S: u32 = 3600;

/// What a user's sessions mean to each other, and how long one outlives its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// On how many devices a user may be at a time.
    pub policy: DevicePolicy,
    /// What becomes of a session that is one too many.
    pub on_conflict: OnConflict,
    /// How long a session can be resumed after its connection ended, in seconds; 0: not at all.
    pub resume_s: u32,
}

/// On how many devices a user may be at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DevicePolicy {
    /// On any number, up to [`super::LimitsConfig::max_sessions_per_user`].
    Multi,
    /// On one of each class: one phone, one desktop.
    OnePerDeviceClass,
    /// On one.
    Single,
}

/// What becomes of a session that is one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The one that is there ends.
    KickOld,
    /// The one that comes is refused.
    RefuseNew,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawSession {
    pub(super) policy: String,
    pub(super) on_conflict: String,
    pub(super) resume_s: Number,
}

impl Default for RawSession {
    fn default() -> Self {
        Self {
            policy: "multi".to_owned(),
            on_conflict: "kick_old".to_owned(),
            resume_s: Number::Whole(60),
        }
    }
}

pub(super) fn session(raw: RawSession) -> Result<SessionConfig, Invalid> {
    let policy = match raw.policy.as_str() {
        "multi" => DevicePolicy::Multi,
        "one_per_device_class" => DevicePolicy::OnePerDeviceClass,
        "single" => DevicePolicy::Single,
        _ => {
            let expected = "multi, one_per_device_class or single";
            return Err(invalid("session.policy", raw.policy, expected));
        }
    };
    let on_conflict = match raw.on_conflict.as_str() {
        "kick_old" => OnConflict::KickOld,
        "refuse_new" => OnConflict::RefuseNew,
        _ => return Err(invalid("session.on_conflict", raw.on_conflict, "kick_old or refuse_new")),
    };
    let resume_s = raw.resume_s.within("session.resume_s", 0, MOST_RESUME_S)?;
    Ok(SessionConfig { policy, on_conflict, resume_s })
}
