//! `ringwire key status`: how far the pass is that brings every body under one key, and which keys may go.
//!
//! One snapshot, beside whoever serves; nothing is written or locked, and no key is entered as used. Counting reads every
//! row of the log.

use std::collections::BTreeMap;

use super::session::Session;
use super::value::{Row, Value};
use crate::encryption::BodyKeys;
use crate::error::StoreError;
use crate::store::Database;

/// A key, as a database knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyState {
    /// The key; 0: plain bodies.
    pub key_id: u32,
    /// Bodies under it.
    pub bodies: u64,
    /// Bodies under it that did not open in the present pass.
    pub damaged: u64,
    /// A server does not start without it: bodies are, or may be, under it.
    pub needed: bool,
    /// What is given for it.
    pub given: Given,
}

/// What the configuration gives for a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Given {
    /// The key.
    #[default]
    Right,
    /// Nothing.
    Nothing,
    /// Another key under the same id.
    Wrong,
}

/// How far a rotation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// Every key that is given or known to the database, and 0, in order.
    pub keys: Vec<KeyState>,
    /// The key that the configuration has active; 0: bodies are to be plain.
    pub active: u32,
    /// A pass for the active key has ended, and nobody has begun to write with another key since.
    pub done: bool,
}

/// Looks at the database with the keys that are given.
pub async fn key_status(database: &Database, keys: &BodyKeys) -> Result<KeyStatus, StoreError> {
    let session = Session::reader(database).await?;
    session.begin_snapshot().await?;
    session.require_schema().await?;
    let active = keys.active();
    let fresh = |key_id: u32| {
        let known = key_id == 0 || keys.ids().any(|id| id == key_id);
        let given = if known { Given::Right } else { Given::Nothing };
        KeyState { key_id, given, ..KeyState::default() }
    };
    let mut states: BTreeMap<u32, KeyState> =
        keys.ids().chain([0]).map(|id| (id, fresh(id))).collect();
    let known = "SELECT key_id, damaged, proof FROM body_keys ORDER BY key_id";
    for row in session.rows(known).await? {
        let id = number(&row, 0)?;
        let state = states.entry(id).or_insert_with(|| fresh(id));
        state.damaged = number(&row, 1)?;
        state.needed = true;
        let Some(Value::Bytes(proof)) = row.get(2) else { return Err(odd()) };
        state.given = match keys.check(id.cast_signed(), proof) {
            Ok(()) => Given::Right,
            Err(StoreError::KeyMissing(_)) => Given::Nothing,
            Err(_) => Given::Wrong,
        };
    }
    let counts = "SELECT key_id, count(*) FROM entries WHERE length(body) > 0 GROUP BY key_id";
    for row in session.rows(counts).await? {
        let id = number(&row, 0)?;
        states.entry(id).or_insert_with(|| fresh(id)).bodies = number(&row, 1)?;
    }
    let done = format!(
        "SELECT count(*) FROM body_pass WHERE done AND target = {active} AND other_uses =
             (SELECT CAST(coalesce(sum(uses), 0) AS bigint) FROM body_keys WHERE key_id <> {active})"
    );
    let done = session.rows(&done).await?;
    let done = number::<u64>(done.first().ok_or_else(odd)?, 0)? > 0;
    Ok(KeyStatus { keys: states.into_values().collect(), active: active.cast_unsigned(), done })
}

fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, StoreError> {
    let number = row.get(column).and_then(Value::integer);
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(odd)
}

fn odd() -> StoreError {
    StoreError::Damaged(
        "what the database knows of its keys is not what this release writes".into(),
    )
}
