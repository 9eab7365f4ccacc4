//! Addresses to which secrets may go.

use reqwest::Url;

/// Whether what goes there can be read on the way by nobody: `https`, or a program on this machine.
pub(super) fn is_confidential(url: &str) -> bool {
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
}
