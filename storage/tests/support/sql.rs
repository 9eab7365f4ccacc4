//! The database behind a store, as an operator with SQL sees it.

use ringwire_storage::Database;

use super::Bench;

impl Bench {
    /// Runs a statement that both databases understand.
    pub(crate) async fn execute(&self, sql: &str) {
        match &self.config.database {
            Database::Sqlite { dir } => {
                let connection = rusqlite::Connection::open(dir.join("ringwire.db")).unwrap();
                connection.busy_timeout(super::PATIENCE).unwrap();
                connection.execute(sql, []).unwrap();
            }
            Database::Postgres { url } => {
                connect(url).await.execute(sql, &[]).await.unwrap();
            }
        }
    }

    /// The numbers in the first column (`bigint`) of what a query finds.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        match &self.config.database {
            Database::Sqlite { dir } => {
                let connection = rusqlite::Connection::open(dir.join("ringwire.db")).unwrap();
                let mut statement = connection.prepare(sql).unwrap();
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            }
            Database::Postgres { url } => {
                let rows = connect(url).await.query(sql, &[]).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }
}

impl Bench {
    /// The texts in the first column of what a query finds.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        match &self.config.database {
            Database::Sqlite { dir } => {
                let connection = rusqlite::Connection::open(dir.join("ringwire.db")).unwrap();
                let mut statement = connection.prepare(sql).unwrap();
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            }
            Database::Postgres { url } => {
                let rows = connect(url).await.query(sql, &[]).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }
}

pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
