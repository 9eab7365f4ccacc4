//! What entries change besides the log, on SQLite: net effects one by one, in the transaction of the entries.

use ringwire_protocol::UserId;
use rusqlite::{OptionalExtension as _, Transaction};

use super::hooks::note_events;
use super::push::add_pushes;
use super::rows::position;
use super::search::{index_text, unindex};
use crate::changes::{
    Added, Carried, ConversationUpdate, Edited, MemberUpdate, NetChanges, Reaction,
};
use crate::encryption::{BodyKeys, Place};
use crate::executor::AppendError;
use crate::search::SearchText;

/// What applying takes besides the changes.
#[derive(Clone, Copy)]
pub(super) struct Applier<'a> {
    pub(super) keys: &'a BodyKeys,
    /// `None`: search is off.
    pub(super) text: Option<SearchText>,
}

/// What a conversation that is dissolved has no more.
const DISSOLVED: [&str; 5] = [
    "DELETE FROM members WHERE conversation_id = ?1",
    "DELETE FROM join_requests WHERE conversation_id = ?1",
    "DELETE FROM bans WHERE conversation_id = ?1",
    "DELETE FROM pins WHERE conversation_id = ?1",
    "DELETE FROM aliases WHERE conversation_id = ?1",
];

/// What a message that was taken back has no more, besides its body.
const RECALLED: [&str; 3] = [
    "DELETE FROM reactions WHERE conversation_id = ?1 AND seq = ?2",
    "DELETE FROM reaction_counts WHERE conversation_id = ?1 AND seq = ?2",
    "DELETE FROM mentions WHERE conversation_id = ?1 AND seq = ?2",
];

/// What neither it nor its edits have.
const ERASED: [&str; 2] = [
    "DELETE FROM push_outbox WHERE conversation_id = ?1 AND seq = ?2",
    "UPDATE attachments SET conversation_id = NULL, seq = 0 WHERE conversation_id = ?1 AND seq = ?2",
];

impl Applier<'_> {
    /// Applies net changes, in their order.
    pub(super) fn apply(
        self,
        tx: &Transaction<'_>,
        changes: &NetChanges,
    ) -> Result<(), AppendError> {
        if changes.is_empty() {
            return Ok(());
        }
        members(tx, changes)?;
        people(tx, changes)?;
        pins(tx, changes)?;
        for &(id, seq, user) in &changes.mentions {
            // Nobody is 0, which stands for everyone.
            tx.prepare_cached(
                "INSERT INTO mentions (user_id, conversation_id, seq)
                 SELECT ?1, ?2, ?3 WHERE ?1 = 0
                     OR EXISTS (SELECT 1 FROM users WHERE id = ?1 AND deleted_at = 0)
                 ON CONFLICT (user_id, conversation_id, seq) DO NOTHING",
            )?
            .execute((user.map_or(0, UserId::as_i64), id.as_i64(), position(seq)))?;
        }
        self.edits(tx, changes)?;
        changes.unreacted.iter().try_for_each(|reaction| unreact(tx, reaction))?;
        changes.reacted.iter().try_for_each(|reaction| react(tx, reaction))?;
        changes.carried.iter().try_for_each(|carried| carry(tx, carried))?;
        for &(id, seq, at) in &changes.recalled {
            recall(tx, id.as_i64(), position(seq), at)?;
        }
        let notified = &changes.notified;
        add_pushes(tx, &notified.pushes, notified.push_delay_ms)?;
        note_events(tx, &notified.events)?;
        Ok(())
    }

    fn edits(self, tx: &Transaction<'_>, changes: &NetChanges) -> Result<(), AppendError> {
        for &(id, target, seq) in &changes.edits {
            tx.prepare_cached(
                "INSERT INTO edits (conversation_id, seq, target_seq)
                 SELECT ?1, ?2, ?3 WHERE ?3 = 0 OR EXISTS (SELECT 1 FROM entries
                     WHERE conversation_id = ?1 AND seq = ?3
                         AND recalled_at IS NULL AND length(body) > 0)",
            )?
            .execute((id.as_i64(), position(seq), position(target)))?;
        }
        changes.edited.iter().try_for_each(|edited| self.edit(tx, edited))
    }

    /// Replaces a body, unless there is none any more.
    fn edit(self, tx: &Transaction<'_>, edited: &Edited) -> Result<(), AppendError> {
        let key = (edited.conversation_id.as_i64(), position(edited.seq));
        let found = tx
            .prepare_cached(
                "SELECT sender_id, body_version, created_at FROM entries
                 WHERE conversation_id = ?1 AND seq = ?2
                     AND recalled_at IS NULL AND length(body) > 0",
            )?
            .query_row(key, |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((sender, version, created_at)) = found else { return Ok(()) };
        let place = Place::edited(edited.conversation_id, edited.seq, sender, version);
        let stored = self.keys.seal(&place, &edited.body)?;
        tx.prepare_cached(
            "UPDATE entries SET body = ?3, key_id = ?4, body_version = ?5, edited_at = ?6
             WHERE conversation_id = ?1 AND seq = ?2",
        )?
        .execute((
            key.0,
            key.1,
            &*stored.body,
            stored.key_id,
            place.body_version,
            edited.at,
        ))?;
        unindex(tx, key)?;
        if let Some(text) = self.text {
            index_text(tx, key, created_at, text(&edited.body))?;
        }
        Ok(())
    }
}

