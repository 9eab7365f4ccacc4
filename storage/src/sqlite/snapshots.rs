//! A user's list of conversations, and what `connect` reads at once.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, Seq, UserId};
use rusqlite::{Row, Transaction};

use super::SqliteStore;
use super::directory::users_by_id;
use super::log::{member_page, pins};
use super::marks::mark;
use super::rows::{self, ENTRY, json_list};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::model::{
    EntryRow, HeadRow, HeadsAfter, HistoryWindow, LogHead, MENTIONS_COUNTED, OWN_ENTRY_WINDOW,
    SessionSnapshot, attach_users,
};

impl SqliteStore {
    pub(crate) async fn session_snapshot(
        &self,
        user: UserId,
        cursors: Vec<(ConversationId, Seq)>,
        heads_limit: u32,
        sync_limit: u32,
    ) -> Result<SessionSnapshot, StoreError> {
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| {
            let (heads, more_heads) = heads(tx, &keys, user, None, &[], heads_limit)?;
            let total_unread = total_unread(tx, user)?;
            let syncs = cursors
                .into_iter()
                .map(|(id, seq)| {
                    member_page(tx, &keys, user, id, HistoryWindow::After(seq), sync_limit)
                })
                .collect::<Result<_, _>>()?;
            Ok(SessionSnapshot { heads, more_heads, total_unread, syncs })
        })
        .await
    }

    pub(crate) async fn heads(
        &self,
        user: UserId,
        after: Option<HeadsAfter>,
        only: Vec<ConversationId>,
        limit: u32,
    ) -> Result<(Vec<HeadRow>, bool), StoreError> {
        let keys = Arc::clone(&self.keys);
        self.read(move |tx| heads(tx, &keys, user, after, &only, limit)).await
    }
}

fn heads(
    tx: &Transaction<'_>,
    keys: &BodyKeys,
    user: UserId,
    after: Option<HeadsAfter>,
    only: &[ConversationId],
    limit: u32,
) -> Result<(Vec<HeadRow>, bool), StoreError> {
    let only = (!only.is_empty()).then(|| json_list(only.iter().map(|id| id.as_i64())));
    let before =
        after.map_or((i64::MAX, i64::MAX), |at| (at.last_activity_at, at.conversation_id.as_i64()));
    let mut lines = tx
        .prepare_cached(&format!(
            "SELECT p.id, p.kind, p.settings, p.created_at, p.member_count, p.role,
                 p.last_activity_at, p.low_user_id, p.high_user_id,
                 max(coalesce(k.read_seq, 0), coalesce(own.seq, 0)),
                 max(coalesce(k.read_msg_no, 0), coalesce(own.msg_no, 0)),
                 coalesce(k.delivered_seq, 0), p.muted_until, p.own_muted_until,
                 ({named}) + ({everyone}), {ENTRY}
             FROM (
                 SELECT c.*, m.role, m.muted_until AS own_muted_until FROM members m JOIN conversations c ON c.id = m.conversation_id
                 WHERE m.user_id = ?1 AND (c.last_activity_at, c.id) < (?2, ?3)
                     AND (?4 IS NULL OR c.id IN (SELECT value FROM json_each(?4)))
                 ORDER BY c.last_activity_at DESC, c.id DESC LIMIT ?5
             ) p
             LEFT JOIN cursors k ON k.conversation_id = p.id AND k.user_id = ?1
             LEFT JOIN entries e ON e.conversation_id = p.id AND e.seq =
                 (SELECT max(seq) FROM entries WHERE conversation_id = p.id)
             LEFT JOIN entries own ON own.conversation_id = p.id AND own.seq = ({own})
             ORDER BY p.last_activity_at DESC, p.id DESC",
            own = newest_own("p.id"),
            named = mentions("?1", ""),
            everyone = mentions("0", OTHERS),
        ))?
        .query_map((user.as_i64(), before.0, before.1, only, i64::from(limit) + 1), |row| {
            head_row(row, keys)
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    let wanted: Vec<i64> =
        lines.iter().flat_map(|(_, pair)| pair.iter().flatten().copied()).collect();
    for (line, _) in &mut lines {
        line.pins = pins(tx, line.conversation_id)?;
    }
    mark(tx, Some(user), lines.iter_mut().filter_map(|(line, _)| line.last_entry.as_mut()))?;
    let users = if wanted.is_empty() { Vec::new() } else { users_by_id(tx, wanted.into_iter())? };
    Ok((attach_users(lines, &users), more))
}

/// Where the newest message of user `?1` behind the cursor `k` is, among the newest entries of a conversation. A message
/// is what counts as one more than the entry before it; of the oldest that is kept it does not matter.
fn newest_own(conversation: &str) -> String {
    format!(
        "SELECT max(n.seq) FROM (
             SELECT x.seq, x.msg_no, x.sender_id FROM entries x
             WHERE x.conversation_id = {conversation} AND x.seq > coalesce(k.read_seq, 0)
             ORDER BY x.seq DESC LIMIT {OWN_ENTRY_WINDOW}
         ) n WHERE n.sender_id = ?1 AND n.msg_no > coalesce((SELECT b.msg_no FROM entries b
             WHERE b.conversation_id = {conversation} AND b.seq = n.seq - 1), 0)"
    )
}

/// How many unread mentions of a user (0: of everyone) there are that user `?1` has not hidden, in the line `p`.
fn mentions(of: &str, only: &str) -> String {
    format!(
        "SELECT count(*) FROM (
             SELECT 1 FROM mentions x WHERE x.user_id = {of} AND x.conversation_id = p.id
                 AND x.seq > max(coalesce(k.read_seq, 0), coalesce(own.seq, 0))
                 AND NOT EXISTS (SELECT 1 FROM hidden h
                     WHERE h.user_id = ?1 AND h.conversation_id = p.id AND h.seq = x.seq) {only}
             LIMIT {MENTIONS_COUNTED})"
    )
}

