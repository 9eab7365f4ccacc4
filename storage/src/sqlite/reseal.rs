//! Which keys bodies are sealed with, and the background pass that brings them under one. The folder's lock keeps other
//! processes out, so nobody else writes with another key.

use std::sync::Arc;

use ringwire_protocol::UserId;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

use super::SqliteStore;
use super::rows::{self, position};
use crate::encryption::{
    BodyKeys, KeyId, KeyUse, PASS_ROWS, PassState, Place, Reseal, Resealed, SealedRow,
};
use crate::error::StoreError;

/// Enters the active key and makes sure that all keys this database needs are there.
pub(super) fn enter_keys(connection: &mut Connection, keys: &BodyKeys) -> Result<(), StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let active = keys.active();
    tx.execute(
        "INSERT INTO body_keys (key_id, proof, uses) VALUES (?1, ?2, 1)
         ON CONFLICT (key_id) DO UPDATE SET uses = uses + 1",
        (active, keys.proof(active).unwrap_or_default()),
    )?;
    let entered = tx
        .prepare("SELECT key_id, proof FROM body_keys ORDER BY key_id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(KeyId, Vec<u8>)>, _>>()?;
    for (key_id, proof) in &entered {
        keys.check(*key_id, proof)?;
    }
    Ok(tx.commit()?)
}

/// What a step has read and sealed, outside the writer's thread.
struct Step {
    /// The state that was read.
    before: PassState,
    /// What it is after this step.
    state: PassState,
    work: Vec<Reseal>,
    damaged: Vec<KeyId>,
    /// The pass begins with this step.
    fresh: bool,
    /// The pass ends with this step.
    last: bool,
}

impl SqliteStore {
    pub(crate) async fn reseal_step(&self) -> Result<Resealed, StoreError> {
        let keys = Arc::clone(&self.keys);
        let Some(step) = self.read(move |tx| read_step(tx, &keys)).await? else {
            return Ok(Resealed::default());
        };
        self.write(move |tx| write_step(tx, step)).await
    }

    pub(crate) async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.read(|tx| {
            let mut uses = tx.prepare(
                "SELECT key_id, count(*) FROM entries WHERE length(body) > 0
                 GROUP BY key_id ORDER BY key_id",
            )?;
            let uses = uses.query_map([], |row| {
                Ok(KeyUse { key_id: row.get(0)?, entries: rows::number(row, 1)? })
            })?;
            Ok(uses.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// The next rows, sealed with the active key; `None`: the pass is done.
fn read_step(tx: &Transaction<'_>, keys: &BodyKeys) -> Result<Option<Step>, StoreError> {
    let active = keys.active();
    let before = read_state(tx)?;
    let fresh = before.anew(active, other_uses(tx, active)?);
    let mut step = Step {
        before,
        state: fresh.unwrap_or(before),
        work: Vec::new(),
        damaged: Vec::new(),
        fresh: fresh.is_some(),
        last: false,
    };
    if step.state.done {
        return Ok(None);
    }
    let mut select = tx.prepare_cached(
        "SELECT conversation_id, seq, sender_id, body_version, key_id,
             CASE WHEN key_id = ?3 OR length(body) = 0 THEN NULL ELSE body END
         FROM entries WHERE (conversation_id, seq) > (?1, ?2)
         ORDER BY conversation_id, seq LIMIT ?4",
    )?;
    let (conversation_id, seq) = step.state.after;
    let mut found = select.query((conversation_id, seq, active, PASS_ROWS))?;
    let (mut count, mut others) = (0, Vec::new());
    while let Some(row) = found.next()? {
        count += 1;
        step.state.after = (row.get(0)?, row.get(1)?);
        others.extend(sealed_row(row)?);
    }
    step.last = count < PASS_ROWS;
    (step.work, step.damaged) = keys.reseal(others)?;
    Ok(Some(step))
}

/// Writes the rows that are still as they were read, and the new state.
fn write_step(tx: &Transaction<'_>, step: Step) -> Result<Resealed, StoreError> {
    let Step { before, mut state, work, damaged, fresh, last } = step;
    if read_state(tx)? != before {
        // Another call was faster.
        return Ok(Resealed { more: true, ..Resealed::default() });
    }
    let mut changed = 0;
    {
        let mut update = tx.prepare_cached(
            "UPDATE entries SET body = ?5, key_id = ?6
             WHERE conversation_id = ?1 AND seq = ?2 AND body_version = ?3 AND key_id = ?4",
        )?;
        for Reseal { place, old_key_id, new } in &work {
            changed += update.execute((
                place.conversation_id.as_i64(),
                position(place.seq),
                place.body_version,
                old_key_id,
                &*new.body,
                new.key_id,
            ))? as u64;
        }
    }
    if fresh {
        tx.execute("UPDATE body_keys SET damaged = 0 WHERE damaged > 0", [])?;
    }
    for key_id in &damaged {
        tx.execute("UPDATE body_keys SET damaged = damaged + 1 WHERE key_id = ?1", [key_id])?;
    }
    state.changed += changed as i64;
    if last {
        finish(tx, &mut state)?;
    }
    tx.execute(
        "UPDATE body_pass SET target = ?1, conversation_id = ?2, seq = ?3, other_uses = ?4,
             changed = ?5, done = ?6",
        (state.target, state.after.0, state.after.1, state.other_uses, state.changed, state.done),
    )?;
    state.tell();
    Ok(Resealed { changed, damaged: damaged.len() as u64, more: !state.done })
}

fn read_state(tx: &Transaction<'_>) -> Result<PassState, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT target, conversation_id, seq, other_uses, changed, done FROM body_pass",
        )?
        .query_row([], |row| {
            Ok(PassState {
                target: row.get(0)?,
                after: (row.get(1)?, row.get(2)?),
                other_uses: row.get(3)?,
                changed: row.get(4)?,
                done: row.get(5)?,
            })
        })?)
}

fn other_uses(tx: &Transaction<'_>, active: KeyId) -> Result<i64, StoreError> {
    Ok(tx
        .prepare_cached("SELECT coalesce(sum(uses), 0) FROM body_keys WHERE key_id <> ?1")?
        .query_row([active], |row| row.get(0))?)
}

/// A row's content, if it is another key's.
fn sealed_row(row: &Row<'_>) -> Result<Option<SealedRow>, StoreError> {
    let Some(body) = row.get::<_, Option<Vec<u8>>>(5)? else { return Ok(None) };
    let place = Place {
        conversation_id: rows::conversation_id(row, 0)?,
        seq: rows::number(row, 1)?,
        sender_id: UserId::new(rows::number(row, 2)?),
        body_version: row.get(3)?,
    };
    Ok(Some(SealedRow { place, key_id: row.get(4)?, body }))
}

/// The end of a pass: forgets the keys of which no row is left.
fn finish(tx: &Transaction<'_>, state: &mut PassState) -> Result<(), StoreError> {
    let mut others =
        tx.prepare("SELECT key_id, damaged FROM body_keys WHERE key_id <> ?1 ORDER BY key_id")?;
    let others = others
        .query_map([state.target], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(KeyId, i64)>, _>>()?;
    for (key_id, damaged) in others {
        if damaged == 0 {
            tx.execute("DELETE FROM body_keys WHERE key_id = ?1", [key_id])?;
        }
        PassState::tell_key(key_id, damaged == 0, damaged);
    }
    state.other_uses = other_uses(tx, state.target)?;
    state.done = true;
    Ok(())
}
