//! Reading logs: the tail for owners, pages for members, whole conversations for taking into memory.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::SqliteStore;
use super::marks::mark;
use super::rows::{self, ENTRY, MEMBER, position};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::model::{
    ConversationSnapshot, ConversationState, EntryRow, HistoryWindow, LogHead, LogPage,
};

impl SqliteStore {
    pub(crate) async fn load_conversation(
        &self,
        id: ConversationId,
        recent_limit: u32,
    ) -> Result<Option<ConversationSnapshot>, StoreError> {
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| {
            let about = tx
                .prepare_cached(
                    "SELECT c.kind, c.settings, c.floor_seq, c.muted_until,
                         EXISTS (SELECT 1 FROM blocks
                             WHERE user_id = c.low_user_id AND blocked_id = c.high_user_id)
                         OR EXISTS (SELECT 1 FROM blocks
                             WHERE user_id = c.high_user_id AND blocked_id = c.low_user_id),
                         c.deleted_at <> 0
                     FROM conversations c WHERE c.id = ?1",
                )?
                .query_row([id.as_i64()], |row| {
                    let state = ConversationState {
                        muted_until: row.get(3)?,
                        blocked: row.get(4)?,
                        dissolved: row.get(5)?,
                        ..ConversationState::default()
                    };
                    let settings = row.get::<_, Vec<u8>>(1)?;
                    Ok((rows::kind(row, 0)?, settings, rows::number(row, 2)?, state))
                })
                .optional()?;
            let Some((kind, settings, floor_seq, state)) = about else { return Ok(None) };
            let members = tx
                .prepare_cached(&format!(
                    "SELECT {MEMBER} FROM members m WHERE m.conversation_id = ?1 ORDER BY m.user_id"
                ))?
                .query_map([id.as_i64()], |row| rows::member(row, 0))?
                .collect::<Result<_, _>>()?;
            let mut recent = entries_before(tx, &keys, id, i64::MAX, recent_limit)?;
            mark(tx, None, &mut recent)?;
            Ok(Some(ConversationSnapshot {
                conversation_id: id,
                kind,
                settings: settings.into(),
                head: head(tx, id)?,
                floor_seq,
                members,
                recent,
                state: ConversationState {
                    bans: bans(tx, id)?,
                    requests: requests(tx, id)?,
                    pins: pins(tx, id)?,
                    ..state
                },
            }))
        })
        .await
    }

    pub(crate) async fn load_entry(
        &self,
        id: ConversationId,
        seq: Seq,
    ) -> Result<Option<EntryRow>, StoreError> {
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| {
            let mut entry = tx
                .prepare_cached(&format!(
                    "SELECT {ENTRY} FROM entries e JOIN conversations c ON c.id = e.conversation_id
                     WHERE e.conversation_id = ?1 AND e.seq = ?2 AND c.deleted_at = 0"
                ))?
                .query_row((id.as_i64(), position(seq)), |row| rows::entry(row, 0, &keys))
                .optional()?;
            mark(tx, None, &mut entry)?;
            Ok(entry)
        })
        .await
    }

    pub(crate) async fn load_tail(
        &self,
        id: ConversationId,
        after_seq: Seq,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| {
            let floor = tx
                .prepare_cached("SELECT floor_seq FROM conversations WHERE id = ?1")?
                .query_row([id.as_i64()], |row| rows::number(row, 0))
                .optional()?;
            let window = HistoryWindow::After(after_seq);
            floor.map(|floor| page(tx, &keys, None, id, floor, window, limit)).transpose()
        })
        .await
    }

    pub(crate) async fn sync_page(
        &self,
        user: UserId,
        id: ConversationId,
        after_seq: Seq,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        let window = HistoryWindow::After(after_seq);
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| member_page(tx, &keys, user, id, window, limit)).await
    }

    pub(crate) async fn history_page(
        &self,
        user: UserId,
        id: ConversationId,
        window: HistoryWindow,
        limit: u32,
    ) -> Result<Option<LogPage>, StoreError> {
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| member_page(tx, &keys, user, id, window, limit)).await
    }
}

