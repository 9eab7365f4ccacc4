//! The client for programs of the operator, and of those they chose.

use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Url};

use super::{CONNECT, USER_AGENT};

/// How long a request may take with its answer, unless it says otherwise.
const REQUEST: Duration = Duration::from_secs(15);
/// Connections to one host that are kept for the next request.
const IDLE_PER_HOST: usize = 8;
/// Redirects of one request that are followed.
const MAX_REDIRECTS: usize = 3;

/// Makes the client. No proxy of the environment is used, and an answer cannot send a request to another host.
pub(super) fn client() -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT)
        .timeout(REQUEST)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .no_proxy()
        .redirect(Policy::custom(|attempt| {
            if may_follow(&attempt) { attempt.follow() } else { attempt.stop() }
        }))
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

#[cfg(test)]
mod tests {
    use super::*;

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
