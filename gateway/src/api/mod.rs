//! The HTTP side: accounts, search, health and the page, on the service thread.
//!
//! ```text
//!   shard ─ socket + bytes read ─► serve ─► hyper ─► router ─┬─ accounts, logins ─► password (own threads) ─► store
//!                                    │                       ├─ bearer ─► search ─► store
//!                                    │                       ├─ health, metrics
//!      back to the shards ◄─ upgrade ┘                       └─ page
//! ```
//!
//! Invariants: every answer that is no file is JSON, and every refusal has the shape `{"error":{…}}` of
//! [`error::ApiError`]; 64-bit numbers are strings in it, as in JSON frames; every answer carries the security headers;
//! connections, bodies and waiting password checks are bounded.

mod account;
mod accounts;
mod bearer;
mod error;
mod health;
mod input;
mod logins;
mod metrics;
mod page;
mod password;
mod prefixed;
mod push;
mod requests;
mod search;
mod serve;
#[cfg(test)]
mod serve_tests;
#[cfg(test)]
mod tests;
mod upgrade;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use prometheus_client::registry::Registry;
use ringwire_protocol::{CommandError, ErrorCode, UserId};
use ringwire_storage::Store;
use ringwire_storage::refresh::FamilyId;
use tokio::sync::Notify;

pub use error::ApiError;
pub use serve::ApiServer;
pub use upgrade::UpgradedSocket;

use crate::config::Config;
use crate::observe;
use crate::observe::board::Board;
use crate::observe::exporter::Exported;
use crate::outbound::OutgoingMetrics;
use crate::startup::{Keys, StartError};
use password::PasswordHasher;
use requests::Requests;

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
}

/// What handlers work with. A handle: clones share everything.
#[derive(Clone, Debug)]
pub struct ServiceState(Arc<Inner>);

/// Ends the sessions of a login of a user; `None`: of all their logins.
struct EndLogin<F: ?Sized = dyn Fn(UserId, Option<FamilyId>) + Send + Sync>(F);

impl fmt::Debug for EndLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndLogin")
    }
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    store: Store,
    keys: Keys,
    /// Raised when a user was deleted.
    deleted: Arc<Notify>,
    end_login: Box<EndLogin>,
    hasher: PasswordHasher,
    facts: ServiceFacts,
    metrics: Registry,
    outgoing: OutgoingMetrics,
    requests: Requests,
    draining: AtomicBool,
}

impl ServiceState {
    /// Also starts the threads that check passwords.
    pub fn new(
        config: Arc<Config>,
        store: Store,
        keys: Keys,
        facts: ServiceFacts,
        end_login: impl Fn(UserId, Option<FamilyId>) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let hasher = PasswordHasher::start()
            .map_err(|source| StartError::System { action: "start password threads", source })?;
        let draining = AtomicBool::new(false);
        let deleted = Arc::new(Notify::new());
        let mut metrics = Registry::default();
        observe::register(&mut metrics, &facts.board, facts.exported.clone());
        let requests = Requests::new();
        let ringwire = metrics.sub_registry_with_prefix("ringwire");
        store.register_metrics(ringwire);
        requests.register(ringwire);
        let outgoing = OutgoingMetrics::default();
        outgoing.register(ringwire);
        let end_login = Box::new(EndLogin(end_login));
        Ok(Self(Arc::new(Inner {
            config,
            store,
            keys,
            deleted,
            end_login,
            hasher,
            facts,
            metrics,
            outgoing,
            requests,
            draining,
        })))
    }

    /// Ends the sessions of a login, or of all of a user's, on this node. Other nodes learn it from the database.
    fn end_login(&self, user: UserId, login: Option<FamilyId>) {
        (self.0.end_login.0)(user, login);
    }

    /// From now on `/health/ready` answers 503, so that load balancers look elsewhere.
    pub fn begin_drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Raised when a user was deleted here: there is work for upkeep.
    pub fn deleted(&self) -> Arc<Notify> {
        Arc::clone(&self.0.deleted)
    }

    /// What is counted of requests that the server makes.
    pub fn outgoing_metrics(&self) -> OutgoingMetrics {
        self.0.outgoing.clone()
    }

    fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }
}

/// Every route. `/ws` and other upgrades never get here: they go
/// back to the shards before.
pub fn router(state: ServiceState) -> Router {
    Router::new()
        .route("/api/v1/auth/register", post(accounts::register))
        .route("/api/v1/auth/login", post(accounts::login))
        .route("/api/v1/auth/refresh", post(logins::refresh))
        .route("/api/v1/auth/logout", post(logins::logout))
        .route("/api/v1/account", delete(account::delete))
        .route("/api/v1/account/export", get(account::export))
        .route("/api/v1/search", get(search::search))
        .merge(push::routes())
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/ws", any(upgrade::required))
        .fallback(page::file)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
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
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Answers hold tokens and people's data; files say themselves how long they last.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
