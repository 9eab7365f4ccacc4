//! Where the server is: `ws://host:port/path`, or `wss://` for TLS.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::tls::{Tls, TlsError, Trust};

/// A server's address, resolved once.
#[derive(Clone, Debug)]
pub struct Target {
    /// As it was given.
    pub url: String,
    /// For the Host header: host and port.
    pub host: String,
    /// Path and query of the upgrade request.
    pub path: String,
    /// Where to connect.
    pub address: SocketAddr,
    /// How to speak TLS there, if it is spoken.
    pub(crate) tls: Option<Tls>,
}

/// Why a URL cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not `ws://host[:port][/path]`, nor `wss://…`.
    #[error("--url {0}: expected ws://host:port/path or wss://host:port/path")]
    Malformed(String),
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The name does not resolve.
    #[error("--url: cannot resolve {host}")]
    Resolve {
        /// The name.
        host: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Target {
    /// Parses and resolves a URL; over TLS, whom the system trusts is trusted.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        Self::parse_trusting(url, &Trust::System)
    }

    /// Parses and resolves a URL; over TLS, certificates are taken as `trust` says.
    pub fn parse_trusting(url: &str, trust: &Trust) -> Result<Self, TargetError> {
        let malformed = || TargetError::Malformed(url.to_owned());
        let (rest, default_port) = match url.split_once("://") {
            Some(("ws", rest)) => (rest, 80),
            Some(("wss", rest)) => (rest, 443),
            _ => return Err(malformed()),
        };
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(split);
        // The colons of an IPv6 address are in brackets.
        let behind_brackets = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
        let port = behind_brackets.split_once(':').map(|(_, port)| port.parse::<u16>());
        let has_no_number = port.as_ref().is_some_and(Result::is_err);
        if host.is_empty()
            || has_no_number
            || host.contains('@')
            || url.contains(char::is_whitespace)
        {
            return Err(malformed());
        }
        let host = if port.is_some() { host.to_owned() } else { format!("{host}:{default_port}") };
        let resolve = |source| TargetError::Resolve { host: host.clone(), source };
        let address = host.to_socket_addrs().map_err(resolve)?.next().ok_or_else(malformed)?;
        let path = match path {
            "" => "/".to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            path => path.to_owned(),
        };
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        let tls = (default_port == 443).then(|| Tls::new(name, trust)).transpose()?;
        Ok(Self { url: url.to_owned(), host, path, address, tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, host, path) in [
            ("ws://127.0.0.1:8080/ws", "127.0.0.1:8080", "/ws"),
            ("ws://127.0.0.1", "127.0.0.1:80", "/"),
            ("ws://[::1]:9/a?b=c", "[::1]:9", "/a?b=c"),
            ("ws://127.0.0.1:1?x", "127.0.0.1:1", "/?x"),
        ] {
            let target = Target::parse(url).unwrap();
            assert!(target.tls.is_none());
            assert_eq!((target.host.as_str(), target.path.as_str()), (host, path), "{url}");
        }
    }

    #[test]
    fn wss_means_tls_on_its_own_port() {
        let target = Target::parse_trusting("wss://127.0.0.1/ws", &Trust::Anyone).unwrap();
        assert_eq!(target.address.port(), 443);
        assert!(target.tls.is_some());
        let nowhere = Trust::File("/nonexistent/ca.pem".into());
        let error = Target::parse_trusting("wss://127.0.0.1/ws", &nowhere).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/ca.pem"), "{error}");
    }

    #[test]
    fn what_is_no_websocket_url_is_refused() {
        for url in [
            "",
            "http://127.0.0.1/",
            "ws://",
            "ws:///ws",
            "ws://a b/",
            "wss:/127.0.0.1/",
            "ws://127.0.0.1:99999/",
            "ws://localhost:port/",
            "ws://[::1]:x",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