/// Binds a file to a message that is still there.
fn carry(tx: &Transaction<'_>, carried: &Carried) -> Result<(), AppendError> {
    let Carried { conversation_id: id, seq, owner_id, file_id } = carried;
    tx.prepare_cached(
        "UPDATE attachments SET conversation_id = ?3, seq = ?4
         WHERE file_id = ?1 AND owner_id = ?2 AND seq = 0 AND EXISTS (SELECT 1 FROM entries
             WHERE conversation_id = ?3 AND seq = ?4 AND sender_id = ?2 AND recalled_at IS NULL)",
    )?
    .execute((file_id, owner_id.as_i64(), id.as_i64(), position(*seq)))?;
    Ok(())
}

/// Who is a member.
fn members(tx: &Transaction<'_>, changes: &NetChanges) -> Result<(), AppendError> {
    for (id, at) in &changes.dissolved {
        for statement in DISSOLVED {
            tx.prepare_cached(statement)?.execute([id.as_i64()])?;
        }
        tx.prepare_cached(
            "UPDATE conversations SET member_count = 0, deleted_at = ?2 WHERE id = ?1",
        )?
        .execute((id.as_i64(), (*at).max(1)))?;
    }
    let mut count = tx.prepare_cached(
        "UPDATE conversations SET member_count = member_count + ?2 WHERE id = ?1",
    )?;
    for (id, user) in &changes.removed {
        let gone = tx
            .prepare_cached("DELETE FROM members WHERE conversation_id = ?1 AND user_id = ?2")?
            .execute((id.as_i64(), user.as_i64()))?;
        count.execute((id.as_i64(), -(gone as i64)))?;
    }
    changes.early.iter().try_for_each(|update| update_member(tx, update))?;
    for added in &changes.added {
        let come = add(tx, added)?;
        count.execute((added.conversation_id.as_i64(), come as i64))?;
    }
    changes.updated.iter().try_for_each(|update| update_member(tx, update))
}

/// Makes a membership, unless there is one, or the user is no more; how many.
fn add(tx: &Transaction<'_>, added: &Added) -> Result<usize, AppendError> {
    let key = (added.conversation_id.as_i64(), added.user_id.as_i64());
    let come = tx
        .prepare_cached(
            "INSERT INTO members (conversation_id, user_id, role, joined_at)
             SELECT ?1, ?2, 0, ?3 WHERE NOT EXISTS (SELECT 1 FROM users WHERE id = ?2 AND deleted_at <> 0)
             ON CONFLICT (conversation_id, user_id) DO NOTHING",
        )?
        .execute((key.0, key.1, added.joined_at))?;
    if come > 0 {
        tx.prepare_cached(
            "INSERT INTO cursors (conversation_id, user_id, read_seq, read_msg_no, delivered_seq)
             VALUES (?1, ?2, ?3, ?4, ?3)
             ON CONFLICT (conversation_id, user_id) DO UPDATE SET
                 read_seq = max(read_seq, excluded.read_seq),
                 read_msg_no = max(read_msg_no, excluded.read_msg_no),
                 delivered_seq = max(delivered_seq, excluded.delivered_seq)",
        )?
        .execute((key.0, key.1, position(added.seq), position(added.msg_no)))?;
    }
    Ok(come)
}

fn update_member(tx: &Transaction<'_>, update: &MemberUpdate) -> Result<(), AppendError> {
    tx.prepare_cached(
        "UPDATE members SET role = coalesce(?3, role), muted_until = coalesce(?4, muted_until)
         WHERE conversation_id = ?1 AND user_id = ?2",
    )?
    .execute((
        update.conversation_id.as_i64(),
        update.user_id.as_i64(),
        update.role.map(|role| role as i16),
        update.muted_until,
    ))?;
    Ok(())
}

/// The conversation itself, who may not become a member, and who wants to.
fn people(tx: &Transaction<'_>, changes: &NetChanges) -> Result<(), AppendError> {
    for ConversationUpdate { conversation_id, settings, muted_until } in &changes.conversations {
        tx.prepare_cached(
            "UPDATE conversations SET settings = coalesce(?2, settings),
                 muted_until = coalesce(?3, muted_until)
             WHERE id = ?1",
        )?
        .execute((conversation_id.as_i64(), settings.as_deref(), muted_until))?;
    }
    for (id, user, until) in &changes.bans {
        let sql = if *until == 0 {
            "DELETE FROM bans WHERE conversation_id = ?1 AND user_id = ?2 AND ?3 = 0"
        } else {
            "INSERT INTO bans (conversation_id, user_id, until) VALUES (?1, ?2, ?3)
             ON CONFLICT (conversation_id, user_id) DO UPDATE SET until = excluded.until"
        };
        tx.prepare_cached(sql)?.execute((id.as_i64(), user.as_i64(), until))?;
    }
    for (id, user) in &changes.settled {
        tx.prepare_cached("DELETE FROM join_requests WHERE conversation_id = ?1 AND user_id = ?2")?
            .execute((id.as_i64(), user.as_i64()))?;
    }
    for (id, user, text, at) in &changes.asked {
        tx.prepare_cached(
            "INSERT INTO join_requests (conversation_id, user_id, text, requested_at)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (conversation_id, user_id) DO UPDATE SET
                 text = excluded.text, requested_at = excluded.requested_at",
        )?
        .execute((id.as_i64(), user.as_i64(), &**text, at))?;
    }
    Ok(())
}

