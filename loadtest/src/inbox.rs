//! Where one user stands in its conversation, and what it has to ask for.
//!
//! ```text
//!   arrive(cursor + 1) ──► the cursor moves          arrive(further on), lag(head) ──► Ask::CatchUp until caught up
//!   finish ──► Ask::CatchUp once more, Ask::Log page by page
//! ```
//!
//! Invariants: the cursor never falls; it moves by one, or over a page the server gave, or over a hole that the server
//! was asked for and could not fill (the ledger shows the hole). At most one of each question is open.

use ringwire_protocol::Seq;

use crate::verify::{Content, Via};

/// A `sync` to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// For what lies after this seq, to close a gap.
    CatchUp(Seq),
    /// For what lies after this seq, to read the log back.
    Log(Seq),
}

/// One question, over the lives of several connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    NotWanted,
    Wanted,
    Asked,
    Done,
}

/// One user's view of its conversation.
#[derive(Debug)]
pub(crate) struct Inbox {
    start: Seq,
    cursor: Seq,
    /// The highest seq heard of; above the cursor means there is a gap.
    highest: Seq,
    catch_up: Question,
    /// The server has told that there is something to ask for.
    told: bool,
    last_look: Question,
    log: Question,
    log_start: Seq,
    log_entries: Vec<(Seq, Content)>,
}

impl Inbox {
    /// The view of a conversation whose newest entry is `head`.
    pub(crate) fn new(head: Seq) -> Self {
        Self {
            start: head,
            cursor: head,
            highest: head,
            catch_up: Question::NotWanted,
            told: false,
            last_look: Question::NotWanted,
            log: Question::NotWanted,
            log_start: head,
            log_entries: Vec::new(),
        }
    }

    /// How far the user has got.
    pub(crate) fn cursor(&self) -> Seq {
        self.cursor
    }

    /// No gap is known.
    pub(crate) fn is_caught_up(&self) -> bool {
        !self.is_catching_up() && self.cursor >= self.highest
    }

    /// What [`Self::finish`] wanted is done.
    pub(crate) fn is_finished(&self) -> bool {
        self.last_look == Question::Done && matches!(self.log, Question::Done | Question::NotWanted)
    }

    /// An entry arrived by itself. `true`: it is the next one, and the cursor moved over it.
    pub(crate) fn arrive(&mut self, seq: Seq) -> bool {
        self.highest = self.highest.max(seq);
        let next = seq == self.cursor.saturating_add(1);
        if next {
            self.cursor = seq;
        } else if seq > self.cursor {
            self.want_to_catch_up();
        }
        next
    }

    /// The server told that the log goes up to `head` and that not all of it will be pushed.
    pub(crate) fn lag(&mut self, head: Seq) {
        self.highest = self.highest.max(head);
        self.told = true;
        self.want_to_catch_up();
    }

    /// Looks once more for what may be missing, and, if `read_log`, reads back everything since the start.
    pub(crate) fn finish(&mut self, read_log: bool) {
        self.last_look = Question::Wanted;
        if read_log {
            self.log = Question::Wanted;
        }
    }

    /// The connection is gone, and with it the questions asked on it. The next one says what is to be asked again:
    /// [`Self::resumed`] or [`Self::started_anew`].
    pub(crate) fn disconnected(&mut self) {
        self.catch_up = Question::NotWanted;
        for question in [&mut self.last_look, &mut self.log] {
            if *question == Question::Asked {
                *question = Question::Wanted;
            }
        }
    }

    /// A session goes on: what it would not push before, it still does not push.
    pub(crate) fn resumed(&mut self) {
        if self.told {
            self.want_to_catch_up();
        }
    }

    /// A session begins: the cursor given to it replaces the catching up.
    pub(crate) fn started_anew(&mut self) {
        self.told = false;
    }

    /// How far the log goes, as far as the user knows.
    pub(crate) fn highest(&self) -> Seq {
        self.highest
    }

    /// The next question to send.
    pub(crate) fn next_ask(&mut self) -> Option<Ask> {
        if self.last_look == Question::Wanted && !self.is_catching_up() {
            self.last_look = Question::Asked;
            self.want_to_catch_up();
        }
        if self.catch_up == Question::Wanted {
            self.catch_up = Question::Asked;
            return Some(Ask::CatchUp(self.cursor));
        }
        if self.log == Question::Wanted {
            self.log = Question::Asked;
            let from = match self.log_entries.last() {
                Some(&(seq, _)) => seq,
                None => self.start,
            };
            return Some(Ask::Log(from));
        }
        None
    }

    /// How the entries of the page that answers [`Ask::CatchUp`] came.
    pub(crate) fn page_via(&self) -> Via {
        if self.told { Via::PullTold } else { Via::PullUntold }
    }

