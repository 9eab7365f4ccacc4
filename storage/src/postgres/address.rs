//! What a database address says, as libpq reads it.
//!
//! ```text
//!   postgres://user:password@a:5432,b:5433/chat?sslmode=verify-full&sslrootcert=/etc/ca.pem
//!   ──────────────────── tokio_postgres ──────── ◄──────────── options cut out and read here
//! ```
//!
//! `tokio_postgres` knows neither `sslmode=verify-*` nor the files of TLS, so the options about TLS and about the choice
//! of a host are cut out, in the URL and in the `key=value` form, before it parses the rest.
//!
//! Invariant: no error repeats a piece of the address that could belong to the password.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::TargetSessionAttrs;

use super::connect::{CALL_TIMEOUT, TIMEOUT};
use crate::error::StoreError;

/// How a connection is protected, in the words of libpq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS only where the server insists.
    Allow,
    /// TLS where the server has it.
    Prefer,
    /// Always TLS.
    Require,
    /// And the server's certificate is signed by a trusted authority.
    VerifyCa,
    /// And it was made for this host name.
    VerifyFull,
}

const MODES: [(&str, SslMode); 6] = [
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MODES.iter().find(|(_, mode)| mode == self).map_or("", |(name, _)| name))
    }
}

/// Whom to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// Nobody is asked for: any certificate will do.
    Anyone,
    /// The authorities in this PEM file.
    File(PathBuf),
    /// Those of the operating system.
    System,
}

/// What the address says about TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TlsOptions {
    pub(super) mode: SslMode,
    pub(super) roots: Roots,
    /// Our certificate and its key, PEM files.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

/// The options that are not for `tokio_postgres`.
const OURS: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs"];
/// Those it understands.
const THEIRS: [&str; 17] = [
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "sslnegotiation",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "channel_binding",
    "load_balance_hosts",
];
/// Those of libpq that nobody here understands, to be named in an error.
const FOREIGN: [&str; 15] = [
    "client_encoding",
    "fallback_application_name",
    "gssencmode",
    "krbsrvname",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "service",
    "ssl",
    "ssl_min_protocol_version",
    "sslcompression",
    "sslcrl",
    "sslpassword",
    "sslsni",
];

fn wrong(text: impl Into<String>) -> StoreError {
    StoreError::BadAddress(text.into())
}

/// Reads an address and adds what keeps a dead server from holding us up.
pub(super) fn parse(address: &str) -> Result<(Config, TlsOptions), StoreError> {
    let (rest, options) = match url_query(address) {
        Some(query_at) => cut_from_url(address, query_at)?,
        None => cut_from_pairs(address)?,
    };
    let mut config: Config = rest
        .parse()
        .map_err(|error: tokio_postgres::Error| wrong(super::sqlstate::explain(&error)))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(wrong("it names no host"));
    }
    let of = |name| options.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| &**value);
    config.target_session_attrs(session_attrs(of("target_session_attrs"), &config)?);
    if config.get_application_name().is_none() {
        config.application_name("ringwire");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(CALL_TIMEOUT);
    }
    if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        config.keepalives_idle(Duration::from_secs(30));
    }
    let tls = tls_options(of("sslmode"), of("sslrootcert"), of("sslcert"), of("sslkey"))?;
    Ok((config, tls))
}

/// With several hosts a standby is of no use, so the writable one is looked for.
fn session_attrs(value: Option<&str>, config: &Config) -> Result<TargetSessionAttrs, StoreError> {
    let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
    match value {
        None if hosts > 1 => Ok(TargetSessionAttrs::ReadWrite),
        None | Some("any") => Ok(TargetSessionAttrs::Any),
        Some("read-write" | "primary") => Ok(TargetSessionAttrs::ReadWrite),
        Some(_) => Err(wrong(
            "target_session_attrs has to be read-write, primary or any, because messages are written",
        )),
    }
}

