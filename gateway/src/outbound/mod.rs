//! Requests that the server itself makes: notifications, webhooks, questions to hooks, mails, keys of issuers, traces.
//!
//! ```text
//!   push, hooks, mailer ─► signed, with `sign` ─► own ─────► the operator's programs, Google
//!                       issuers, traces ────────► own ─────► whom the operator trusts
//!                       Web Push ─► guard ──────► foreign ─► whatever address a user named
//! ```
//!
//! Invariants: one client for each of the two, made once; no redirect leads to another server; every request has a time limit and
//! every answer that is read a bound; what goes to addresses that users name reaches public ones alone; an error tells
//! neither a URL, which may be a secret, nor anything of an answer.

mod backoff;
mod guard;
mod metrics;
mod own;
mod sign;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, IntoUrl, RequestBuilder, Response, StatusCode};

pub(crate) use backoff::pause_ms;
pub(crate) use guard::check_endpoint;
pub(crate) use metrics::{Answer, Outcome, OutgoingMetrics, OutgoingStats};

use crate::cli::unix_now_ms;
use crate::config::Endpoint;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one request to an address of a user may take.
const REQUEST: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The longest pause that another server may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// How this server names itself.
const USER_AGENT: &str = concat!("ringwire/", env!("CARGO_PKG_VERSION"));

/// Makes requests. A handle: clones share everything.
#[derive(Clone, Debug)]
pub struct Outgoing {
    own: Client,
    foreign: Client,
    private_endpoints: bool,
}

/// Why a request was not answered. Tells no URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// It did not get there, or the answer did not come in time.
    #[error("{0}")]
    Failed(reqwest::Error),
    /// The answer is no success.
    #[error("the answer is {0}")]
    Status(StatusCode),
    /// The answer is longer than may be.
    #[error("the answer is too long")]
    TooLong,
}

impl From<reqwest::Error> for RequestError {
    fn from(error: reqwest::Error) -> Self {
        Self::Failed(error.without_url())
    }
}

impl Outgoing {
    /// Both clients. `private_endpoints`: addresses that users name need not be public, nor speak TLS.
    pub fn new(private_endpoints: bool) -> Result<Self, reqwest::Error> {
        let foreign = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(REQUEST);
        let foreign = if private_endpoints {
            foreign
        } else {
            // A proxy would look names up itself, past the guard.
            foreign.no_proxy().https_only(true).dns_resolver(Arc::new(guard::Public))
        };
        Ok(Self { own: own::client()?, foreign: foreign.build()?, private_endpoints })
    }

    /// A POST to a program of the operator, or of one they chose.
    pub(crate) fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.own.post(url)
    }

    /// Reads something of at most `most` bytes that the operator named.
    pub(crate) async fn get(&self, url: &str, most: usize) -> Result<Vec<u8>, RequestError> {
        let response = self.own.get(url).send().await?;
        if !response.status().is_success() {
            return Err(RequestError::Status(response.status()));
        }
        body_of(response, most).await
    }

    /// A POST to an address that a user named; `None`: it may not be asked.
    pub(crate) fn post_foreign(&self, url: &str) -> Option<RequestBuilder> {
        let url = check_endpoint(url, self.private_endpoints)?;
        Some(self.foreign.post(url))
    }

    /// A signed POST of JSON. `id` is the same whenever the same thing is told again.
    pub(crate) fn signed(
        &self,
        to: &Endpoint,
        event: &str,
        id: &str,
        json: Vec<u8>,
    ) -> RequestBuilder {
        let secrets = to.secrets.iter().map(|secret| secret.as_bytes());
        self.signed_with(to.url.clone(), secrets, event, id, json)
    }

    /// The same with these secrets.
    pub(crate) fn signed_with<'a>(
        &self,
        url: impl IntoUrl,
        secrets: impl IntoIterator<Item = &'a [u8]>,
        event: &str,
        id: &str,
        json: Vec<u8>,
    ) -> RequestBuilder {
        let signature = sign::signature(secrets, unix_now_ms() / 1_000, &json);
        self.post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("x-ringwire-event", event)
            .header("x-ringwire-id", id)
            .header("x-ringwire-signature", signature)
            .body(json)
    }
}

/// The body of an answer, up to a bound.
pub(crate) async fn body(response: Response) -> Result<Vec<u8>, RequestError> {
    body_of(response, MAX_ANSWER_BYTES).await
}

async fn body_of(mut response: Response, most: usize) -> Result<Vec<u8>, RequestError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if chunk.len() > most.saturating_sub(body.len()) {
            return Err(RequestError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// How long the other server asks to wait.
pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER).map(HeaderValue::to_str)?.ok()?;
    Some(Duration::from_secs(seconds.trim().parse().ok()?).min(MAX_RETRY_AFTER))
}

/// Whether the same request may be answered otherwise later.
pub(crate) fn is_temporary(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}
