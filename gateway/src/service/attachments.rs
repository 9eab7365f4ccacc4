//! Files of this server in messages: whether the sender may send them, and what they are.
//!
//! Invariants: a message that names a file of this server's making says of it what the store knows, or is refused; what
//! it says of anything else is its sender's word.

use ringwire_protocol::{CommandError, ErrorCode};

use super::queries::{Queries, failed};
use crate::command::body;
use crate::conversation::{Intent, Submission};
use crate::files;

impl Queries<'_> {
    /// Describes the files that a message carries. Whoever can read a file may send it; that those can who hear of it
    /// then is up to its owner, as the store says.
    pub(super) async fn describe_files(
        &self,
        submission: &mut Submission,
    ) -> Result<(), CommandError> {
        let Submission { from, intent, .. } = submission;
        let (Intent::Send { body, files, .. } | Intent::Edit { body, files, .. }) = &*intent else {
            return Ok(());
        };
        let Some(mut message) = body::message_of(body).filter(|_| !files.is_empty()) else {
            return Ok(());
        };
        for file_id in files {
            let row = self.store.attachment_for(*from, file_id).await.map_err(failed)?;
            let Some(row) = row else {
                let error = "message.attachments: no such file, or it is not for you";
                return Err(CommandError::new(ErrorCode::NotFound, error));
            };
            let carried = message.attachments.iter_mut();
            for attachment in carried.filter(|attachment| attachment.file_id == **file_id) {
                files::describe(attachment, &row.file);
            }
        }
        body::replace(intent, message);
        Ok(())
    }
}
