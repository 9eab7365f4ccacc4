//! The HTTP side: accounts, search, files, health and the page, on the service thread.
//!
//! ```text
//!   shard ─ socket + bytes read ─► serve ─► hyper ─► router ─┬─ accounts, logins ─► password (own threads) ─► store
//!                                    │                       ├─ bearer ─► search ─► store
//!                                    │                       ├─ bearer or link ─► files ─► store, bytes
//!                                    │                       ├─ health, metrics
//!      back to the shards ◄─ upgrade ┘                       └─ page
//! ```
//!
//! Invariants: every answer that is no file is JSON, and every refusal has the shape `{"error":{…}}` of
//! [`error::ApiError`]; 64-bit numbers are strings in it, as in JSON frames; every answer carries the security headers;
//! connections, bodies and waiting password checks are bounded.

mod account;
mod accounts;
mod admin;
mod attempts;
mod bearer;
mod caller;
mod commands;
mod contacts;
mod devices;
mod drain;
mod error;
mod files;
mod health;
mod input;
mod logins;
mod metrics;
mod openapi;
mod origins;
mod own;
mod page;
mod password;
mod prefixed;
mod presence;
mod push;
mod requests;
pub(crate) mod resets;
mod search;
mod serve;
#[cfg(test)]
mod serve_tests;
#[cfg(test)]
mod tests;
mod unread;
mod upgrade;
mod users;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use prometheus_client::registry::Registry;
use ringwire_protocol::wire::command::Op;
use ringwire_protocol::wire::reply::Outcome;
use ringwire_protocol::{CommandError, ErrorCode, UserId};
use ringwire_storage::Store;
use ringwire_storage::refresh::FamilyId;
use tokio::sync::Notify;
use utoipa_axum::router::OpenApiRouter;

pub use admin::Reach;
pub use error::ApiError;
pub(crate) use password::hash_password;
pub use serve::ApiServer;
pub use upgrade::UpgradedSocket;

use crate::config::Config;
use crate::files::Files;
use crate::observe;
use crate::observe::board::Board;
use crate::observe::exporter::Exported;
use crate::outbound::{Outgoing, OutgoingMetrics};
use crate::presence::Shown;
use crate::service::calls::Calls;
use crate::shard::questions::Expense;
use crate::shard::state::draining;
use crate::startup::{Keys, StartError};
use admin::Administration;
use attempts::Attempts;
use password::PasswordHasher;
use requests::Requests;
use resets::Mailer;

/// The largest body of an API request, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Scripts, styles and connections only from and to this server; no framing, no forms elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; \
     img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What is to be told about the server.
#[derive(Clone, Debug)]
pub struct ServiceFacts {
    /// The driver in use: `io_uring` or `epoll`.
    pub driver: &'static str,
    /// How many shards run.
    pub shards: usize,
    /// Where they post their numbers.
    pub board: Arc<Board>,
    /// What became of traces, if there are any.
    pub exported: Option<Exported>,
    /// What operators reach.
    pub reach: Reach,
}

/// What handlers work with. A handle: clones share everything.
#[derive(Clone, Debug)]
pub struct ServiceState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    store: Store,
    keys: Keys,
    /// Raised when a user was deleted.
    deleted: Arc<Notify>,
    calls: Calls,
    hasher: PasswordHasher,
    /// `None`: there are none.
    files: Option<Files>,
    attempts: Attempts,
    mailer: Option<Mailer>,
    facts: ServiceFacts,
    metrics: Registry,
    outgoing_metrics: OutgoingMetrics,
    requests: Requests,
    administration: Administration,
    draining: AtomicBool,
}

