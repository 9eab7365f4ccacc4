//! The end of an account.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, UserId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::SqliteStore;
use super::audit::append_audit;
use super::changes::uncount;
use super::retention::CLOCK;
use super::rows;
use super::sent::sent_page;
use super::trim::erase_bodies;
use crate::account::{
    DELETED_NAME, ERASE_PAGE, EraseStep, QUIET_MS, SentPosition, retired_subject,
};
use crate::audit::AuditEntry;
use crate::encryption::BodyKeys;
use crate::error::StoreError;

/// Whatever belongs to nobody but the user.
const BELONGINGS: [&str; 7] = [
    "DELETE FROM credentials WHERE user_id = ?1",
    "DELETE FROM refresh_tokens WHERE user_id = ?1",
    "DELETE FROM devices WHERE user_id = ?1",
    "DELETE FROM account_bans WHERE account_id = ?1",
    "DELETE FROM blocks WHERE user_id = ?1 OR blocked_id = ?1",
    "DELETE FROM contacts WHERE user_id = ?1 OR contact_id = ?1",
    "DELETE FROM password_resets WHERE user_id = ?1",
];

/// Pages of what names the user, or is for nobody else.
const TRACES: [&str; 4] = [
    "DELETE FROM mentions WHERE (user_id, conversation_id, seq) IN (
         SELECT user_id, conversation_id, seq FROM mentions WHERE user_id = ?1
         ORDER BY conversation_id, seq LIMIT ?2)",
    "DELETE FROM hidden WHERE (user_id, conversation_id, seq) IN (
         SELECT user_id, conversation_id, seq FROM hidden WHERE user_id = ?1
         ORDER BY conversation_id, seq LIMIT ?2)",
    "DELETE FROM bans WHERE (conversation_id, user_id) IN (
         SELECT conversation_id, user_id FROM bans WHERE user_id = ?1 LIMIT ?2)",
    "DELETE FROM join_requests WHERE (conversation_id, user_id) IN (
         SELECT conversation_id, user_id FROM join_requests WHERE user_id = ?1 LIMIT ?2)",
];

