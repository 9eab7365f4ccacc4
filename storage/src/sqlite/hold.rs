//! Users who are there, within a transaction; the one writer keeps them until its end.

use rusqlite::Transaction;

use crate::error::StoreError;

/// [`StoreError::NoSuchUser`] unless this user exists and is not deleted.
pub(super) fn require_user(tx: &Transaction<'_>, id: i64) -> Result<(), StoreError> {
    let exists =
        tx.prepare_cached("SELECT 1 FROM users WHERE id = ?1 AND deleted_at = 0")?.exists([id])?;
    if exists { Ok(()) } else { Err(StoreError::NoSuchUser) }
}
