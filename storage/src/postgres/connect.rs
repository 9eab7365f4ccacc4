//! Connections: which host, with or without TLS, and what to say when none will do.
//!
//! ```text
//!   address ─► host after host ─► its IP addresses ─► TLS as sslmode says ─► settings ─► writable, if that matters?
//!                     ▲                                                                        │ no, or any error
//!                     └────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The hosts are tried one by one here, not by `tokio_postgres`, which tells only the last one's error, falls back from
//! TLS only where the server says it has none, and waits for ever for a server that accepts and then says nothing.
//!
//! Invariants: a search ends within `SEARCH`, and no host can use up another one's share of it; with
//! `target_session_attrs=read-write` no session with a read-only server leaves this file.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use rand::seq::SliceRandom as _;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode as Wire, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{self, Roots, SslMode, TlsOptions};
use super::refusal::{ConnectError, Failure, io_cause, pack};
use super::sqlstate::{self, Class, explain};
use super::tls;
use crate::error::StoreError;

/// The longest wait for one server to let us in, unless the address says otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest search of all hosts.
const SEARCH: Duration = Duration::from_secs(20);
/// The longest wait for the answer to a writer's transaction, a search included. More than the server's own limit
/// below, so that a server that lives answers first.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(25);

/// For reads and small writes: like those of writers, their statements look up a few keys, or some of one user's.
const SERVICE_SESSION: &str = "SET statement_timeout = '15s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '15s';
    SET synchronous_commit = on;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;";

/// For writers. Their statements always look up a few keys: an index each time, whatever the statistics of a young
/// table suggest, and one plan for all batch sizes. All conversations of a writer wait for its locks, so it waits for
/// none much longer than the server needs to find a deadlock (one second).
const WRITER_SESSION: &str = "SET statement_timeout = '20s';
    SET lock_timeout = '2s';
    SET idle_in_transaction_session_timeout = '15s';
    SET synchronous_commit = on;
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;";

/// For an operator's tools. No index-only scans: what looks for damage reads the tables, not what indexes say of them.
const TOOL_SESSION: &str = "SET application_name = 'ringwire tool';
    SET statement_timeout = 0;
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = 0;
    SET synchronous_commit = on;
    SET enable_indexonlyscan = off;";

/// Asks whether a session can write: no standby, and not set read-only.
pub(super) const IS_READ_ONLY: &str = "SHOW transaction_read_only";

/// One host of the address.
#[derive(Clone, Debug)]
enum Place {
    Tcp { name: String, ip: Option<IpAddr>, port: u16 },
    Socket { folder: PathBuf, port: u16 },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { name, port, .. } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Self::Tcp { name, port, .. } => write!(f, "{name}:{port}"),
            Self::Socket { folder, port } => write!(f, "{}:{port}", folder.display()),
        }
    }
}

