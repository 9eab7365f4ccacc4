//! `GET /metrics`: what the server counts, in OpenMetrics text.
//!
//! Figures tell strangers how busy a company is, so by default only programs on this machine and in private networks get
//! them. A proxy there is no such program: what it passes on has a forwarding header or is HTTP/1.0 (nginx, unless told
//! otherwise), and is refused. One that does neither cannot be told from a program; the operator leaves its address out.

use std::net::SocketAddr;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Version, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use ringwire_protocol::ErrorCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::{ServiceState, page};
use crate::config::MetricsAccess;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What proxies add for those they speak for.
const FORWARDING: [&str; 5] =
    ["forwarded", "via", "x-real-ip", "true-client-ip", "cf-connecting-ip"];
/// What more of it begins with.
const FORWARDING_PREFIX: &str = "x-forwarded-";

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// What the server counts, in OpenMetrics text.
///
/// For programs on the server's machine, unless `metrics.allow` says otherwise.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    security(()),
    responses((status = 200, description = "All figures.", body = String, content_type = "application/openmetrics-text")),
)]
async fn metrics(
    State(state): State<ServiceState>,
    peer: Option<Extension<Peer>>,
    version: Version,
    headers: HeaderMap,
) -> Response {
    let is_open = match &state.0.config.metrics {
        MetricsAccess::All => true,
        MetricsAccess::Networks(none) if none.is_empty() => return page::nothing_here(),
        MetricsAccess::Networks(networks) => peer.is_some_and(|Extension(Peer(peer))| {
            networks.iter().any(|network| network.contains(peer.ip()))
                && is_direct(version, &headers)
        }),
    };
    if !is_open {
        let message = "metrics are for programs in the networks of metrics.allow";
        return ApiError::new(ErrorCode::Forbidden, message).into_response();
    }
    let mut text = String::new();
    // Writing into memory does not fail.
    match encode(&mut text, &state.0.metrics) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => {
            ApiError::new(ErrorCode::Internal, "the metrics cannot be written").into_response()
        }
    }
}

/// Whether a request did not come through a proxy, as far as it shows.
fn is_direct(version: Version, headers: &HeaderMap) -> bool {
    let is_forwarding =
        |name: &str| FORWARDING.contains(&name) || name.starts_with(FORWARDING_PREFIX);
    version > Version::HTTP_10 && !headers.keys().any(|name| is_forwarding(name.as_str()))
}
