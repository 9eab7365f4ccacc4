//! Operators: who administers the server, and their logins.
//!
//! They are no users: their names are their own, their tokens are random and kept as hashes here, so one can be revoked
//! and none is ever taken for a user's. Disabling an operator, or giving them another password, ends their logins.

use ringwire_protocol::UnixMs;

use crate::error::StoreError;
use crate::store::{Store, either, name_key};

/// Names an operator; rises from 1.
pub type OperatorId = i64;

/// What an operator may do; each may do what the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperatorRole {
    /// Looks.
    Viewer,
    /// Also speaks to people and keeps them out.
    Moderator,
    /// May do everything.
    Admin,
}

impl OperatorRole {
    /// Every role, the one that may least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Moderator, Self::Admin];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    pub(crate) const fn number(self) -> i16 {
        self as i16
    }

    pub(crate) fn from_number(number: i16) -> Result<Self, StoreError> {
        let role = usize::try_from(number).ok().and_then(|number| Self::ALL.get(number));
        role.copied().ok_or_else(|| StoreError::Fatal(format!("no role has the number {number}")))
    }
}

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorRow {
    /// Which one.
    pub id: OperatorId,
    /// As they log in; letters of either case are the same.
    pub name: String,
    /// What they may do.
    pub role: OperatorRole,
    /// Since when.
    pub created_at: UnixMs,
    /// Since when they may not log in; 0: they may.
    pub disabled_at: UnixMs,
}

impl Store {
    /// Makes an operator; `false`: the name is taken.
    pub async fn create_operator(
        &self,
        name: &str,
        password_hash: &str,
        role: OperatorRole,
        now_ms: UnixMs,
    ) -> Result<bool, StoreError> {
        let (name, key, hash) = (name.to_owned(), name_key(name), password_hash.to_owned());
        either!(self, store => store.create_operator(name, key, hash, role, now_ms).await)
    }

    /// All operators, by name.
    pub async fn operators(&self) -> Result<Vec<OperatorRow>, StoreError> {
        either!(self, store => store.operators().await)
    }

    /// Whether anybody may log in as an operator.
    pub async fn has_operators(&self) -> Result<bool, StoreError> {
        either!(self, store => store.has_operators().await)
    }

    /// An operator who may log in, and the hash of their password.
    pub async fn operator_credentials(
        &self,
        name: &str,
    ) -> Result<Option<(OperatorRow, String)>, StoreError> {
        let key = name_key(name);
        either!(self, store => store.operator_credentials(key).await)
    }

    /// Keeps an operator out from now on and ends their logins; `false`: there is none of this name.
    pub async fn disable_operator(&self, name: &str, now_ms: UnixMs) -> Result<bool, StoreError> {
        let key = name_key(name);
        either!(self, store => store.disable_operator(key, now_ms).await)
    }

    /// Gives an operator another password, lets them in again and ends their logins; `false`: there is none of this name.
    pub async fn reset_operator(
        &self,
        name: &str,
        password_hash: &str,
    ) -> Result<bool, StoreError> {
        let (key, hash) = (name_key(name), password_hash.to_owned());
        either!(self, store => store.reset_operator(key, hash).await)
    }

    /// Begins a login. Those that are over are forgotten.
    pub async fn begin_operator_login(
        &self,
        operator: OperatorId,
        token_hash: [u8; 32],
        now_ms: UnixMs,
        expires_at: UnixMs,
    ) -> Result<(), StoreError> {
        either!(self, store => store.begin_operator_login(operator, token_hash, now_ms, expires_at).await)
    }

    /// Whose login a token is of, if it is not over.
    pub async fn operator_by_token(
        &self,
        token_hash: [u8; 32],
        now_ms: UnixMs,
    ) -> Result<Option<OperatorRow>, StoreError> {
        either!(self, store => store.operator_by_token(token_hash, now_ms).await)
    }

    /// Ends a login.
    pub async fn end_operator_login(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        either!(self, store => store.end_operator_login(token_hash).await)
    }
}
