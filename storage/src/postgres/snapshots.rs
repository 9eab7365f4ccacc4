//! A user's list of conversations, and what `connect` reads at once.

use deadpool_postgres::Transaction;
use ringwire_protocol::{ConversationId, Seq, UserId};
use tokio_postgres::{IsolationLevel, Row};

use super::PostgresStore;
use super::directory::users_by_id;
use super::log::snapshot;
use super::marks::mark;
use super::rows::{self, ENTRY, position};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::model::{
    EntryRow, HeadRow, HeadsAfter, LogHead, LogPage, MENTIONS_COUNTED, OWN_ENTRY_WINDOW,
    SessionSnapshot, attach_users,
};

impl PostgresStore {
    pub(crate) async fn session_snapshot(
        &self,
        user: UserId,
        cursors: Vec<(ConversationId, Seq)>,
        heads_limit: u32,
        sync_limit: u32,
    ) -> Result<SessionSnapshot, StoreError> {
        let mut client = self.client().await?;
        let tx = snapshot!(client);
        let (heads, more_heads) = heads(&tx, &self.keys, user, None, &[], heads_limit).await?;
        let total_unread = total_unread(&tx, user).await?;
        let syncs = if cursors.is_empty() {
            Vec::new()
        } else {
            syncs(&tx, &self.keys, user, &cursors, sync_limit).await?
        };
        Ok(SessionSnapshot { heads, more_heads, total_unread, syncs })
    }

    pub(crate) async fn heads(
        &self,
        user: UserId,
        after: Option<HeadsAfter>,
        only: Vec<ConversationId>,
        limit: u32,
    ) -> Result<(Vec<HeadRow>, bool), StoreError> {
        let mut client = self.client().await?;
        let tx = snapshot!(client);
        heads(&tx, &self.keys, user, after, &only, limit).await
    }
}

async fn heads(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    user: UserId,
    after: Option<HeadsAfter>,
    only: &[ConversationId],
    limit: u32,
) -> Result<(Vec<HeadRow>, bool), StoreError> {
    let only: Option<Vec<i64>> =
        (!only.is_empty()).then(|| only.iter().map(|id| id.as_i64()).collect());
    let before =
        after.map_or((i64::MAX, i64::MAX), |at| (at.last_activity_at, at.conversation_id.as_i64()));
    let statement = tx
        .prepare_cached(&format!(
            "SELECT p.id, p.kind, p.settings, p.created_at, p.member_count, p.role,
                 p.last_activity_at, p.low_user_id, p.high_user_id,
                 GREATEST(k.read_seq, own.seq, 0), GREATEST(k.read_msg_no, own.msg_no, 0),
                 coalesce(k.delivered_seq, 0), p.muted_until, p.own_muted_until,
                 ({named}) + ({everyone}), ARRAY(SELECT s.seq FROM pins s
                     WHERE s.conversation_id = p.id ORDER BY s.pinned_by_seq, s.seq), {ENTRY}
             FROM (
                 SELECT c.*, m.role, m.muted_until AS own_muted_until FROM members m JOIN conversations c ON c.id = m.conversation_id
                 WHERE m.user_id = $1 AND (c.last_activity_at, c.id) < ($2, $3)
                     AND ($4::int8[] IS NULL OR c.id = ANY ($4))
                 ORDER BY c.last_activity_at DESC, c.id DESC LIMIT $5
             ) p
             LEFT JOIN cursors k ON k.conversation_id = p.id AND k.user_id = $1
             LEFT JOIN LATERAL (
                 SELECT * FROM entries WHERE conversation_id = p.id ORDER BY seq DESC LIMIT 1
             ) e ON true
             LEFT JOIN LATERAL ({own}) own ON true
             ORDER BY p.last_activity_at DESC, p.id DESC",
            own = newest_own("p.id"),
            named = mentions("$1", ""),
            everyone = mentions("0", OTHERS),
        ))
        .await?;
    let found = tx
        .query(&statement, &[&user.as_i64(), &before.0, &before.1, &only, &(i64::from(limit) + 1)])
        .await?;
    let more = found.len() > limit as usize;
    let mut lines = found
        .iter()
        .take(limit as usize)
        .map(|row| head_row(row, keys))
        .collect::<Result<Vec<_>, StoreError>>()?;
    mark(tx, Some(user), lines.iter_mut().filter_map(|(line, _)| line.last_entry.as_mut())).await?;
    let wanted: Vec<i64> =
        lines.iter().flat_map(|(_, pair)| pair.iter().flatten().copied()).collect();
    let users = if wanted.is_empty() { Vec::new() } else { users_by_id(tx, &wanted).await? };
    Ok((attach_users(lines, &users), more))
}

/// The newest message of user `$1` behind the cursor `k`, among the newest entries of a conversation. A message is what
/// counts as one more than the entry before it; of the oldest that is kept it does not matter.
fn newest_own(conversation: &str) -> String {
    format!(
        "SELECT n.seq, n.msg_no FROM (
             SELECT x.seq, x.msg_no, x.sender_id FROM entries x
             WHERE x.conversation_id = {conversation} AND x.seq > coalesce(k.read_seq, 0)
             ORDER BY x.seq DESC LIMIT {OWN_ENTRY_WINDOW}
         ) n WHERE n.sender_id = $1 AND n.msg_no > coalesce((SELECT b.msg_no FROM entries b
             WHERE b.conversation_id = {conversation} AND b.seq = n.seq - 1), 0)
         ORDER BY n.seq DESC LIMIT 1"
    )
}

