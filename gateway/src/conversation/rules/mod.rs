//! Who may do what: a command against the committed state and the entries in flight.
//!
//! The table of `permissions.rs` says what a role may do; here is what else has to be so: the target, the window, the bound.

mod managing;
mod membership;
mod messages;

use bytes::Bytes;
use prost::Message as _;
use ringwire_protocol::{CommandError, ErrorCode, Seq, UnixMs, UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::{ConversationKind, Role};

use super::intake::depends_on_blocks;
use super::{Conversation, Intent, Moment, Submission};
use crate::permissions::{Operation, Verdict};

/// Why a command does not become an entry now.
#[derive(Debug)]
pub(super) enum Stop {
    /// It may not.
    Refuse(CommandError),
    /// It is so already; an entry would change nothing.
    Already,
    /// Something in flight asks for the same: what becomes of that has to be known first.
    Likewise,
    /// The store has to tell this entry first.
    Target(Seq),
    /// The store has to say first whether one of the two blocks the other.
    Blocks([UserId; 2]),
}

impl From<CommandError> for Stop {
    fn from(error: CommandError) -> Self {
        Self::Refuse(error)
    }
}

/// The body and the change that a command stands for.
pub(super) type Decision = Result<(Bytes, Change), Stop>;

/// How far somebody is allowed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// In all cases.
    Anything,
    /// With what is their own.
    Own,
    /// With members of a lower role than this.
    Below(Role),
}

fn refusal(code: ErrorCode, message: impl Into<String>) -> Stop {
    Stop::Refuse(CommandError::new(code, message))
}

/// How a conversation that is not there looks; the same as one that is not the caller's.
pub fn no_such_conversation(operation: Operation) -> CommandError {
    if operation == Operation::Join {
        let message = "no such conversation, or it cannot be joined";
        return CommandError::new(ErrorCode::ConversationNotFound, message);
    }
    let message = "no such conversation, or you are not a member";
    CommandError::new(ErrorCode::NotMember, message)
}

impl Conversation {
    /// The body and change the command stands for, or why it may not be.
    pub(super) fn decide(&self, submission: &Submission, now: &Moment<'_>) -> Decision {
        let from = submission.from;
        let reach = self.reach(submission.intent.operation(), from, now)?;
        match &submission.intent {
            Intent::Send { body, after, mentions, files } => {
                self.send(from, body, after, (mentions, files), now)
            }
            Intent::Edit { target_seq, body, edited, mention_all, files } => {
                self.edit(from, *target_seq, (body, edited, files), *mention_all, now)
            }
            Intent::Recall { target_seq } => self.recall(from, *target_seq, reach, now),
            Intent::React { target_seq, reaction, removed } => {
                self.react(from, *target_seq, reaction, *removed, now)
            }
            Intent::Pin { target_seq, removed } => self.pin(*target_seq, *removed, now),
            Intent::Update(settings) => self.update(settings),
            Intent::Join { code, text } => self.join(from, code, text, now),
            Intent::Leave => Ok(self.leave(from)),
            Intent::Invite { users } => self.invite(users, now),
            Intent::Remove { users } => self.remove(from, users, reach),
            Intent::SetRole { user, role } => self.set_role(from, *user, *role, reach),
            Intent::Mute { user, until } => self.mute(from, *user, *until, reach, now),
            Intent::Ban { user, until } => self.ban(from, *user, *until, reach, now),
            Intent::ResolveJoin { user, refuse } => self.resolve_join(*user, *refuse, now),
            Intent::Dissolve => Ok((
                encode(wire::entry_body::Kind::Dissolved(wire::Dissolved {})),
                Change::Dissolve,
            )),
        }
    }

