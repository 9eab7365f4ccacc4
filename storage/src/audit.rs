//! The audit log: who did what with an operator's power, and what became of it.
//!
//! ```text
//!   what changes something: row, `tried` ─► it is done ─► the row says `done`, or the code of the refusal
//!   a look, a refusal: ─────────────────────────────────► row
//!   old rows: removed by age, a page at a time
//! ```
//!
//! Invariants: a row is added before anything changes; its outcome is told once and never again, nothing else of it
//! changes but the detail that comes with the outcome.

use ringwire_protocol::{UnixMs, UserId};

use crate::error::StoreError;
use crate::operators::OperatorId;
use crate::store::{Store, either};

/// Rows that are removed in one step.
pub(crate) const EXPIRED_PAGE: i64 = 1_000;
const DAY_MS: UnixMs = 24 * 60 * 60 * 1_000;

/// Names a row; rises, not without gaps.
pub type AuditId = i64;

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AuditOutcome {
    /// It was to be done next; how it went is told later, or by nobody if the node came to an end.
    Tried,
    /// It was done.
    Done,
    /// It was not: the name of the error's code.
    Refused(String),
}

impl AuditOutcome {
    /// Codes are in capital letters, so this is none.
    const DONE: &str = "done";

    /// As the column has it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Tried => "",
            Self::Done => Self::DONE,
            Self::Refused(code) => code,
        }
    }

    pub(crate) fn from_text(text: String) -> Self {
        match text.as_str() {
            "" => Self::Tried,
            Self::DONE => Self::Done,
            _ => Self::Refused(text),
        }
    }
}

/// What is to be remembered. No secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Which user did it; `None`: an operator, the server itself, or a command at the console.
    pub actor: Option<UserId>,
    /// Which operator did it.
    pub operator: Option<OperatorId>,
    /// What, as `thing.verb`.
    pub action: String,
    /// To what, as `thing:id`.
    pub target: String,
    /// More about it, a JSON object.
    pub detail: String,
    /// How it went.
    pub outcome: AuditOutcome,
}

impl AuditEntry {
    /// The end of an account.
    pub(crate) fn user_deleted(user: UserId, actor: Option<UserId>) -> Self {
        Self {
            actor,
            operator: None,
            action: "user.delete".to_owned(),
            target: format!("user:{user}"),
            detail: "{}".to_owned(),
            outcome: AuditOutcome::Done,
        }
    }
}

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Which.
    pub id: AuditId,
    /// When, by the database's clock.
    pub at: UnixMs,
    /// What.
    pub entry: AuditEntry,
}

/// Whose rows to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditActor {
    /// Everybody's.
    #[default]
    Anyone,
    /// Those of operators, the server and the console.
    Server,
    /// Those of one user.
    User(UserId),
}

impl AuditActor {
    /// As the column has it; `None`: whatever it has.
    pub(crate) fn number(self) -> Option<i64> {
        match self {
            Self::Anyone => None,
            Self::Server => Some(0),
            Self::User(id) => Some(id.as_i64()),
        }
    }
}

/// Which rows to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of whom.
    pub actor: AuditActor,
    /// From this time on; `None`: from the first.
    pub from: Option<UnixMs>,
    /// Before this time; `None`: to the newest.
    pub until: Option<UnixMs>,
}

/// A page of the log: the rows after `from`, before a time and an id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuditWindow {
    pub(crate) from: UnixMs,
    pub(crate) before: (UnixMs, AuditId),
    pub(crate) limit: i64,
}

impl Store {
    /// Adds a row, in a transaction of its own. When its outcome is unknown a second call may make a second row.
    pub async fn append_audit(&self, entry: AuditEntry) -> Result<AuditId, StoreError> {
        either!(self, store => store.append_audit(entry).await)
    }

    /// Tells how something went that was only [tried](AuditOutcome::Tried) so far, and more about it if there is more.
    pub async fn finish_audit(
        &self,
        id: AuditId,
        outcome: AuditOutcome,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        either!(self, store => store.finish_audit(id, outcome, detail).await)
    }

    /// Removes some of the rows that are older than so many days by the database's clock; whether there may be more.
    pub async fn expire_audit(&self, days: u32) -> Result<bool, StoreError> {
        let kept_ms = DAY_MS * UnixMs::from(days);
        let removed = either!(self, store => store.expire_audit(kept_ms).await?);
        Ok(removed >= EXPIRED_PAGE.unsigned_abs())
    }

    /// Rows, newest first, and whether there are more. `after`: time and id of the last row of the page before.
    pub async fn audit_page(
        &self,
        filter: AuditFilter,
        after: Option<(UnixMs, AuditId)>,
        limit: u32,
    ) -> Result<(Vec<AuditRow>, bool), StoreError> {
        let before = (filter.until.unwrap_or(UnixMs::MAX), i64::MIN);
        let window = AuditWindow {
            from: filter.from.unwrap_or(UnixMs::MIN),
            before: after.map_or(before, |after| after.min(before)),
            limit: i64::from(limit) + 1,
        };
        let actor = filter.actor.number();
        let mut rows = either!(self, store => store.audit_page(actor, window).await?);
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok((rows, more))
    }
}
