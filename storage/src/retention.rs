//! Retention: which entries are old enough to go, and the steps in which they do.
//!
//! ```text
//!   page of conversations ─► due? ─► no mark: note the head ── 10 minutes ──► remove a prefix, raise the floor
//! ```
//!
//! Invariants:
//! - Only a prefix of a log goes, never the newest entry: the head stays what it was.
//! - Nothing goes that was committed less than 10 minutes ago by the *database's* clock: only what lay at or below
//!   a head noted that long ago. So an owner that trusts its head (60 s) never meets a hole where the entry that would
//!   contradict it has been.
//! - The floor rises in the transaction that removes.
//! - Conversations are taken one by one, each in a transaction of its own, by one node at a time.

use ringwire_protocol::{ConversationId, Seq, UnixMs};

use crate::error::StoreError;
use crate::model::ConversationKind;
use crate::store::{Store, either};

/// How long an entry has been committed before it may go, in milliseconds.
pub(crate) const SETTLED_MS: i64 = 10 * 60 * 1_000;
/// Conversations looked at in one step.
pub(crate) const PAGE: i64 = 200;
/// Entries removed from one conversation in one transaction.
pub(crate) const BITE: i64 = 500;
/// Entries removed in one step, give or take a bite.
const STEP: u64 = 2_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How long the entries of one kind of conversation stay. Both rules hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepRule {
    /// Entries older than this many days go; 0: none.
    pub days: u32,
    /// Of older entries than the newest so many; 0: none goes.
    pub count: u32,
}

/// How long entries stay, by kind of conversation. The default keeps everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionRules {
    /// For direct conversations.
    pub direct: KeepRule,
    /// For groups.
    pub group: KeepRule,
    /// For rooms.
    pub room: KeepRule,
}

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionStep {
    /// Where the next step begins; `None`: every conversation has been looked at, or another node is at it.
    pub next: Option<ConversationId>,
    /// Entries removed.
    pub removed: u64,
}

/// Both ends of a log, and what the database's clock says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogEnds {
    pub(crate) conversation_id: ConversationId,
    pub(crate) kind: ConversationKind,
    /// The oldest entry there is; `None`: the log is empty.
    pub(crate) oldest: Option<(Seq, UnixMs)>,
    pub(crate) head_seq: Seq,
    pub(crate) now_ms: UnixMs,
}

/// What a transaction on one conversation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bite {
    /// Another node is at it.
    Elsewhere,
    /// So many entries are gone; whether more of them may go at once.
    Removed { entries: u64, more: bool },
}

impl KeepRule {
    /// Whether the entry goes, as far as this rule is concerned.
    pub(crate) fn is_over(self, seq: Seq, created_at: UnixMs, head: Seq, now_ms: UnixMs) -> bool {
        let too_old =
            self.days > 0 && created_at < now_ms.saturating_sub(i64::from(self.days) * DAY_MS);
        let too_many = self.count > 0 && seq.saturating_add(self.count.into()) <= head;
        too_old || too_many
    }
}

impl RetentionRules {
    /// Whether nothing ever goes.
    pub fn keep_everything(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) const fn of(&self, kind: ConversationKind) -> KeepRule {
        match kind {
            ConversationKind::Direct => self.direct,
            ConversationKind::Group => self.group,
            ConversationKind::Room => self.room,
        }
    }

    fn is_due(&self, log: &LogEnds) -> bool {
        log.oldest.is_some_and(|(seq, created_at)| {
            seq < log.head_seq
                && self.of(log.kind).is_over(seq, created_at, log.head_seq, log.now_ms)
        })
    }
}

/// The last entry of the prefix that goes, given the oldest entries in order; all of them are settled and below the
/// head.
pub(crate) fn prefix_end(
    oldest: &[(Seq, UnixMs)],
    rule: KeepRule,
    head: Seq,
    now_ms: UnixMs,
) -> Option<Seq> {
    let over = |&&(seq, at): &&(Seq, UnixMs)| rule.is_over(seq, at, head, now_ms);
    oldest.iter().take_while(over).last().map(|&(seq, _)| seq)
}

impl Store {
    /// Looks at some conversations from `from` on (`None`: from the first) and removes what the rules let go, up to a
    /// few thousand entries. An entry goes at the second visit, 10 minutes or more after the first.
    pub async fn retention_step(
        &self,
        rules: &RetentionRules,
        from: Option<ConversationId>,
    ) -> Result<RetentionStep, StoreError> {
        let mut step = RetentionStep::default();
        if rules.keep_everything() {
            return Ok(step);
        }
        // One more than are looked at: the next step begins there.
        let page = either!(self, store => store.log_ends(from, PAGE + 1).await?);
        for (place, log) in page.iter().enumerate() {
            let id = log.conversation_id;
            if step.removed >= STEP || place as i64 == PAGE {
                step.next = Some(id);
                return Ok(step);
            }
            let mut more = rules.is_due(log);
            while more {
                match either!(self, store => store.trim(id, rules.of(log.kind)).await?) {
                    Bite::Elsewhere => return Ok(step),
                    Bite::Removed { entries, more: left } => {
                        step.removed += entries;
                        more = left;
                    }
                }
                if more && step.removed >= STEP {
                    step.next = Some(id);
                    return Ok(step);
                }
            }
        }
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::conversation;

    const NOW: UnixMs = 100 * DAY_MS;

    fn log(times: &[UnixMs]) -> Vec<(Seq, UnixMs)> {
        (1..).zip(times.iter().copied()).collect()
    }

    #[test]
    fn age_takes_what_is_older_and_stops_at_the_first_that_is_not() {
        let rule = KeepRule { days: 10, count: 0 };
        let edge = NOW - 10 * DAY_MS;
        assert_eq!(prefix_end(&log(&[0, edge - 1, edge, 0]), rule, 9, NOW), Some(2));
        assert_eq!(prefix_end(&log(&[edge]), rule, 9, NOW), None);
    }

    #[test]
    fn count_keeps_exactly_so_many() {
        let rule = KeepRule { days: 0, count: 3 };
        assert_eq!(prefix_end(&log(&[NOW; 5]), rule, 7, NOW), Some(4));
        assert_eq!(prefix_end(&log(&[NOW; 5]), rule, 3, NOW), None);
    }

    #[test]
    fn two_rules_let_go_what_either_does_and_none_lets_go_nothing() {
        let both = KeepRule { days: 10, count: 3 };
        assert_eq!(prefix_end(&log(&[0, 0, NOW, NOW]), both, 4, NOW), Some(2));
        assert_eq!(prefix_end(&log(&[0, 0]), KeepRule::default(), 1_000, NOW), None);
    }

    #[test]
    fn the_newest_entry_alone_is_never_due() {
        let rules =
            RetentionRules { direct: KeepRule { days: 1, count: 1 }, ..RetentionRules::default() };
        let ends = |kind, oldest, head_seq| LogEnds {
            conversation_id: conversation(1),
            kind,
            oldest,
            head_seq,
            now_ms: NOW,
        };
        assert!(rules.is_due(&ends(ConversationKind::Direct, Some((4, 0)), 5)));
        assert!(!rules.is_due(&ends(ConversationKind::Direct, Some((5, 0)), 5)));
        assert!(!rules.is_due(&ends(ConversationKind::Group, Some((4, 0)), 5)));
        assert!(!rules.is_due(&ends(ConversationKind::Direct, None, 0)));
    }
}
