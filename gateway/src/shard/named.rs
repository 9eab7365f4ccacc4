//! Commands that name users or files, which the database has to know first, and what the same session asks of the same
//! conversation meanwhile.
//!
//! ```text
//!   invite, message with files ─► Ask::Identify ─► identified ─► owner
//!   send ─────────────── waits behind it ──────────────────────► owner
//! ```
//!
//! Invariants: a session's entries in a conversation are asked for in the order of its commands, and a send that comes
//! `after` one that was refused here is refused too. A queue is there exactly while the service is asked for its first
//! command; so there are no more than a session may have such questions, and each is bounded like unanswered commands.

use std::collections::{HashMap, VecDeque};

use ringwire_protocol::{CommandError, ConversationId, ErrorCode, UserId};

use super::state::{State, busy};
use crate::command::named::Named;
use crate::connection::links::Links;
use crate::conversation::answer::ReplyTo;
use crate::conversation::request::Request;
use crate::conversation::{Intent, Submission};
use crate::limits;
use crate::service::ask::Ask;
use crate::session::registry::SessionKey;

/// A session, and a conversation it asks something of.
type Place = (SessionKey, ConversationId);

/// What waits for users to be known.
#[derive(Debug, Default)]
pub(crate) struct BehindNamed {
    queues: HashMap<Place, VecDeque<Waiting>>,
}

#[derive(Debug)]
enum Waiting {
    Request(Request),
    Named(Box<Named>),
}

impl BehindNamed {
    /// Has a command wait, if one before it does; otherwise it comes back.
    fn take_in(
        &mut self,
        place: Place,
        waiting: Waiting,
    ) -> Result<Option<Waiting>, (Waiting, CommandError)> {
        let Some(queue) = self.queues.get_mut(&place) else { return Ok(Some(waiting)) };
        if queue.len() >= limits::MAX_UNANSWERED as usize {
            return Err((waiting, busy("too many commands wait behind one that names users")));
        }
        queue.push_back(waiting);
        Ok(None)
    }
}

impl State {
    /// Has the service say whom a command names.
    pub(super) fn identify(&mut self, named: Box<Named>) -> Result<(), CommandError> {
        let place = (named.submission.reply_to.session, named.conversation_id);
        let sent = sent_as(&named.submission);
        let asked = self.take_query(place.0).and_then(|()| {
            let asked = match self.behind_named.take_in(place, Waiting::Named(named)) {
                Ok(Some(Waiting::Named(named))) => {
                    self.ask_who(place, named, VecDeque::new()).map_err(|_| no_room())
                }
                Ok(_) => Ok(()),
                Err((_, error)) => Err(error),
            };
            asked.inspect_err(|_| self.give_query_back(place.0))
        });
        asked.inspect_err(|_| self.note_not_sent(place, sent.as_deref()))
    }

    /// Sends a command to the owner of its conversation, behind those of its session that wait.
    pub(super) fn send_in_turn(
        &mut self,
        request: Request,
        links: &mut Links,
    ) -> Result<(), CommandError> {
        let place = match &request {
            Request::Submit { conversation_id, submission }
                if !self.behind_named.queues.is_empty() =>
            {
                (submission.reply_to.session, *conversation_id)
            }
            _ => return self.screen(request, links),
        };
        match self.behind_named.take_in(place, Waiting::Request(request)) {
            Ok(Some(Waiting::Request(request))) => self.screen(request, links),
            Ok(_) => Ok(()),
            Err((waiting, error)) => {
                if let Waiting::Request(Request::Submit { conversation_id, submission }) = waiting {
                    self.note_refusal(place.0, conversation_id, &submission.client_msg_id);
                }
                Err(error)
            }
        }
    }

    /// The service knows the users that a command of this shard's session names.
    pub(crate) fn identified(
        &mut self,
        named: Named,
        users: Result<Vec<UserId>, CommandError>,
        links: &mut Links,
    ) {
        let reply_to = named.submission.reply_to;
        let place = (reply_to.session, named.conversation_id);
        self.give_query_back(reply_to.session);
        match users {
            Ok(users) => {
                let request = named.resolved(users, &self.shared.command_key);
                let sent = self.screen(request, links);
                self.refuse_if(reply_to, sent, links);
            }
            Err(error) => {
                self.note_not_sent(place, sent_as(&named.submission).as_deref());
                self.refuse_if(reply_to, Err(error), links);
            }
        }
        self.go_on_behind(place, links);
    }

    /// Remembers a send that gets no further than here, for those that say they come `after` it.
    fn note_not_sent(&mut self, place: Place, sent: Option<&str>) {
        if let Some(client_msg_id) = sent {
            self.note_refusal(place.0, place.1, client_msg_id);
        }
    }

    /// Whether a command says that it comes `after` a send that was refused since it came.
    fn follows_refused(&mut self, place: Place, submission: &Submission) -> bool {
        let Intent::Send { after, .. } = &submission.intent else { return false };
        let Some(session) = self.registry.get(place.0) else { return false };
        session.refused_sends.contains(place.1, submission.from, after)
    }

    /// What waited goes on, up to the next that names users.
    fn go_on_behind(&mut self, place: Place, links: &mut Links) {
        let Some(mut queue) = self.behind_named.queues.remove(&place) else { return };
        while let Some(waiting) = queue.pop_front() {
            let submission = match &waiting {
                Waiting::Request(Request::Submit { submission, .. }) => Some(submission),
                Waiting::Named(named) => Some(&named.submission),
                Waiting::Request(_) => None,
            };
            if let Some(submission) = submission
                && self.follows_refused(place, submission)
            {
                if matches!(waiting, Waiting::Named(_)) {
                    self.give_query_back(place.0);
                }
                self.note_not_sent(place, sent_as(submission).as_deref());
                self.refuse_if(submission.reply_to, Err(out_of_order()), links);
                continue;
            }
            match waiting {
                Waiting::Request(request) => {
                    let reply_to = request.reply_to();
                    let sent = self.screen(request, links);
                    if let Some(reply_to) = reply_to {
                        self.refuse_if(reply_to, sent, links);
                    }
                }
                Waiting::Named(named) => {
                    let (reply_to, sent) = (named.submission.reply_to, sent_as(&named.submission));
                    match self.ask_who(place, named, queue) {
                        Ok(()) => return,
                        Err(behind) => queue = behind,
                    }
                    self.give_query_back(place.0);
                    self.note_not_sent(place, sent.as_deref());
                    self.refuse_if(reply_to, Err(no_room()), links);
                }
            }
        }
    }

    /// Asks the service, with a queue for what comes meanwhile; without room for the question that comes back.
    fn ask_who(
        &mut self,
        place: Place,
        named: Box<Named>,
        behind: VecDeque<Waiting>,
    ) -> Result<(), VecDeque<Waiting>> {
        if self.ask(Ask::Identify(named)).is_err() {
            return Err(behind);
        }
        self.behind_named.queues.insert(place, behind);
        Ok(())
    }

    fn refuse_if(&mut self, to: ReplyTo, sent: Result<(), CommandError>, links: &mut Links) {
        if let Err(error) = sent {
            self.reply(to.session, to.command_id, Err(error), links);
        }
    }
}

/// Under which id a command says something; `None`: it does not.
fn sent_as(submission: &Submission) -> Option<Box<str>> {
    matches!(submission.intent, Intent::Send { .. }).then(|| submission.client_msg_id.clone())
}

fn out_of_order() -> CommandError {
    CommandError::new(ErrorCode::OutOfOrder, "the send named in `after` was refused")
}

fn no_room() -> CommandError {
    busy("the service queue is full")
}
