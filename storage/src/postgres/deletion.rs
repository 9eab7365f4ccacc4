//! The end of an account.

use deadpool_postgres::Transaction;
use ringwire_protocol::{ConversationId, UserId};

use super::PostgresStore;
use super::audit::append_audit;
use super::changes::UNREACT;
use super::retention::CLOCK;
use super::rows;
use super::sent::sent_page;
use super::trim::{erase_bodies, lock};
use crate::account::{
    DELETED_NAME, ERASE_PAGE, EraseStep, QUIET_MS, SentPosition, retired_subject,
};
use crate::audit::AuditEntry;
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::model::EntryRow;

/// The advisory lock of the node that erases ("eras" in ASCII).
const LOCK: i64 = 0x6572_6173;

/// Whatever belongs to nobody but the user.
const BELONGINGS: [&str; 7] = [
    "DELETE FROM credentials WHERE user_id = $1",
    "DELETE FROM refresh_tokens WHERE user_id = $1",
    "DELETE FROM devices WHERE user_id = $1",
    "DELETE FROM account_bans WHERE account_id = $1",
    "DELETE FROM blocks WHERE user_id = $1 OR blocked_id = $1",
    "DELETE FROM contacts WHERE user_id = $1 OR contact_id = $1",
    "DELETE FROM password_resets WHERE user_id = $1",
];

/// The conversations of the next page of what a user left behind.
const PLACES: &str = "SELECT DISTINCT conversation_id FROM (
    (SELECT conversation_id FROM attachments WHERE owner_id = $1 AND conversation_id IS NOT NULL LIMIT $2)
    UNION ALL (SELECT conversation_id FROM reactions WHERE user_id = $1
         ORDER BY conversation_id, seq, reaction LIMIT $2)
    UNION ALL (SELECT conversation_id FROM mentions WHERE user_id = $1
         ORDER BY conversation_id, seq LIMIT $2)
    UNION ALL (SELECT conversation_id FROM hidden WHERE user_id = $1
         ORDER BY conversation_id, seq LIMIT $2)
    UNION ALL (SELECT conversation_id FROM bans WHERE user_id = $1 LIMIT $2)
    UNION ALL (SELECT conversation_id FROM join_requests WHERE user_id = $1 LIMIT $2)) p";

/// Pages of what names the user, or is for nobody else, in conversations that are locked. Without an entry files are
/// cleaned up, bytes first.
const TRACES: [&str; 5] = [
    "UPDATE attachments SET conversation_id = NULL, seq = 0 WHERE file_id IN (
         SELECT file_id FROM attachments WHERE owner_id = $1
             AND (conversation_id = ANY ($3::int8[]) OR conversation_id IS NULL AND seq > 0) LIMIT $2)",
    "DELETE FROM mentions WHERE (user_id, conversation_id, seq) IN (
         SELECT user_id, conversation_id, seq FROM mentions
         WHERE user_id = $1 AND conversation_id = ANY ($3::int8[])
         ORDER BY conversation_id, seq LIMIT $2)",
    "DELETE FROM hidden WHERE (user_id, conversation_id, seq) IN (
         SELECT user_id, conversation_id, seq FROM hidden
         WHERE user_id = $1 AND conversation_id = ANY ($3::int8[])
         ORDER BY conversation_id, seq LIMIT $2)",
    "DELETE FROM bans WHERE (conversation_id, user_id) IN (
         SELECT conversation_id, user_id FROM bans
         WHERE user_id = $1 AND conversation_id = ANY ($3::int8[]) LIMIT $2)",
    "DELETE FROM join_requests WHERE (conversation_id, user_id) IN (
         SELECT conversation_id, user_id FROM join_requests
         WHERE user_id = $1 AND conversation_id = ANY ($3::int8[]) LIMIT $2)",
];

impl PostgresStore {
    pub(crate) async fn delete_user(
        &self,
        user: UserId,
        actor: Option<UserId>,
        key: [u8; 16],
    ) -> Result<bool, StoreError> {
        let id = user.as_i64();
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        // No name can look like this key.
        let closed = tx
            .execute(
                &format!(
                    "UPDATE users SET username = $2, username_key = '#' || id, email = NULL,
                         email_key = NULL, display_name = '', avatar_url = '', color = '',
                         status_text = '', deleted_at = {CLOCK}
                     WHERE id = $1 AND deleted_at = 0"
                ),
                &[&id, &DELETED_NAME],
            )
            .await?;
        if closed == 0 {
            return Ok(false);
        }
        for statement in BELONGINGS {
            tx.execute(statement, &[&id]).await?;
        }
        let identities =
            tx.query("SELECT issuer, subject FROM identities WHERE user_id = $1", &[&id]).await?;
        for row in &identities {
            let (issuer, subject) = (row.try_get::<_, &str>(0)?, row.try_get::<_, &str>(1)?);
            tx.execute(
                "UPDATE identities SET subject = $3 WHERE issuer = $1 AND subject = $2",
                &[&issuer, &subject, &retired_subject(&key, issuer, subject)],
            )
            .await?;
        }
        tx.execute(
            &format!("INSERT INTO deletions (user_id, deleted_at) VALUES ($1, {CLOCK})"),
            &[&id],
        )
        .await?;
        append_audit(&tx, &AuditEntry::user_deleted(user, actor)).await?;
        tx.commit().await?;
        Ok(true)
    }

