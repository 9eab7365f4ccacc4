//! Making conversations, and moving cursors.

use std::sync::Arc;

use bytes::Bytes;
use ringwire_protocol::{ConversationId, UnixMs, UserId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::SqliteStore;
use super::directory::next_id;
use super::hooks::note_events;
use super::rows::{self, position};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::first::FirstEntry;
use crate::model::{CursorRow, NewGroup, Role};
use crate::store::{DIRECT_CREATION_ID, merge_cursors};

impl SqliteStore {
    pub(crate) async fn open_direct(
        &self,
        opener: UserId,
        other: UserId,
        now_ms: UnixMs,
        body: Bytes,
    ) -> Result<(ConversationId, bool), StoreError> {
        let (keys, outbox) = (Arc::clone(&self.keys), Arc::clone(&self.outbox));
        self.write(move |tx| {
            let (low, high) = (opener.min(other), opener.max(other));
            let found = tx
                .prepare_cached(
                    "SELECT id FROM conversations WHERE low_user_id = ?1 AND high_user_id = ?2",
                )?
                .query_row((low.as_i64(), high.as_i64()), |row| rows::conversation_id(row, 0))
                .optional()?;
            if let Some(id) = found {
                return Ok((id, false));
            }
            let id = new_conversation_id(tx)?;
            let members = 1 + i64::from(low != high);
            tx.prepare_cached(
                "INSERT INTO conversations (id, kind, settings, low_user_id, high_user_id,
                     member_count, created_at, last_activity_at)
                 VALUES (?1, 0, x'', ?2, ?3, ?4, ?5, ?5)",
            )?
            .execute((id.as_i64(), low.as_i64(), high.as_i64(), members, now_ms))?;
            insert_member(tx, id, low, Role::Member, now_ms)?;
            if low != high {
                insert_member(tx, id, high, Role::Member, now_ms)?;
            }
            let first = FirstEntry::new(id, opener, DIRECT_CREATION_ID, 0, now_ms, &body);
            insert_first_entry(tx, &keys, &first)?;
            note_events(tx, &outbox.created(id))?;
            Ok((id, true))
        })
        .await
    }

    pub(crate) async fn create_group(
        &self,
        group: NewGroup,
        now_ms: UnixMs,
    ) -> Result<(ConversationId, bool), StoreError> {
        let (keys, outbox) = (Arc::clone(&self.keys), Arc::clone(&self.outbox));
        self.write(move |tx| {
            let creator = group.creator;
            let found = tx
                .prepare_cached(
                    "SELECT id FROM conversations WHERE creator_id = ?1 AND creation_id = ?2",
                )?
                .query_row((creator.as_i64(), &group.client_msg_id), |row| {
                    rows::conversation_id(row, 0)
                })
                .optional()?;
            if let Some(id) = found {
                return Ok((id, false));
            }
            let others = group.others();
            let id = new_conversation_id(tx)?;
            tx.prepare_cached(
                "INSERT INTO conversations (id, kind, settings, creator_id, creation_id,
                     member_count, created_at, last_activity_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            )?
            .execute((
                id.as_i64(),
                group.kind as i16,
                &*group.settings,
                creator.as_i64(),
                &group.client_msg_id,
                others.len() as i64 + 1,
                now_ms,
            ))?;
            insert_member(tx, id, creator, Role::Owner, now_ms)?;
            for user in others {
                insert_member(tx, id, user, Role::Member, now_ms)?;
            }
            let creation_id = group.client_msg_id.as_str();
            let first =
                FirstEntry::new(id, creator, creation_id, group.command_hash, now_ms, &group.body);
            insert_first_entry(tx, &keys, &first)?;
            note_events(tx, &outbox.created(id))?;
            Ok((id, true))
        })
        .await
    }

    pub(crate) async fn save_cursors(&self, cursors: &[CursorRow]) -> Result<(), StoreError> {
        let cursors = merge_cursors(cursors);
        self.write(move |tx| {
            // The read cursor is the newest entry at or below what was asked, so it never passes the head; nor does the other.
            let mut save = tx.prepare_cached(
                "INSERT INTO cursors (conversation_id, user_id, read_seq, read_msg_no, delivered_seq)
                 SELECT ?1, ?2, coalesce(e.seq, 0), coalesce(e.msg_no, 0), min(?4,
                     coalesce((SELECT max(seq) FROM entries WHERE conversation_id = ?1), 0))
                 FROM members m LEFT JOIN entries e ON e.conversation_id = ?1 AND e.seq =
                     (SELECT max(seq) FROM entries WHERE conversation_id = ?1 AND seq <= ?3)
                 WHERE m.conversation_id = ?1 AND m.user_id = ?2
                 ON CONFLICT (conversation_id, user_id) DO UPDATE SET
                     read_seq = max(read_seq, excluded.read_seq),
                     read_msg_no = max(read_msg_no, excluded.read_msg_no),
                     delivered_seq = max(delivered_seq, excluded.delivered_seq)",
            )?;
            for cursor in &cursors {
                save.execute((
                    cursor.conversation_id.as_i64(),
                    cursor.user_id.as_i64(),
                    position(cursor.read_seq),
                    position(cursor.delivered_seq),
                ))?;
            }
            Ok(())
        })
        .await
    }
}

fn new_conversation_id(tx: &Transaction<'_>) -> Result<ConversationId, StoreError> {
    ConversationId::new(next_id(tx, "conversation")?)
        .ok_or_else(|| StoreError::Fatal("no conversation ids are left".into()))
}

fn insert_member(
    tx: &Transaction<'_>,
    id: ConversationId,
    user: UserId,
    role: Role,
    now_ms: UnixMs,
) -> Result<(), StoreError> {
    let made = tx
        .prepare_cached(
            "INSERT INTO members (conversation_id, user_id, role, joined_at)
             SELECT ?1, id, ?3, ?4 FROM users WHERE id = ?2 AND deleted_at = 0",
        )?
        .execute((id.as_i64(), user.as_i64(), role as i16, now_ms))?;
    if made == 0 { Err(StoreError::NoSuchUser) } else { Ok(()) }
}

fn insert_first_entry(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    first: &FirstEntry<'_>,
) -> Result<(), StoreError> {
    let stored = first.sealed(keys)?;
    tx.prepare_cached(
        "INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id,
             command_hash, body, key_id)
         VALUES (?1, 1, 0, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        first.conversation_id.as_i64(),
        first.creator.as_i64(),
        first.created_at,
        first.client_msg_id,
        first.command_hash,
        &*stored.body,
        stored.key_id,
    ))?;
    Ok(())
}