impl SqliteStore {
    pub(crate) async fn delete_user(
        &self,
        user: UserId,
        actor: Option<UserId>,
        key: [u8; 16],
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let id = user.as_i64();
            // No name can look like this key.
            let closed = tx.execute(
                &format!(
                    "UPDATE users SET username = ?2, username_key = '#' || id, email = NULL,
                         email_key = NULL, display_name = '', avatar_url = '', color = '',
                         status_text = '', deleted_at = {CLOCK}
                     WHERE id = ?1 AND deleted_at = 0"
                ),
                (id, DELETED_NAME),
            )?;
            if closed == 0 {
                return Ok(false);
            }
            for statement in BELONGINGS {
                tx.execute(statement, [id])?;
            }
            retire_identities(tx, id, &key)?;
            tx.execute(
                &format!("INSERT INTO deletions (user_id, deleted_at) VALUES (?1, {CLOCK})"),
                [id],
            )?;
            append_audit(tx, &AuditEntry::user_deleted(user, actor))?;
            Ok(true)
        })
        .await
    }

    pub(crate) async fn deletions(&self, limit: u32) -> Result<Vec<UserId>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT user_id FROM deletions ORDER BY deleted_at, user_id LIMIT ?1",
                )?
                .query_map([limit], |row| rows::user_id(row, 0))?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn groups_to_leave(
        &self,
        limit: u32,
    ) -> Result<Vec<(UserId, ConversationId)>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT d.user_id, c.id FROM deletions d
                     CROSS JOIN members m ON m.user_id = d.user_id
                     CROSS JOIN conversations c ON c.id = m.conversation_id
                     WHERE c.kind <> 0 LIMIT ?1",
                )?
                .query_map([limit], |row| {
                    Ok((rows::user_id(row, 0)?, rows::conversation_id(row, 1)?))
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn erase_step(&self) -> Result<EraseStep, StoreError> {
        let keys = Arc::clone(&self.keys);
        self.write(move |tx| {
            let due = tx
                .prepare_cached(&format!(
                    "SELECT user_id, conversation_id, client_msg_id FROM deletions d
                     WHERE deleted_at <= {CLOCK} - ?1 AND NOT EXISTS (
                         SELECT 1 FROM members m JOIN conversations c ON c.id = m.conversation_id
                         WHERE m.user_id = d.user_id AND c.kind <> 0)
                     ORDER BY deleted_at, user_id LIMIT 1"
                ))?
                .query_row([QUIET_MS], |row| {
                    let at = SentPosition { conversation: row.get(1)?, key: row.get(2)? };
                    Ok((rows::user_id(row, 0)?, at))
                })
                .optional()?;
            let Some((user, at)) = due else { return Ok(EraseStep::default()) };
            Ok(EraseStep { erased: erase(tx, &keys, user, &at)?, more: true })
        })
        .await
    }
}

fn retire_identities(tx: &Transaction<'_>, user: i64, key: &[u8; 16]) -> Result<(), StoreError> {
    let identities: Vec<(String, String)> = tx
        .prepare("SELECT issuer, subject FROM identities WHERE user_id = ?1")?
        .query_map([user], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (issuer, subject) in &identities {
        tx.execute(
            "UPDATE identities SET subject = ?3 WHERE issuer = ?1 AND subject = ?2",
            (issuer, subject, retired_subject(key, issuer, subject)),
        )?;
    }
    Ok(())
}

/// Erases a page of what the user sent; at the end of the walk detaches a page of files and removes one of other traces,
/// and at the end of those forgets the deletion.
fn erase(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    user: UserId,
    at: &SentPosition,
) -> Result<u64, StoreError> {
    let id = user.as_i64();
    let conversation = at.conversation;
    let page = sent_page(tx, keys, user, at, ERASE_PAGE)?;
    let mut said = Vec::new();
    for (entry, is_message) in page.entries.iter().filter(|(entry, _)| entry.has_body()) {
        let seq = rows::position(entry.seq);
        if *is_message || is_said(tx, conversation, seq)? {
            said.push(seq);
        }
    }
    let erased = erase_bodies(tx, conversation, said.into_iter())?;
    if let Some(next) = page.next {
        tx.execute(
            "UPDATE deletions SET conversation_id = ?2, client_msg_id = ?3 WHERE user_id = ?1",
            (id, next.conversation, next.key),
        )?;
        return Ok(erased);
    }
    // Without an entry they are cleaned up, bytes first.
    let detached = tx.execute(
        "UPDATE attachments SET conversation_id = NULL, seq = 0 WHERE file_id IN (
             SELECT file_id FROM attachments
             WHERE owner_id = ?1 AND (conversation_id IS NOT NULL OR seq > 0) LIMIT ?2)",
        (id, ERASE_PAGE),
    )?;
    if detached + remove_traces(tx, id)? == 0 {
        tx.execute("DELETE FROM deletions WHERE user_id = ?1", [id])?;
    }
    Ok(erased)
}

/// Whether an entry that is no message holds what its sender said.
fn is_said(tx: &Transaction<'_>, conversation: i64, seq: i64) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM edits WHERE conversation_id = ?1 AND seq = ?2")?
        .exists((conversation, seq))
}

/// Removes a page of what a user left behind besides entries and files; how many rows.
fn remove_traces(tx: &Transaction<'_>, user: i64) -> Result<usize, StoreError> {
    let reactions = tx
        .prepare_cached(
            "SELECT conversation_id, seq, reaction FROM reactions WHERE user_id = ?1
             ORDER BY conversation_id, seq LIMIT ?2",
        )?
        .query_map((user, ERASE_PAGE), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<Vec<(i64, i64, String)>, _>>()?;
    for (conversation, seq, reaction) in &reactions {
        tx.prepare_cached(
            "DELETE FROM reactions
             WHERE conversation_id = ?1 AND seq = ?2 AND user_id = ?3 AND reaction = ?4",
        )?
        .execute((conversation, seq, user, reaction))?;
        uncount(tx, *conversation, *seq, reaction)?;
    }
    let mut removed = reactions.len();
    for statement in TRACES {
        removed += tx.prepare_cached(statement)?.execute((user, ERASE_PAGE))?;
    }
    Ok(removed)
}