/// Of messages by others. Nobody's row is of a message of their own.
const OTHERS: &str = "AND (SELECT s.sender_id FROM entries s
     WHERE s.conversation_id = p.id AND s.seq = x.seq) <> ?1";

/// Unread messages over all conversations of a user.
pub(super) fn total_unread(tx: &Transaction<'_>, user: UserId) -> Result<u64, StoreError> {
    Ok(tx
        .prepare_cached(&format!(
            "SELECT coalesce(sum(max(
                 h.msg_no - max(coalesce(k.read_msg_no, 0), coalesce(own.msg_no, 0)), 0)), 0)
             FROM members m
             JOIN entries h ON h.conversation_id = m.conversation_id AND h.seq =
                 (SELECT max(seq) FROM entries WHERE conversation_id = m.conversation_id)
             LEFT JOIN cursors k ON k.conversation_id = m.conversation_id AND k.user_id = ?1
             LEFT JOIN entries own ON own.conversation_id = m.conversation_id
                 AND h.msg_no > coalesce(k.read_msg_no, 0) AND own.seq = ({own})
             WHERE m.user_id = ?1",
            own = newest_own("m.conversation_id"),
        ))?
        .query_row([user.as_i64()], |row| rows::number(row, 0))?)
}

/// A line without its users, and the pair of a direct conversation.
fn head_row(row: &Row<'_>, keys: &BodyKeys) -> rusqlite::Result<(HeadRow, [Option<i64>; 2])> {
    const CURSORS: usize = 9;
    const LAST_ENTRY: usize = 15;
    let last_entry = match row.get::<_, Option<i64>>(LAST_ENTRY)? {
        Some(_) => Some(rows::entry(row, LAST_ENTRY, keys)?),
        None => None,
    };
    let line = HeadRow {
        conversation_id: rows::conversation_id(row, 0)?,
        kind: rows::kind(row, 1)?,
        settings: row.get::<_, Vec<u8>>(2)?.into(),
        created_at: row.get(3)?,
        member_count: row.get(4)?,
        role: rows::role(row, 5)?,
        head: last_entry.as_ref().map_or_else(LogHead::default, EntryRow::head),
        last_activity_at: row.get(6)?,
        last_entry,
        read_seq: rows::number(row, CURSORS)?,
        read_msg_no: rows::number(row, CURSORS + 1)?,
        delivered_seq: rows::number(row, CURSORS + 2)?,
        users: Vec::new(),
        muted_until: row.get(CURSORS + 3)?,
        own_muted_until: row.get(CURSORS + 4)?,
        mentions_unread: rows::number(row, CURSORS + 5)?,
        pins: Vec::new(),
    };
    Ok((line, [row.get(7)?, row.get(8)?]))
}
