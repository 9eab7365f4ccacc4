//! Passwords: changing one ends the other logins, and a forgotten one is replaced by means of a token.
//!
//! ```text
//!   forgotten ─► create_password_reset ─► (the token goes to its owner) ─► use_password_reset ─► new password, all logins end
//! ```
//!
//! Invariants: the database holds hashes only; a token is good once and until it expires; with a new password every
//! token of that user is void; a user has a bounded number of tokens, the newest ones.

use ringwire_protocol::{UnixMs, UserId};

use crate::error::StoreError;
use crate::refresh::{FamilyId, TokenHash};
use crate::store::{Store, either};

/// Tokens of one user that are good at a time.
pub(crate) const KEPT_RESETS: i64 = 3;
/// Ended logins that are told one by one; the others are found by [`Store::revoked_families`].
pub(crate) const ENDED_TOLD: i64 = 100;

/// What became of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordReset {
    /// This user has the new password, and all their logins have ended.
    Done(UserId),
    /// There is no such token, its time is over, it was used, or its user is deleted.
    Invalid,
}

impl Store {
    /// The hash of a user's password; `None`: they have none, or are not there.
    pub async fn password_hash(&self, user: UserId) -> Result<Option<String>, StoreError> {
        either!(self, store => store.password_hash(user).await)
    }

    /// Gives a user a new password, voids their tokens and ends their logins but `keep`. Which ended, some of them; `None`:
    /// there is no such user, or not any more.
    pub async fn set_password(
        &self,
        user: UserId,
        password_hash: &str,
        keep: Option<FamilyId>,
        now_ms: UnixMs,
    ) -> Result<Option<Vec<FamilyId>>, StoreError> {
        let hash = password_hash.to_owned();
        either!(self, store => store.set_password(user, hash, keep, now_ms).await)
    }

    /// Keeps a token. `false`: there is no such user, or not any more.
    pub async fn create_password_reset(
        &self,
        user: UserId,
        token: TokenHash,
        expires_at: UnixMs,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        either!(self, store => store.create_password_reset(user, token, expires_at, now_ms).await)
    }

    /// Whose token it is, if it is good now.
    pub async fn password_reset(
        &self,
        token: TokenHash,
        now_ms: UnixMs,
    ) -> Result<Option<UserId>, StoreError> {
        either!(self, store => store.password_reset(token, now_ms).await)
    }

    /// Uses a token: the user has the new password, every login ends.
    pub async fn use_password_reset(
        &self,
        token: TokenHash,
        password_hash: &str,
        now_ms: UnixMs,
    ) -> Result<PasswordReset, StoreError> {
        let hash = password_hash.to_owned();
        either!(self, store => store.use_password_reset(token, hash, now_ms).await)
    }

    /// The user with this name or address (a name wins): whose forgotten password it may be.
    pub async fn user_by_login(&self, login: &str) -> Result<Option<UserId>, StoreError> {
        let key = crate::store::name_key(login);
        either!(self, store => store.user_by_login(key).await)
    }
}