/// A stretch of a log, for a member.
pub(super) fn member_page(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    user: UserId,
    id: ConversationId,
    window: HistoryWindow,
    limit: u32,
) -> Result<Option<LogPage>, StoreError> {
    floor_for(tx, user, id)?
        .map(|floor| page(tx, keys, Some(user), id, floor, window, limit))
        .transpose()
}

/// The floor of a conversation, if the user is a member of it.
fn floor_for(
    tx: &Transaction<'_>,
    user: UserId,
    id: ConversationId,
) -> Result<Option<Seq>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT c.floor_seq FROM conversations c
             JOIN members m ON m.conversation_id = c.id AND m.user_id = ?2 WHERE c.id = ?1",
        )?
        .query_row((id.as_i64(), user.as_i64()), |row| rows::number(row, 0))
        .optional()?)
}

fn page(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    reader: Option<UserId>,
    id: ConversationId,
    floor_seq: Seq,
    window: HistoryWindow,
    limit: u32,
) -> Result<LogPage, StoreError> {
    let (before, after) = window.parts(limit);
    let mut entries = match before {
        Some((seq, limit)) => entries_before(tx, keys, id, position(seq), limit)?,
        None => Vec::new(),
    };
    if let Some((seq, limit)) = after {
        entries.extend(entries_after(tx, keys, id, seq, limit)?);
    }
    mark(tx, reader, &mut entries)?;
    Ok(LogPage { entries, head: head(tx, id)?, floor_seq })
}

/// Who may not become a member, and until when.
fn bans(tx: &Transaction<'_>, id: ConversationId) -> Result<Vec<(UserId, UnixMs)>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT user_id, until FROM bans WHERE conversation_id = ?1 ORDER BY user_id",
        )?
        .query_map([id.as_i64()], |row| Ok((rows::user_id(row, 0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}

/// Who asked to become a member.
fn requests(tx: &Transaction<'_>, id: ConversationId) -> Result<Vec<UserId>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT user_id FROM join_requests WHERE conversation_id = ?1 ORDER BY user_id",
        )?
        .query_map([id.as_i64()], |row| rows::user_id(row, 0))?
        .collect::<Result<_, _>>()?)
}

/// What is pinned, oldest pin first.
pub(super) fn pins(tx: &Transaction<'_>, id: ConversationId) -> Result<Vec<Seq>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT seq FROM pins WHERE conversation_id = ?1 ORDER BY pinned_by_seq, seq",
        )?
        .query_map([id.as_i64()], |row| rows::number(row, 0))?
        .collect::<Result<_, _>>()?)
}

fn entries_after(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    id: ConversationId,
    after_seq: Seq,
    limit: u32,
) -> Result<Vec<EntryRow>, StoreError> {
    Ok(tx
        .prepare_cached(&format!(
            "SELECT {ENTRY} FROM entries e WHERE e.conversation_id = ?1 AND e.seq > ?2
             ORDER BY e.seq LIMIT ?3"
        ))?
        .query_map((id.as_i64(), position(after_seq), limit), |row| rows::entry(row, 0, keys))?
        .collect::<Result<_, _>>()?)
}

/// The newest entries below a position, oldest first.
fn entries_before(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    id: ConversationId,
    before: i64,
    limit: u32,
) -> Result<Vec<EntryRow>, StoreError> {
    let mut entries = tx
        .prepare_cached(&format!(
            "SELECT {ENTRY} FROM entries e WHERE e.conversation_id = ?1 AND e.seq < ?2
             ORDER BY e.seq DESC LIMIT ?3"
        ))?
        .query_map((id.as_i64(), before, limit), |row| rows::entry(row, 0, keys))?
        .collect::<Result<Vec<_>, _>>()?;
    entries.reverse();
    Ok(entries)
}

fn head(tx: &Transaction<'_>, id: ConversationId) -> Result<LogHead, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT seq, msg_no, created_at FROM entries WHERE conversation_id = ?1
             ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([id.as_i64()], |row| {
            Ok(LogHead {
                seq: rows::number(row, 0)?,
                msg_no: rows::number(row, 1)?,
                created_at: row.get(2)?,
            })
        })
        .optional()?
        .unwrap_or_default())
}
