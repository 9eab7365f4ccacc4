//! The server as operators see it: figures, the log's level, the audit log, and the order to stop.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use futures_util::stream;
use ringwire_protocol::{CommandError, ErrorCode, UnixMs};
use ringwire_storage::audit::{AuditFilter, AuditOutcome};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::ServiceState;
use super::super::error::ApiError;
use super::super::input::{Body, Parameters};
use super::access::bearer;
use super::trail::Operator;
use crate::logging;
use crate::observe::stats::{Sample, Stats, stats as figures};
use crate::outbound::OutgoingStats;

/// How often a stream tells the figures.
const EVERY: Duration = Duration::from_secs(1);
/// Rows of the audit log on a page.
const AUDIT_PAGE: u32 = 100;
/// The longest filter of the log, in characters.
pub(super) const MAX_FILTER_CHARS: usize = 1000;
/// What BUSY tells the client to wait, in milliseconds.
const BUSY_RETRY_MS: u32 = 5_000;

/// What shards counted, and what became of all that is sent to devices and webhooks.
#[derive(Serialize, ToSchema)]
pub(super) struct Told {
    #[serde(flatten)]
    #[schema(inline)]
    figures: Stats,
    #[schema(inline)]
    outgoing: OutgoingStats,
}

impl Told {
    fn of(state: &ServiceState, before: Option<&Sample>, now: &Sample) -> Self {
        let config = &state.0.config;
        let webhooks: Vec<&str> = config.events.webhooks.iter().map(|hook| &*hook.name).collect();
        Self {
            figures: figures(&state.0.facts.board, before, now),
            outgoing: state.0.outgoing_metrics.stats(&config.push.ways(), &webhooks),
        }
    }
}

/// The figures since the start.
pub(super) async fn stats(State(state): State<ServiceState>) -> Json<Told> {
    let now = Sample::take(&state.0.facts.board);
    Json(Told::of(&state, None, &now))
}

/// The figures of each second, as server-sent events.
///
/// They end when the operator's login does, or the server drains.
pub(super) async fn stream(
    State(state): State<ServiceState>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let streams = std::sync::Arc::clone(&state.0.administration.streams);
    let place = streams.try_acquire_owned().map_err(|_| {
        let message = "too many operators watch the figures";
        CommandError::retry(ErrorCode::Busy, message, BUSY_RETRY_MS)
    })?;
    let first = Sample::take(&state.0.facts.board);
    let begin = (state, headers, first, place);
    let events = stream::unfold(begin, |(state, headers, before, place)| async move {
        tokio::time::sleep(EVERY).await;
        if state.is_draining() {
            return None;
        }
        bearer(&state, &headers).await.ok()?;
        let now = Sample::take(&state.0.facts.board);
        let told = Told::of(&state, Some(&before), &now);
        let event = Event::default().event("stats").json_data(told).ok()?;
        Some((Ok::<Event, Infallible>(event), (state, headers, now, place)))
    });
    Ok(Sse::new(events))
}

/// What is logged.
pub(super) async fn log() -> Json<Value> {
    Json(json!({"filter": logging::current()}))
}

/// `PUT /api/v1/admin/log`
#[derive(Debug, Deserialize)]
pub(super) struct LogRequest {
    filter: String,
}

/// Logs by other directives, on this node and until it stops.
pub(super) async fn change_log(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
    Body(request): Body<LogRequest>,
) -> Result<Json<Value>, ApiError> {
    let filter = request.filter.trim();
    let chars = request.filter.chars().count();
    let refused = |problem: &str| {
        let message = format!("filter: directives such as info,ringwire_gateway=debug ({problem})");
        ApiError::new(ErrorCode::InvalidArgument, message)
    };
    if filter.is_empty() || chars > MAX_FILTER_CHARS {
        return Err(refused("1 to 1000 characters"));
    }
    logging::check(filter).map_err(|problem| refused(&problem))?;
    operator.note(&state, &json!({"filter": filter})).await?;
    logging::change(filter).map_err(|problem| refused(&problem))?;
    Ok(log().await)
}

/// Stops this server as SIGTERM does: nothing that was accepted is lost.
pub(super) async fn drain(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
) -> Result<StatusCode, ApiError> {
    operator.note(&state, &json!({})).await?;
    state.begin_drain();
    state.0.facts.reach.stop.notify_one();
    Ok(StatusCode::ACCEPTED)
}

/// `GET /api/v1/admin/audit`
#[derive(Debug, Deserialize)]
pub(super) struct AuditRequest {
    #[serde(default)]
    page_token: String,
}

/// Who did what, newest first.
pub(super) async fn audit(
    State(state): State<ServiceState>,
    Parameters(request): Parameters<AuditRequest>,
) -> Result<Json<Value>, ApiError> {
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(place(token).ok_or_else(|| {
            ApiError::new(ErrorCode::InvalidArgument, "page_token: not one that was given here")
        })?),
    };
    let store = &state.0.store;
    let (rows, more) = store.audit_page(AuditFilter::default(), after, AUDIT_PAGE).await?;
    let operators = store.operators().await?;
    let name = |id| operators.iter().find(|operator| Some(operator.id) == id);
    let next = rows.last().filter(|_| more).map(|row| format!("{}.{}", row.at, row.id));
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            let (outcome, code) = match row.entry.outcome {
                AuditOutcome::Tried => ("tried", None),
                AuditOutcome::Done => ("done", None),
                AuditOutcome::Refused(code) => ("refused", Some(code)),
            };
            json!({
                "id": row.id.to_string(),
                "at": row.at.to_string(),
                "operator": name(row.entry.operator).map(|operator| operator.name.clone()),
                "actor_id": row.entry.actor.map(|actor| actor.to_string()),
                "action": row.entry.action,
                "target": row.entry.target,
                "outcome": outcome,
                "code": code,
                "detail": serde_json::from_str::<Value>(&row.entry.detail).unwrap_or_default(),
            })
        })
        .collect();
    Ok(Json(json!({"rows": rows, "next_page_token": next.unwrap_or_default()})))
}

fn place(token: &str) -> Option<(UnixMs, i64)> {
    let (at, id) = token.split_once('.')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}
