//! The people of one conversation, and who has read an entry.

use deadpool_postgres::Transaction;
use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row};

use super::PostgresStore;
use super::log::snapshot;
use super::rows::{self, MEMBER, MEMBER_WIDTH, USER, USER_WIDTH, position};
use crate::error::StoreError;
use crate::members::{MemberList, MembersPage, ReadBy};
use crate::model::{MemberProfile, Role};

/// What makes a profile of a row.
type Read = fn(&Row) -> Result<MemberProfile, StoreError>;

impl PostgresStore {
    pub(crate) async fn members_page(
        &self,
        user: UserId,
        id: ConversationId,
        list: MemberList,
        after: i64,
        limit: u32,
        now_ms: UnixMs,
    ) -> Result<MembersPage, StoreError> {
        let mut client = self.client().await?;
        let tx = snapshot!(client);
        let Some(role) = role_of(&tx, user, id).await? else { return Ok(MembersPage::NotMember) };
        if !list.is_for(role) {
            return Ok(MembersPage::NotAllowed);
        }
        let (sql, read): (String, Read) = match list {
            MemberList::Members => (
                format!(
                    "SELECT {MEMBER}, {USER}, coalesce(k.read_seq, 0), coalesce(k.delivered_seq, 0)
                     FROM members m JOIN users u ON u.id = m.user_id
                     LEFT JOIN cursors k
                         ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                     WHERE m.conversation_id = $1 AND m.user_id > $2
                     ORDER BY m.user_id LIMIT $3"
                ),
                member,
            ),
            MemberList::Banned => (
                format!(
                    "SELECT {USER}, b.until FROM bans b JOIN users u ON u.id = b.user_id
                     WHERE b.conversation_id = $1 AND b.user_id > $2 AND b.until > $4
                     ORDER BY b.user_id LIMIT $3"
                ),
                banned,
            ),
            MemberList::Requests => (
                format!(
                    "SELECT {USER}, r.requested_at, r.text
                     FROM join_requests r JOIN users u ON u.id = r.user_id
                     WHERE r.conversation_id = $1 AND r.user_id > $2 ORDER BY r.user_id LIMIT $3"
                ),
                asking,
            ),
        };
        let page = tx.prepare_cached(&sql).await?;
        let (id, most) = (id.as_i64(), i64::from(limit) + 1);
        let asked: [&(dyn ToSql + Sync); 4] = [&id, &after, &most, &now_ms];
        let asked = if list == MemberList::Banned { &asked[..] } else { &asked[..3] };
        let found = tx.query(&page, asked).await?;
        let profiles = found.iter().map(read).collect::<Result<_, _>>()?;
        Ok(MembersPage::of(profiles, limit))
    }

    pub(crate) async fn read_by(
        &self,
        user: UserId,
        id: ConversationId,
        seq: Seq,
        after: i64,
        limit: u32,
    ) -> Result<Option<ReadBy>, StoreError> {
        let mut client = self.client().await?;
        let tx = snapshot!(client);
        if role_of(&tx, user, id).await?.is_none() {
            return Ok(None);
        }
        let (id, seq) = (id.as_i64(), position(seq));
        let entry = tx
            .prepare_cached(
                "SELECT sender_id, created_at FROM entries WHERE conversation_id = $1 AND seq = $2",
            )
            .await?;
        let Some(entry) = tx.query_opt(&entry, &[&id, &seq]).await? else {
            return Ok(Some(ReadBy::default()));
        };
        let (sender, at) = (entry.try_get::<_, i64>(0)?, entry.try_get::<_, i64>(1)?);
        let counts = tx
            .prepare_cached(
                "SELECT count(*) FILTER (WHERE k.read_seq >= $2),
                     count(*) FILTER (WHERE GREATEST(k.read_seq, k.delivered_seq) >= $2)
                 FROM members m JOIN cursors k
                     ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                 WHERE m.conversation_id = $1 AND m.user_id <> $3 AND m.joined_at <= $4",
            )
            .await?;
        let counts = tx.query_one(&counts, &[&id, &seq, &sender, &at]).await?;
        let [read_count, delivered_count] = [rows::number(&counts, 0)?, rows::number(&counts, 1)?]
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let users = tx
            .prepare_cached(
                "SELECT m.user_id FROM members m JOIN cursors k
                     ON k.conversation_id = m.conversation_id AND k.user_id = m.user_id
                 WHERE m.conversation_id = $1 AND m.user_id > $5 AND m.user_id <> $3
                     AND m.joined_at <= $4 AND k.read_seq >= $2
                 ORDER BY m.user_id LIMIT $6",
            )
            .await?;
        let users = tx
            .query(&users, &[&id, &seq, &sender, &at, &after, &(i64::from(limit) + 1)])
            .await?
            .iter()
            .map(|row| rows::user_id(row, 0))
            .collect::<Result<_, StoreError>>()?;
        Ok(Some(ReadBy { exists: true, read_count, delivered_count, users, more: false }))
    }
}

/// What a user may do in a conversation; `None`: not a member.
pub(super) async fn role_of(
    tx: &Transaction<'_>,
    user: UserId,
    id: ConversationId,
) -> Result<Option<Role>, StoreError> {
    let statement = tx
        .prepare_cached("SELECT role FROM members WHERE conversation_id = $1 AND user_id = $2")
        .await?;
    let row = tx.query_opt(&statement, &[&id.as_i64(), &user.as_i64()]).await?;
    row.map(|row| rows::role(&row, 0)).transpose()
}

fn member(row: &Row) -> Result<MemberProfile, StoreError> {
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

fn banned(row: &Row) -> Result<MemberProfile, StoreError> {
    let stranger = MemberProfile::of_stranger(rows::user(row, 0)?);
    Ok(MemberProfile { banned_until: row.try_get(USER_WIDTH)?, ..stranger })
}

fn asking(row: &Row) -> Result<MemberProfile, StoreError> {
    let stranger = MemberProfile::of_stranger(rows::user(row, 0)?);
    Ok(MemberProfile {
        requested_at: row.try_get(USER_WIDTH)?,
        request_text: row.try_get(USER_WIDTH + 1)?,
        ..stranger
    })
}
