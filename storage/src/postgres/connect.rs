//! Addresses and sessions.

use std::time::Duration;

use tokio_postgres::{Client, Config, NoTls};

use crate::error::StoreError;

/// The longest wait for a connection to be made.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest wait for the answer to a writer's transaction. More than the server's own limit below, so that a server
/// that lives answers first.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(25);

/// For reads and small writes.
pub(super) const SERVICE_SESSION: &str = "SET statement_timeout = '15s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '15s';
    SET synchronous_commit = on";

/// For writers. Their statements always look up a few keys: an index each time, whatever the statistics of a young
/// table suggest, and one plan for all batch sizes.
const WRITER_SESSION: &str = "SET statement_timeout = '20s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '15s';
    SET synchronous_commit = on;
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off";

/// For an operator's tools. No index-only scans: what looks for damage reads the tables, not what indexes say of them.
const TOOL_SESSION: &str = "SET statement_timeout = 0;
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = 0;
    SET synchronous_commit = on;
    SET enable_indexonlyscan = off";

/// Reads an address and adds what keeps a dead server from holding us up.
pub(crate) fn parse(url: &str) -> Result<Config, StoreError> {
    // The parser's message does not repeat the address, which holds a password.
    let mut config: Config = url
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::BadAddress(explain(&error)))?;
    if config.get_hosts().is_empty() {
        return Err(StoreError::BadAddress("it names no host".into()));
    }
    if config.get_application_name().is_none() {
        config.application_name("ringwire");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(CALL_TIMEOUT);
    }
    config.keepalives_idle(Duration::from_secs(30));
    Ok(config)
}

/// A writer's session. The connection's driver runs on the current runtime.
pub(super) async fn writer_session(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a writer's connection ended");
        }
    });
    client.batch_execute(WRITER_SESSION).await?;
    Ok(client)
}

/// A session of an operator's tool, which may take as long as it needs.
pub(crate) async fn tool_session(config: &Config) -> Result<Client, StoreError> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a tool's connection ended");
        }
    });
    client.batch_execute(TOOL_SESSION).await?;
    Ok(client)
}

/// An error with its causes on one line; the outer message alone ("db error") tells nothing.
pub(super) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_address_is_named_without_its_password() {
        let Err(error) = parse("postgres://someone:secret@host:notaport/db") else {
            panic!("that is no address");
        };
        assert!(matches!(error, StoreError::BadAddress(_)));
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn an_address_needs_a_host() {
        assert!(matches!(parse("dbname=x"), Err(StoreError::BadAddress(_))));
    }
}
