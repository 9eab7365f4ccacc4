//! What the service asks of the shards: commands in the name of users, and looks at what only a shard knows.
//!
//! ```text
//!   HTTP handler, upkeep ─► Calls ─► Mail::Question ─► home shard of the user ─► oneshot ─► the one answer
//! ```
//!
//! Invariants: a command is carried out by the code of the sockets' commands and under their rates; whoever waits is
//! answered within [`limits::CALLER_WAIT_S`], whatever became of the command.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ringwire_protocol::wire::command::Op;
use ringwire_protocol::wire::reply::Outcome;
use ringwire_protocol::{CloseReason, CommandError, ConversationId, ErrorCode, UserId, wire};
use ringwire_storage::refresh::FamilyId;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::connection::addresses::Addresses;
use crate::connection::forwarded::Forwarding;
use crate::limits;
use crate::placement::{ShardId, home_shard};
use crate::presence::Shown;
use crate::shard::mail::Mail;
use crate::shard::mailbox::MailboxSender;
use crate::shard::questions::{Expense, Given, Question};

/// The way from the service to the shards. To be used on the service thread alone, which is one of the mailboxes' senders.
#[derive(Clone)]
pub struct Calls {
    mailboxes: Vec<MailboxSender<Mail>>,
    addresses: Addresses,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("shards", &self.mailboxes.len()).finish_non_exhaustive()
    }
}

impl Calls {
    /// To the shards with these mailboxes. `addresses`: the shards' own.
    pub fn new(mailboxes: Vec<MailboxSender<Mail>>, addresses: Addresses) -> Self {
        Self { mailboxes, addresses }
    }

    /// Gives a command in the name of a user; its reply.
    ///
    /// # Errors
    ///
    /// What a socket would be told. UNAVAILABLE also where no answer came in time: whether the command was carried out
    /// is not known then, and it may be given again under its `client_msg_id`.
    pub async fn command(
        &self,
        user: UserId,
        op: Op,
        expense: Expense,
    ) -> Result<Outcome, CommandError> {
        let question = |answer| Question::Command(Box::new(Given { user, op, expense, answer }));
        self.ask(self.home(user), question).await?
    }

    /// Who pays for the commands of a client.
    pub fn expense(&self, peer: IpAddr, forwarding: Forwarding<'_>) -> Expense {
        let client = self.addresses.client(peer, forwarding);
        Expense::Client(self.addresses.command_rate(client, Instant::now()))
    }

    /// How users show to those who may see everything; those of whom no shard knows are left out.
    pub async fn shown(&self, users: &[UserId]) -> Result<BTreeMap<UserId, Shown>, CommandError> {
        let mut by_home: BTreeMap<ShardId, Vec<UserId>> = BTreeMap::new();
        for user in users {
            by_home.entry(self.home(*user)).or_default().push(*user);
        }
        let mut shown = BTreeMap::new();
        for (home, users) in by_home {
            shown.extend(self.ask(home, |answer| Question::Shown { users, answer }).await?);
        }
        Ok(shown)
    }

    /// Has a user leave a group; fine if they have left already.
    pub async fn leave(&self, user: UserId, id: ConversationId) -> Result<(), CommandError> {
        // No client can have used it, and a leave before a rejoin does not answer for this one.
        let leave = wire::Leave { conversation_id: id.get(), client_msg_id: fresh_id()? };
        match self.command(user, Op::Leave(leave), Expense::Server).await {
            Ok(_) => Ok(()),
            Err(error) if error.code == ErrorCode::NotMember => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends the sessions a user has on this node.
    pub fn end_sessions(&self, user: UserId, reason: CloseReason) -> Result<(), CommandError> {
        self.send(self.home(user), Mail::EndSessions(user, reason))
    }

    /// Ends the sessions that a login of a user has on this node; `None`: those of all their logins.
    pub fn end_login(&self, user: UserId, login: Option<FamilyId>) -> Result<(), CommandError> {
        self.send(self.home(user), Mail::EndLogin(user, login))
    }

    /// Ends the sessions that a user has on a device on this node; the logins that they were of.
    pub async fn end_device(
        &self,
        user: UserId,
        device_id: &str,
    ) -> Result<Vec<FamilyId>, CommandError> {
        let device_id = device_id.to_owned();
        self.ask(self.home(user), |answer| Question::EndDevice { user, device_id, answer }).await
    }

    fn home(&self, user: UserId) -> ShardId {
        home_shard(user, self.mailboxes.len())
    }

    async fn ask<T>(
        &self,
        shard: ShardId,
        question: impl FnOnce(oneshot::Sender<T>) -> Question,
    ) -> Result<T, CommandError> {
        let (sender, receiver) = oneshot::channel();
        self.send(shard, Mail::Question(question(sender)))?;
        let answer = timeout(Duration::from_secs(limits::CALLER_WAIT_S), receiver).await;
        // No answer also where its place was needed by others, or its shard is gone.
        answer.ok().and_then(Result::ok).ok_or_else(|| {
            let message = "no answer in time; it may have been carried out all the same";
            CommandError::retry(ErrorCode::Unavailable, message, limits::UNAVAILABLE_RETRY_MS)
        })
    }

    fn send(&self, shard: ShardId, mail: Mail) -> Result<(), CommandError> {
        self.mailboxes[usize::from(shard)].try_send(mail).map_err(|_| {
            CommandError::retry(ErrorCode::Busy, "a shard has no room", limits::BUSY_RETRY_MS)
        })
    }
}

/// Nobody else's, also not by intent.
fn fresh_id() -> Result<String, CommandError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|_| CommandError::new(ErrorCode::Internal, "the system gives no random bytes"))?;
    Ok(format!("account-deleted.{:032x}", u128::from_be_bytes(random)))
}
