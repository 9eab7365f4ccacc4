//! Which keys bodies are sealed with, and the background pass that brings them under one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deadpool_postgres::Transaction;
use ringwire_protocol::UserId;
use tokio_postgres::{Client, Row};

use super::PostgresStore;
use super::rows::{self, position};
use crate::encryption::{
    BodyKeys, KeyId, KeyUse, PASS_ROWS, PassState, Place, Reseal, Resealed, SealedRow,
};
use crate::error::StoreError;

/// The advisory lock of whoever works on the pass ("reseal" in ASCII).
const PASS_LOCK: i64 = 0x0072_6573_6561_6C00;
/// The space of the locks that tell which keys are in use ("keys" in ASCII); the key's id is the number in it.
const KEYS_LOCKS: i32 = 0x6B65_7973;

const SELECT: &str = "SELECT e.conversation_id, e.seq, e.sender_id, e.body_version, e.key_id,
        CASE WHEN e.key_id = $3 OR length(e.body) = 0 THEN NULL ELSE e.body END
    FROM entries e WHERE (e.conversation_id, e.seq) > ($1, $2)
    ORDER BY e.conversation_id, e.seq LIMIT $4";

const UPDATE: &str = "UPDATE entries e SET body = u.body, key_id = u.key_id
    FROM UNNEST($1::int8[], $2::int8[], $3::int2[], $4::int4[], $5::int4[], $6::bytea[])
        AS u (conversation_id, seq, body_version, old_key_id, key_id, body)
    WHERE e.conversation_id = u.conversation_id AND e.seq = u.seq
        AND e.key_id = u.old_key_id AND e.body_version = u.body_version";

/// What every session says before it may write: which key it writes with. The lock is shared, so it never waits.
///
/// A session with a read-only server cannot enter its key, and so never writes: it stays read-only when its server is
/// promoted or set writable, its first write fails as on a standby, and the session that replaces it enters the key.
pub(super) fn begin_use(keys: &BodyKeys) -> String {
    let id = keys.active();
    let proof = STANDARD.encode(keys.proof(id).unwrap_or_default());
    format!(
        "SELECT pg_advisory_lock_shared({KEYS_LOCKS}, {id});
         DO $$ BEGIN IF current_setting('transaction_read_only') = 'off' THEN
             INSERT INTO body_keys AS k (key_id, proof, uses)
             VALUES ({id}, decode('{proof}', 'base64'), 1)
             ON CONFLICT (key_id) DO UPDATE SET uses = k.uses + 1;
         ELSE
             PERFORM set_config('default_transaction_read_only', 'on', false);
         END IF; END $$;"
    )
}

/// Enters the active key and makes sure that all keys this database needs are there.
pub(super) async fn enter_keys(client: &mut Client, keys: &BodyKeys) -> Result<(), StoreError> {
    let tx = client.transaction().await?;
    tx.batch_execute(&begin_use(keys)).await?;
    for row in tx.query("SELECT key_id, proof FROM body_keys ORDER BY key_id", &[]).await? {
        keys.check(row.try_get(0)?, row.try_get(1)?)?;
    }
    Ok(tx.commit().await?)
}

impl PostgresStore {
    pub(crate) async fn reseal_step(&self) -> Result<Resealed, StoreError> {
        let active = self.keys.active();
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let alone: bool =
            tx.query_one("SELECT pg_try_advisory_xact_lock($1)", &[&PASS_LOCK]).await?.get(0);
        if !alone || others_write(&tx, active).await? {
            return Ok(Resealed::default());
        }
        let mut state = begin_or_go_on(&tx, active).await?;
        if state.done {
            return Ok(Resealed::default());
        }
        let found = tx
            .query(SELECT, &[&state.after.0, &state.after.1, &active, &i64::from(PASS_ROWS)])
            .await?;
        if let Some(last) = found.last() {
            state.after = (last.try_get(0)?, last.try_get(1)?);
        }
        let others = found.iter().filter_map(|row| sealed_row(row).transpose());
        let (work, damaged) = self.keys.reseal(others.collect::<Result<_, _>>()?)?;
        let changed = put_back(&tx, &work).await?;
        state.changed += changed as i64;
        tx.execute(
            "UPDATE body_keys k SET damaged = k.damaged + d.n
             FROM (SELECT id, count(*) AS n FROM UNNEST($1::int4[]) AS u (id) GROUP BY id) d
             WHERE k.key_id = d.id",
            &[&damaged],
        )
        .await?;
        if found.len() < PASS_ROWS as usize {
            finish(&tx, &mut state).await?;
        }
        save(&tx, &state).await?;
        tx.commit().await?;
        state.tell();
        Ok(Resealed { changed, damaged: damaged.len() as u64, more: !state.done })
    }

