//! Reading logs: the tail for owners, pages for members, whole conversations for taking into memory.

use deadpool_postgres::Transaction;
use futures_util::future::try_join4;
use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use tokio_postgres::IsolationLevel;

use super::PostgresStore;
use super::marks::mark;
use super::rows::{self, ENTRY, MEMBER, position};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::model::{
    ConversationSnapshot, ConversationState, EntryRow, HistoryWindow, LogHead, LogPage,
};

/// Starts a transaction whose every read sees the same state.
macro_rules! snapshot {
    ($client:ident) => {{
        let tx = $client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        tx.batch_execute(crate::postgres::partitions::LOCK_FIRST).await?;
        tx
    }};
}
pub(super) use snapshot;

impl PostgresStore {
    pub(crate) async fn load_conversation(
        &self,
        id: ConversationId,
        recent_limit: u32,
    ) -> Result<Option<ConversationSnapshot>, StoreError> {
        let mut client = self.client().await?;
        let tx = snapshot!(client);
        let about = tx
            .prepare_cached(
                "SELECT c.kind, c.settings, c.floor_seq, c.muted_until,
                     (SELECT k.user_id FROM blocks k
                      WHERE k.user_id = c.low_user_id AND k.blocked_id = c.high_user_id) IS NOT NULL
                     OR (SELECT k.user_id FROM blocks k WHERE k.user_id = c.high_user_id
                             AND k.blocked_id = c.low_user_id) IS NOT NULL,
                     ARRAY(SELECT p.seq FROM pins p
                         WHERE p.conversation_id = c.id ORDER BY p.pinned_by_seq, p.seq),
                     c.deleted_at <> 0
                 FROM conversations c WHERE c.id = $1",
            )
            .await?;
        let Some(about) = tx.query_opt(&about, &[&id.as_i64()]).await? else { return Ok(None) };
        let members = tx
            .prepare_cached(&format!(
                "SELECT {MEMBER} FROM members m WHERE m.conversation_id = $1 ORDER BY m.user_id"
            ))
            .await?;
        let members = async { Ok(tx.query(&members, &[&id.as_i64()]).await?) };
        // At least the newest entry is needed, for the head.
        let recent = entries_before(&tx, &self.keys, id, i64::MAX, recent_limit.max(1));
        let (members, mut recent, bans, requests) =
            try_join4(members, recent, bans(&tx, id), requests(&tx, id)).await?;
        let head = recent.last().map_or_else(LogHead::default, EntryRow::head);
        if recent_limit == 0 {
            recent.clear();
        }
        mark(&tx, None, &mut recent).await?;
        Ok(Some(ConversationSnapshot {
            conversation_id: id,
            kind: rows::kind(&about, 0)?,
            settings: rows::bytes(&about, 1)?,
            head,
            floor_seq: rows::number(&about, 2)?,
            members: members.iter().map(|row| rows::member(row, 0)).collect::<Result<_, _>>()?,
            recent,
            state: ConversationState {
                muted_until: about.try_get(3)?,
                blocked: about.try_get(4)?,
                pins: rows::positions(&about, 5)?,
                dissolved: about.try_get(6)?,
                bans,
                requests,
            },
        }))
    }

    pub(crate) async fn load_entry(
        &self,
        id: ConversationId,
        seq: Seq,
    ) -> Result<Option<EntryRow>, StoreError> {
        let mut client = self.client().await?;
        let tx = snapshot!(client);
        let statement = tx
            .prepare_cached(&format!(
                "SELECT {ENTRY} FROM entries e JOIN conversations c ON c.id = e.conversation_id
                 WHERE e.conversation_id = $1 AND e.seq = $2 AND c.deleted_at = 0"
            ))
            .await?;
        let row = tx.query_opt(&statement, &[&id.as_i64(), &position(seq)]).await?;
        let mut entry = row.map(|row| rows::entry(&row, 0, &self.keys)).transpose()?;
        mark(&tx, None, &mut entry).await?;
        Ok(entry)
    }

    pub(crate) async fn load_tail(
        &self,
        id: ConversationId,
        after_seq: Seq,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        self.page(None, id, HistoryWindow::After(after_seq), limit).await
    }

    pub(crate) async fn sync_page(
        &self,
        user: UserId,
        id: ConversationId,
        after_seq: Seq,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        self.page(Some(user), id, HistoryWindow::After(after_seq), limit).await
    }

