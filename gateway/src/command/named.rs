//! Commands that name users who need not be members, and messages that name files of this server: the database says first
//! who or what these are, and that they exist.

use ringwire_protocol::{ConversationId, UserId};

use super::key::CommandKey;
use crate::conversation::request::Request;
use crate::conversation::{Intent, Submission};

/// Such a command, on its way to the database and from there to the conversation's owner.
#[derive(Debug)]
pub struct Named {
    /// Whose log.
    pub conversation_id: ConversationId,
    /// What is asked, as far as it is known. Of a message the service makes what is to go on.
    pub submission: Box<Submission>,
    /// Users by id.
    pub users: Vec<UserId>,
    /// Users by name.
    pub usernames: Vec<String>,
}

impl Named {
    /// The command for the owner, now that its users are known: each once, by id.
    pub fn resolved(self, users: Vec<UserId>, key: &CommandKey) -> Request {
        let mut submission = self.submission;
        if let Intent::Invite { users: invited } = &mut submission.intent {
            *invited = users;
            submission.command_hash = key.hash(&submission.intent);
        }
        Request::Submit { conversation_id: self.conversation_id, submission }
    }
}
