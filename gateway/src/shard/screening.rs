//! A shard as the home of senders whose messages the hook is asked about.
//!
//! ```text
//!   send, edit ─► nobody before it in line? ─► service asks the hook ─► allowed: to the owner, then the next in line
//!        └─ somebody is: wait in line                          └─ denied: the sender is told, then the next in line
//! ```
//!
//! Invariants: while the hook is asked about a command, every later command of that sender for the log of that
//! conversation waits behind it, so their order is kept; of a line one command at most is asked about; a line is there
//! exactly while one is; what waits in all lines of a shard is bounded. Where no hook is configured nothing of this happens.

use std::collections::{HashMap, VecDeque};

use ringwire_protocol::{CommandError, ConversationId, ErrorCode, UserId};

use super::state::{State, busy};
use crate::connection::links::Links;
use crate::conversation::request::Request;
use crate::conversation::{Intent, Submission};
use crate::hooks::before_send::Screening;
use crate::limits;
use crate::service::ask::Ask;

/// Whose commands, for which log.
type Line = (UserId, ConversationId);

/// The lines of a shard.
#[derive(Debug, Default)]
pub(crate) struct Screenings {
    lines: HashMap<Line, Waiting>,
    /// Commands in all lines.
    waiting: usize,
}

/// What is behind the command that the hook is asked about.
type Waiting = VecDeque<Behind>;

/// A command in line.
#[derive(Debug)]
struct Behind {
    submission: Box<Submission>,
    /// It says that it comes `after` one that was refused.
    follows_refused: bool,
}

impl State {
    /// Sends a command to the owner of its conversation, by way of the hook if it is to be asked.
    pub(super) fn screen(
        &mut self,
        request: Request,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        if self.shared.config.hook.endpoint.is_none() {
            return self.send_to_owner(request, links);
        }
        let Request::Submit { conversation_id, submission } = request else {
            return self.send_to_owner(request, links);
        };
        let line = (submission.from, conversation_id);
        if let Some(waiting) = self.screenings.lines.get_mut(&line) {
            if self.screenings.waiting >= limits::SCREENED_WAITING {
                return Err(self.no_room(line, &submission, "too many messages wait for the hook"));
            }
            self.screenings.waiting += 1;
            waiting.push_back(Behind { submission, follows_refused: false });
            return Ok(());
        }
        if !self.shared.config.hook.wants(&submission.intent) {
            return self.send_to_owner(Request::Submit { conversation_id, submission }, links);
        }
        let screening = Box::new(Screening { conversation_id, submission });
        match self.ask(Ask::Screen(screening)) {
            Ok(()) => {
                self.screenings.lines.insert(line, Waiting::default());
                Ok(())
            }
            Err(refused) => match *refused {
                Ask::Screen(screening) => {
                    Err(self.no_room(line, &screening.submission, "the service queue is full"))
                }
                _ => Err(busy("the service queue is full")),
            },
        }
    }

    /// Refuses a command, and remembers that for those that come `after` it.
    fn no_room(&mut self, line: Line, submission: &Submission, why: &str) -> CommandError {
        if matches!(submission.intent, Intent::Send { .. }) {
            let session = submission.reply_to.session;
            self.note_refusal(session, line.1, &submission.client_msg_id);
        }
        busy(why)
    }

    /// The hook was asked.
    pub(super) fn screened(
        &mut self,
        screening: Screening,
        allowed: Result<(), CommandError>,
        links: &mut Links,
    ) {
        let Screening { conversation_id, submission } = screening;
        let line = (submission.from, conversation_id);
        self.let_go(line, submission, allowed, links);
        // Those that need not be asked about go on with it, up to the next that does.
        while let Some(waiting) = self.screenings.lines.get_mut(&line) {
            let Some(Behind { submission: next, follows_refused }) = waiting.pop_front() else {
                self.screenings.lines.remove(&line);
                break;
            };
            self.screenings.waiting -= 1;
            if follows_refused {
                let error = "the send named in `after` was refused";
                let error = CommandError::new(ErrorCode::OutOfOrder, error);
                self.let_go(line, next, Err(error), links);
            } else if !self.shared.config.hook.wants(&next.intent) {
                self.let_go(line, next, Ok(()), links);
            } else {
                let screening = Box::new(Screening { conversation_id, submission: next });
                match self.ask(Ask::Screen(screening)) {
                    Ok(()) => break,
                    Err(refused) => {
                        if let Ask::Screen(screening) = *refused {
                            let error = busy("the service queue is full");
                            self.let_go(line, screening.submission, Err(error), links);
                        }
                    }
                }
            }
        }
    }

    /// A command leaves the line: to the owner, or back to its sender.
    fn let_go(
        &mut self,
        line: Line,
        submission: Box<Submission>,
        allowed: Result<(), CommandError>,
        links: &mut Links,
    ) {
        let reply_to = submission.reply_to;
        let sent = matches!(submission.intent, Intent::Send { .. })
            .then(|| submission.client_msg_id.clone());
        let conversation_id = line.1;
        let refused = allowed.and_then(|()| {
            self.send_to_owner(Request::Submit { conversation_id, submission }, links)
        });
        let Err(error) = refused else { return };
        if let Some(id) = sent {
            self.note_refusal(reply_to.session, conversation_id, &id);
            for behind in self.screenings.lines.get_mut(&line).into_iter().flatten() {
                if let Intent::Send { after, .. } = &behind.submission.intent {
                    behind.follows_refused |= *after == id;
                }
            }
        }
        self.answer(reply_to, Err(error), links);
    }
}
