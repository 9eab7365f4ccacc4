//! The audit log: who did what with an operator's power. Rows are only ever added.

use ringwire_protocol::{UnixMs, UserId};

use crate::error::StoreError;
use crate::operators::OperatorId;
use crate::store::{Store, either};

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
        }
    }
}

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Rises; not without gaps.
    pub id: i64,
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
    pub(crate) before: (UnixMs, i64),
    pub(crate) limit: i64,
}

impl Store {
    /// Adds a row, in a transaction of its own. When its outcome is unknown a second call may make a second row.
    pub async fn append_audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        either!(self, store => store.append_audit(entry).await)
    }

    /// Rows, newest first, and whether there are more. `after`: time and id of the last row of the page before.
    pub async fn audit_page(
        &self,
        filter: AuditFilter,
        after: Option<(UnixMs, i64)>,
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
