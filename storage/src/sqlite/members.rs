//! The people of one conversation, and who has read an entry.

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::SqliteStore;
use super::rows::{self, MEMBER, MEMBER_WIDTH, USER, USER_WIDTH, position};
use crate::error::StoreError;
use crate::members::{MemberList, MembersPage, ReadBy};
use crate::model::{MemberProfile, Role};

impl SqliteStore {
    pub(crate) async fn members_page(
        &self,
        user: UserId,
        id: ConversationId,
        list: MemberList,
        after: i64,
        limit: u32,
        now_ms: UnixMs,
    ) -> Result<MembersPage, StoreError> {
        self.read(move |tx| {
            let Some(role) = role_of(tx, user, id)? else { return Ok(MembersPage::NotMember) };
            if !list.is_for(role) {
                return Ok(MembersPage::NotAllowed);
            }
            let asked = (id.as_i64(), after, i64::from(limit) + 1);
            let profiles = match list {
                MemberList::Members => tx
                    .prepare_cached(&format!(
                        "SELECT {MEMBER}, {USER}, coalesce(k.read_seq, 0), coalesce(k.delivered_seq, 0)
                         FROM members m JOIN users u ON u.id = m.user_id
                         LEFT JOIN cursors k
                             ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                         WHERE m.conversation_id = ?1 AND m.user_id > ?2
                         ORDER BY m.user_id LIMIT ?3"
                    ))?
                    .query_map(asked, member)?
                    .collect::<Result<_, _>>()?,
                MemberList::Banned => tx
                    .prepare_cached(&format!(
                        "SELECT {USER}, b.until FROM bans b JOIN users u ON u.id = b.user_id
                         WHERE b.conversation_id = ?1 AND b.user_id > ?2 AND b.until > ?4
                         ORDER BY b.user_id LIMIT ?3"
                    ))?
                    .query_map((asked.0, asked.1, asked.2, now_ms), banned)?
                    .collect::<Result<_, _>>()?,
                MemberList::Requests => tx
                    .prepare_cached(&format!(
                        "SELECT {USER}, r.requested_at, r.text
                         FROM join_requests r JOIN users u ON u.id = r.user_id
                         WHERE r.conversation_id = ?1 AND r.user_id > ?2 ORDER BY r.user_id LIMIT ?3"
                    ))?
                    .query_map(asked, asking)?
                    .collect::<Result<_, _>>()?,
            };
            Ok(MembersPage::of(profiles, limit))
        })
        .await
    }

    pub(crate) async fn read_by(
        &self,
        user: UserId,
        id: ConversationId,
        seq: Seq,
        after: i64,
        limit: u32,
    ) -> Result<Option<ReadBy>, StoreError> {
        self.read(move |tx| {
            if role_of(tx, user, id)?.is_none() {
                return Ok(None);
            }
            let (id, seq) = (id.as_i64(), position(seq));
            let entry: Option<(i64, i64)> = tx
                .prepare_cached(
                    "SELECT sender_id, created_at FROM entries WHERE conversation_id = ?1 AND seq = ?2",
                )?
                .query_row((id, seq), |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((sender, at)) = entry else { return Ok(Some(ReadBy::default())) };
            let (read_count, delivered_count) = tx
                .prepare_cached(
                    "SELECT count(*) FILTER (WHERE k.read_seq >= ?2),
                         count(*) FILTER (WHERE max(k.read_seq, k.delivered_seq) >= ?2)
                     FROM members m JOIN cursors k
                         ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                     WHERE m.conversation_id = ?1 AND m.user_id <> ?3 AND m.joined_at <= ?4",
                )?
                .query_row((id, seq, sender, at), |row| Ok((row.get(0)?, row.get(1)?)))?;
            let users = tx
                .prepare_cached(
                    "SELECT m.user_id FROM members m JOIN cursors k
                         ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                     WHERE m.conversation_id = ?1 AND m.user_id > ?5 AND m.user_id <> ?3
                         AND m.joined_at <= ?4 AND k.read_seq >= ?2
                     ORDER BY m.user_id LIMIT ?6",
                )?
                .query_map((id, seq, sender, at, after, i64::from(limit) + 1), |row| {
                    rows::user_id(row, 0)
                })?
                .collect::<Result<_, _>>()?;
            Ok(Some(ReadBy { exists: true, read_count, delivered_count, users, more: false }))
        })
        .await
    }
}

/// What a user may do in a conversation; `None`: not a member.
pub(super) fn role_of(
    tx: &Transaction<'_>,
    user: UserId,
    id: ConversationId,
) -> Result<Option<Role>, StoreError> {
    Ok(tx
        .prepare_cached("SELECT role FROM members WHERE conversation_id = ?1 AND user_id = ?2")?
        .query_row((id.as_i64(), user.as_i64()), |row| rows::role(row, 0))
        .optional()?)
}

fn member(row: &Row<'_>) -> rusqlite::Result<MemberProfile> {
    const CURSORS: usize = MEMBER_WIDTH + USER_WIDTH;
    Ok(MemberProfile {
        member: rows::member(row, 0)?,
        user: rows::user(row, MEMBER_WIDTH)?,
        read_seq: rows::number(row, CURSORS)?,
        delivered_seq: rows::number(row, CURSORS + 1)?,
        banned_until: 0,
        requested_at: 0,
        request_text: String::new(),
    })
}

fn banned(row: &Row<'_>) -> rusqlite::Result<MemberProfile> {
    let stranger = MemberProfile::of_stranger(rows::user(row, 0)?);
    Ok(MemberProfile { banned_until: row.get(USER_WIDTH)?, ..stranger })
}

fn asking(row: &Row<'_>) -> rusqlite::Result<MemberProfile> {
    let stranger = MemberProfile::of_stranger(rows::user(row, 0)?);
    Ok(MemberProfile {
        requested_at: row.get(USER_WIDTH)?,
        request_text: row.get(USER_WIDTH + 1)?,
        ..stranger
    })
}
