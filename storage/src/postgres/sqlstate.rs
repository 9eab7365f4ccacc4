//! What an error of Postgres means for us.
//!
//! | SQLSTATE | meaning |
//! |---|---|
//! | 23505 | collision: a position or a `client_msg_id` is taken |
//! | 40001, 40P01, 55P03 | rolled back for the sake of others: again |
//! | 21, 22, 23, 54 | this row, and always: refused |
//! | 08, 25, 28, 3D, 42, 53, 57, 58, XX, anything else, lost connections | the server, not the row: away |

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::connect::explain;
use crate::error::StoreError;
use crate::executor::AppendError;

impl From<Error> for AppendError {
    fn from(error: Error) -> Self {
        let text = explain(&error);
        let Some(db) = error.as_db_error() else { return Self::Away(text) };
        let code = db.code();
        if *code == SqlState::UNIQUE_VIOLATION {
            Self::Collision
        } else if *code == SqlState::NOT_NULL_VIOLATION && db.column() == Some("seq") {
            // How the insert says that a base is missing.
            Self::Collision
        } else if is_retry(code) {
            Self::Retry(text)
        } else if matches!(code.code().get(..2), Some("21" | "22" | "23" | "54")) {
            Self::Refused(text)
        } else {
            Self::Away(text)
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let text = explain(&error);
        let Some(db) = error.as_db_error() else { return Self::Unavailable(text) };
        let code = db.code();
        if *code == SqlState::FOREIGN_KEY_VIOLATION {
            Self::NoSuchUser
        } else if is_retry(code) {
            Self::Unavailable(text)
        } else {
            match code.code().get(..2) {
                Some("08" | "25" | "53" | "57" | "58") => Self::Unavailable(text),
                _ => Self::Fatal(text),
            }
        }
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                error.into()
            }
            other => Self::Unavailable(explain(&other)),
        }
    }
}

fn is_retry(code: &SqlState) -> bool {
    *code == SqlState::T_R_SERIALIZATION_FAILURE
        || *code == SqlState::T_R_DEADLOCK_DETECTED
        || *code == SqlState::LOCK_NOT_AVAILABLE
}

/// The constraint that a unique violation names.
pub(super) fn violated(error: &Error) -> Option<&str> {
    let db = error.as_db_error()?;
    if *db.code() == SqlState::UNIQUE_VIOLATION { db.constraint() } else { None }
}