/// A database address, ready to connect to.
#[derive(Clone)]
pub(super) struct Address {
    places: Vec<Place>,
    /// Everything but the hosts.
    config: Config,
    tls: TlsOptions,
    connector: MakeRustlsConnect,
    /// What sessions of a node say after their settings.
    greeting: String,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Address {
    /// Reads an address and the files it names.
    pub(super) fn read(text: &str) -> Result<Self, StoreError> {
        let (config, tls) = address::parse(text)?;
        let connector = tls::connector(&tls)?;
        Ok(Self {
            places: places(&config)?,
            config: without_hosts(&config),
            tls,
            connector,
            greeting: String::new(),
        })
    }

    /// Has every session of writers and the service say this first; ends with a semicolon.
    pub(super) fn greet_with(&mut self, greeting: String) {
        self.greeting = greeting;
    }

    /// What makes TLS for these hosts.
    pub(super) fn connector(&self) -> MakeRustlsConnect {
        self.connector.clone()
    }

    /// Whether only a writable server will do.
    pub(super) fn wants_writable(&self) -> bool {
        self.config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite
    }
}

fn places(config: &Config) -> Result<Vec<Place>, StoreError> {
    let (hosts, ips, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(ips.len());
    if (!hosts.is_empty() && !ips.is_empty() && hosts.len() != ips.len())
        || (ports.len() > 1 && ports.len() != count)
    {
        return Err(StoreError::BadAddress(
            "it needs as many hosts as host addresses, and one port or as many ports as hosts"
                .to_owned(),
        ));
    }
    let place = |n: usize| {
        let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        let ip = ips.get(n).copied();
        match hosts.get(n) {
            Some(Host::Tcp(name)) => Place::Tcp { name: name.clone(), ip, port },
            Some(Host::Unix(folder)) => Place::Socket { folder: folder.clone(), port },
            None => Place::Tcp { name: ip.map_or_else(String::new, |ip| ip.to_string()), ip, port },
        }
    };
    Ok((0..count).map(place).collect())
}

/// A copy to which one host at a time can be added.
fn without_hosts(config: &Config) -> Config {
    let mut bare = Config::new();
    if let Some(user) = config.get_user() {
        bare.user(user);
    }
    if let Some(password) = config.get_password() {
        bare.password(password);
    }
    if let Some(name) = config.get_dbname() {
        bare.dbname(name);
    }
    if let Some(options) = config.get_options() {
        bare.options(options);
    }
    if let Some(name) = config.get_application_name() {
        bare.application_name(name);
    }
    if let Some(limit) = config.get_connect_timeout() {
        bare.connect_timeout(*limit);
    }
    if let Some(limit) = config.get_tcp_user_timeout() {
        bare.tcp_user_timeout(*limit);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        bare.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        bare.keepalives_retries(retries);
    }
    bare.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_negotiation(config.get_ssl_negotiation())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    bare
}

/// A session, its settings made, and the task that ends with its connection.
type Session = (Client, JoinHandle<()>);

/// A session for the service thread.
pub(super) async fn service_session(address: &Address) -> Result<Session, Error> {
    search(address, &format!("{SERVICE_SESSION} {}", address.greeting)).await
}

/// A writer's session. The connection's driver runs on the current runtime.
pub(super) async fn writer_session(address: &Address) -> Result<Client, Error> {
    let settings = format!("{WRITER_SESSION} {}", address.greeting);
    Ok(search(address, &settings).await?.0)
}

/// A session of an operator's tool, which may take as long as it needs.
pub(crate) async fn tool_session(url: &str) -> Result<Client, StoreError> {
    Ok(search(&Address::read(url)?, TOOL_SESSION).await?.0)
}

/// A session with the first host that will do.
async fn search(address: &Address, settings: &str) -> Result<Session, Error> {
    let end = Instant::now() + SEARCH;
    let mut places: Vec<&Place> = address.places.iter().collect();
    if address.config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        places.shuffle(&mut rand::rng());
    }
    let mut failures = Vec::new();
    for (n, place) in places.iter().enumerate() {
        let share = share(end, places.len() - n);
        match try_place(address, place, share, settings).await {
            Ok(session) => return Ok(session),
            Err((reason, setup)) => failures.push(Failure {
                place: place.to_string(),
                mode: address.tls.mode,
                reason,
                setup,
            }),
        }
    }
    Err(pack(ConnectError { failures }).await)
}

/// What one of so many may use of the time left.
fn share(end: Instant, count: usize) -> Duration {
    end.saturating_duration_since(Instant::now()) / u32::try_from(count).unwrap_or(u32::MAX).max(1)
}

/// Why not, and whether somebody has to mend something.
type Reason = (String, bool);

async fn try_place(
    address: &Address,
    place: &Place,
    limit: Duration,
    settings: &str,
) -> Result<Session, Reason> {
    let end = Instant::now() + limit;
    let mut config = address.config.clone();
    let (name, port) = match place {
        Place::Socket { folder, port } => {
            // As libpq: no TLS within a machine.
            config.host_path(folder).port(*port).ssl_mode(Wire::Disable);
            return enter(address, &config, limit, settings)
                .await
                .map_err(|refusal| refusal.into_reason(&address.tls.roots));
        }
        Place::Tcp { name, port, .. } => (name, *port),
    };
    config.host(name).port(port);
    let ips = match place {
        Place::Tcp { ip: Some(ip), .. } => vec![*ip],
        _ => resolve(name, port, limit).await?,
    };
    let mut last = (format!("the name {name} has no address"), false);
    for (n, ip) in ips.iter().enumerate() {
        let mut config = config.clone();
        config.hostaddr(*ip);
        let most = config.get_connect_timeout().map_or(TIMEOUT, |limit| *limit);
        let limit = share(end, ips.len() - n).min(most);
        match enter_tcp(address, &config, limit, settings).await {
            Ok(session) => return Ok(session),
            Err(reason) => last = reason,
        }
    }
    Err(last)
}

async fn resolve(name: &str, port: u16, limit: Duration) -> Result<Vec<IpAddr>, Reason> {
    match timeout(limit, tokio::net::lookup_host((name, port))).await {
        Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
        Ok(Err(error)) => {
            Err((format!("{error}; correct the host's name, or its DNS entry"), false))
        }
        Err(_) => Err((format!("DNS has not answered within {limit:?}"), false)),
    }
}

/// Connects with TLS, without, or with one after the other, as `sslmode` says.
async fn enter_tcp(
    address: &Address,
    config: &Config,
    limit: Duration,
    settings: &str,
) -> Result<Session, Reason> {
    let (first, second) = match address.tls.mode {
        SslMode::Disable => (Wire::Disable, None),
        SslMode::Allow => (Wire::Disable, Some(Wire::Require)),
        SslMode::Prefer => (Wire::Prefer, Some(Wire::Disable)),
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => (Wire::Require, None),
    };
    let end = Instant::now() + limit;
    let roots = &address.tls.roots;
    let mut config = config.clone();
    let failed = match enter(address, config.ssl_mode(first), limit, settings).await {
        Ok(session) => return Ok(session),
        Err(failed) => failed,
    };
    match second {
        Some(second) if failed.is_about_tls() => {
            let limit = share(end, 1);
            match enter(address, config.ssl_mode(second), limit, settings).await {
                Ok(session) => Ok(session),
                Err(other) => {
                    let ((one, setup), (two, too)) =
                        (failed.into_reason(roots), other.into_reason(roots));
                    let (with, without) =
                        if first == Wire::Disable { (two, one) } else { (one, two) };
                    Err((format!("with TLS: {with}; without: {without}"), setup && too))
                }
            }
        }
        _ => Err(failed.into_reason(roots)),
    }
}

/// Why one attempt failed.
enum Refusal {
    Postgres(Error),
    ReadOnly,
    Silent(Duration),
}

impl Refusal {
    /// Whether the other choice (TLS or none) may do: the handshake failed, or `pg_hba.conf` has no line for this one.
    fn is_about_tls(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        is_tls(error) || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
    }