/// How many unread mentions of a user (0: of everyone) there are that user `$1` has not hidden, in the line `p`.
fn mentions(of: &str, only: &str) -> String {
    format!(
        "SELECT count(*) FROM (
             SELECT FROM mentions x WHERE x.user_id = {of} AND x.conversation_id = p.id
                 AND x.seq > GREATEST(k.read_seq, own.seq, 0)
                 AND (SELECT h.seq FROM hidden h WHERE h.user_id = $1
                      AND h.conversation_id = p.id AND h.seq = x.seq) IS NULL {only}
             LIMIT {MENTIONS_COUNTED}) counted"
    )
}

/// Of messages by others. Nobody's row is of a message of their own.
const OTHERS: &str = "AND (SELECT s.sender_id FROM entries s
     WHERE s.conversation_id = p.id AND s.seq = x.seq) <> $1";

/// Unread messages over all conversations of a user.
pub(super) async fn total_unread(tx: &Transaction<'_>, user: UserId) -> Result<u64, StoreError> {
    let statement = tx
        .prepare_cached(&format!(
            "SELECT coalesce(sum(GREATEST(h.msg_no - GREATEST(k.read_msg_no, own.msg_no, 0), 0)), 0)::int8
             FROM members m
             CROSS JOIN LATERAL (SELECT e.msg_no FROM entries e
                 WHERE e.conversation_id = m.conversation_id ORDER BY e.seq DESC LIMIT 1) h
             LEFT JOIN cursors k ON k.conversation_id = m.conversation_id AND k.user_id = $1
             LEFT JOIN LATERAL ({own}) own ON h.msg_no > coalesce(k.read_msg_no, 0)
             WHERE m.user_id = $1",
            own = newest_own("m.conversation_id"),
        ))
        .await?;
    rows::number(&tx.query_one(&statement, &[&user.as_i64()]).await?, 0)
}

/// A line without its users, and the pair of a direct conversation.
fn head_row(row: &Row, keys: &BodyKeys) -> Result<(HeadRow, [Option<i64>; 2]), StoreError> {
    const CURSORS: usize = 9;
    const LAST_ENTRY: usize = 16;
    let last_entry = match row.try_get::<_, Option<i64>>(LAST_ENTRY)? {
        Some(_) => Some(rows::entry(row, LAST_ENTRY, keys)?),
        None => None,
    };
    let line = HeadRow {
        conversation_id: rows::conversation_id(row, 0)?,
        kind: rows::kind(row, 1)?,
        settings: rows::bytes(row, 2)?,
        created_at: row.try_get(3)?,
        member_count: row.try_get::<_, i32>(4)?.cast_unsigned(),
        role: rows::role(row, 5)?,
        head: last_entry.as_ref().map_or_else(LogHead::default, EntryRow::head),
        last_activity_at: row.try_get(6)?,
        last_entry,
        read_seq: rows::number(row, CURSORS)?,
        read_msg_no: rows::number(row, CURSORS + 1)?,
        delivered_seq: rows::number(row, CURSORS + 2)?,
        users: Vec::new(),
        muted_until: row.try_get(CURSORS + 3)?,
        own_muted_until: row.try_get(CURSORS + 4)?,
        mentions_unread: rows::number(row, CURSORS + 5)?,
        pins: rows::positions(row, CURSORS + 6)?,
    };
    Ok((line, [row.try_get(7)?, row.try_get(8)?]))
}

/// What was missed at each cursor: one statement for where the logs stand, one for all the entries.
async fn syncs(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    user: UserId,
    cursors: &[(ConversationId, Seq)],
    limit: u32,
) -> Result<Vec<Option<LogPage>>, StoreError> {
    let ids: Vec<i64> = cursors.iter().map(|(id, _)| id.as_i64()).collect();
    let afters: Vec<i64> = cursors.iter().map(|&(_, after)| position(after)).collect();
    let positions = tx
        .prepare_cached(
            "SELECT u.n - 1, c.floor_seq, coalesce(h.seq, 0), coalesce(h.msg_no, 0),
                 coalesce(h.created_at, 0)
             FROM UNNEST($2::int8[]) WITH ORDINALITY AS u (id, n)
             JOIN members m ON m.conversation_id = u.id AND m.user_id = $1
             JOIN conversations c ON c.id = u.id
             LEFT JOIN LATERAL (SELECT seq, msg_no, created_at FROM entries
                 WHERE conversation_id = c.id ORDER BY seq DESC LIMIT 1) h ON true",
        )
        .await?;
    let missed = tx
        .prepare_cached(&format!(
            "SELECT u.n - 1, {ENTRY}
             FROM UNNEST($2::int8[], $3::int8[]) WITH ORDINALITY AS u (id, after_seq, n)
             JOIN members m ON m.conversation_id = u.id AND m.user_id = $1
             JOIN LATERAL (SELECT * FROM entries x
                 WHERE x.conversation_id = u.id AND x.seq > u.after_seq
                 ORDER BY x.seq LIMIT $4) e ON true
             ORDER BY u.n, e.seq"
        ))
        .await?;
    let mut pages: Vec<Option<LogPage>> = vec![None; cursors.len()];
    for row in tx.query(&positions, &[&user.as_i64(), &ids]).await? {
        let page = LogPage {
            entries: Vec::new(),
            floor_seq: rows::number(&row, 1)?,
            head: rows::head(&row, 2)?,
        };
        if let Some(place) = pages.get_mut(rows::number(&row, 0)? as usize) {
            *place = Some(page);
        }
    }
    for row in tx.query(&missed, &[&user.as_i64(), &ids, &afters, &i64::from(limit)]).await? {
        if let Some(Some(page)) = pages.get_mut(rows::number(&row, 0)? as usize) {
            page.entries.push(rows::entry(&row, 1, keys)?);
        }
    }
    mark(tx, Some(user), pages.iter_mut().flatten().flat_map(|page| &mut page.entries)).await?;
    Ok(pages)
}
