//! Where signed requests go: a URL of the operator's, and the secrets that sign.

use std::fmt;

use reqwest::Url;
use zeroize::Zeroizing;

use super::redact;
use super::validate::{Invalid, invalid};

/// The shortest secret that signs, in bytes.
const MIN_SECRET_BYTES: usize = 16;
/// Most secrets at a time: the old ones and the new one of a rotation.
const MAX_SECRETS: usize = 4;

/// Where signed requests go. Neither the secrets nor the path, which may be one too, are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `https`, or `http` within the operator's own network.
    pub url: Url,
    /// Each makes a signature; receivers accept any they know.
    pub secrets: Vec<Zeroizing<String>>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// The endpoint of a section; `None`: its URL is empty.
pub(super) fn endpoint(
    section: &str,
    url_key: &str,
    url: &str,
    secrets_key: &str,
    secrets: Vec<String>,
) -> Result<Option<Endpoint>, Invalid> {
    if url.is_empty() {
        return Ok(None);
    }
    let parsed = Url::parse(url).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none()
    });
    let url = parsed.ok_or_else(|| {
        let expected = "a URL such as https://hooks.example.org/ringwire";
        invalid(&format!("{section}.{url_key}"), redact::url(url), expected)
    })?;
    let sound = (1..=MAX_SECRETS).contains(&secrets.len())
        && secrets.iter().all(|secret| secret.len() >= MIN_SECRET_BYTES);
    if !sound {
        let shown = if secrets.is_empty() { "[]" } else { "***" };
        let expected = format!(
            "1 to {MAX_SECRETS} secrets of {MIN_SECRET_BYTES} or more bytes each, since {section}.{url_key} is set"
        );
        return Err(invalid(&format!("{section}.{secrets_key}"), shown, expected));
    }
    let secrets = secrets.into_iter().map(Zeroizing::new).collect();
    Ok(Some(Endpoint { url, secrets }))
}
