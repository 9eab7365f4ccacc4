//! Bans of accounts, orders to all nodes, and the search for users.

use ringwire_protocol::{UnixMs, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::hold::hold_users;
use super::retention::CLOCK;
use super::rows::{self, USER, USER_WIDTH};
use crate::error::StoreError;
use crate::moderation::{AccountBan, FoundUser, ORDERS_KEPT_MS, OrderKind, OrderRow, read};

/// What [`found`] reads, of table `u`, behind the user.
const MORE: &str = "u.email, u.deleted_at,
    (SELECT count(*) FROM members m WHERE m.user_id = u.id)";

fn found(row: &Row) -> Result<FoundUser, StoreError> {
    Ok(FoundUser {
        user: rows::user(row, 0)?,
        email: row.try_get(USER_WIDTH)?,
        deleted_at: row.try_get(USER_WIDTH + 1)?,
        memberships: rows::number(row, USER_WIDTH + 2)?,
    })
}

impl PostgresStore {
    pub(crate) async fn ban_account(&self, ban: AccountBan) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let user = ban.user_id.as_i64();
        hold_users(&tx, &[user]).await?;
        let statement = tx
            .prepare_cached(
                "INSERT INTO account_bans (account_id, banned_at, until, reason, operator_id)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id) DO UPDATE SET
                 until = excluded.until, reason = excluded.reason, operator_id = excluded.operator_id",
            )
            .await?;
        tx.execute(&statement, &[&user, &ban.banned_at, &ban.until, &ban.reason, &ban.operator])
            .await?;
        tx.commit().await?;
        Ok(())
    }

    pub(crate) async fn unban_account(&self, user: UserId) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let statement =
            client.prepare_cached("DELETE FROM account_bans WHERE account_id = $1").await?;
        Ok(client.execute(&statement, &[&user.as_i64()]).await? > 0)
    }

    pub(crate) async fn account_ban(&self, user: UserId) -> Result<Option<AccountBan>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(
                "SELECT account_id, banned_at, until, reason, operator_id FROM account_bans
                 WHERE account_id = $1",
            )
            .await?;
        let row = client.query_opt(&statement, &[&user.as_i64()]).await?;
        row.map(|row| {
            Ok(AccountBan {
                user_id: rows::user_id(&row, 0)?,
                banned_at: row.try_get(1)?,
                until: row.try_get(2)?,
                reason: row.try_get(3)?,
                operator: row.try_get(4)?,
            })
        })
        .transpose()
    }

    pub(crate) async fn give_order(
        &self,
        kind: OrderKind,
        accounts: String,
        text: String,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let statement = tx
            .prepare_cached(&format!("DELETE FROM orders WHERE at < (SELECT {CLOCK}) - $1"))
            .await?;
        tx.execute(&statement, &[&ORDERS_KEPT_MS]).await?;
        let statement = tx
            .prepare_cached(&format!(
                "INSERT INTO orders (at, kind, accounts, text) VALUES ({CLOCK}, $1, $2, $3)"
            ))
            .await?;
        tx.execute(&statement, &[&kind.number(), &accounts, &text]).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(crate) async fn orders(&self, within_ms: UnixMs) -> Result<Vec<OrderRow>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT id, kind, accounts, text FROM orders WHERE at >= (SELECT {CLOCK}) - $1
                 ORDER BY at, id LIMIT 1000"
            ))
            .await?;
        let rows = client.query(&statement, &[&within_ms]).await?;
        let order = |row: &Row| {
            let kind = OrderKind::from_number(row.try_get(1)?)?;
            let users = read(row.try_get(2)?);
            Ok(OrderRow { id: row.try_get(0)?, kind, users, text: row.try_get(3)? })
        };
        rows.iter().map(order).collect()
    }

    pub(crate) async fn find_users(
        &self,
        after: String,
        inclusive: bool,
        until: String,
        limit: i64,
    ) -> Result<Vec<FoundUser>, StoreError> {
        let client = self.client().await?;
        let statement = client
            .prepare_cached(&format!(
                "SELECT {USER}, {MORE} FROM users u
                 WHERE u.username_key >= $1 AND u.username_key < $2 AND u.deleted_at = 0
                     AND ($3 OR u.username_key > $1)
                 ORDER BY u.username_key LIMIT $4"
            ))
            .await?;
        let rows = client.query(&statement, &[&after, &until, &inclusive, &limit]).await?;
        rows.iter().map(found).collect()
    }

    pub(crate) async fn find_user(
        &self,
        id: Option<UserId>,
        email_key: String,
    ) -> Result<Option<FoundUser>, StoreError> {
        let client = self.client().await?;
        let row = if let Some(id) = id {
            let statement = client
                .prepare_cached(&format!("SELECT {USER}, {MORE} FROM users u WHERE u.id = $1"))
                .await?;
            client.query_opt(&statement, &[&id.as_i64()]).await?
        } else {
            let statement = client
                .prepare_cached(&format!(
                    "SELECT {USER}, {MORE} FROM users u WHERE u.email_key = $1"
                ))
                .await?;
            client.query_opt(&statement, &[&email_key]).await?
        };
        row.as_ref().map(found).transpose()
    }
}
