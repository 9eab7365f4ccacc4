//! What operators do about people: bans of accounts, and orders that every node carries out once.
//!
//! ```text
//!   operator ─► order, in the database ─► each node looks every few seconds ─► its shards
//!   ban ─► a row that logins and connects are checked against, and an order for the sessions there are
//! ```
//!
//! Invariants: a ban is one row an account, and goes with the account; an order is told to whoever looks within a day.

use ringwire_protocol::{UnixMs, UserId};

use crate::error::StoreError;
use crate::model::UserRow;
use crate::operators::OperatorId;
use crate::store::{Store, either, name_key};

/// Orders that are older are forgotten, in milliseconds.
pub(crate) const ORDERS_KEPT_MS: UnixMs = 24 * 60 * 60 * 1000;

/// Why, and until when, nobody gets in with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountBan {
    /// Whose account.
    pub user_id: UserId,
    /// Since when.
    pub banned_at: UnixMs,
    /// Until when; 0: for good.
    pub until: UnixMs,
    /// What the operator said of it.
    pub reason: String,
    /// Who did it.
    pub operator: OperatorId,
}

/// What every node does once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Tells people something.
    Notice,
    /// Ends their sessions.
    Kick,
    /// Ends their sessions, since they are banned.
    Ban,
}

impl OrderKind {
    pub(crate) const fn number(self) -> i16 {
        self as i16
    }

    pub(crate) fn from_number(number: i16) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Notice),
            1 => Ok(Self::Kick),
            2 => Ok(Self::Ban),
            _ => Err(StoreError::Fatal(format!("no order has the number {number}"))),
        }
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Which one; rises, not without gaps, and not always in the order in which they are seen.
    pub id: i64,
    /// What.
    pub kind: OrderKind,
    /// For whom; nobody: for everybody.
    pub users: Vec<UserId>,
    /// What is told.
    pub text: String,
}

/// A user as operators see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundUser {
    /// The user.
    pub user: UserRow,
    /// Their address, if they gave one.
    pub email: Option<String>,
    /// When the account was closed; 0: it was not.
    pub deleted_at: UnixMs,
    /// Conversations they are in.
    pub memberships: u64,
}

impl Store {
    /// Keeps an account out, or changes until when and why. [`StoreError::NoSuchUser`] if it does not exist or is deleted.
    pub async fn ban_account(&self, ban: AccountBan) -> Result<(), StoreError> {
        either!(self, store => store.ban_account(ban).await)
    }

    /// Lets an account in again; whether it was banned.
    pub async fn unban_account(&self, user: UserId) -> Result<bool, StoreError> {
        either!(self, store => store.unban_account(user).await)
    }

    /// The ban of an account, if there is one now.
    pub async fn account_ban(
        &self,
        user: UserId,
        now_ms: UnixMs,
    ) -> Result<Option<AccountBan>, StoreError> {
        let ban = either!(self, store => store.account_ban(user).await?);
        Ok(ban.filter(|ban| ban.until == 0 || ban.until > now_ms))
    }

    /// Has every node do something once. Orders of days ago are forgotten.
    pub async fn give_order(
        &self,
        kind: OrderKind,
        users: &[UserId],
        text: &str,
    ) -> Result<(), StoreError> {
        let accounts: Vec<i64> = users.iter().map(|user| user.as_i64()).collect();
        let (accounts, text) = (written(&accounts), text.to_owned());
        either!(self, store => store.give_order(kind, accounts, text).await)
    }

    /// The orders given within so many milliseconds, by the database's clock, oldest first.
    pub async fn orders(&self, within_ms: UnixMs) -> Result<Vec<OrderRow>, StoreError> {
        either!(self, store => store.orders(within_ms).await)
    }

    /// Users whose name begins like this, behind a name, by name, deleted ones left out.
    pub async fn find_users(
        &self,
        begins: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<FoundUser>, StoreError> {
        let begins = name_key(begins);
        // Behind every name that begins so: no character is greater.
        let until = format!("{begins}\u{10FFFF}");
        let after = name_key(after);
        // The name of the page before is told already; it begins so too.
        let inclusive = after < begins || after.is_empty();
        let after = after.max(begins);
        either!(self, store => store.find_users(after, inclusive, until, limit.into()).await)
    }

    /// A user by id, also a deleted one, or by their whole e-mail address.
    pub async fn find_user(
        &self,
        id: Option<UserId>,
        email: &str,
    ) -> Result<Option<FoundUser>, StoreError> {
        let key = name_key(email);
        either!(self, store => store.find_user(id, key).await)
    }
}

fn written(accounts: &[i64]) -> String {
    let accounts: Vec<String> = accounts.iter().map(i64::to_string).collect();
    format!("[{}]", accounts.join(","))
}

/// The users of a list as [`written`] makes it.
pub(crate) fn read(accounts: &str) -> Vec<UserId> {
    let inner = accounts.trim_matches(['[', ']']);
    inner.split(',').filter_map(|id| UserId::new(id.trim().parse().ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_accounts_are_read_as_they_were_written() {
        for ids in [vec![], vec![1], vec![7, 9_007_199_254_740_991]] {
            let users: Vec<UserId> = ids.iter().filter_map(|id| UserId::new(*id)).collect();
            let numbers: Vec<i64> = users.iter().map(|user| user.as_i64()).collect();
            assert_eq!(read(&written(&numbers)), users);
        }
        assert_eq!(read("[0,x]"), []);
    }
}