    /// Whether a user may show that they are writing.
    pub(super) fn may_type(&self, user: UserId, now: &Moment<'_>) -> Result<(), CommandError> {
        match self.reach(Operation::Typing, user, now) {
            Err(Stop::Refuse(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// How far a user is allowed an operation, as the table says.
    fn reach(&self, operation: Operation, user: UserId, now: &Moment<'_>) -> Result<Reach, Stop> {
        let view = self.view();
        let blocked = self.is_blocked(operation, now)?;
        let (caller, restriction) = view.caller(user, blocked, now.unix_ms);
        match operation.verdict(caller, restriction) {
            Verdict::Lower => {
                Ok(Reach::Below(view.member(user).map_or(Role::Member, |member| member.role)))
            }
            Verdict::UnlessAnnouncements | Verdict::OwnUnlessAnnouncements
                if view.settings().announcement_only == Some(true) =>
            {
                Err(refusal(ErrorCode::Forbidden, "only owner and admins may send here"))
            }
            Verdict::Own | Verdict::OwnUnlessAnnouncements => Ok(Reach::Own),
            Verdict::IfMembersMayInvite if view.settings().members_may_invite != Some(true) => {
                Err(refusal(ErrorCode::Forbidden, "only owner and admins may invite here"))
            }
            Verdict::No(code) => Err(Stop::Refuse(self.denial(code, operation, user, now.unix_ms))),
            _ => Ok(Reach::Anything),
        }
    }

    /// Whether one of the two of a direct conversation blocks the other, where that matters.
    fn is_blocked(&self, operation: Operation, now: &Moment<'_>) -> Result<bool, Stop> {
        // What shows for seconds only is not worth a question to the store.
        let must_be_known = depends_on_blocks(operation) && operation != Operation::Typing;
        if self.state.kind != ConversationKind::Direct || !must_be_known {
            return Ok(self.blocks.last_known());
        }
        if let Some(blocked) = self.blocks.known(now.at, now.terms.alone) {
            return Ok(blocked);
        }
        let mut users = self.state.members.users();
        match (users.next(), users.next()) {
            (Some(one), Some(other)) => Err(Stop::Blocks([one, other])),
            // The other account is gone, and its blocks with it.
            _ => Ok(false),
        }
    }

    fn denial(
        &self,
        code: ErrorCode,
        operation: Operation,
        user: UserId,
        now: UnixMs,
    ) -> CommandError {
        let view = self.view();
        match code {
            ErrorCode::NotMember => self.not_member(operation),
            ErrorCode::Muted => {
                let own = view.member(user).map_or(0, |member| member.muted_until);
                let until = if own > now { own } else { view.muted_until() };
                CommandError::new(code, format!("muted until {until}"))
            }
            ErrorCode::Banned => {
                CommandError::new(code, format!("banned until {}", view.banned_until(user)))
            }
            ErrorCode::Blocked => CommandError::new(code, "one of the two blocks the other"),
            ErrorCode::AlreadyMember => CommandError::new(code, "already a member"),
            _ if self.state.kind == ConversationKind::Direct => {
                CommandError::new(code, "not in a direct conversation")
            }
            _ => CommandError::new(code, "the caller's role does not allow this"),
        }
    }

    /// Strangers learn nothing: a conversation that is not theirs looks like one that does not exist, unless anyone may
    /// join it.
    pub(super) fn not_member(&self, operation: Operation) -> CommandError {
        match self.state.kind {
            ConversationKind::Room if !self.state.dissolved => {
                CommandError::new(ErrorCode::NotMember, "join first")
            }
            _ => no_such_conversation(operation),
        }
    }

    /// A member whom the caller may lay hands on.
    fn subject(&self, from: UserId, user: UserId, reach: Reach) -> Result<Role, Stop> {
        if user == from {
            return Err(refusal(ErrorCode::InvalidArgument, "not with oneself"));
        }
        let Some(member) = self.view().member(user) else {
            return Err(refusal(ErrorCode::UserNotFound, format!("user {user} is not a member")));
        };
        match reach {
            Reach::Below(role) if member.role >= role => {
                let error = format!("user {user} has no lower role than the caller");
                Err(refusal(ErrorCode::Forbidden, error))
            }
            _ => Ok(member.role),
        }
    }
}

fn encode(kind: wire::entry_body::Kind) -> Bytes {
    wire::EntryBody { kind: Some(kind) }.encode_to_vec().into()
}
