//! Administration: for operators, who are no users, by roles.
//!
//! ```text
//!   request ─► is there any operator? no: 404 ─► table of routes: least role ─► whose token? 401 ─► role? 403 ─► handler
//!                                                                                    what changes anything ─► audit
//! ```
//!
//! Invariants: a path that is not in [`ROUTES`] is answered by nobody; nothing here tells what people wrote; everything
//! that changes something, and every login, also a refused one, leaves a row in the audit log.

mod access;
pub(super) mod describe;
mod extract;
mod lockout;
mod people;
mod server;
mod sessions;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Extension, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use ringwire_protocol::ErrorCode;
use ringwire_storage::audit::AuditEntry;
use ringwire_storage::operators::{OperatorRole, OperatorRow};
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};

use super::error::ApiError;
use super::{ServiceState, page};
use crate::shard::mail::Mail;
use crate::shard::mailbox::MailboxSender;
use lockout::Lockout;

/// Streams of figures at a time.
const MAX_STREAMS: usize = 32;
/// How long it is believed that there is an operator.
const BELIEVED_S: u64 = 10;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Least {
    /// Anybody, for a login.
    Anybody,
    /// Operators of this role, and of those above it.
    Role(OperatorRole),
}

struct Route {
    method: Method,
    path: &'static str,
    least: Least,
    handler: fn() -> MethodRouter<ServiceState>,
    /// For generators of clients.
    name: &'static str,
    /// The status of its success.
    status: u16,
    summary: &'static str,
    /// Parameters of the query, all texts that may be left out.
    query: &'static [&'static str],
    body: &'static [Field],
}

/// A field of a body.
struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Texts,
}

macro_rules! routes {
    ($($method:ident $path:literal $role:ident $make:ident $handler:path =>
        $status:literal $name:literal $summary:literal
        [$($query:literal),*] {$($field:ident: $kind:ident $required:literal),*};)+) => {
        /// Every route of administration, and who may use it.
        const ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            least: routes!(@least $role),
            handler: || $make($handler),
            name: $name,
            status: $status,
            summary: $summary,
            query: &[$($query),*],
            body: &[$(Field {
                name: stringify!($field),
                kind: Kind::$kind,
                required: $required,
            }),*],
        }),+];
    };
    (@least Anybody) => { Least::Anybody };
    (@least $role:ident) => { Least::Role(OperatorRole::$role) };
}

routes! {
    POST "/api/v1/admin/login" Anybody post access::login =>
        200 "admin_login" "Logs an operator in." [] {name: Text true, password: Text true};
    POST "/api/v1/admin/logout" Viewer post access::logout =>
        204 "admin_logout" "Ends the login of the request's token." [] {};
    GET "/api/v1/admin/me" Viewer get access::me =>
        200 "admin_me" "Who the token is of." [] {};
    GET "/api/v1/admin/operators" Admin get access::operators =>
        200 "admin_operators" "All operators." [] {};
    GET "/api/v1/admin/stats" Viewer get server::stats =>
        200 "admin_stats" "The figures since the start." [] {};
    GET "/api/v1/admin/stats/stream" Viewer get server::stream =>
        200 "admin_stats_stream" "The figures of each second, as server-sent events." [] {};
    GET "/api/v1/admin/log" Viewer get server::log =>
        200 "admin_log" "What is logged." [] {};
    PUT "/api/v1/admin/log" Admin put server::change_log =>
        200 "admin_change_log" "Logs by another filter on this node, until it stops." [] {filter: Text true};
    POST "/api/v1/admin/drain" Admin post server::drain =>
        202 "admin_drain" "Stops this server in good order." [] {};
    GET "/api/v1/admin/audit" Admin get server::audit =>
        200 "admin_audit" "Who did what, newest first." ["page_token"] {};
    GET "/api/v1/admin/sessions" Viewer get sessions::list =>
        200 "admin_sessions" "The sessions of this node." ["user_id", "page_token"] {};
    DELETE "/api/v1/admin/sessions/{session_id}" Moderator delete sessions::end =>
        204 "admin_end_session" "Ends one session of this node." [] {};
    GET "/api/v1/admin/users" Viewer get people::search =>
        200 "admin_users" "Users by the beginning of their name, by id or e-mail address." ["q", "page_token"] {};
    GET "/api/v1/admin/users/{user_id}" Viewer get people::user =>
        200 "admin_user" "One user, with devices and conversations." [] {};
    POST "/api/v1/admin/users/{user_id}/kick" Moderator post people::kick =>
        204 "admin_kick" "Ends a user's sessions on every node." [] {};
    PUT "/api/v1/admin/users/{user_id}/ban" Moderator put people::ban =>
        204 "admin_ban" "Keeps an account out, for good or for some seconds." []
        {reason: Text false, seconds: Number false};
    DELETE "/api/v1/admin/users/{user_id}/ban" Moderator delete people::unban =>
        204 "admin_unban" "Lets an account in again." [] {};
    GET "/api/v1/admin/conversations/{conversation_id}" Viewer get people::conversation =>
        200 "admin_conversation" "One conversation, with its members." [] {};
    POST "/api/v1/admin/broadcast" Moderator post people::broadcast =>
        202 "admin_broadcast" "Says something to the sessions of everybody, or of 1 to 1000 users." []
        {text: Text true, user_ids: Texts false};
}

