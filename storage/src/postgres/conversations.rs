//! Making conversations, and moving cursors.

use bytes::Bytes;
use deadpool_postgres::{Object, Transaction};
use ringwire_protocol::{ConversationId, UnixMs, UserId};

use super::PostgresStore;
use super::rows::{self, position};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::first::FirstEntry;
use crate::model::{CursorRow, NewGroup, Role};
use crate::store::{DIRECT_CREATION_ID, merge_cursors};

impl PostgresStore {
    pub(crate) async fn open_direct(
        &self,
        opener: UserId,
        other: UserId,
        now_ms: UnixMs,
        body: Bytes,
    ) -> Result<(ConversationId, bool), StoreError> {
        let (low, high) = (opener.min(other), opener.max(other));
        let mut client = self.client().await?;
        if let Some(id) = find_direct(&client, low, high).await? {
            return Ok((id, false));
        }
        let id = self.new_conversation_id(&client).await?;
        let tx = client.transaction().await?;
        let made = tx
            .execute(
                "INSERT INTO conversations (id, kind, settings, low_user_id, high_user_id,
                     member_count, created_at, last_activity_at)
                 VALUES ($1, 0, '', $2, $3, $4, $5, $5)
                 ON CONFLICT (low_user_id, high_user_id) DO NOTHING",
                &[
                    &id.as_i64(),
                    &low.as_i64(),
                    &high.as_i64(),
                    &(1 + i32::from(low != high)),
                    &now_ms,
                ],
            )
            .await?;
        if made == 0 {
            // Somebody was faster. Only a new statement, after theirs has committed, sees their row.
            tx.rollback().await?;
            let id = find_direct(&client, low, high).await?;
            let id = id.ok_or_else(|| StoreError::Unavailable("a race was undone".into()))?;
            return Ok((id, false));
        }
        let members: &[UserId] = if low == high { &[low] } else { &[low, high] };
        insert_members(&tx, id, Role::Member, members, now_ms).await?;
        let first = FirstEntry::new(id, opener, DIRECT_CREATION_ID, 0, now_ms, &body);
        insert_first_entry(&tx, &self.keys, &first).await?;
        self.note_created(&tx, id).await?;
        tx.commit().await?;
        Ok((id, true))
    }

    pub(crate) async fn create_group(
        &self,
        group: NewGroup,
        now_ms: UnixMs,
    ) -> Result<(ConversationId, bool), StoreError> {
        let creator = group.creator;
        let creation_id = group.client_msg_id.as_str();
        let mut client = self.client().await?;
        if let Some(id) = find_group(&client, creator, creation_id).await? {
            return Ok((id, false));
        }
        let others = group.others();
        let id = self.new_conversation_id(&client).await?;
        let tx = client.transaction().await?;
        let made = tx
            .execute(
                "INSERT INTO conversations (id, kind, settings, creator_id, creation_id,
                     member_count, created_at, last_activity_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
                 ON CONFLICT (creator_id, creation_id) DO NOTHING",
                &[
                    &id.as_i64(),
                    &(group.kind as i16),
                    &&*group.settings,
                    &creator.as_i64(),
                    &creation_id,
                    &(others.len() as i32 + 1),
                    &now_ms,
                ],
            )
            .await?;
        if made == 0 {
            tx.rollback().await?;
            let id = find_group(&client, creator, creation_id).await?;
            let id = id.ok_or_else(|| StoreError::Unavailable("a race was undone".into()))?;
            return Ok((id, false));
        }
        insert_members(&tx, id, Role::Owner, &[creator], now_ms).await?;
        insert_members(&tx, id, Role::Member, &others, now_ms).await?;
        let first =
            FirstEntry::new(id, creator, creation_id, group.command_hash, now_ms, &group.body);
        insert_first_entry(&tx, &self.keys, &first).await?;
        self.note_created(&tx, id).await?;
        tx.commit().await?;
        Ok((id, true))
    }

    pub(crate) async fn save_cursors(&self, cursors: &[CursorRow]) -> Result<(), StoreError> {
        let cursors = merge_cursors(cursors);
        let conversations: Vec<i64> = cursors.iter().map(|c| c.conversation_id.as_i64()).collect();
        let users: Vec<i64> = cursors.iter().map(|c| c.user_id.as_i64()).collect();
        let reads: Vec<i64> = cursors.iter().map(|c| position(c.read_seq)).collect();
        let delivereds: Vec<i64> = cursors.iter().map(|c| position(c.delivered_seq)).collect();
        let client = self.client().await?;
        // The read cursor is the newest entry at or below what was asked, so it never passes the head; nor does the other.
        let statement = client
            .prepare_cached(
                "INSERT INTO cursors AS k
                     (conversation_id, user_id, read_seq, read_msg_no, delivered_seq)
                 SELECT u.conversation_id, u.user_id, coalesce(e.seq, 0), coalesce(e.msg_no, 0),
                     LEAST(u.delivered_seq, coalesce(h.seq, 0))
                 FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int8[])
                     AS u (conversation_id, user_id, read_seq, delivered_seq)
                 JOIN members m
                     ON m.conversation_id = u.conversation_id AND m.user_id = u.user_id
                 LEFT JOIN LATERAL (SELECT seq, msg_no FROM entries x
                     WHERE x.conversation_id = u.conversation_id AND x.seq <= u.read_seq
                     ORDER BY x.seq DESC LIMIT 1) e ON true
                 LEFT JOIN LATERAL (SELECT seq FROM entries x
                     WHERE x.conversation_id = u.conversation_id
                     ORDER BY x.seq DESC LIMIT 1) h ON true
                 ORDER BY u.conversation_id, u.user_id
                 ON CONFLICT (conversation_id, user_id) DO UPDATE SET
                     read_seq = GREATEST(k.read_seq, EXCLUDED.read_seq),
                     read_msg_no = GREATEST(k.read_msg_no, EXCLUDED.read_msg_no),
                     delivered_seq = GREATEST(k.delivered_seq, EXCLUDED.delivered_seq)
                 WHERE k.read_seq < EXCLUDED.read_seq OR k.delivered_seq < EXCLUDED.delivered_seq",
            )
            .await?;
        client.execute(&statement, &[&conversations, &users, &reads, &delivereds]).await?;
        Ok(())
    }

    async fn new_conversation_id(&self, client: &Object) -> Result<ConversationId, StoreError> {
        let id = self.conversation_ids.lock().await.take(client).await?;
        ConversationId::new(id as u64)
            .ok_or_else(|| StoreError::Fatal("no conversation ids are left".into()))
    }
}

