//! Refresh tokens: each is good for one use, which gives the next one of its family.
//!
//! ```text
//!   login ─► create ─► token 1 ── rotate ─► token 2 ── rotate ─► token 3 …     one family
//!                         └── used again ─► the whole family ends
//! ```
//!
//! Invariants:
//! - The database holds hashes only. They are of random tokens, so a plain SHA-256 does.
//! - Of any number of rotations of one token exactly one is [`Rotation::Rotated`].
//! - A used token that comes again was stolen, from its owner or by them: nobody can tell, so the family ends, the
//!   newest token with it. Not so if it is the *same* rotation (the same next hash), within [`REPEAT_MS`] and before
//!   the next token was used: that is a client which lost the answer, and it is told [`Rotation::Repeated`]. Whoever
//!   wants such retries derives the next token from the used one with a key of the server; with random tokens
//!   every retry ends the family.
//! - A rotation and whatever ends tokens of the same user happen one after the other, so that no next token slips past a
//!   revocation.

use ringwire_protocol::{UnixMs, UserId};

use crate::error::StoreError;
use crate::store::{Store, either};

/// How long the same rotation may be repeated. Long enough for a client to notice a lost answer, and so short that a
/// thief who repeats what the owner does is shut out at the next rotation.
pub const REPEAT_MS: i64 = 30_000;
/// Expired tokens removed in one step.
pub(crate) const EXPIRED_PAGE: i64 = 500;

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];
/// Which login a token comes from; random.
pub type FamilyId = [u8; 16];

/// The first token of a login.
#[derive(Clone, Debug)]
pub struct NewRefreshToken {
    /// Its hash.
    pub token_hash: TokenHash,
    /// What it belongs to.
    pub login: Login,
    /// From when it is refused.
    pub expires_at: UnixMs,
}

/// The token that a rotation gives.
#[derive(Clone, Copy, Debug)]
pub struct NextToken {
    /// Its hash.
    pub token_hash: TokenHash,
    /// From when it is refused.
    pub expires_at: UnixMs,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Who logged in.
    pub user_id: UserId,
    /// The tokens of this login.
    pub family_id: FamilyId,
    /// On which device; empty: the client named none.
    pub device_id: String,
}

/// What became of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The token is used, the next one is good.
    Rotated(Login),
    /// This very rotation was done before; the next one is good.
    Repeated(Login),
    /// The token was used before: its family has ended with this call.
    Reused(Login),
    /// It was revoked before, alone or with its family.
    Revoked,
    /// Its time is over.
    Expired,
    /// There is no such token, or its user is deleted.
    Unknown,
}

/// A row.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) login: Login,
    pub(crate) expires_at: UnixMs,
    /// 0: not yet.
    pub(crate) used_at: UnixMs,
    /// 0: not.
    pub(crate) revoked_at: UnixMs,
}

impl Token {
    /// What a rotation of this token is, given the row under the hash of the next one.
    pub(crate) fn judge(self, next: Option<&Self>, now_ms: UnixMs) -> Rotation {
        if self.revoked_at != 0 {
            return Rotation::Revoked;
        }
        if self.used_at != 0 {
            let is_fresh = next.is_some_and(|next| {
                next.login == self.login && next.used_at == 0 && next.revoked_at == 0
            });
            let repeats = is_fresh && now_ms.saturating_sub(self.used_at) <= REPEAT_MS;
            return if repeats {
                Rotation::Repeated(self.login)
            } else {
                Rotation::Reused(self.login)
            };
        }
        if self.expires_at <= now_ms {
            return Rotation::Expired;
        }
        Rotation::Rotated(self.login)
    }
}

impl Store {
    /// Keeps the first token of a login. Its device, if it is of one, was seen with that, as by [`Store::see_device`].
    /// [`StoreError::NoSuchUser`] also if the user is deleted.
    pub async fn create_refresh_token(
        &self,
        token: NewRefreshToken,
        max_devices: u32,
        now_ms: UnixMs,
    ) -> Result<(), StoreError> {
        either!(self, store => store.create_refresh_token(token, max_devices, now_ms).await)
    }

    /// Uses a token and keeps the next one of its family, in one transaction. See the module for what happens to a used
    /// one.
    pub async fn rotate_refresh_token(
        &self,
        used: TokenHash,
        next: NextToken,
        now_ms: UnixMs,
    ) -> Result<Rotation, StoreError> {
        either!(self, store => store.rotate_refresh_token(used, next, now_ms).await)
    }

    /// Ends one login; how many tokens that revoked, used ones included.
    pub async fn revoke_refresh_family(
        &self,
        family: FamilyId,
        now_ms: UnixMs,
    ) -> Result<u64, StoreError> {
        either!(self, store => store.revoke_refresh_family(family, now_ms).await)
    }

    /// Ends the logins of a user, all or those on one device; how many tokens that revoked, used ones included.
    pub async fn revoke_refresh_tokens(
        &self,
        user: UserId,
        device_id: Option<&str>,
        now_ms: UnixMs,
    ) -> Result<u64, StoreError> {
        let device_id = device_id.map(str::to_owned);
        either!(self, store => store.revoke_refresh_tokens(user, device_id, now_ms).await)
    }

    /// Whether a login is still good: some token of it is there and was not revoked. Those of a deleted user are gone.
    pub async fn login_state(&self, family: FamilyId) -> Result<bool, StoreError> {
        either!(self, store => store.login_state(family).await)
    }

    /// Logins that ended at or after a time, by the clocks of those who ended them, earliest first, each as often as tokens
    /// of it were revoked at different times. For those who look again and again, with some time to spare.
    pub async fn revoked_families(
        &self,
        since_ms: UnixMs,
        limit: u32,
    ) -> Result<Vec<(UserId, FamilyId, UnixMs)>, StoreError> {
        either!(self, store => store.revoked_families(since_ms, limit).await)
    }

    /// Removes some tokens, of logins and of forgotten passwords, that have expired by the database's clock; whether there may be more. Any node may call it at
    /// any time: one works, the others are told that there is nothing to do.
    pub async fn expire_tokens(&self) -> Result<bool, StoreError> {
        either!(self, store => store.expire_tokens().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(used_at: UnixMs, revoked_at: UnixMs) -> Token {
        let user_id = UserId::new(1).expect("not zero");
        let login = Login { user_id, family_id: [1; 16], device_id: String::new() };
        Token { login, expires_at: 1_000_000, used_at, revoked_at }
    }

    #[test]
    fn the_same_rotation_may_be_repeated_for_a_while_and_before_the_next_one() {
        let judge = |next: Option<Token>, now_ms| token(500, 0).judge(next.as_ref(), now_ms);
        assert!(matches!(judge(Some(token(0, 0)), 500 + REPEAT_MS), Rotation::Repeated(_)));
        assert!(matches!(judge(Some(token(0, 0)), 501 + REPEAT_MS), Rotation::Reused(_)));
        assert!(matches!(judge(Some(token(600, 0)), 700), Rotation::Reused(_)));
        assert!(matches!(judge(None, 501), Rotation::Reused(_)));
        let mut of_another_login = token(0, 0);
        of_another_login.login.family_id = [2; 16];
        assert!(matches!(judge(Some(of_another_login), 501), Rotation::Reused(_)));
    }

    #[test]
    fn a_token_is_good_until_it_expires_or_is_revoked() {
        assert!(matches!(token(0, 0).judge(None, 999_999), Rotation::Rotated(_)));
        assert_eq!(token(0, 0).judge(None, 1_000_000), Rotation::Expired);
        assert_eq!(token(5, 6).judge(Some(&token(0, 0)), 7), Rotation::Revoked);
    }
}
