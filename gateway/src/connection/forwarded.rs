//! Whose connection it is when a proxy brings it: what trusted proxies write into `X-Forwarded-For` and `Forwarded`
//! (RFC 7239), and nobody else.
//!
//! ```text
//!   X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.0.0.2          socket: 10.0.0.1
//!                    anything  │            └─ trusted ◄──────┘ trusted
//!                              └─ the rightmost that is not: the client
//! ```
//!
//! Each proxy adds at the right what it sees, so the line is read from there; what stands left of the client was written
//! by the client, and is not even looked at.
//!
//! Invariants: the headers of a peer that is no trusted proxy mean nothing; what cannot be understood, and two headers
//! that say different things, count as the peer; only an address that is known from the socket itself is ever exempt from
//! a limit, so nothing is gained by writing nonsense, nor by claiming to be this machine; no input panics.

use std::net::{IpAddr, SocketAddr};

use super::networks::Network;

/// The proxies whose word counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// What a request says of the way it came, line by line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forwarding<'r> {
    /// `Forwarded`.
    pub forwarded: &'r [String],
    /// `X-Forwarded-For`.
    pub x_forwarded_for: &'r [String],
}

/// At whose expense a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    /// The client's address, or that of the proxy which did not tell.
    pub address: IpAddr,
    /// How it is known.
    pub source: Source,
}

/// How the address of a client is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From its socket: nobody spoke for it.
    Socket,
    /// A trusted proxy told it.
    Proxy,
    /// It is that of a trusted proxy, whose word could not be understood.
    Unclear,
}

impl ClientAddress {
    /// One that is known from its socket.
    pub fn of_peer(peer: IpAddr) -> Self {
        Self { address: peer.to_canonical(), source: Source::Socket }
    }
}

/// A proxy's word that names no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unclear;

impl TrustedProxies {
    /// These networks and nobody else.
    pub const fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether the word of this peer counts.
    pub fn trust(&self, peer: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(peer))
    }

    /// Whose connection it is.
    pub fn client(&self, peer: IpAddr, forwarding: Forwarding<'_>) -> ClientAddress {
        let peer = ClientAddress::of_peer(peer);
        if !self.trust(peer.address) {
            return peer;
        }
        let listed = self.first_of(forwarding.x_forwarded_for, |line| Ok(in_list(line)));
        let named = self.first_of(forwarding.forwarded, in_elements);
        match (listed, named) {
            // Nobody is spoken for: the peer came by itself.
            (Ok(None), Ok(None)) => peer,
            (Ok(Some(address)), Ok(None)) | (Ok(None), Ok(Some(address))) => {
                ClientAddress { address, source: Source::Proxy }
            }
            // Many proxies write the one and pass on whatever the client wrote into the other.
            (Ok(Some(address)), Ok(Some(other))) if address == other => {
                ClientAddress { address, source: Source::Proxy }
            }
            _ => ClientAddress { source: Source::Unclear, ..peer },
        }
    }

    /// The rightmost hop that is no trusted proxy; the leftmost, if all are. `None`: there is none.
    fn first_of<'r>(
        &self,
        lines: &'r [String],
        hops_of: impl Fn(&'r str) -> Result<Vec<&'r str>, Unclear>,
    ) -> Result<Option<IpAddr>, Unclear> {
        let mut last = None;
        for line in lines.iter().rev() {
            for hop in hops_of(line)?.into_iter().rev() {
                let address = node(hop)?;
                last = Some(address);
                if !self.trust(address) {
                    return Ok(last);
                }
            }
        }
        Ok(last)
    }
}

/// The hops of a line of `X-Forwarded-For`.
fn in_list(line: &str) -> Vec<&str> {
    line.split(',').map(trim).collect()
}

/// The `for=` of each element of a line of `Forwarded`.
fn in_elements(line: &str) -> Result<Vec<&str>, Unclear> {
    let mut hops = Vec::new();
    let mut found = None;
    let mut rest = line;
    loop {
        let (name, behind) = rest.split_once('=').ok_or(Unclear)?;
        let name = trim(name);
        if name.is_empty() || name.contains([' ', '\t', ',', ';', '"']) {
            return Err(Unclear);
        }
        let (value, behind) = value(behind)?;
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return Err(Unclear);
        }
        let behind = trim(behind);
        let ends_element = !behind.starts_with(';');
        if ends_element {
            hops.push(found.take().ok_or(Unclear)?);
        }
        match behind.strip_prefix([';', ',']) {
            Some(next) => rest = next,
            None if behind.is_empty() => return Ok(hops),
            None => return Err(Unclear),
        }
    }
}

/// A token or quoted string at the beginning of a text, and what is behind it.
fn value(text: &str) -> Result<(&str, &str), Unclear> {
    if let Some(quoted) = text.strip_prefix('"') {
        // No address needs an escaped sign.
        return quoted.split_once('"').filter(|(value, _)| !value.contains('\\')).ok_or(Unclear);
    }
    let end = text.find([';', ',', ' ', '\t', '"']).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(value, _)| !value.is_empty()).ok_or(Unclear)
}

/// One hop: an address, with or without a port; of IPv6 with or without brackets.
fn node(text: &str) -> Result<IpAddr, Unclear> {
    let in_brackets = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match in_brackets {
        Some(inner) => inner.parse().map(IpAddr::V6),
        None => text.parse().or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip())),
    };
    address.map(|address| address.to_canonical()).map_err(|_| Unclear)
}

