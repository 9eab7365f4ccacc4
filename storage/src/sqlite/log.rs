//! Reading logs: the tail for owners, pages for members, whole conversations for taking into memory.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, Seq, UserId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::SqliteStore;
use super::rows::{self, ENTRY, MEMBER, MEMBER_WIDTH, USER, position};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::model::{
    ConversationSnapshot, ConversationState, EntryRow, HistoryWindow, LogHead, LogPage,
    MemberProfile,
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
                    "SELECT kind, settings, floor_seq FROM conversations WHERE id = ?1",
                )?
                .query_row([id.as_i64()], |row| {
                    Ok((rows::kind(row, 0)?, row.get::<_, Vec<u8>>(1)?, rows::number(row, 2)?))
                })
                .optional()?;
            let Some((kind, settings, floor_seq)) = about else { return Ok(None) };
            let members = tx
                .prepare_cached(&format!(
                    "SELECT {MEMBER} FROM members m WHERE m.conversation_id = ?1 ORDER BY m.user_id"
                ))?
                .query_map([id.as_i64()], |row| rows::member(row, 0))?
                .collect::<Result<_, _>>()?;
            Ok(Some(ConversationSnapshot {
                conversation_id: id,
                kind,
                settings: settings.into(),
                head: head(tx, id)?,
                floor_seq,
                members,
                recent: entries_before(tx, &keys, id, i64::MAX, recent_limit)?,
                state: ConversationState::default(),
            }))
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
            floor.map(|floor| page(tx, &keys, id, floor, window, limit)).transpose()
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

    pub(crate) async fn members_page(
        &self,
        user: UserId,
        id: ConversationId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Option<(Vec<MemberProfile>, bool)>, StoreError> {
        self.read(move |tx| {
            if floor_for(tx, user, id)?.is_none() {
                return Ok(None);
            }
            let mut members = tx
                .prepare_cached(&format!(
                    "SELECT {MEMBER}, {USER}, coalesce(k.read_seq, 0), coalesce(k.delivered_seq, 0)
                     FROM members m JOIN users u ON u.id = m.user_id
                     LEFT JOIN cursors k
                         ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                     WHERE m.conversation_id = ?1 AND m.user_id > ?2
                     ORDER BY m.user_id LIMIT ?3"
                ))?
                .query_map(
                    (id.as_i64(), after.map_or(0, UserId::as_i64), i64::from(limit) + 1),
                    |row| {
                        let cursors = MEMBER_WIDTH + rows::USER_WIDTH;
                        Ok(MemberProfile {
                            member: rows::member(row, 0)?,
                            user: rows::user(row, MEMBER_WIDTH)?,
                            read_seq: rows::number(row, cursors)?,
                            delivered_seq: rows::number(row, cursors + 1)?,
                        })
                    },
                )?
                .collect::<Result<Vec<_>, _>>()?;
            let more = members.len() > limit as usize;
            members.truncate(limit as usize);
            Ok(Some((members, more)))
        })
        .await
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
    floor_for(tx, user, id)?.map(|floor| page(tx, keys, id, floor, window, limit)).transpose()
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
    Ok(LogPage { entries, head: head(tx, id)?, floor_seq })
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