fn tls_options(
    mode: Option<&str>,
    roots: Option<&str>,
    certificate: Option<&str>,
    key: Option<&str>,
) -> Result<TlsOptions, StoreError> {
    let mode = match mode {
        // As libpq: whoever trusts the whole world's authorities has to check the name.
        None if roots == Some("system") => SslMode::VerifyFull,
        None => SslMode::Prefer,
        Some(name) => {
            let known = MODES.iter().find(|(known, _)| *known == name);
            known.map(|&(_, mode)| mode).ok_or_else(|| {
                wrong("sslmode has to be disable, allow, prefer, require, verify-ca or verify-full")
            })?
        }
    };
    let roots = match (roots, mode) {
        (Some("system") | None, SslMode::VerifyFull) => Roots::System,
        (Some("system"), _) => {
            return Err(wrong(format!(
                "sslrootcert=system trusts every public authority, so it needs sslmode=verify-full, not {mode}"
            )));
        }
        (Some(file), _) => Roots::File(file.into()),
        (None, SslMode::VerifyCa) => {
            return Err(wrong(
                "sslmode=verify-ca needs sslrootcert=FILE, the authority to trust (PEM)",
            ));
        }
        (None, _) => Roots::Anyone,
    };
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        (None, None) => None,
        _ => return Err(wrong("sslcert and sslkey belong together: name both or none")),
    };
    Ok(TlsOptions { mode, roots, identity })
}

type Options = Vec<(&'static str, String)>;

/// Where the query of a URL begins, at its `?` or at its end; `None`: this is no URL. Where the credentials end is
/// decided as `tokio_postgres` does.
fn url_query(address: &str) -> Option<usize> {
    let prefix = ["postgres://", "postgresql://"].into_iter().find(|p| address.starts_with(p))?;
    let host_at = address.find('@').map_or(prefix.len(), |at| at + 1);
    Some(address[host_at..].find('?').map_or(address.len(), |at| host_at + at))
}

fn cut_from_url(address: &str, query_at: usize) -> Result<(String, Options), StoreError> {
    let (before, query) = address.split_at(query_at);
    if before.matches('@').count() > 1 {
        // What follows the first one would be taken for a host, and named in errors.
        return Err(wrong("an @ in the user name or password is written %40"));
    }
    let (mut kept, mut options) = (Vec::new(), Vec::new());
    for pair in query.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(wrong("after the ? it takes name=value, joined by &"));
        };
        let key = percent_decode_str(key).decode_utf8_lossy();
        match known(&key)? {
            Some(ours) => {
                let value = percent_decode_str(value).decode_utf8();
                let value = value.map_err(|_| wrong(format!("the value of {ours} is no UTF-8")))?;
                options.push((ours, value.into_owned()));
            }
            None => kept.push(pair),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok((format!("{before}{query}"), options))
}

fn cut_from_pairs(address: &str) -> Result<(String, Options), StoreError> {
    let (mut kept, mut options) = (String::new(), Vec::new());
    let mut rest = address.trim_start();
    while !rest.is_empty() {
        let whole = rest;
        let form =
            || wrong("it takes name=value, separated by spaces; a value with spaces in 'quotes'");
        let (key, after) = rest.split_once('=').ok_or_else(form)?;
        let (value, after) = pair_value(after.trim_start()).ok_or_else(form)?;
        rest = after.trim_start();
        if let Some(ours) = known(key.trim_end())? {
            options.push((ours, value));
        } else {
            kept.push_str(whole[..whole.len() - after.len()].trim_end());
            kept.push(' ');
        }
    }
    Ok((kept, options))
}

/// One value and what follows it: up to a space, or in quotes; a backslash takes the next character as it is.
fn pair_value(text: &str) -> Option<(String, &str)> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            '\'' if quoted => return Some((value, &text[at + 1..])),
            c if !quoted && c.is_whitespace() => return Some((value, &text[at..])),
            c => value.push(c),
        }
    }
    (!quoted && !value.is_empty()).then_some((value, ""))
}

/// Whether an option is one of ours. A name that nobody knows is not repeated: a password with a `?`, a `@` or a space
/// that is not escaped falls apart into such names.
fn known(key: &str) -> Result<Option<&'static str>, StoreError> {
    if let Some(ours) = OURS.into_iter().find(|name| *name == key) {
        return Ok(Some(ours));
    }
    if THEIRS.contains(&key) {
        return Ok(None);
    }
    Err(wrong(match FOREIGN.into_iter().find(|name| *name == key) {
        Some(name) => format!("the option {name} is not supported"),
        None => "it has an unknown option (not shown, it may be a part of the password: special characters in a \
                 password are written as %XX)"
            .to_owned(),
    }))
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
