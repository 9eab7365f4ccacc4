//! Health: whether the process lives, and whether it can serve.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ServiceState;
use crate::config::Database;
use crate::placement::ShardId;

/// A database that needs longer to say anything counts as away.
const PING_PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// `GET /health/live`
#[derive(Serialize, ToSchema)]
struct Liveness {
    /// `live`.
    status: &'static str,
}

/// `GET /health/ready`
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ready`, `draining`, `shard_stuck`, `database_unavailable` or `database_unwritable`.
    status: &'static str,
    /// Of the server.
    version: &'static str,
    /// `io_uring` or `epoll`.
    driver: &'static str,
    /// How many there are.
    shards: usize,
    /// Shards that have done nothing for 10 s, not even what is due each second.
    #[schema(value_type = Vec<u32>)]
    stuck_shards: Vec<ShardId>,
    /// `sqlite` or `postgres`.
    database: &'static str,
}

/// Whether the process lives.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "operation",
    security(()),
    responses((status = 200, description = "It does.", body = Liveness)),
)]
async fn live() -> impl IntoResponse {
    Json(Liveness { status: "live" })
}

/// Whether commands can be carried out.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "operation",
    security(()),
    responses(
        (status = 200, description = "They can.", body = Readiness),
        (status = 503, description = "They cannot; why.", body = Readiness),
    ),
)]
async fn ready(State(state): State<ServiceState>) -> impl IntoResponse {
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
