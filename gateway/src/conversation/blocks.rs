//! Whether one of the two of a direct conversation blocks the other: a fact of the directory, not of the log, so it is
//! only known as of some moment.
//!
//! Invariants: a send is decided by what was asked of the store at most [`limits::BLOCKS_TRUST`] ago, or, where no other
//! process writes to the database, since the last block that was made or ended here. An answer that was asked for before
//! that is asked for again.

use std::time::Instant;

use crate::limits;

#[derive(Debug)]
struct Question {
    asked: u64,
    at: Instant,
    outdated: bool,
}

/// What is known of blocks between two users.
#[derive(Debug)]
pub(super) struct Blocks {
    blocked: bool,
    /// When that was asked.
    known_at: Option<Instant>,
    question: Option<Question>,
}

impl Blocks {
    /// As a snapshot that was asked for at `at` says.
    pub(super) fn new(blocked: bool, at: Instant) -> Self {
        Self { blocked, known_at: Some(at), question: None }
    }

    /// Whether one blocks the other, if that is known well enough.
    pub(super) fn known(&self, at: Instant, alone: bool) -> Option<bool> {
        let fresh =
            |known: &Instant| alone || at.saturating_duration_since(*known) <= limits::BLOCKS_TRUST;
        self.known_at.filter(fresh).map(|_| self.blocked)
    }

    /// What was known last, for what does not depend on it.
    pub(super) fn last_known(&self) -> bool {
        self.blocked
    }

    /// A block was made or ended, after which it was so; another may have been since.
    pub(super) fn forget(&mut self, blocked: bool) {
        self.blocked = blocked;
        self.known_at = None;
        if let Some(question) = &mut self.question {
            question.outdated = true;
        }
    }

    /// Begins to ask; `false`: it is being asked.
    pub(super) fn ask(&mut self, asked: u64, at: Instant) -> bool {
        if self.question.is_some() {
            return false;
        }
        self.question = Some(Question { asked, at, outdated: false });
        true
    }

    /// Whether nobody asks.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.question.is_none()
    }

    /// The answer to the question `asked`, or none; `false`: nobody asks any more.
    pub(super) fn answered(&mut self, asked: u64, blocked: Option<bool>) -> bool {
        if self.question.as_ref().is_none_or(|question| question.asked != asked) {
            return false;
        }
        if let Some(question) = self.question.take()
            && let Some(blocked) = blocked
            && !question.outdated
        {
            self.blocked = blocked;
            self.known_at = Some(question.at);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_known_grows_old_unless_nobody_else_writes() {
        let at = Instant::now();
        let blocks = Blocks::new(true, at);
        let later = at + limits::BLOCKS_TRUST + Duration::from_millis(1);
        assert_eq!(blocks.known(at + limits::BLOCKS_TRUST, false), Some(true));
        assert_eq!(blocks.known(later, false), None);
        assert_eq!(blocks.known(later, true), Some(true));
    }

    #[test]
    fn an_answer_from_before_a_change_is_not_believed() {
        let at = Instant::now();
        let mut blocks = Blocks::new(false, at);
        blocks.forget(true);
        assert_eq!((blocks.known(at, true), blocks.last_known()), (None, true));
        assert!(blocks.ask(1, at) && !blocks.ask(2, at));
        blocks.forget(false);
        assert!(blocks.answered(1, Some(false)));
        assert_eq!(blocks.known(at, true), None, "asked again");
        assert!(blocks.ask(3, at));
        assert!(!blocks.answered(1, Some(false)), "the answer to an older question");
        assert!(blocks.answered(3, Some(true)) && blocks.is_idle());
        assert_eq!(blocks.known(at, false), Some(true));
    }
}
