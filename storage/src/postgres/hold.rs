//! Keeping a user as they are until the end of a transaction.
//!
//! A deletion changes unique columns of the user's row, so it waits for every lock here and these wait for it; whoever
//! waited sees the tombstone. Without that, rows of a user could be made while those that exist are being removed.

use deadpool_postgres::Transaction;
use ringwire_protocol::UserId;

use crate::error::StoreError;

/// None of these users is deleted meanwhile; [`StoreError::NoSuchUser`] if one is already. The ids are distinct.
pub(super) async fn hold_users(tx: &Transaction<'_>, ids: &[i64]) -> Result<(), StoreError> {
    let statement = tx
        .prepare_cached(
            "SELECT FROM users WHERE id = ANY ($1) AND deleted_at = 0 ORDER BY id FOR KEY SHARE",
        )
        .await?;
    let held = tx.query(&statement, &[&ids]).await?;
    if held.len() == ids.len() { Ok(()) } else { Err(StoreError::NoSuchUser) }
}

/// Likewise for one user, and others that ask for this lock take turns. Rows that merely refer to the user are made
/// meanwhile.
pub(super) async fn lock_user(tx: &Transaction<'_>, user: UserId) -> Result<(), StoreError> {
    let statement = tx
        .prepare_cached("SELECT FROM users WHERE id = $1 AND deleted_at = 0 FOR NO KEY UPDATE")
        .await?;
    let locked = tx.query_opt(&statement, &[&user.as_i64()]).await?;
    locked.map(|_| ()).ok_or(StoreError::NoSuchUser)
}
