//! What the service asks of a shard, outside of any session: the commands of HTTP, and looks at what only a shard knows.
//!
//! ```text
//!   handler, upkeep ─ Mail::Question ─► home shard ─┬─ command: a caller's key ─► as a session's ─► reply ─► oneshot
//!                                                   └─ a look at the state ───────────────────────────────► oneshot
//! ```
//!
//! A command takes the very way that those of sockets take; another kind of look is one more variant of [`Question`].

use ringwire_protocol::{CommandError, ErrorCode, UserId, wire};
use ringwire_storage::refresh::FamilyId;
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
    Command(Box<Given>),
    /// How users of this shard show to those who may see everything; those of whom nothing is known are left out.
    Shown {
        /// Whom it is about.
        users: Vec<UserId>,
        /// In the same order.
        answer: oneshot::Sender<Vec<(UserId, Shown)>>,
    },
    /// To end the sessions of a user of this shard on a device.
    EndDevice {
        /// Whose.
        user: UserId,
        /// On which.
        device_id: String,
        /// The logins that they were of.
        answer: oneshot::Sender<Vec<FamilyId>>,
    },
}

/// A command that is given outside of any session.
#[derive(Debug)]
pub struct Given {
    /// Whose.
    pub user: UserId,
    /// What is asked.
    pub op: Op,
    /// Who pays for it.
    pub expense: Expense,
    /// Its one reply.
    pub answer: oneshot::Sender<Answer>,
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
            Question::Command(given) => self.given(*given, links),
            Question::Shown { users, answer } => {
                let board = &self.presence.board;
                let shown = users.into_iter().filter_map(|user| Some((user, board.shown(user)?)));
                drop(answer.send(shown.collect()));
            }
            Question::EndDevice { user, device_id, answer } => {
                drop(answer.send(self.end_device(user, &device_id, links)));
            }
        }
    }

    /// Has a command carried out by the way of those of sessions.
    fn given(&mut self, given: Given, links: &mut Links) {
        let Given { user, op, expense, answer } = given;
        if answer.is_closed() {
            // Nobody waits any more, and the client was told that it may try again.
            return;
        }
        self.figures.command(Some(&op));
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
            Err((answer, error)) => {
                let refused = Err(error);
                self.figures.reply(&refused);
                drop(answer.send(refused));
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

#[cfg(test)]
mod tests {
    use ringwire_protocol::wire::reply::Outcome;

    use super::super::mail::Mail;
    use super::super::owner_tests::Bench;
    use super::*;

    fn ask(bench: &Bench, op: Op, expense: Expense) -> oneshot::Receiver<Answer> {
        let (answer, receiver) = oneshot::channel();
        let user = UserId::new(1).unwrap();
        let question = Question::Command(Box::new(Given { user, op, expense, answer }));
        bench.mail(Mail::Question(question));
        receiver
    }

    fn answer(bench: &Bench, op: Op) -> Result<Outcome, ErrorCode> {
        let answer = ask(bench, op, Expense::Client(None)).try_recv().unwrap();
        answer.map_err(|error| error.code)
    }

    fn sessions() -> Op {
        Op::Sessions(wire::Sessions {})
    }

    #[test]
    fn a_question_is_answered_once_and_a_command_of_sessions_refused() {
        let bench = Bench::new(1);
        let list = wire::SessionList::default();
        assert_eq!(answer(&bench, sessions()), Ok(Outcome::SessionList(list)));
        for op in [
            Op::Ping(wire::Ping {}),
            Op::Connect(wire::Connect::default()),
            Op::WatchPresence(wire::WatchPresence::default()),
            Op::SetStatus(wire::SetStatus { status: 1, ..Default::default() }),
        ] {
            assert_eq!(answer(&bench, op), Err(ErrorCode::NotSupported));
        }
        assert_eq!(
            answer(&bench, Op::Send(wire::Send::default())),
            Err(ErrorCode::InvalidArgument)
        );
        // One waits for the service; there is no room for a second one, which is told so.
        let mut waiting = ask(&bench, Op::Blocks(wire::Blocks::default()), Expense::Client(None));
        assert!(waiting.try_recv().is_err());
        assert_eq!(answer(&bench, Op::Blocks(wire::Blocks::default())), Err(ErrorCode::Busy));
        bench.shard.state.borrow_mut().draining = true;
        assert_eq!(answer(&bench, sessions()), Err(ErrorCode::Draining));
    }

    #[test]
    fn who_went_away_before_the_turn_has_nothing_done() {
        let bench = Bench::new(1);
        let (answer, receiver) = oneshot::channel();
        drop(receiver);
        let (user, op) = (UserId::new(1).unwrap(), Op::Blocks(wire::Blocks::default()));
        let expense = Expense::Client(None);
        let question = Question::Command(Box::new(Given { user, op, expense, answer }));
        bench.mail(Mail::Question(question));
        assert_eq!(bench.shard.state.borrow().credits.under_way(), 0, "the service was not asked");
    }

    #[test]
    fn q1_callers_and_sessions_of_a_user_have_one_bucket_and_the_server_pays_nothing() {
        let bench = Bench::new(1);
        let burst = bench.shard.shared.config.limits.user_rate.burst;
        assert!((0..burst).all(|_| answer(&bench, sessions()).is_ok()));
        assert_eq!(answer(&bench, sessions()), Err(ErrorCode::RateLimited));
        assert!(ask(&bench, sessions(), Expense::Server).try_recv().unwrap().is_ok());
    }
}
