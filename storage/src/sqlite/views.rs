//! A user's own view.

use ringwire_protocol::{ConversationId, Seq, UserId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::SqliteStore;
use super::hold::require_user;
use super::members::role_of;
use super::rows::{self, json_list};
use crate::error::StoreError;

impl SqliteStore {
    pub(crate) async fn hide(
        &self,
        user: UserId,
        id: ConversationId,
        seqs: Vec<i64>,
    ) -> Result<Option<u64>, StoreError> {
        self.write(move |tx| {
            require_user(tx, user.as_i64())?;
            if role_of(tx, user, id)?.is_none() {
                return Ok(None);
            }
            let view_no = view_no(tx, user)?;
            let hidden = tx
                .prepare_cached(
                    "INSERT INTO hidden (user_id, conversation_id, seq, view_no)
                     SELECT ?1, ?2, e.seq, ?4 FROM json_each(?3) j CROSS JOIN entries e
                         ON e.conversation_id = ?2 AND e.seq = j.value WHERE true
                     ON CONFLICT (user_id, conversation_id, seq) DO NOTHING",
                )?
                .execute((user.as_i64(), id.as_i64(), json_list(seqs.into_iter()), view_no + 1))?;
            if hidden == 0 {
                return Ok(Some(view_no.unsigned_abs()));
            }
            tx.prepare_cached("UPDATE users SET view_no = ?2 WHERE id = ?1")?
                .execute((user.as_i64(), view_no + 1))?;
            Ok(Some(view_no.unsigned_abs() + 1))
        })
        .await
    }

    /// The newest number, and the rows after one: number, conversation, position.
    pub(crate) async fn view_changes(
        &self,
        user: UserId,
        after: i64,
        limit: i64,
    ) -> Result<(u64, Vec<(u64, ConversationId, Seq)>), StoreError> {
        self.read(move |tx| {
            let hidden = tx
                .prepare_cached(
                    "SELECT view_no, conversation_id, seq FROM hidden
                     WHERE user_id = ?1 AND view_no > ?2
                     ORDER BY view_no, conversation_id, seq LIMIT ?3",
                )?
                .query_map((user.as_i64(), after, limit), |row| {
                    Ok((
                        rows::number(row, 0)?,
                        rows::conversation_id(row, 1)?,
                        rows::number(row, 2)?,
                    ))
                })?
                .collect::<Result<_, _>>()?;
            Ok((view_no(tx, user)?.unsigned_abs(), hidden))
        })
        .await
    }
}

fn view_no(tx: &Transaction<'_>, user: UserId) -> Result<i64, StoreError> {
    Ok(tx
        .prepare_cached("SELECT view_no FROM users WHERE id = ?1")?
        .query_row([user.as_i64()], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}