    pub(crate) async fn history_page(
        &self,
        user: UserId,
        id: ConversationId,
        window: HistoryWindow,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        self.page(Some(user), id, window, limit).await
    }

    /// A stretch of a log; with a user: if that one is a member.
    async fn page(
        &self,
        user: Option<UserId>,
        id: ConversationId,
        window: HistoryWindow,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        let mut client = self.client().await?;
        let tx = snapshot!(client);
        let Some((floor_seq, head)) = position_of(&tx, id, user).await? else { return Ok(None) };
        let (before, after) = window.parts(limit);
        let mut entries = match before {
            Some((seq, limit)) => entries_before(&tx, &self.keys, id, position(seq), limit).await?,
            None => Vec::new(),
        };
        if let Some((seq, limit)) = after {
            entries.extend(entries_after(&tx, &self.keys, id, seq, limit).await?);
        }
        mark(&tx, user, &mut entries).await?;
        Ok(Some(LogPage { entries, head, floor_seq }))
    }
}

/// Who may not become a member, and until when.
async fn bans(
    tx: &Transaction<'_>,
    id: ConversationId,
) -> Result<Vec<(UserId, UnixMs)>, StoreError> {
    let statement = tx
        .prepare_cached(
            "SELECT user_id, until FROM bans WHERE conversation_id = $1 ORDER BY user_id",
        )
        .await?;
    let rows = tx.query(&statement, &[&id.as_i64()]).await?;
    rows.iter().map(|row| Ok((rows::user_id(row, 0)?, row.try_get(1)?))).collect()
}

/// Who asked to become a member.
async fn requests(tx: &Transaction<'_>, id: ConversationId) -> Result<Vec<UserId>, StoreError> {
    let statement = tx
        .prepare_cached(
            "SELECT user_id FROM join_requests WHERE conversation_id = $1 ORDER BY user_id",
        )
        .await?;
    let rows = tx.query(&statement, &[&id.as_i64()]).await?;
    rows.iter().map(|row| rows::user_id(row, 0)).collect()
}

/// Floor and head of a conversation, also of one that is dissolved; with a user: if that one is a member.
async fn position_of(
    tx: &Transaction<'_>,
    id: ConversationId,
    user: Option<UserId>,
) -> Result<Option<(Seq, LogHead)>, StoreError> {
    let statement = tx
        .prepare_cached(
            "SELECT c.floor_seq, coalesce(h.seq, 0), coalesce(h.msg_no, 0), coalesce(h.created_at, 0)
             FROM conversations c
             LEFT JOIN LATERAL (SELECT seq, msg_no, created_at FROM entries
                 WHERE conversation_id = c.id ORDER BY seq DESC LIMIT 1) h ON true
             WHERE c.id = $1 AND ($2::int8 IS NULL OR c.deleted_at = 0 AND EXISTS (
                 SELECT FROM members m WHERE m.conversation_id = c.id AND m.user_id = $2))",
        )
        .await?;
    let row = tx.query_opt(&statement, &[&id.as_i64(), &user.map(UserId::as_i64)]).await?;
    row.map(|row| Ok((rows::number(&row, 0)?, rows::head(&row, 1)?))).transpose()
}

async fn entries_after(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    id: ConversationId,
    after_seq: Seq,
    limit: u32,
) -> Result<Vec<EntryRow>, StoreError> {
    let statement = tx
        .prepare_cached(&format!(
            "SELECT {ENTRY} FROM entries e WHERE e.conversation_id = $1 AND e.seq > $2
             ORDER BY e.seq LIMIT $3"
        ))
        .await?;
    tx.query(&statement, &[&id.as_i64(), &position(after_seq), &i64::from(limit)])
        .await?
        .iter()
        .map(|row| rows::entry(row, 0, keys))
        .collect()
}

/// The newest entries below a position, oldest first.
async fn entries_before(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    id: ConversationId,
    before: i64,
    limit: u32,
) -> Result<Vec<EntryRow>, StoreError> {
    let statement = tx
        .prepare_cached(&format!(
            "SELECT {ENTRY} FROM entries e WHERE e.conversation_id = $1 AND e.seq < $2
             ORDER BY e.seq DESC LIMIT $3"
        ))
        .await?;
    tx.query(&statement, &[&id.as_i64(), &before, &i64::from(limit)])
        .await?
        .iter()
        .rev()
        .map(|row| rows::entry(row, 0, keys))
        .collect()
}
