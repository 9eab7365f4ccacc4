//! `[metrics]` and `[tracing]`: who may read the figures, and where traces go.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::number::Number;
use super::redact;
use super::validate::{Invalid, invalid};
use crate::connection::networks::Network;

/// Who may read `/metrics`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsAccess {
    /// Programs in these networks that ask directly, not through a proxy. None: the path does not exist.
    Networks(Vec<Network>),
    /// Anybody who reaches the port.
    All,
}

/// Traces of sampled entries.
#[derive(Clone, PartialEq)]
pub struct TracingConfig {
    /// The collector's address, which may hold a password.
    pub endpoint: String,
    /// Which share of all entries is traced, 0 to 1.
    pub sample_ratio: f64,
}

impl fmt::Debug for TracingConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracingConfig")
            .field("endpoint", &redact::url(&self.endpoint))
            .field("sample_ratio", &self.sample_ratio)
            .finish()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawMetrics {
    pub(super) allow: Vec<String>,
}

/// This machine, and networks that no address of the internet is in (RFC 1918, RFC 4193).
const PRIVATE: [&str; 6] =
    ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

impl Default for RawMetrics {
    fn default() -> Self {
        Self { allow: PRIVATE.map(str::to_owned).to_vec() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawTracing {
    pub(super) otlp_endpoint: String,
    pub(super) sample_ratio: Number,
}

impl Default for RawTracing {
    fn default() -> Self {
        Self { otlp_endpoint: String::new(), sample_ratio: Number::Other("0.01".to_owned()) }
    }
}

pub(super) fn metrics(raw: RawMetrics) -> Result<MetricsAccess, Invalid> {
    if raw.allow.iter().any(|network| network == "*") {
        return Ok(MetricsAccess::All);
    }
    let network = |text: String| {
        text.parse().map_err(|_| {
            let expected =
                "addresses and networks such as 127.0.0.1 or 10.0.0.0/8, or * for anybody";
            invalid("metrics.allow", text, expected)
        })
    };
    raw.allow.into_iter().map(network).collect::<Result<_, _>>().map(MetricsAccess::Networks)
}

pub(super) fn tracing(raw: RawTracing) -> Result<Option<TracingConfig>, Invalid> {
    let sample_ratio = raw.sample_ratio.share("tracing.sample_ratio")?;
    if raw.otlp_endpoint.is_empty() {
        return Ok(None);
    }
    let url = reqwest::Url::parse(&raw.otlp_endpoint);
    let is_sound = url.is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
    });
    if !is_sound {
        let expected = "the address of a collector, such as http://127.0.0.1:4318";
        let shown = redact::url(&raw.otlp_endpoint);
        return Err(invalid("tracing.otlp_endpoint", shown, expected));
    }
    Ok(Some(TracingConfig { endpoint: raw.otlp_endpoint, sample_ratio }))
}
