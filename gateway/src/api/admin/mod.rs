//! Administration: for operators, who are no users, by roles.
//!
//! ```text
//!   request ─► is there any operator? no: 404 ─► table of routes: least role ─► whose token? 401 ─► role? 403 ─► handler
//!                                                                                           └──────┴─► audit log
//! ```
//!
//! Invariants: a path that is not in [`ROUTES`] is answered by nobody; nothing here tells what people wrote; what operators
//! do, look at or are refused, and every login, also a refused one, is in the audit log (`trail.rs` says how often).

mod access;
pub(super) mod describe;
mod lockout;
mod people;
mod server;
mod sessions;
#[cfg(test)]
mod tests;
mod trail;
mod views;

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
use ringwire_storage::operators::OperatorRole;
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};

use super::error::ApiError;
use super::{ServiceState, page};
use crate::shard::mail::Mail;
use crate::shard::mailbox::MailboxSender;
use lockout::Lockout;
use trail::{Act, Operator, Trail};

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
    /// As the audit log calls it.
    action: &'static str,
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
    /// What it may be, as a JSON schema with a description.
    schema: fn() -> Value,
    required: bool,
}

macro_rules! routes {
    ($($method:ident $path:literal $role:ident $make:ident $handler:path =>
        $status:literal $name:literal $action:literal $summary:literal
        [$($query:literal),*] {$($field:ident: $schema:ident $required:literal),*};)+) => {
        /// Every route of administration, and who may use it.
        const ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            least: routes!(@least $role),
            handler: || $make($handler),
            name: $name,
            action: $action,
            status: $status,
            summary: $summary,
            query: &[$($query),*],
            body: &[$(Field {
                name: stringify!($field),
                schema: describe::$schema,
                required: $required,
            }),*],
        }),+];
    };
    (@least Anybody) => { Least::Anybody };
    (@least $role:ident) => { Least::Role(OperatorRole::$role) };
}

routes! {
    POST "/api/v1/admin/login" Anybody post access::login =>
        200 "admin_login" "operator.login" "Logs an operator in." [] {name: operator_name true, password: password true};
    POST "/api/v1/admin/logout" Viewer post access::logout =>
        204 "admin_logout" "operator.logout" "Ends the login of the request's token." [] {};
    GET "/api/v1/admin/me" Viewer get access::me =>
        200 "admin_me" "operator.look" "Who the token is of." [] {};
    GET "/api/v1/admin/operators" Admin get access::operators =>
        200 "admin_operators" "operators.look" "All operators." [] {};
    GET "/api/v1/admin/stats" Viewer get server::stats =>
        200 "admin_stats" "figures.look" "The figures since the start." [] {};
    GET "/api/v1/admin/stats/stream" Viewer get server::stream =>
        200 "admin_stats_stream" "figures.watch" "The figures of each second, as server-sent events." [] {};
    GET "/api/v1/admin/log" Viewer get server::log =>
        200 "admin_log" "log.look" "What is logged." [] {};
    PUT "/api/v1/admin/log" Admin put server::change_log =>
        200 "admin_change_log" "log.change" "Logs by another filter on this node, until it stops." [] {filter: filter true};
    POST "/api/v1/admin/drain" Admin post server::drain =>
        202 "admin_drain" "server.drain" "Stops this server in good order." [] {};
    GET "/api/v1/admin/audit" Admin get server::audit =>
        200 "admin_audit" "audit.look" "Who did what, newest first." ["page_token"] {};
    GET "/api/v1/admin/sessions" Viewer get sessions::list =>
        200 "admin_sessions" "sessions.look" "The sessions of this node." ["user_id", "page_token"] {};
    DELETE "/api/v1/admin/sessions/{session_id}" Moderator delete sessions::end =>
        204 "admin_end_session" "session.end" "Ends one session of this node." [] {};
    GET "/api/v1/admin/users" Viewer get people::search =>
        200 "admin_users" "users.look" "Users by the beginning of their name, by id or e-mail address." ["q", "page_token"] {};
    GET "/api/v1/admin/users/{user_id}" Viewer get people::user =>
        200 "admin_user" "user.look" "One user, with devices and conversations." [] {};
    POST "/api/v1/admin/users/{user_id}/kick" Moderator post people::kick =>
        204 "admin_kick" "user.kick" "Ends a user's sessions on every node." [] {};
    PUT "/api/v1/admin/users/{user_id}/ban" Moderator put people::ban =>
        204 "admin_ban" "user.ban" "Keeps an account out, for good or for some seconds." []
        {reason: reason false, seconds: seconds false};
    DELETE "/api/v1/admin/users/{user_id}/ban" Moderator delete people::unban =>
        204 "admin_unban" "user.unban" "Lets an account in again." [] {};
    GET "/api/v1/admin/conversations/{conversation_id}" Viewer get people::conversation =>
        200 "admin_conversation" "conversation.look" "One conversation, with its members." [] {};
    POST "/api/v1/admin/broadcast" Moderator post people::broadcast =>
        202 "admin_broadcast" "broadcast.send" "Says something to the sessions of everybody, or of 1 to 1000 users." []
        {text: notice true, user_ids: user_ids false};
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
    trail: Trail,
    streams: Arc<Semaphore>,
    /// When it was last seen that there is an operator.
    seen: std::sync::Mutex<Option<Instant>>,
}

impl Administration {
    pub(super) fn new() -> Self {
        Self {
            lockout: Lockout::default(),
            trail: Trail::default(),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            seen: std::sync::Mutex::new(None),
        }
    }
}

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
    let Some(route @ Route { least: Least::Role(least), .. }) = route else {
        // For anybody; or the method is none of the path's, and axum says so.
        return next.run(request).await;
    };
    let row = match access::bearer(&state, request.headers()).await {
        Ok(row) => row,
        Err(error) => return error.into_response(),
    };
    let act = Arc::new(Act::new(route, &request, &row));
    let operator = Operator { row, act };
    let answer = if operator.row.role >= *least {
        request.extensions_mut().insert(operator.clone());
        next.run(request).await
    } else {
        let message = format!("this is for operators of the role {}", least.name());
        ApiError::new(ErrorCode::Forbidden, message).into_response()
    };
    operator.conclude(&state, answer).await
}