    fn into_reason(self, roots: &Roots) -> Reason {
        match self {
            Self::ReadOnly => (
                "it is read-only, and target_session_attrs asks for a writable server".to_owned(),
                false,
            ),
            Self::Silent(limit) => (
                format!("no answer within {limit:?}; check that it runs and accepts connections"),
                false,
            ),
            Self::Postgres(error) if error.as_db_error().is_some() => {
                let (class, text) = sqlstate::judge(&error);
                (text, class == Class::Setup)
            }
            Self::Postgres(error) if is_tls(&error) => {
                if let Some(cause) = rustls_error(&error) {
                    return (
                        format!("TLS: {cause}; {}", tls::advice(cause, roots)),
                        is_setup(cause),
                    );
                }
                // The connector has no other error than those of rustls and of the network.
                let no_tls = explain(&error).contains("does not support TLS");
                let advice =
                    "set ssl=on with a certificate there, or use sslmode=prefer or disable";
                (format!("{}; {advice}", explain(&error)), no_tls)
            }
            // Said by us, not by the server: no password given, or SCRAM failed on our side.
            Self::Postgres(error) if error.to_string().starts_with("authentication error") => (
                format!(
                    "{}; check user, password and channel_binding in the address",
                    explain(&error)
                ),
                true,
            ),
            Self::Postgres(error) if error.to_string().starts_with("invalid configuration") => {
                (format!("{}; complete the database address", explain(&error)), true)
            }
            Self::Postgres(error) => {
                (format!("{}; check that it runs and accepts connections", explain(&error)), false)
            }
        }
    }
}

/// `tokio_postgres` has no other way to tell.
fn is_tls(error: &Error) -> bool {
    error.to_string().starts_with("error performing TLS handshake")
}

fn rustls_error(error: &Error) -> Option<&rustls::Error> {
    io_cause(error)?.downcast_ref()
}

/// A certificate that is not trusted today will not be tomorrow; a torn handshake may just be a restart.
fn is_setup(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_))
}

/// One attempt: connect, make the settings, ask whether it can write.
async fn enter(
    address: &Address,
    config: &Config,
    limit: Duration,
    settings: &str,
) -> Result<Session, Refusal> {
    let attempt = async {
        let mut config = config.clone();
        // Asked below, together with the settings.
        config.target_session_attrs(TargetSessionAttrs::Any);
        let (client, connection) =
            config.connect(address.connector.clone()).await.map_err(Refusal::Postgres)?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(reason = sqlstate::judge(&error).1, "a connection ended");
            }
        });
        let answers = client.simple_query(&format!("{settings} {IS_READ_ONLY}")).await;
        if is_read_only(&answers.map_err(Refusal::Postgres)?) && address.wants_writable() {
            return Err(Refusal::ReadOnly);
        }
        Ok((client, driver))
    };
    timeout(limit, attempt).await.unwrap_or(Err(Refusal::Silent(limit)))
}

/// Reads the answer to [`IS_READ_ONLY`].
pub(super) fn is_read_only(answers: &[SimpleQueryMessage]) -> bool {
    answers.iter().any(
        |answer| matches!(answer, SimpleQueryMessage::Row(row) if row.try_get(0).ok().flatten() == Some("on")),
    )
}