pub(super) async fn find_direct(
    client: &Object,
    low: UserId,
    high: UserId,
) -> Result<Option<ConversationId>, StoreError> {
    let statement = client
        .prepare_cached("SELECT id FROM conversations WHERE low_user_id = $1 AND high_user_id = $2")
        .await?;
    let row = client.query_opt(&statement, &[&low.as_i64(), &high.as_i64()]).await?;
    row.map(|row| rows::conversation_id(&row, 0)).transpose()
}

async fn find_group(
    client: &Object,
    creator: UserId,
    creation_id: &str,
) -> Result<Option<ConversationId>, StoreError> {
    let statement = client
        .prepare_cached("SELECT id FROM conversations WHERE creator_id = $1 AND creation_id = $2")
        .await?;
    let row = client.query_opt(&statement, &[&creator.as_i64(), &creation_id]).await?;
    row.map(|row| rows::conversation_id(&row, 0)).transpose()
}

async fn insert_members(
    tx: &Transaction<'_>,
    id: ConversationId,
    role: Role,
    users: &[UserId],
    now_ms: UnixMs,
) -> Result<(), StoreError> {
    let users: Vec<i64> = users.iter().map(|user| user.as_i64()).collect();
    let made = tx
        .execute(
            "INSERT INTO members (conversation_id, user_id, role, joined_at)
             SELECT $1, id, $2, $3 FROM users WHERE id = ANY ($4) AND deleted_at = 0 ORDER BY id",
            &[&id.as_i64(), &(role as i16), &now_ms, &users],
        )
        .await?;
    if made == users.len() as u64 { Ok(()) } else { Err(StoreError::NoSuchUser) }
}

async fn insert_first_entry(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    first: &FirstEntry<'_>,
) -> Result<(), StoreError> {
    let stored = first.sealed(keys)?;
    tx.execute(
        "INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id,
             command_hash, body, key_id)
         VALUES ($1, 1, 0, $2, $3, $4, $5, $6, $7)",
        &[
            &first.conversation_id.as_i64(),
            &first.creator.as_i64(),
            &first.created_at,
            &first.client_msg_id,
            &first.command_hash,
            &&*stored.body,
            &stored.key_id,
        ],
    )
    .await?;
    Ok(())
}