/// Without the blanks that may stand between parts of a header.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(["10.0.0.0/8", "::1"].map(|network| network.parse().unwrap()).to_vec())
    }

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    /// Whose it is, coming from this peer; `None`: nobody could tell.
    fn client(peer: &str, x_forwarded_for: &[&str], forwarded: &[&str]) -> Option<IpAddr> {
        let (listed, named) = (owned(x_forwarded_for), owned(forwarded));
        let forwarding = Forwarding { forwarded: &named, x_forwarded_for: &listed };
        let found = proxies().client(ip(peer), forwarding);
        let is_clear = found.source != Source::Unclear;
        assert!(is_clear || found.address == ip(peer));
        is_clear.then_some(found.address)
    }

    #[test]
    fn q1_strangers_are_not_believed() {
        for header in ["203.0.113.7", "10.0.0.1", "nonsense", ""] {
            assert_eq!(client("192.0.2.1", &[header], &[]), Some(ip("192.0.2.1")));
            assert_eq!(client("192.0.2.1", &[], &[header]), Some(ip("192.0.2.1")));
        }
    }

    #[test]
    fn q1_the_rightmost_that_is_no_proxy_is_the_client() {
        let client_of = |lines: &[&str]| client("10.0.0.1", lines, &[]);
        let expected = Some(ip("203.0.113.7"));
        assert_eq!(client_of(&["203.0.113.7"]), expected);
        assert_eq!(client_of(&["6.6.6.6, 203.0.113.7"]), expected);
        assert_eq!(client_of(&["nonsense,,\",203.0.113.7 ,\t10.0.0.2"]), expected);
        assert_eq!(client_of(&["6.6.6.6", "203.0.113.7", "10.0.0.3, 10.0.0.2"]), expected);
        assert_eq!(client_of(&["::ffff:203.0.113.7"]), expected);
        assert_eq!(client_of(&["203.0.113.7:1234"]), expected);
        assert_eq!(client_of(&["[2001:db8::1]:1234"]), Some(ip("2001:db8::1")));
        assert_eq!(client_of(&["2001:db8::1"]), client_of(&["[2001:db8::1]"]));
        // A proxy may be a client as well; without a header it is.
        assert_eq!(client_of(&["10.0.0.3, 10.0.0.2"]), Some(ip("10.0.0.3")));
        assert_eq!(client_of(&[]), Some(ip("10.0.0.1")));
        assert_eq!(client("::ffff:10.0.0.1", &["203.0.113.7"], &[]), expected);
    }

    #[test]
    fn q1_forwarded_says_the_same_in_other_words() {
        let client_of = |lines: &[&str]| client("::1", &[], lines);
        let expected = Some(ip("203.0.113.7"));
        assert_eq!(client_of(&["for=203.0.113.7"]), expected);
        assert_eq!(client_of(&["For=\"203.0.113.7:80\" ; proto=https;by=10.0.0.1"]), expected);
        assert_eq!(
            client_of(&["proto=http;FOR=6.6.6.6, host=\"a,b;c\";for=203.0.113.7"]),
            expected
        );
        assert_eq!(client_of(&["for=unknown;x=\"", "for=203.0.113.7", "for=10.0.0.2"]), expected);
        assert_eq!(client_of(&["for=\"[2001:db8::1]:80\""]), Some(ip("2001:db8::1")));
        // Left of the client anything sound may stand.
        assert_eq!(client_of(&["for=_hidden, for=203.0.113.7"]), expected);
    }

    #[test]
    fn q1_what_cannot_be_understood_is_at_the_expense_of_the_proxy() {
        for listed in [
            "",
            " ",
            "unknown",
            "203.0.113.7,",
            "203.0.113",
            "203.0.113.7 1",
            "[::1",
            "é",
            "1.1.1.1:x",
        ] {
            assert_eq!(client("10.0.0.1", &[listed], &[]), None, "{listed}");
        }
        for named in [
            "",
            "for",
            "for=",
            "for=unknown",
            "for=_x",
            "proto=https",
            "for=1.1.1.1;for=2.2.2.2",
            "for=1.1.1.1,",
            "for=1.1.1.1;",
            "for=1.1.1.1 for=2.2.2.2",
            "for=\"1.1.1.1",
            "for=\"1.1.1.1\\\"\"",
            "for =1.1.1.1;=x",
            "x=\", for=\"2.2.2.2\"",
            "for=6.6.6.6;x=\", for=203.0.113.7",
            "for=6.6.6.6;x=\", for=\"[2001:db8::1]\"",
        ] {
            assert_eq!(client("10.0.0.1", &[], &[named]), None, "{named}");
        }
        // Whoever writes the header that the proxy does not is no one else by that.
        assert_eq!(client("10.0.0.1", &["203.0.113.7"], &["for=6.6.6.6"]), None);
        assert_eq!(client("10.0.0.1", &["203.0.113.7"], &["nonsense"]), None);
        let both = client("10.0.0.1", &["203.0.113.7"], &["for=203.0.113.7"]);
        assert_eq!(both, Some(ip("203.0.113.7")));
    }

    proptest! {
        #[test]
        fn no_header_panics_and_none_hides_what_the_proxy_appends(
            listed in "[ -~é]{0,40}",
            named in "([;, \"=\\\\\\[\\]:.0-9a-f]|for=|for=\"){0,20}",
            any in any::<String>(),
        ) {
            client("10.0.0.1", &[&listed, &any], &[&named, &any]);
            let seen = Some(ip("203.0.113.7"));
            let line = format!("{listed}, 203.0.113.7");
            prop_assert_eq!(client("10.0.0.1", &[&any, &line], &[]), seen);
            // Of `Forwarded` a broken left part may spoil the line, but never replace what was seen.
            for appended in ["for=203.0.113.7", "for=\"203.0.113.7\";proto=\"https\""] {
                let line = format!("{named}, {appended}");
                let found = client("10.0.0.1", &[], &[&any, &line]);
                prop_assert!(found.is_none() || found == seen, "{} {:?}", line, found);
            }
        }
    }
}
