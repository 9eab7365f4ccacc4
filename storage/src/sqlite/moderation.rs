//! Bans of accounts, orders to all nodes, and the search for users.

use ringwire_protocol::{UnixMs, UserId};
use rusqlite::{OptionalExtension as _, Row};

use super::SqliteStore;
use super::hold::require_user;
use super::retention::CLOCK;
use super::rows::{self, USER, USER_WIDTH};
use crate::error::StoreError;
use crate::moderation::{AccountBan, FoundUser, ORDERS_KEPT_MS, OrderKind, OrderRow, read};

/// What [`found`] reads, of table `u`, behind the user.
const MORE: &str = "u.email, u.deleted_at,
    (SELECT count(*) FROM members m WHERE m.user_id = u.id)";

fn found(row: &Row<'_>) -> rusqlite::Result<FoundUser> {
    Ok(FoundUser {
        user: rows::user(row, 0)?,
        email: row.get(USER_WIDTH)?,
        deleted_at: row.get(USER_WIDTH + 1)?,
        memberships: rows::number(row, USER_WIDTH + 2)?,
    })
}

impl SqliteStore {
    pub(crate) async fn ban_account(&self, ban: AccountBan) -> Result<(), StoreError> {
        self.write(move |tx| {
            require_user(tx, ban.user_id.as_i64())?;
            tx.prepare_cached(
                "INSERT INTO account_bans (account_id, banned_at, until, reason, operator_id)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (account_id) DO UPDATE SET
                 until = excluded.until, reason = excluded.reason, operator_id = excluded.operator_id",
            )?
            .execute((
                ban.user_id.as_i64(),
                ban.banned_at,
                ban.until,
                &ban.reason,
                ban.operator,
            ))?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn unban_account(&self, user: UserId) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let removed = tx
                .prepare_cached("DELETE FROM account_bans WHERE account_id = ?1")?
                .execute([user.as_i64()])?;
            Ok(removed > 0)
        })
        .await
    }

    pub(crate) async fn account_ban(&self, user: UserId) -> Result<Option<AccountBan>, StoreError> {
        self.read(move |tx| {
            Ok(tx
                .prepare_cached(
                    "SELECT account_id, banned_at, until, reason, operator_id FROM account_bans
                     WHERE account_id = ?1",
                )?
                .query_row([user.as_i64()], |row| {
                    Ok(AccountBan {
                        user_id: rows::user_id(row, 0)?,
                        banned_at: row.get(1)?,
                        until: row.get(2)?,
                        reason: row.get(3)?,
                        operator: row.get(4)?,
                    })
                })
                .optional()?)
        })
        .await
    }

    pub(crate) async fn give_order(
        &self,
        kind: OrderKind,
        accounts: String,
        text: String,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.prepare_cached(&format!("DELETE FROM orders WHERE at < {CLOCK} - ?1"))?
                .execute([ORDERS_KEPT_MS])?;
            tx.prepare_cached(&format!(
                "INSERT INTO orders (at, kind, accounts, text) VALUES ({CLOCK}, ?1, ?2, ?3)"
            ))?
            .execute((kind.number(), &accounts, &text))?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn orders(&self, within_ms: UnixMs) -> Result<Vec<OrderRow>, StoreError> {
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(&format!(
                "SELECT id, kind, accounts, text FROM orders WHERE at >= {CLOCK} - ?1
                 ORDER BY at, id LIMIT 1000"
            ))?;
            let rows = statement.query_map([within_ms], |row| {
                let accounts: String = row.get(2)?;
                Ok((row.get(0)?, row.get(1)?, read(&accounts), row.get(3)?))
            })?;
            rows.map(|row| {
                let (id, kind, users, text) = row?;
                Ok(OrderRow { id, kind: OrderKind::from_number(kind)?, users, text })
            })
            .collect()
        })
        .await
    }

    pub(crate) async fn find_users(
        &self,
        after: String,
        inclusive: bool,
        until: String,
        limit: i64,
    ) -> Result<Vec<FoundUser>, StoreError> {
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(&format!(
                "SELECT {USER}, {MORE} FROM users u
                 WHERE u.username_key >= ?1 AND u.username_key < ?2 AND u.deleted_at = 0
                     AND (?3 OR u.username_key > ?1)
                 ORDER BY u.username_key LIMIT ?4"
            ))?;
            let rows = statement.query_map((&after, &until, inclusive, limit), found)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub(crate) async fn find_user(
        &self,
        id: Option<UserId>,
        email_key: String,
    ) -> Result<Option<FoundUser>, StoreError> {
        self.read(move |tx| {
            let row = match id {
                Some(id) => tx
                    .prepare_cached(&format!("SELECT {USER}, {MORE} FROM users u WHERE u.id = ?1"))?
                    .query_row([id.as_i64()], found),
                None => tx
                    .prepare_cached(&format!(
                        "SELECT {USER}, {MORE} FROM users u WHERE u.email_key = ?1"
                    ))?
                    .query_row([&email_key], found),
            };
            Ok(row.optional()?)
        })
        .await
    }
}
