//! Raw values become a [`Config`], or one sentence about the first value that cannot.

use std::path::{Path, PathBuf};
use std::thread;

use ringwire_storage::operate::migrate::is_partition_count;

use super::batch::batch;
use super::confidential::is_confidential;
use super::encryption::encryption;
use super::files::files;
use super::hooks::{events, hook};
use super::issuers::issuers;
use super::metrics::{metrics, tracing};
use super::number::Number;
use super::push::push;
use super::raw::{Raw, RawAuth, RawLimits, RawLog, RawServer, RawStorage, RawTrustedKey};
use super::retention::retention;
use super::session::session;
use super::{
    AllowedOrigins, AttemptRate, AuthConfig, CommandRate, CompressionChoice, Config, Database,
    DriverChoice, LimitsConfig, LogConfig, LogFormat, MailerConfig, ServerConfig, StorageConfig,
    TokenAlgorithm, TrustedKey, redact,
};

use crate::connection::addresses::AddressLimits;
use crate::connection::forwarded::TrustedProxies;
use crate::secret::KeyFile;

/// Most shards: more than any machine this runs on has cores.
const MAX_SHARDS: u32 = 1024;
/// Longest time to edit or recall a message that is not for ever: about ten years.
const MAX_WINDOW_S: u32 = 10 * 366 * 24 * 60 * 60;
/// Most connections of one process.
const MAX_CONNECTIONS: u32 = 4_000_000;
/// Descriptors kept for files, the database and the shards' own use when connections take "all there are".
const RESERVED_DESCRIPTORS: u64 = 256;

/// A value that cannot be used.
#[derive(Debug)]
pub(super) struct Invalid {
    /// Which, as in `server.listen`.
    pub(super) key: String,
    /// The value as it may be shown.
    pub(super) shown: String,
    /// What it has to be, to be read after "expected".
    pub(super) expected: String,
}

pub(super) fn invalid(key: &str, shown: impl Into<String>, expected: impl Into<String>) -> Invalid {
    Invalid { key: key.to_owned(), shown: shown.into(), expected: expected.into() }
}

pub(super) fn not_empty(key: &str, value: String) -> Result<String, Invalid> {
    let value_is_sound = !value.trim().is_empty() && value.len() <= 255;
    if value_is_sound { Ok(value) } else { Err(invalid(key, value, "1 to 255 characters")) }
}

pub(super) fn validate(raw: Raw) -> Result<Config, Invalid> {
    let storage = storage(raw.storage)?;
    Ok(Config {
        server: server(raw.server)?,
        auth: auth(raw.auth, &storage.data_dir)?,
        files: files(raw.files, &storage.data_dir)?,
        push: push(raw.push, &storage.data_dir)?,
        events: events(raw.events)?,
        hook: hook(raw.hook)?,
        storage,
        session: session(raw.session)?,
        limits: limits(&raw.limits)?,
        log: log(raw.log)?,
        metrics: metrics(raw.metrics)?,
        tracing: tracing(raw.tracing)?,
    })
}

fn server(raw: RawServer) -> Result<ServerConfig, Invalid> {
    let listen = raw.listen.parse().map_err(|_| {
        let expected = "an IP address and a port, such as 127.0.0.1:8080 or [::]:8080";
        invalid("server.listen", raw.listen.as_str(), expected)
    })?;
    let driver = match raw.driver.as_str() {
        "auto" => DriverChoice::Auto,
        "uring" => DriverChoice::Uring,
        "epoll" => DriverChoice::Epoll,
        _ => return Err(invalid("server.driver", raw.driver, "auto, uring or epoll")),
    };
    let compression = match raw.compression.as_str() {
        "off" => CompressionChoice::Off,
        "json" => CompressionChoice::Json,
        _ => return Err(invalid("server.compression", raw.compression, "off or json")),
    };
    let max_connections =
        raw.max_connections.within("server.max_connections", 0, MAX_CONNECTIONS)?;
    Ok(ServerConfig {
        listen,
        shards: match raw.shards.within("server.shards", 0, MAX_SHARDS)? {
            0 => thread::available_parallelism().map_or(1, usize::from),
            shards => shards as usize,
        },
        driver,
        max_connections: match max_connections {
            0 => connections_by_descriptors(),
            connections => connections as usize,
        },
        max_http_connections: raw.max_http_connections.within(
            "server.max_http_connections",
            1,
            MAX_CONNECTIONS,
        )? as usize,
        compression,
        allowed_origins: allowed_origins(raw.allowed_origins)?,
        trusted_proxies: trusted_proxies(raw.trusted_proxies)?,
    })
}