/// What administration reaches beyond the database.
#[derive(Clone)]
pub struct Reach {
    /// The shards.
    pub mailboxes: Vec<MailboxSender<Mail>>,
    /// Raised when an order was given.
    pub ordered: Arc<Notify>,
    /// Raised when the server is to stop.
    pub stop: Arc<Notify>,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("shards", &self.mailboxes.len()).finish_non_exhaustive()
    }
}

/// What administration remembers between requests.
#[derive(Debug)]
pub(super) struct Administration {
    lockout: Lockout,
    streams: Arc<Semaphore>,
    /// When it was last seen that there is an operator.
    seen: std::sync::Mutex<Option<Instant>>,
}

impl Administration {
    pub(super) fn new() -> Self {
        Self {
            lockout: Lockout::default(),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            seen: std::sync::Mutex::new(None),
        }
    }
}

/// Whose request it is.
#[derive(Clone, Debug)]
struct Operator(OperatorRow);

/// Everything under `/api/v1/admin`.
pub(super) fn routes(state: ServiceState) -> Router<ServiceState> {
    let mut router = Router::new();
    for route in ROUTES {
        router = router.route(route.path, (route.handler)());
    }
    router.route_layer(middleware::from_fn_with_state(state, guard))
}

/// Whether there is an operator; without one nothing of administration exists.
pub(super) async fn exists(state: &ServiceState) -> Result<bool, ApiError> {
    let administration = &state.0.administration;
    let seen = *administration.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if seen.is_some_and(|at| at.elapsed().as_secs() < BELIEVED_S) {
        return Ok(true);
    }
    let exists = state.0.store.has_operators().await?;
    let now = exists.then(Instant::now);
    *administration.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    Ok(exists)
}

async fn guard(
    State(state): State<ServiceState>,
    path: Option<Extension<MatchedPath>>,
    mut request: Request,
    next: Next,
) -> Response {
    match exists(&state).await {
        Ok(true) => {}
        Ok(false) => return page::nothing_here(),
        Err(error) => return error.into_response(),
    }
    let path = path.as_ref().map_or("", |Extension(path)| path.as_str());
    // GET answers HEAD too.
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let route = ROUTES.iter().find(|route| route.path == path && route.method == *method);
    match route.map(|route| route.least) {
        // The method is none of the path's: axum says so.
        None | Some(Least::Anybody) => next.run(request).await,
        Some(Least::Role(least)) => match access::bearer(&state, request.headers()).await {
            Ok(operator) if operator.role >= least => {
                request.extensions_mut().insert(Operator(operator));
                next.run(request).await
            }
            Ok(_) => {
                let message = format!("this is for operators of the role {}", least.name());
                ApiError::new(ErrorCode::Forbidden, message).into_response()
            }
            Err(error) => error.into_response(),
        },
    }
}

/// Remembers what an operator did. Without that it is not done: call it first.
async fn note(
    state: &ServiceState,
    operator: &Operator,
    action: &str,
    target: String,
    detail: &Value,
) -> Result<(), ApiError> {
    let entry = AuditEntry {
        actor: None,
        operator: Some(operator.0.id),
        action: action.to_owned(),
        target,
        detail: detail.to_string(),
    };
    tracing::info!(operator = operator.0.name, action, target = entry.target, "administration");
    Ok(state.0.store.append_audit(entry).await?)
}