    pub(crate) async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        tx.batch_execute("SET LOCAL statement_timeout = 0").await?;
        tx.query(
            "SELECT key_id, count(*) FROM entries WHERE length(body) > 0
             GROUP BY key_id ORDER BY key_id",
            &[],
        )
        .await?
        .iter()
        .map(|row| {
            let key_id: KeyId = row.try_get(0)?;
            Ok(KeyUse { key_id: key_id.cast_unsigned(), entries: rows::number(row, 1)? })
        })
        .collect()
    }
}

/// Whether a node that writes with another key is connected.
async fn others_write(tx: &Transaction<'_>, active: KeyId) -> Result<bool, StoreError> {
    let statement = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
                 AND classid = $1::int4::oid AND objid <> $2::int4::oid
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        )
        .await?;
    let others = tx.query_one(&statement, &[&KEYS_LOCKS, &active]).await?.get(0);
    if others {
        tracing::debug!("bodies stay as they are while a node with another active key is there");
    }
    Ok(others)
}

/// The state of the pass; a new one if that one was for another key, or other keys have been in use since.
async fn begin_or_go_on(tx: &Transaction<'_>, active: KeyId) -> Result<PassState, StoreError> {
    let row = tx
        .query_one(
            "SELECT target, conversation_id, seq, other_uses, changed, done,
                 (SELECT coalesce(sum(uses), 0)::int8 FROM body_keys WHERE key_id <> $1)
             FROM body_pass",
            &[&active],
        )
        .await?;
    let state = PassState {
        target: row.try_get(0)?,
        after: (row.try_get(1)?, row.try_get(2)?),
        other_uses: row.try_get(3)?,
        changed: row.try_get(4)?,
        done: row.try_get(5)?,
    };
    let Some(fresh) = state.anew(active, row.try_get(6)?) else { return Ok(state) };
    tx.execute("UPDATE body_keys SET damaged = 0 WHERE damaged > 0", &[]).await?;
    Ok(fresh)
}

/// A row's content, if it is another key's.
fn sealed_row(row: &Row) -> Result<Option<SealedRow>, StoreError> {
    let Some(body) = row.try_get::<_, Option<Vec<u8>>>(5)? else { return Ok(None) };
    let place = Place {
        conversation_id: rows::conversation_id(row, 0)?,
        seq: rows::number(row, 1)?,
        sender_id: UserId::new(rows::number(row, 2)?),
        body_version: rows::body_version(row, 3)?,
    };
    Ok(Some(SealedRow { place, key_id: row.try_get(4)?, body }))
}

/// Writes the rows that are still as they were read; how many.
async fn put_back(tx: &Transaction<'_>, work: &[Reseal]) -> Result<u64, StoreError> {
    if work.is_empty() {
        return Ok(0);
    }
    let conversations: Vec<i64> = work.iter().map(|w| w.place.conversation_id.as_i64()).collect();
    let seqs: Vec<i64> = work.iter().map(|w| position(w.place.seq)).collect();
    let versions: Vec<i16> = work.iter().map(|w| w.place.body_version as i16).collect();
    let old_keys: Vec<KeyId> = work.iter().map(|w| w.old_key_id).collect();
    let new_keys: Vec<KeyId> = work.iter().map(|w| w.new.key_id).collect();
    let bodies: Vec<&[u8]> = work.iter().map(|w| &*w.new.body).collect();
    let update = tx.prepare_cached(UPDATE).await?;
    Ok(tx
        .execute(&update, &[&conversations, &seqs, &versions, &old_keys, &new_keys, &bodies])
        .await?)
}

/// The end of a pass: forgets the keys of which no row is left, unless somebody began to use one again meanwhile. Each
/// key's uses are read once: those that add up to the pass's are those that a key is forgotten with.
async fn finish(tx: &Transaction<'_>, state: &mut PassState) -> Result<(), StoreError> {
    let others = tx
        .query(
            "SELECT key_id, uses, damaged FROM body_keys WHERE key_id <> $1 ORDER BY key_id",
            &[&state.target],
        )
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
        .collect::<Result<Vec<(KeyId, i64, i64)>, StoreError>>()?;
    if others.iter().map(|(_, uses, _)| uses).sum::<i64>() != state.other_uses {
        return Ok(());
    }
    for (key_id, uses, damaged) in others {
        let forgotten = damaged == 0
            && tx
                .execute("DELETE FROM body_keys WHERE key_id = $1 AND uses = $2", &[&key_id, &uses])
                .await?
                > 0;
        if forgotten {
            state.other_uses -= uses;
        }
        PassState::tell_key(key_id, forgotten, damaged);
    }
    state.done = true;
    Ok(())
}

async fn save(tx: &Transaction<'_>, state: &PassState) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE body_pass SET target = $1, conversation_id = $2, seq = $3, other_uses = $4,
             changed = $5, done = $6",
        &[
            &state.target,
            &state.after.0,
            &state.after.1,
            &state.other_uses,
            &state.changed,
            &state.done,
        ],
    )
    .await?;
    Ok(())
}
