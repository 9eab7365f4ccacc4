//! Health: whether the process lives, and whether it can serve.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;

use super::ServiceState;
use crate::config::Database;
use crate::placement::ShardId;

/// A database that needs longer to say anything counts as away.
const PING_PATIENCE: Duration = Duration::from_secs(2);

/// `GET /health/ready`
#[derive(Serialize)]
struct Readiness {
    /// `ready`, `draining`, `shard_stuck`, `database_unavailable` or `database_unwritable`.
    status: &'static str,
    version: &'static str,
    driver: &'static str,
    shards: usize,
    /// Shards that have done nothing for 10 s, not even what is due each second.
    stuck_shards: Vec<ShardId>,
    /// `sqlite` or `postgres`.
    database: &'static str,
}

/// `GET /health/live`: 200 as long as the service thread runs.
pub(super) async fn live() -> impl IntoResponse {
    Json(serde_json::json!({"status": "live"}))
}

/// `GET /health/ready`: 200 when commands can be carried out, else 503 with the same body.
pub(super) async fn ready(State(state): State<ServiceState>) -> impl IntoResponse {
    let answer = tokio::time::timeout(PING_PATIENCE, state.0.store.ping()).await;
    let database = match answer {
        Ok(Ok(())) if state.0.store.can_write() => Health::Writable,
        Ok(Ok(())) => Health::Readable,
        _ => Health::Away,
    };
    let stuck_shards = state.0.facts.board.stuck(Instant::now());
    let (code, status) = verdict(state.is_draining(), !stuck_shards.is_empty(), database);
    let readiness = Readiness {
        status,
        version: env!("CARGO_PKG_VERSION"),
        driver: state.0.facts.driver,
        shards: state.0.facts.shards,
        stuck_shards,
        database: match state.0.config.storage.database {
            Database::Sqlite => "sqlite",
            Database::Postgres(_) => "postgres",
        },
    };
    (code, Json(readiness))
}

/// What the database can do now.
#[derive(Clone, Copy)]
enum Health {
    Writable,
    Readable,
    Away,
}

fn verdict(draining: bool, stuck: bool, database: Health) -> (StatusCode, &'static str) {
    let status = match database {
        _ if draining => "draining",
        _ if stuck => "shard_stuck",
        Health::Away => "database_unavailable",
        Health::Readable => "database_unwritable",
        Health::Writable => return (StatusCode::OK, "ready"),
    };
    (StatusCode::SERVICE_UNAVAILABLE, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_can_commit_and_stays_is_ready() {
        let away = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(verdict(false, false, Health::Writable), (StatusCode::OK, "ready"));
        assert_eq!(verdict(false, false, Health::Readable), (away, "database_unwritable"));
        assert_eq!(verdict(false, false, Health::Away), (away, "database_unavailable"));
        assert_eq!(verdict(false, true, Health::Writable), (away, "shard_stuck"));
        assert_eq!(verdict(true, true, Health::Away), (away, "draining"));
    }
}
