//! Who gives commands over HTTP: the bearer of a token, as a user that exists, at their and their address's expense.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use ringwire_protocol::wire::command::Op;
use ringwire_protocol::wire::reply::Outcome;
use ringwire_protocol::{CommandError, UserId};

use super::ServiceState;
use super::bearer::Bearer;
use super::error::ApiError;
use super::metrics::Peer;
use crate::connection::forwarded::Forwarding;
use crate::shard::questions::Expense;

/// The user whose token came with the request; made now, as `connect` would, where tokens make users.
#[derive(Debug)]
pub(super) struct Caller {
    /// Who.
    pub(super) user_id: UserId,
    /// Who pays for their commands.
    pub(super) expense: Expense,
}

impl Caller {
    /// Gives a command; its reply.
    pub(super) async fn command(
        &self,
        state: &ServiceState,
        op: Op,
    ) -> Result<Outcome, CommandError> {
        state.command(self.user_id, op, self.expense.clone()).await
    }
}

impl FromRequestParts<ServiceState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ServiceState) -> Result<Self, ApiError> {
        let user_id = Bearer::present(parts, state).await?;
        Ok(Self { user_id, expense: expense(parts, state) })
    }
}

fn expense(parts: &Parts, state: &ServiceState) -> Expense {
    let Some(Peer(peer)) = parts.extensions.get::<Peer>() else {
        return Expense::Client(None);
    };
    let forwarded = lines(&parts.headers, &HeaderName::from_static("forwarded"));
    let x_forwarded_for = lines(&parts.headers, &HeaderName::from_static("x-forwarded-for"));
    let forwarding = Forwarding { forwarded: &forwarded, x_forwarded_for: &x_forwarded_for };
    state.0.calls.expense(peer.ip(), forwarding)
}

/// What is no text cannot be understood, and must not look as if nothing had been said.
fn lines(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or("?").to_owned();
    headers.get_all(name).iter().map(text).collect()
}
