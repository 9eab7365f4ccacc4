//! Counts requests: by route, method and status, and how long their answers took to begin.
//!
//! A route is its pattern (`/api/v1/account`), never the path that was asked for, so strangers cannot make labels.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::ServiceState;

/// The route of everything that is none: files of the page, and what does not exist.
const NO_ROUTE: &str = "none";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// The figures of all requests. A handle: clones share everything.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    answered: Family<Answered, Counter>,
    took: Family<Route, Histogram, fn() -> Histogram>,
}

impl Requests {
    pub(super) fn new() -> Self {
        let times: fn() -> Histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 14));
        Self { answered: Family::default(), took: Family::new_with_constructor(times) }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "HTTP requests answered", self.answered.clone());
        registry.register_with_unit(
            "http_request_duration",
            "From the head of an HTTP request to the head of its answer",
            Unit::Seconds,
            self.took.clone(),
        );
    }
}

/// Around every request.
pub(super) async fn count(
    State(state): State<ServiceState>,
    request: Request,
    next: Next,
) -> Response {
    let method = name(request.method());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    let requests = &state.0.requests;
    let took = began.elapsed().as_secs_f64();
    requests.took.get_or_create(&Route { route: route.clone() }).observe(took);
    let status = response.status().as_u16();
    requests.answered.get_or_create(&Answered { route, method, status }).inc();
    response
}

/// Methods that nobody needs are one.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