impl ServiceState {
    /// Also starts the threads that check passwords.
    pub fn new(
        config: Arc<Config>,
        store: Store,
        keys: Keys,
        facts: ServiceFacts,
        calls: Calls,
        outgoing: &Outgoing,
    ) -> Result<Self, StartError> {
        let hasher = PasswordHasher::start()
            .map_err(|source| StartError::System { action: "start password threads", source })?;
        let files = config.files.enabled.then(|| Files::open(&config.files)).transpose()?;
        let attempts = Attempts::new(&config.limits);
        let mailer = Mailer::new(&config.auth, outgoing)?;
        let draining = AtomicBool::new(false);
        let deleted = Arc::new(Notify::new());
        let mut metrics = Registry::default();
        observe::register(&mut metrics, &facts.board, facts.exported.clone());
        let requests = Requests::new();
        let ringwire = metrics.sub_registry_with_prefix("ringwire");
        store.register_metrics(ringwire);
        requests.register(ringwire);
        let outgoing_metrics = OutgoingMetrics::new(&config);
        outgoing_metrics.register(ringwire);
        Ok(Self(Arc::new(Inner {
            config,
            store,
            keys,
            deleted,
            calls,
            hasher,
            files,
            attempts,
            mailer,
            facts,
            metrics,
            outgoing_metrics,
            requests,
            administration: Administration::new(),
            draining,
        })))
    }

    /// Ends the sessions of a login, or of all of a user's, on this node. Other nodes learn it from the database.
    fn end_login(&self, user: UserId, login: Option<FamilyId>) {
        // With no room for that upkeep does it a little later.
        drop(self.0.calls.end_login(user, login));
    }

    /// Gives a command in the name of a user, by the way of the sockets' commands; its reply. Who pays for it is said by
    /// `expense`; handlers of users' requests take it, and the user, from [`caller::Caller`].
    pub(crate) async fn command(
        &self,
        user: UserId,
        op: Op,
        expense: Expense,
    ) -> Result<Outcome, CommandError> {
        if self.is_draining() {
            return Err(draining());
        }
        self.0.calls.command(user, op, expense).await
    }

    /// How users show, on this node, to those who may see everything.
    async fn shown(&self, users: &[UserId]) -> Result<BTreeMap<UserId, Shown>, CommandError> {
        if self.is_draining() {
            return Err(draining());
        }
        self.0.calls.shown(users).await
    }

    /// From now on `/health/ready` answers 503, so that load balancers look elsewhere, and other requests are refused.
    pub fn begin_drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Raised when a user was deleted here: there is work for upkeep.
    pub fn deleted(&self) -> Arc<Notify> {
        Arc::clone(&self.0.deleted)
    }

    /// What upkeep cleans up; `None`: there are no files.
    pub(crate) fn files(&self) -> Option<Files> {
        self.0.files.clone()
    }

    /// What is counted of requests that the server makes.
    pub fn outgoing_metrics(&self) -> OutgoingMetrics {
        self.0.outgoing_metrics.clone()
    }

    fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }
}

/// Every route that is described; each area adds its own.
fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new()
        .merge(accounts::routes())
        .merge(logins::routes())
        .merge(account::routes())
        .merge(commands::routes())
        .merge(presence::routes())
        .merge(search::routes())
        .merge(files::routes())
        .merge(resets::routes())
        .merge(own::routes())
        .merge(users::routes())
        .merge(contacts::routes())
        .merge(devices::routes())
        .merge(push::routes())
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(openapi::routes())
}

/// Every route. `/ws` and other upgrades never get here: they go
/// back to the shards before.
pub fn router(state: ServiceState) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .route("/ws", any(upgrade::required))
        .route("/admin", get(page::admin))
        .route("/admin/", get(page::admin))
        .route("/admin/{*file}", get(page::admin))
        .merge(admin::routes(state.clone()))
        .fallback(page::file)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(state.clone(), drain::guard))
        .layer(middleware::from_fn_with_state(state.clone(), origins::guard))
        .layer(middleware::from_fn(security_headers))
        .layer(middleware::from_fn_with_state(state.clone(), requests::count))
        .with_state(state)
}

async fn method_not_allowed(method: Method) -> Response {
    let message = format!("this path does not answer {method}");
    ApiError::with_status(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        CommandError::new(ErrorCode::InvalidArgument, message),
    )
    .into_response()
}

async fn security_headers(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 3] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        // Uploaded files have a stricter policy of their own.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // Answers hold tokens and people's data; files say themselves how long they last.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
