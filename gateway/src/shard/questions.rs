//! What the service asks of a shard, outside of any session: the commands of HTTP, and looks at what only a shard knows.
//!
//! ```text
//!   handler, upkeep ─ Mail::Question ─► home shard ─┬─ command: a caller's key ─► as a session's ─► reply ─► oneshot
//!                                                   └─ a look at the state ───────────────────────────────► oneshot
//! ```
//!
//! A command takes the very way that those of sockets take; another kind of look is one more variant of [`Question`].

use ringwire_protocol::{CommandError, ErrorCode, UserId, wire};
use tokio::sync::oneshot;
use wire::command::Op;

use super::state::{State, draining};
use crate::connection::address_rate::AddressRate;
use crate::connection::links::Links;
use crate::conversation::answer::ReplyTo;
use crate::presence::Shown;
use crate::session::callers::Answer;

/// The id of a caller's one command; any but 0, which wants no reply.
const COMMAND_ID: u64 = 1;

/// One question. Whoever asked it may have gone away when it is answered.
#[derive(Debug)]
pub enum Question {
    /// To carry out a command of a user of this shard.
    Command {
        /// Whose.
        user: UserId,
        /// What is asked.
        op: Op,
        /// Who pays for it.
        expense: Expense,
        /// Its one reply.
        answer: oneshot::Sender<Answer>,
    },
    /// How users of this shard show to those who may see everything; those of whom nothing is known are left out.
    Shown {
        /// Whom it is about.
        users: Vec<UserId>,
        /// In the same order.
        answer: oneshot::Sender<Vec<(UserId, Shown)>>,
    },
}

/// At whose expense a command is.
#[derive(Clone, Debug)]
pub enum Expense {
    /// The server itself gives it, in the name of a user.
    Server,
    /// The user and their address: what these may send. `None`: the address may send as much as it likes.
    Client(Option<AddressRate>),
}

impl State {
    /// Answers a question of the service.
    pub(super) fn question(&mut self, question: Question, links: &mut Links) {
        match question {
            // Nobody waits any more, and the client was told that it may try again.
            Question::Command { answer, .. } if answer.is_closed() => {}
            Question::Command { user, op, expense, answer } => {
                let place = match self.check_call(user, &op, &expense) {
                    Ok(()) => self.callers.insert(user, answer),
                    Err(error) => Err((answer, error)),
                };
                match place {
                    Ok(session) => {
                        let reply_to = ReplyTo { shard: self.id, session, command_id: COMMAND_ID };
                        if let Err(error) = self.carry_out(user, reply_to, &mut Some(op), links) {
                            self.reply(session, COMMAND_ID, Err(error), links);
                        }
                    }
                    Err((answer, error)) => drop(answer.send(Err(error))),
                }
            }
            Question::Shown { users, answer } => {
                let board = &self.presence.board;
                let shown = users.into_iter().filter_map(|user| Some((user, board.shown(user)?)));
                drop(answer.send(shown.collect()));
            }
        }
    }

    /// Whether a command may be given now, and without a session.
    fn check_call(&mut self, user: UserId, op: &Op, expense: &Expense) -> Result<(), CommandError> {
        if self.draining {
            return Err(draining());
        }
        if let Expense::Client(address) = expense {
            let (now_ms, at) = (self.now.uptime_ms, self.now.at);
            let taken = self.registry.take_call(user, address.as_ref(), now_ms, at);
            taken.map_err(|wait_ms| {
                CommandError::retry(ErrorCode::RateLimited, "too many commands", wait_ms)
            })?;
        }
        if is_of_sessions(op) {
            let error = "only a session has this, over a WebSocket";
            return Err(CommandError::new(ErrorCode::NotSupported, error));
        }
        Ok(())
    }
}

/// Commands about the very session that gives them.
fn is_of_sessions(op: &Op) -> bool {
    match op {
        Op::Connect(_) | Op::Refresh(_) | Op::Ping(_) | Op::WatchPresence(_) => true,
        // Who may see it is kept with the account, the status is of the session.
        Op::SetStatus(set) => set.status != 0 || set.text.is_some(),
        _ => false,
    }
}
