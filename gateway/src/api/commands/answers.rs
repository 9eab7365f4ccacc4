//! The reply to a command as the answer to a request: its message in proto JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use ringwire_protocol::ErrorCode;
use ringwire_protocol::wire::reply::Outcome;
use serde::Serialize;

use super::table::{Row, Shape};
use crate::api::error::ApiError;

/// Answers with what the path promises of a reply.
pub(super) fn answer(
    row: &Row,
    params: &[(&str, &str)],
    outcome: Outcome,
) -> Result<Response, ApiError> {
    let status = match (row.shape, &outcome) {
        (Shape::Made, _) => StatusCode::CREATED,
        (Shape::Opened, Outcome::ConversationOpened(opened)) if opened.created => {
            StatusCode::CREATED
        }
        _ => StatusCode::OK,
    };
    match (row.shape, outcome) {
        (Shape::Head, Outcome::HeadsPage(page)) => {
            let message = "no such conversation, or you are not a member";
            let head = page.heads.into_iter().next();
            Ok(json(status, &head.ok_or_else(|| ApiError::new(ErrorCode::NotMember, message))?))
        }
        (Shape::Entry, Outcome::HistoryPage(page)) => {
            let is_asked = |seq: u64| {
                params.iter().any(|(name, value)| *name == "seq" && value.parse() == Ok(seq))
            };
            let entry = page.entries.into_iter().find(|entry| is_asked(entry.seq));
            let unknown = || ApiError::new(ErrorCode::EntryNotFound, "no such entry");
            Ok(json(status, &entry.ok_or_else(unknown)?))
        }
        (_, outcome) => Ok(whole(status, outcome)),
    }
}

fn whole(status: StatusCode, outcome: Outcome) -> Response {
    match outcome {
        // Refusals come as such; this is none of their ways.
        Outcome::Error(error) => ApiError::new(ErrorCode::Internal, error.message).into_response(),
        Outcome::Done(_) => StatusCode::NO_CONTENT.into_response(),
        Outcome::Connected(message) => json(status, &message),
        Outcome::Refreshed(message) => json(status, &message),
        Outcome::Pong(message) => json(status, &message),
        Outcome::SendAck(message) => json(status, &message),
        Outcome::SyncPage(message) => json(status, &message),
        Outcome::HistoryPage(message) => json(status, &message),
        Outcome::HeadsPage(message) => json(status, &message),
        Outcome::MembersPage(message) => json(status, &message),
        Outcome::ReadByPage(message) => json(status, &message),
        Outcome::BlocksPage(message) => json(status, &message),
        Outcome::SessionList(message) => json(status, &message),
        Outcome::ConversationOpened(message) => json(status, &message),
    }
}

fn json(status: StatusCode, message: &impl Serialize) -> Response {
    (status, Json(message)).into_response()
}
