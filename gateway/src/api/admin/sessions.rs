//! The sessions there are on this node, shard by shard.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::{CommandError, ErrorCode, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::super::ServiceState;
use super::super::error::ApiError;
use super::super::input::{Named, Parameters};
use super::people;
use super::trail::Operator;
use crate::limits;
use crate::placement::home_shard;
use crate::shard::looks::{Look, Looked, SessionView};
use crate::shard::mail::Mail;

/// Sessions on a page.
const PAGE: usize = 100;
/// How long a shard may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// `GET /api/v1/admin/sessions`
#[derive(Debug, Deserialize)]
pub(super) struct ListRequest {
    user_id: Option<String>,
    page_token: Option<String>,
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
pub(super) struct Sessions {
    #[schema(inline)]
    sessions: Vec<Shown>,
    /// Empty: this was the last page.
    next_page_token: String,
}

/// A session as operators see it.
#[derive(Serialize, ToSchema)]
struct Shown {
    session_id: String,
    user_id: String,
    /// Empty: the user is not there any more.
    username: String,
    /// As the client says; may be empty.
    device_id: String,
    /// As the client says; may be empty.
    device_class: String,
    /// As the client says; may be empty.
    client_name: String,
    /// Unix milliseconds; 0: its `connect` has not come.
    connected_at: String,
    #[schema(inline)]
    encoding: Written,
    /// Whether it has a connection.
    live: bool,
    /// Bytes that wait to be sent.
    outbox_bytes: usize,
    /// Commands without an answer.
    unanswered: u32,
}

/// How a session's frames are written.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Written {
    Protobuf,
    Json,
}

impl Shown {
    fn of(session: SessionView, username: Option<&str>) -> Self {
        Self {
            session_id: session.session_id,
            user_id: session.user_id.to_string(),
            username: username.unwrap_or_default().to_owned(),
            device_id: session.device_id,
            device_class: session.device_class,
            client_name: session.client_name,
            connected_at: session.connected_at.to_string(),
            encoding: match session.encoding {
                Encoding::Protobuf => Written::Protobuf,
                Encoding::Json => Written::Json,
            },
            live: session.live,
            outbox_bytes: session.outbox_bytes,
            unanswered: session.unanswered,
        }
    }
}

/// Sessions, of one user or of everybody, page by page.
pub(super) async fn list(
    State(state): State<ServiceState>,
    Parameters(request): Parameters<ListRequest>,
) -> Result<Json<Sessions>, ApiError> {
    let shards = state.0.facts.reach.mailboxes.len();
    let user = request.user_id.as_deref().map(people::user_id).transpose()?;
    let (mut shard, mut from) = match request.page_token.as_deref() {
        None | Some("") => (user.map_or(0, |user| usize::from(home_shard(user, shards))), 0),
        Some(token) => place(token)?,
    };
    let mut found: Vec<SessionView> = Vec::new();
    let mut next = None;
    while shard < shards {
        let looked = look(&state, shard, user, from, PAGE - found.len()).await?;
        found.extend(looked.sessions);
        if let Some(place) = looked.next {
            next = Some(format!("{shard}.{place}"));
            break;
        }
        if user.is_some() {
            break;
        }
        (shard, from) = (shard + 1, 0);
        if found.len() >= PAGE && shard < shards {
            next = Some(format!("{shard}.0"));
            break;
        }
    }
    let ids: Vec<UserId> = found.iter().map(|session| session.user_id).collect();
    let users = state.0.store.users(&ids).await?;
    let name =
        |id: UserId| users.iter().find(|user| user.user_id == id).map(|user| &*user.username);
    let told = |session: SessionView| {
        let name = name(session.user_id);
        Shown::of(session, name)
    };
    let sessions = found.into_iter().map(told).collect();
    Ok(Json(Sessions { sessions, next_page_token: next.unwrap_or_default() }))
}

/// Where a page begins: a shard, and a place there.
fn place(token: &str) -> Result<(usize, u32), ApiError> {
    let parts = token.split_once('.');
    parts.and_then(|(shard, place)| Some((shard.parse().ok()?, place.parse().ok()?))).ok_or_else(
        || ApiError::new(ErrorCode::InvalidArgument, "page_token: not one that was given here"),
    )
}

async fn look(
    state: &ServiceState,
    shard: usize,
    user: Option<UserId>,
    from: u32,
    limit: usize,
) -> Result<Looked, ApiError> {
    let (answer, looked) = oneshot::channel();
    let mailbox = state.0.facts.reach.mailboxes.get(shard);
    let sent = mailbox.map(|mailbox| {
        mailbox.try_send(Mail::Look(Box::new(Look { user, from, limit, answer }))).is_ok()
    });
    let busy = || {
        let message = "the shard has no room for the question";
        CommandError::retry(ErrorCode::Busy, message, limits::BUSY_RETRY_MS).into()
    };
    match sent {
        None => return Ok(Looked::default()),
        Some(false) => return Err(busy()),
        Some(true) => {}
    }
    match tokio::time::timeout(PATIENCE, looked).await {
        Ok(Ok(looked)) => Ok(looked),
        Ok(Err(_)) | Err(_) => Err(busy()),
    }
}

/// Ends one session of this node.
pub(super) async fn end(
    State(state): State<ServiceState>,
    Extension(operator): Extension<Operator>,
    Named(session_id): Named,
) -> Result<StatusCode, ApiError> {
    if session_id.is_empty() || session_id.len() > 64 || !session_id.is_ascii() {
        return Err(ApiError::new(ErrorCode::InvalidArgument, "session_id: not one of a session"));
    }
    operator.note(&state, &json!({})).await?;
    let mut answers = Vec::new();
    for mailbox in &state.0.facts.reach.mailboxes {
        let (answer, ended) = oneshot::channel();
        let mail = Mail::EndSession(session_id.clone().into(), answer);
        if mailbox.try_send(mail).is_err() {
            let message = "a shard has no room for the order";
            let busy = CommandError::retry(ErrorCode::Busy, message, limits::BUSY_RETRY_MS);
            return Err(busy.into());
        }
        answers.push(ended);
    }
    for ended in answers {
        if let Ok(Ok(Some(user))) = tokio::time::timeout(PATIENCE, ended).await {
            operator.tell(&json!({"user_id": user.to_string()}));
            return Ok(StatusCode::NO_CONTENT);
        }
    }
    Err(ApiError::new(ErrorCode::NotFound, "there is no such session on this node"))
}
