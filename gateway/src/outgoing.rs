//! Requests that this server makes: one client a process, whoever asks.
//!
//! Invariants: every request ends, by itself or after a while; an answer cannot send it to another host; certificates
//! are checked; no answer is read beyond what its reader allows; no proxy of the environment is used; neither bodies nor
//! secrets appear in errors.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::hmac;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, StatusCode, Url};

use crate::startup::StartError;

/// How long it may take to connect.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long a request may take with its answer, unless it says otherwise.
const REQUEST_TIME: Duration = Duration::from_secs(15);
/// Connections to one host that are kept for the next request.
const IDLE_PER_HOST: usize = 8;
/// Redirects of one request that are followed.
const MAX_REDIRECTS: usize = 3;

/// Where the signature of a body goes.
pub const SIGNATURE_HEADER: &str = "x-ringwire-signature";
/// Where the id of a delivery goes: the same for every try.
pub const ID_HEADER: &str = "x-ringwire-id";

/// Makes the client.
pub fn client() -> reqwest::Result<Client> {
    Client::builder()
        .connect_timeout(CONNECT_TIME)
        .timeout(REQUEST_TIME)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .no_proxy()
        .redirect(Policy::custom(|attempt| {
            if may_follow(&attempt) { attempt.follow() } else { attempt.stop() }
        }))
        .user_agent(concat!("ringwire/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn may_follow(attempt: &Attempt<'_>) -> bool {
    let previous = attempt.previous();
    previous.len() <= MAX_REDIRECTS
        && previous.first().is_some_and(|first| same_server(first, attempt.url()))
}

fn same_server(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Makes requests. A handle: clones share everything.
#[derive(Clone, Debug)]
pub struct Outgoing(Client);

/// Why there is no good answer.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// Nobody answers, or not in time.
    #[error("{0}")]
    Failed(String),
    /// The answer is no success.
    #[error("the answer is {0}")]
    Status(StatusCode),
    /// The answer is longer than its reader allows.
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
}

impl From<reqwest::Error> for OutgoingError {
    fn from(error: reqwest::Error) -> Self {
        // Addresses may hold secrets.
        Self::Failed(error.without_url().to_string())
    }
}

impl Outgoing {
    /// A client with the authorities of the operating system.
    pub fn new() -> Result<Self, StartError> {
        client().map(Self).map_err(|error| StartError::System {
            action: "prepare outgoing requests",
            source: std::io::Error::other(error),
        })
    }

    /// The client itself, for requests of other kinds.
    pub fn client(&self) -> &Client {
        &self.0
    }

    /// Reads something of at most `most` bytes.
    pub async fn get(&self, url: &str, most: usize) -> Result<Vec<u8>, OutgoingError> {
        let mut answer = self.0.get(url).send().await?;
        if !answer.status().is_success() {
            return Err(OutgoingError::Status(answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if chunk.len() > most.saturating_sub(body.len()) {
                return Err(OutgoingError::TooLong(most));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Delivers a JSON body with a signature; `id` is the same for every try of a delivery.
    pub async fn post_signed(
        &self,
        url: &str,
        id: &str,
        signature: String,
        body: Vec<u8>,
    ) -> Result<(), OutgoingError> {
        let request = self
            .0
            .post(url)
            .header("content-type", "application/json")
            .header(SIGNATURE_HEADER, signature)
            .header(ID_HEADER, id)
            .body(body);
        let status = request.send().await?.status();
        if status.is_success() { Ok(()) } else { Err(OutgoingError::Status(status)) }
    }
}

/// `t=<Unix seconds>,v1=<hex of HMAC-SHA256(secret, "<t>.<body>")>`, with a `v1` for each secret, so that a receiver
/// can change over from one to the next.
pub fn signature<'a>(
    secrets: impl IntoIterator<Item = &'a [u8]>,
    body: &[u8],
    now_s: i64,
) -> String {
    let mut signature = format!("t={now_s}");
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let mut context = hmac::Context::with_key(&key);
        context.update(now_s.to_string().as_bytes());
        context.update(b".");
        context.update(body);
        signature.push_str(",v1=");
        for byte in context.sign().as_ref() {
            // Writing into memory does not fail.
            let _ = write!(signature, "{byte:02x}");
        }
    }
    signature
}

/// Whether what goes there can be read on the way by nobody: `https`, or a program on this machine.
pub fn is_confidential(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let is_local = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_local,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_has_a_part_for_each_secret() {
        let both = signature([&b"one"[..], b"two"], b"{}", 1_700_000_000);
        let one = signature([&b"one"[..]], b"{}", 1_700_000_000);
        assert!(both.starts_with(&format!("{one},v1=")), "{both}");
        // By `printf '1700000000.{}' | openssl dgst -sha256 -hmac one`.
        assert_eq!(
            one,
            "t=1700000000,v1=4d15bf3ea0a52170f550b594e8e29052cb85827caad0da7695dbbffb71a5643e"
        );
    }

    #[test]
    fn only_what_nobody_reads_on_the_way_is_confidential() {
        for url in
            ["https://a.example/x", "http://127.0.0.1:8/x", "http://[::1]/", "http://localhost/"]
        {
            assert!(is_confidential(url), "{url}");
        }
        for url in [
            "http://a.example",
            "http://localhost.example",
            "ftp://127.0.0.1",
            "x",
            "",
            "http://10.0.0.1",
        ] {
            assert!(!is_confidential(url), "{url}");
        }
    }

    #[test]
    fn a_server_is_scheme_host_and_port() {
        let is_same = |one: &str, other: &str| {
            same_server(&Url::parse(one).unwrap(), &Url::parse(other).unwrap())
        };
        assert!(is_same("https://a.example/x", "https://a.example:443/y?z"));
        assert!(!is_same("https://a.example/", "http://a.example/"));
        assert!(!is_same("https://a.example/", "https://b.example/"));
        assert!(!is_same("http://a.example:80/", "http://a.example:81/"));
    }
}
