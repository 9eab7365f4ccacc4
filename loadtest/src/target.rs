//! Where the server is: `ws://host:port/path`.

use std::net::{SocketAddr, ToSocketAddrs};

/// A server's address, resolved once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As it was given.
    pub url: String,
    /// For the Host header: host and port.
    pub host: String,
    /// Path and query of the upgrade request.
    pub path: String,
    /// Where to connect.
    pub address: SocketAddr,
}

/// Why a URL cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not `ws://host[:port][/path]`.
    #[error("--url {0}: expected ws://host:port/path")]
    Malformed(String),
    /// TLS is not built in.
    #[error("--url {0}: wss is not supported; put the load on the plain port")]
    Tls(String),
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
    /// Parses and resolves a URL.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        if url.starts_with("wss://") {
            return Err(TargetError::Tls(url.to_owned()));
        }
        let malformed = || TargetError::Malformed(url.to_owned());
        let rest = url.strip_prefix("ws://").ok_or_else(malformed)?;
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(split);
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if host.is_empty() || host.contains('@') || url.contains(char::is_whitespace) {
            return Err(malformed());
        }
        let host = if has_port { host.to_owned() } else { format!("{host}:80") };
        let resolve = |source| TargetError::Resolve { host: host.clone(), source };
        let address = host.to_socket_addrs().map_err(resolve)?.next().ok_or_else(malformed)?;
        let path = match path {
            "" => "/".to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            path => path.to_owned(),
        };
        Ok(Self { url: url.to_owned(), host, path, address })
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
            assert_eq!((target.host.as_str(), target.path.as_str()), (host, path), "{url}");
        }
    }

    #[test]
    fn what_is_no_websocket_url_is_refused() {
        for url in ["", "http://127.0.0.1/", "ws://", "ws:///ws", "ws://a b/", "wss://127.0.0.1/"] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