    /// That page has been taken in: `last` is its last seq, if it holds anything above the cursor.
    pub(crate) fn page(&mut self, last: Option<Seq>, head: Seq, more: bool) {
        let before = self.cursor;
        self.cursor = self.cursor.max(last.unwrap_or(0));
        if !more {
            self.cursor = self.cursor.max(head);
        }
        self.highest = self.highest.max(self.cursor);
        let progressed = self.cursor > before;
        if !progressed {
            // The server has nothing to fill the gap with: asking on would never end.
            self.cursor = self.highest;
        }
        self.catch_up = Question::NotWanted;
        if (more && progressed) || self.highest > self.cursor {
            self.want_to_catch_up();
            return;
        }
        self.told = false;
        if self.last_look == Question::Asked {
            self.last_look = Question::Done;
        }
    }

    /// A page that answers [`Ask::Log`]; the whole log when it was the last one. `floor`: entries below it are gone.
    pub(crate) fn log_page(
        &mut self,
        entries: Vec<(Seq, Content)>,
        more: bool,
        floor: Seq,
    ) -> Option<(Seq, Vec<(Seq, Content)>)> {
        self.log_start = self.log_start.max(floor.saturating_sub(1));
        let ends = !more || entries.is_empty();
        self.log_entries.extend(entries);
        if !ends {
            self.log = Question::Wanted;
            return None;
        }
        self.log = Question::Done;
        Some((self.log_start, std::mem::take(&mut self.log_entries)))
    }

    fn is_catching_up(&self) -> bool {
        matches!(self.catch_up, Question::Wanted | Question::Asked)
    }

    fn want_to_catch_up(&mut self) {
        if self.catch_up == Question::NotWanted {
            self.catch_up = Question::Wanted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_moves_by_one_and_a_gap_is_asked_for_once() {
        let mut inbox = Inbox::new(1);
        assert!(inbox.arrive(2));
        assert!(!inbox.arrive(2), "seen already");
        assert!(!inbox.arrive(5));
        assert!(!inbox.arrive(6));
        assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(2)));
        assert_eq!(inbox.next_ask(), None);
        assert_eq!(inbox.page_via(), Via::PullUntold);
        inbox.page(Some(4), 6, true);
        assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(4)));
        inbox.page(Some(6), 6, false);
        assert!(inbox.is_caught_up());
        assert_eq!(inbox.next_ask(), None);
    }

    #[test]
    fn a_push_that_overtakes_the_page_is_asked_for_again() {
        let mut inbox = Inbox::new(1);
        inbox.arrive(3);
        assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(1)));
        inbox.arrive(4);
        inbox.page(Some(3), 3, false);
        assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(3)));
    }

    #[test]
    fn a_hole_is_passed_over_and_an_empty_page_ends_the_asking() {
        let mut inbox = Inbox::new(1);
        inbox.arrive(9);
        assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(1)));
        inbox.page(None, 1, true);
        assert_eq!(inbox.next_ask(), None);
        assert_eq!(inbox.cursor(), 9);
    }

    #[test]
    fn lag_is_told_until_the_user_has_caught_up() {
        let mut inbox = Inbox::new(1);
        inbox.lag(3);
        assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(1)));
        inbox.page(Some(2), 3, true);
        assert_eq!(inbox.page_via(), Via::PullTold);
        inbox.page(Some(3), 3, false);
        assert_eq!(inbox.page_via(), Via::PullUntold);
    }

    #[test]
    fn what_a_session_would_not_push_is_asked_for_again_when_it_goes_on() {
        for resumes in [true, false] {
            let mut inbox = Inbox::new(1);
            inbox.lag(3);
            assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(1)));
            inbox.disconnected();
            assert_eq!(inbox.next_ask(), None);
            if resumes {
                inbox.resumed();
                assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(1)));
                assert_eq!(inbox.page_via(), Via::PullTold);
            } else {
                inbox.started_anew();
                assert_eq!((inbox.next_ask(), inbox.page_via()), (None, Via::PullUntold));
            }
        }
        let mut whole = Inbox::new(1);
        whole.disconnected();
        whole.resumed();
        assert_eq!(whole.next_ask(), None);
    }

    #[test]
    fn the_last_look_and_the_log_survive_a_reconnect() {
        let mut inbox = Inbox::new(1);
        inbox.finish(true);
        assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(1)));
        assert_eq!(inbox.next_ask(), Some(Ask::Log(1)));
        assert_eq!(inbox.log_page(vec![(2, Content::Notice)], true, 0), None);
        assert_eq!(inbox.next_ask(), Some(Ask::Log(2)));
        inbox.disconnected();
        assert_eq!(inbox.next_ask(), Some(Ask::CatchUp(1)));
        assert_eq!(inbox.next_ask(), Some(Ask::Log(2)));
        inbox.page(None, 3, false);
        assert!(!inbox.is_finished());
        let log = inbox.log_page(vec![(3, Content::Notice)], false, 0);
        assert_eq!(log, Some((1, vec![(2, Content::Notice), (3, Content::Notice)])));
        assert!(inbox.is_finished());
    }
}
