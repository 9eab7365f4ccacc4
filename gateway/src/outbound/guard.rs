//! Addresses that users name must not lead into the operator's own network.
//!
//! Invariants: the scheme is `https`; a host that is an address is a public one; a name is looked up here, and what it
//! leads to besides public addresses is left out, at each connection anew.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The longest such address, in bytes.
const MAX_URL_BYTES: usize = 2_048;

/// The address, if it may be asked. `private`: also within the operator's network, and without TLS.
pub(crate) fn check_endpoint(url: &str, private: bool) -> Option<Url> {
    let url = Url::parse(url).ok().filter(|_| url.len() <= MAX_URL_BYTES)?;
    let scheme = url.scheme() == "https" || private && url.scheme() == "http";
    let plain = url.username().is_empty() && url.password().is_none();
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
    let public = match host.parse::<IpAddr>() {
        Ok(address) => is_public(address),
        Err(_) => !host.is_empty(),
    };
    (scheme && plain && (public || private)).then_some(url)
}

/// Looks names up, and knows public addresses alone.
pub(super) struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
            if public.is_empty() {
                return Err(io::Error::other("the name has no public address").into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && b & 0xC0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xFE == 18);
    !special
}

/// Of what is routed at all: neither for documentation nor a way to an IPv4 address that is no public one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => inner(high, low),
        // Teredo, documentation.
        [0x2001, 0 | 0xDB8, ..] => false,
        [first, ..] => first & 0xE000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_within_a_network_are_refused() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_endpoint_is_https_without_credentials() {
        let sound = |url| check_endpoint(url, false).is_some();
        assert!(sound("https://push.example.org/send/abc"));
        assert!(sound("https://[2606:4700::1111]/x"));
        for url in [
            "http://push.example.org/",
            "https://127.0.0.1/",
            "https://[::1]:8443/",
            "https://2130706433/",
            "https://ann@push.example.org/",
            "ftp://push.example.org/",
            "push.example.org",
            "",
        ] {
            assert!(!sound(url), "{url}");
        }
        assert!(check_endpoint("http://127.0.0.1:80/x", true).is_some());
        assert!(check_endpoint("file:///etc/passwd", true).is_none());
        let long = format!("https://push.example.org/{}", "x".repeat(MAX_URL_BYTES));
        assert!(!sound(&long));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_known() {
        let name: Name = "localhost".parse().unwrap();
        assert!(Public.resolve(name).await.is_err());
    }
}