/// As many connections as the process may have descriptors for.
fn connections_by_descriptors() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place for the answer.
    let descriptors = match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } {
        // The server raises its soft limit to the hard one when it starts.
        0 => limit.rlim_max,
        _ => 1024,
    };
    let reserved = RESERVED_DESCRIPTORS.min(descriptors / 2);
    (descriptors - reserved).clamp(1, u64::from(MAX_CONNECTIONS)) as usize
}

fn allowed_origins(raw: Vec<String>) -> Result<AllowedOrigins, Invalid> {
    if raw.iter().any(|origin| origin == "*") {
        return Ok(AllowedOrigins::Any);
    }
    let mut origins = Vec::with_capacity(raw.len());
    for origin in raw {
        let lower = origin.to_ascii_lowercase();
        let authority =
            lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).unwrap_or("");
        if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ', '*']) {
            let expected = "origins such as https://chat.example.org (no path), or * for any";
            return Err(invalid("server.allowed_origins", origin, expected));
        }
        origins.push(lower);
    }
    Ok(if origins.is_empty() { AllowedOrigins::SameOrigin } else { AllowedOrigins::List(origins) })
}

fn trusted_proxies(raw: Vec<String>) -> Result<TrustedProxies, Invalid> {
    let network = |text: String| {
        text.parse().map_err(|_| {
            let expected =
                "addresses such as 127.0.0.1 and networks such as 10.0.0.0/8 or 2001:db8::/32";
            invalid("server.trusted_proxies", text, expected)
        })
    };
    raw.into_iter().map(network).collect::<Result<_, _>>().map(TrustedProxies::new)
}

fn storage(raw: RawStorage) -> Result<StorageConfig, Invalid> {
    let is_postgres = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| raw.database.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    let database = if raw.database == "sqlite" {
        Database::Sqlite
    } else if is_postgres {
        Database::Postgres(raw.database)
    } else {
        let expected = "sqlite or a URL such as postgres://user@host/database";
        return Err(invalid("storage.database", redact::url(&raw.database), expected));
    };
    if raw.data_dir.is_empty() {
        return Err(invalid("storage.data_dir", "", "the path of a folder"));
    }
    let (most, expected) = match database {
        Database::Sqlite => (0, "0 with sqlite; only Postgres has partitions"),
        Database::Postgres(_) => (u32::MAX, "0 (one table), or 2 to 256"),
    };
    let partitions = raw
        .partitions
        .within("storage.partitions", 0, most)
        .map_err(|error| Invalid { expected: expected.to_owned(), ..error })?;
    if !is_partition_count(partitions) {
        return Err(invalid("storage.partitions", partitions.to_string(), expected));
    }
    Ok(StorageConfig {
        batch: batch(&raw.batch)?,
        encryption: encryption(raw.encryption)?,
        retention: retention(&raw.retention)?,
        search: raw.search,
        database,
        data_dir: PathBuf::from(raw.data_dir),
        writers: raw.writers.within("storage.writers", 1, 64)? as usize,
        partitions,
    })
}

fn auth(raw: RawAuth, data_dir: &Path) -> Result<AuthConfig, Invalid> {
    let issuer = not_empty("auth.issuer", raw.issuer)?;
    let mut trusted_keys = Vec::with_capacity(raw.trusted_keys.len());
    for (index, key) in raw.trusted_keys.into_iter().enumerate() {
        trusted_keys.push(trusted_key(&format!("auth.trusted_keys[{index}]"), key, &issuer)?);
    }
    let issuers = issuers(raw.issuers, &issuer)?;
    Ok(AuthConfig {
        jwt_secret_file: KeyFile::of(raw.jwt_secret_file, || data_dir.join("jwt.secret")),
        issuer,
        audience: not_empty("auth.audience", raw.audience)?,
        previous_secret_files: raw.previous_secret_files.into_iter().map(PathBuf::from).collect(),
        token_ttl_s: raw.token_ttl_s.within("auth.token_ttl_s", 60, 10 * 365 * 86_400)?.into(),
        refresh_ttl_s: raw
            .refresh_ttl_s
            .within("auth.refresh_ttl_s", 60, 10 * 365 * 86_400)?
            .into(),
        provision_unknown_users: raw.provision_unknown_users,
        registration: raw.registration,
        password_reset: mailer(raw.password_reset_url, raw.password_reset_secret_file)?,
        password_reset_ttl_s: raw
            .password_reset_ttl_s
            .within("auth.password_reset_ttl_s", 60, 7 * 86_400)?
            .into(),
        trusted_keys,
        issuers,
    })
}

fn mailer(url: String, secret_file: String) -> Result<Option<MailerConfig>, Invalid> {
    if url.is_empty() {
        return Ok(None);
    }
    let key = "auth.password_reset_url";
    if !is_confidential(&url) {
        let expected = "an https address, or an http address of this machine: tokens go there";
        return Err(invalid(key, redact::url(&url), expected));
    }
    let secret_file =
        not_empty("auth.password_reset_secret_file", secret_file).map_err(|error| Invalid {
            expected: format!("a file with a secret, with {key}"),
            ..error
        })?;
    Ok(Some(MailerConfig { url, secret_file: PathBuf::from(secret_file) }))
}

