//! Commands that the service itself gives: to conversations, in the name of users who cannot any more, and to homes.

use std::sync::Arc;
use std::time::Duration;

use ringwire_protocol::{CloseReason, CommandError, ConversationId, ErrorCode, UserId};
use ringwire_storage::refresh::FamilyId;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::conversation::answer::{Ack, ReplyTo};
use crate::conversation::request::Request;
use crate::conversation::{Intent, Submission};
use crate::limits;
use crate::placement::{SERVICE, home_shard, owner_shard};
use crate::session::registry::SessionKey;
use crate::shard::mail::Mail;
use crate::shard::shared::Shared;

/// Gives one command at a time.
pub(crate) struct Errands {
    shared: Arc<Shared>,
    answers: mpsc::Receiver<(u64, Result<Ack, CommandError>)>,
    last_id: u64,
}

impl Errands {
    /// `answers` is the other end of the shards' `errands`.
    pub(crate) fn new(
        shared: Arc<Shared>,
        answers: mpsc::Receiver<(u64, Result<Ack, CommandError>)>,
    ) -> Self {
        Self { shared, answers, last_id: 0 }
    }

    /// Has a user leave a group, as if they had sent the command; fine if they have left already.
    pub(crate) async fn leave(
        &mut self,
        user: UserId,
        conversation_id: ConversationId,
    ) -> Result<(), CommandError> {
        self.last_id += 1;
        let id = self.last_id;
        let intent = Intent::Leave;
        let submission = Box::new(Submission {
            from: user,
            reply_to: ReplyTo { shard: SERVICE, session: SessionKey::NOBODY, command_id: id },
            // No client can have used it, and a leave before a rejoin does not answer for this one.
            client_msg_id: fresh_id()?.into(),
            command_hash: self.shared.command_key.hash(&intent),
            intent,
            also: Vec::new(),
        });
        let owner = owner_shard(conversation_id, self.shared.shards());
        self.send(owner, Mail::Request(Request::Submit { conversation_id, submission }))?;
        match timeout(Duration::from_secs(limits::ERRAND_WAIT_S), self.answer(id)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.code == ErrorCode::NotMember => Ok(()),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(CommandError::new(ErrorCode::Busy, "no answer from a conversation")),
        }
    }

    /// Ends the sessions a user has on this node.
    pub(crate) fn end_sessions(
        &self,
        user: UserId,
        reason: CloseReason,
    ) -> Result<(), CommandError> {
        let home = home_shard(user, self.shared.shards());
        self.send(home, Mail::EndSessions(user, reason))
    }

    /// Ends the sessions that a login of a user has on this node.
    pub(crate) fn end_login(&self, user: UserId, login: FamilyId) -> Result<(), CommandError> {
        let home = home_shard(user, self.shared.shards());
        self.send(home, Mail::EndLogin(user, Some(login)))
    }

    fn send(&self, shard: u16, mail: Mail) -> Result<(), CommandError> {
        let full = |_| CommandError::new(ErrorCode::Busy, "a shard has no room");
        self.shared.mailboxes[usize::from(shard)].try_send(mail).map_err(full)
    }

    /// Waits for the answer to a command; late ones to others are dropped.
    async fn answer(&mut self, id: u64) -> Result<Ack, CommandError> {
        while let Some((of, answer)) = self.answers.recv().await {
            if of == id {
                return answer;
            }
        }
        Err(CommandError::new(ErrorCode::Internal, "the shards are gone"))
    }
}

/// Nobody else's, also not by intent.
fn fresh_id() -> Result<String, CommandError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|_| CommandError::new(ErrorCode::Internal, "the system gives no random bytes"))?;
    Ok(format!("account-deleted.{:032x}", u128::from_be_bytes(random)))
}