fn pins(tx: &Transaction<'_>, changes: &NetChanges) -> Result<(), AppendError> {
    for (id, seq) in &changes.unpinned {
        tx.prepare_cached("DELETE FROM pins WHERE conversation_id = ?1 AND seq = ?2")?
            .execute((id.as_i64(), position(*seq)))?;
    }
    for (id, seq, by) in &changes.pinned {
        tx.prepare_cached(
            "INSERT INTO pins (conversation_id, seq, pinned_by_seq)
             SELECT conversation_id, seq, ?3 FROM entries WHERE conversation_id = ?1 AND seq = ?2
             ON CONFLICT (conversation_id, seq) DO NOTHING",
        )?
        .execute((id.as_i64(), position(*seq), position(*by)))?;
    }
    Ok(())
}

fn unreact(tx: &Transaction<'_>, gone: &Reaction) -> Result<(), AppendError> {
    let (id, seq) = (gone.conversation_id.as_i64(), position(gone.seq));
    let removed = tx
        .prepare_cached(
            "DELETE FROM reactions
             WHERE conversation_id = ?1 AND seq = ?2 AND user_id = ?3 AND reaction = ?4",
        )?
        .execute((id, seq, gone.user_id.as_i64(), &*gone.with))?;
    if removed > 0 {
        uncount(tx, id, seq, &gone.with)?;
    }
    Ok(())
}

/// One reaction less.
pub(super) fn uncount(
    tx: &Transaction<'_>,
    id: i64,
    seq: i64,
    reaction: &str,
) -> rusqlite::Result<()> {
    for statement in [
        "UPDATE reaction_counts SET count = count - 1
         WHERE conversation_id = ?1 AND seq = ?2 AND reaction = ?3",
        "DELETE FROM reaction_counts
         WHERE conversation_id = ?1 AND seq = ?2 AND reaction = ?3 AND count <= 0",
    ] {
        tx.prepare_cached(statement)?.execute((id, seq, reaction))?;
    }
    Ok(())
}

fn react(tx: &Transaction<'_>, new: &Reaction) -> Result<(), AppendError> {
    let (id, seq) = (new.conversation_id.as_i64(), position(new.seq));
    let added = tx
        .prepare_cached(
            "INSERT INTO reactions (conversation_id, seq, user_id, reaction)
             SELECT conversation_id, seq, ?3, ?4 FROM entries
             WHERE conversation_id = ?1 AND seq = ?2 AND recalled_at IS NULL
             ON CONFLICT (conversation_id, seq, user_id, reaction) DO NOTHING",
        )?
        .execute((id, seq, new.user_id.as_i64(), &*new.with))?;
    if added > 0 {
        tx.prepare_cached(
            "INSERT INTO reaction_counts (conversation_id, seq, reaction, count)
             VALUES (?1, ?2, ?3, 1)
             ON CONFLICT (conversation_id, seq, reaction) DO UPDATE SET count = count + 1",
        )?
        .execute((id, seq, &*new.with))?;
    }
    Ok(())
}

/// Takes a message back, with every edit of it, unless it was before.
fn recall(tx: &Transaction<'_>, id: i64, seq: i64, at: i64) -> Result<(), AppendError> {
    let recalled = tx
        .prepare_cached(
            "UPDATE entries SET recalled_at = ?3
             WHERE conversation_id = ?1 AND seq = ?2 AND recalled_at IS NULL",
        )?
        .execute((id, seq, at))?;
    if recalled == 0 {
        return Ok(());
    }
    for statement in RECALLED {
        tx.prepare_cached(statement)?.execute((id, seq))?;
    }
    let mut gone = tx
        .prepare_cached("SELECT seq FROM edits WHERE conversation_id = ?1 AND target_seq = ?2")?
        .query_map((id, seq), |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    gone.push(seq);
    for seq in gone {
        tx.prepare_cached(
            "UPDATE entries SET body = x'', key_id = 0, body_version = body_version % 32767 + 1
             WHERE conversation_id = ?1 AND seq = ?2 AND length(body) > 0",
        )?
        .execute((id, seq))?;
        for statement in ERASED {
            tx.prepare_cached(statement)?.execute((id, seq))?;
        }
        unindex(tx, (id, seq))?;
    }
    Ok(())
}