fn trusted_key(place: &str, raw: RawTrustedKey, own_issuer: &str) -> Result<TrustedKey, Invalid> {
    let key = |name: &str| format!("{place}.{name}");
    let issuer = not_empty(&key("issuer"), raw.issuer)?;
    if issuer == own_issuer {
        // Else a partner could sign tokens with `uid` in this server's name.
        let expected = "another issuer than this server's own, auth.issuer";
        return Err(invalid(&key("issuer"), issuer, expected));
    }
    let algorithm = match raw.algorithm.as_str() {
        "HS256" => TokenAlgorithm::Hs256,
        "EdDSA" => TokenAlgorithm::EdDsa,
        "ES256" => TokenAlgorithm::Es256,
        "RS256" => TokenAlgorithm::Rs256,
        _ => {
            let expected = "HS256, EdDSA, ES256 or RS256";
            return Err(invalid(&key("algorithm"), raw.algorithm, expected));
        }
    };
    Ok(TrustedKey {
        issuer,
        algorithm,
        key_file: PathBuf::from(not_empty(&key("key_file"), raw.key_file)?),
        audience: raw.audience.map(|audience| not_empty(&key("audience"), audience)).transpose()?,
        kid: raw.kid.map(|kid| not_empty(&key("kid"), kid)).transpose()?,
    })
}

fn limits(raw: &RawLimits) -> Result<LimitsConfig, Invalid> {
    let rate = |name: &str, per_s: &Number, burst: &Number| {
        Ok(CommandRate {
            per_s: per_s.within(&format!("limits.{name}_per_s"), 0, 1_000_000)?,
            burst: burst.within(&format!("limits.{name}_burst"), 1, 10_000_000)?,
        })
    };
    let attempts = |name: &str, per_min: &Number, burst: &Number| {
        Ok(AttemptRate {
            per_min: per_min.within(&format!("limits.{name}_per_min"), 0, 60_000)?,
            burst: burst.within(&format!("limits.{name}_burst"), 1, 100_000)?,
        })
    };
    Ok(LimitsConfig {
        // A message has to fit into a frame of 64 KiB, in JSON with every character escaped and its metadata.
        max_text_bytes: raw.max_text_bytes.within("limits.max_text_bytes", 1, 32 * 1024)?,
        max_metadata_bytes: raw.max_metadata_bytes.within(
            "limits.max_metadata_bytes",
            0,
            16 * 1024,
        )?,
        max_group_members: raw.max_group_members.within("limits.max_group_members", 2, 100_000)?,
        edit_window_s: raw.edit_window_s.within("limits.edit_window_s", 0, MAX_WINDOW_S)?,
        recall_window_s: raw.recall_window_s.within("limits.recall_window_s", 0, MAX_WINDOW_S)?,
        max_sessions_per_user: raw.max_sessions_per_user.within(
            "limits.max_sessions_per_user",
            1,
            10_000,
        )?,
        address: AddressLimits {
            connections: rate(
                "address_connections",
                &raw.address_connections_per_s,
                &raw.address_connections_burst,
            )?,
            greeting: raw.address_handshakes.within("limits.address_handshakes", 0, 1_000_000)?,
            greeting_in_all: raw.handshakes.within("limits.handshakes", 0, 1_000_000)?,
            commands: rate(
                "address_commands",
                &raw.address_commands_per_s,
                &raw.address_commands_burst,
            )?,
            exempt_loopback: raw.exempt_loopback,
        },
        session_rate: rate(
            "session_commands",
            &raw.session_commands_per_s,
            &raw.session_commands_burst,
        )?,
        user_rate: rate("user_commands", &raw.user_commands_per_s, &raw.user_commands_burst)?,
        address_attempts: attempts(
            "address_attempts",
            &raw.address_attempts_per_min,
            &raw.address_attempts_burst,
        )?,
        account_attempts: attempts(
            "account_attempts",
            &raw.account_attempts_per_min,
            &raw.account_attempts_burst,
        )?,
    })
}

fn log(raw: RawLog) -> Result<LogConfig, Invalid> {
    if let Err(error) = crate::logging::check(&raw.filter) {
        let expected = format!("directives such as info,ringwire_gateway=debug ({error})");
        return Err(invalid("log.filter", raw.filter, expected));
    }
    let format = match raw.format.as_str() {
        "pretty" => LogFormat::Pretty,
        "json" => LogFormat::Json,
        _ => return Err(invalid("log.format", raw.format, "pretty or json")),
    };
    Ok(LogConfig { filter: raw.filter, format })
}