    pub(crate) async fn deletions(&self, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached("SELECT user_id FROM deletions ORDER BY deleted_at, user_id LIMIT $1")
            .await?;
        let rows = client.query(&statement, &[&i64::from(limit)]).await?;
        rows.iter().map(|row| rows::user_id(row, 0)).collect()
    }

    pub(crate) async fn groups_to_leave(
        &self,
        limit: u32,
    ) -> Result<Vec<(UserId, ConversationId)>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT d.user_id, c.id FROM deletions d
                 JOIN members m ON m.user_id = d.user_id
                 JOIN conversations c ON c.id = m.conversation_id
                 WHERE c.kind <> 0 LIMIT $1",
            )
            .await?;
        let rows = client.query(&statement, &[&i64::from(limit)]).await?;
        rows.iter()
            .map(|row| Ok((rows::user_id(row, 0)?, rows::conversation_id(row, 1)?)))
            .collect()
    }

    pub(crate) async fn erase_step(&self) -> Result<EraseStep, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let alone = tx.query_one("SELECT pg_try_advisory_xact_lock($1)", &[&LOCK]).await?;
        if !alone.try_get::<_, bool>(0)? {
            return Ok(EraseStep::default());
        }
        let due = tx
            .query_opt(
                &format!(
                    "SELECT user_id, conversation_id, client_msg_id FROM deletions d
                     WHERE deleted_at <= {CLOCK} - $1 AND NOT EXISTS (
                         SELECT FROM members m JOIN conversations c ON c.id = m.conversation_id
                         WHERE m.user_id = d.user_id AND c.kind <> 0)
                     ORDER BY deleted_at, user_id LIMIT 1"
                ),
                &[&QUIET_MS],
            )
            .await?;
        let Some(due) = due else { return Ok(EraseStep::default()) };
        let user = rows::user_id(&due, 0)?;
        let at = SentPosition { conversation: due.try_get(1)?, key: due.try_get(2)? };
        let erased = erase(&tx, &self.keys, user, at).await?;
        tx.commit().await?;
        Ok(EraseStep { erased, more: true })
    }
}

/// Erases a page of what the user sent; behind all of it, in steps of their own, detaches a page of files and removes one
/// of other traces, and at the end of those forgets the deletion.
async fn erase(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    user: UserId,
    at: SentPosition,
) -> Result<u64, StoreError> {
    let id = user.as_i64();
    let conversation = at.conversation;
    let page = sent_page(tx, keys, user, at, ERASE_PAGE).await?;
    let (messages, others): (Vec<_>, Vec<_>) =
        page.entries.iter().filter(|(entry, _)| entry.has_body()).partition(|row| row.1);
    let seqs = |rows: &[&(EntryRow, bool)]| -> Vec<i64> {
        rows.iter().map(|(entry, _)| rows::position(entry.seq)).collect()
    };
    // Edits and the like are no messages, and hold what somebody said.
    let said = tx
        .prepare_cached("SELECT seq FROM edits WHERE conversation_id = $1 AND seq = ANY ($2)")
        .await?;
    let said = tx.query(&said, &[&conversation, &seqs(&others)]).await?;
    let mut seqs = seqs(&messages);
    for row in &said {
        seqs.push(row.try_get(0)?);
    }
    let erased = erase_bodies(tx, conversation, &seqs).await?;
    // A step locks conversations once: the traces wait for the next one if there was anything here.
    if let Some(next) = page.next.or_else(|| SentPosition::behind(&page.entries)) {
        tx.execute(
            "UPDATE deletions SET conversation_id = $2, client_msg_id = $3 WHERE user_id = $1",
            &[&id, &next.conversation, &next.key],
        )
        .await?;
        return Ok(erased);
    }
    if remove_traces(tx, id).await? == 0 {
        tx.execute("DELETE FROM deletions WHERE user_id = $1", &[&id]).await?;
    }
    Ok(erased)
}

/// Removes a page of what a user left behind besides entries; how many rows.
async fn remove_traces(tx: &Transaction<'_>, user: i64) -> Result<u64, StoreError> {
    // Whoever changes one of these holds the row of the conversation.
    let places = tx.prepare_cached(PLACES).await?;
    let places = tx.query(&places, &[&user, &ERASE_PAGE]).await?;
    let places = places.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    lock(tx, &places).await?;
    let reactions = tx
        .prepare_cached(
            "SELECT conversation_id, seq, reaction FROM reactions
             WHERE user_id = $1 AND conversation_id = ANY ($3::int8[])
             ORDER BY conversation_id, seq, reaction LIMIT $2",
        )
        .await?;
    let reactions = tx.query(&reactions, &[&user, &ERASE_PAGE, &places]).await?;
    let column = |at| reactions.iter().map(|row| row.try_get(at)).collect::<Result<Vec<i64>, _>>();
    let (ids, seqs) = (column(0)?, column(1)?);
    let texts: Vec<&str> = reactions.iter().map(|row| row.try_get(2)).collect::<Result<_, _>>()?;
    if !ids.is_empty() {
        let unreact = tx.prepare_cached(UNREACT).await?;
        let users = vec![user; ids.len()];
        tx.execute(&unreact, &[&ids, &seqs, &users, &texts]).await?;
    }
    let mut removed = ids.len() as u64;
    for statement in TRACES {
        let statement = tx.prepare_cached(statement).await?;
        removed += tx.execute(&statement, &[&user, &ERASE_PAGE, &places]).await?;
    }
    Ok(removed)
}
