//! Configuration: read from four places, validated once, then a plain struct that the rest of the server trusts.
//!
//! ```text
//!   defaults  <  file (--config)  <  environment (RINGWIRE_…)  <  flags
//!       └───────────┴─────────┬─────────────┴────────────────────┘
//!                 sources: merged, unknown keys refused, the origin of each value remembered
//!                             ▼
//!                 raw: what a file may say, as text and numbers
//!                             ▼
//!                 validate: raw -> Config, or one sentence that says what is wrong and how to mend it
//! ```
//!
//! Invariants: a [`Config`] that exists is valid; nothing reads the environment or a file again after it; secrets show
//! up neither in its `Debug` form nor in what `ringwire check-config` prints.

mod batch;
mod confidential;
mod doc;
mod encryption;
mod files;
mod foreign;
mod hooks;
mod issuers;
mod metrics;
mod number;
mod origins;
mod push;
mod raw;
pub mod redact;
mod report;
mod retention;
mod session;
mod signed;
mod sources;
#[cfg(test)]
mod tests;
mod validate;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use ringwire_storage::BatchLimits;

use crate::connection::addresses::AddressLimits;
use crate::connection::forwarded::TrustedProxies;
use crate::secret::KeyFile;

pub use doc::documented;
pub use encryption::{EncryptionConfig, KeySource};
pub use files::{FilesConfig, FilesPlace, S3Config, S3Secret};
pub use hooks::{EventsConfig, HookConfig, OnFailure, WebhookConfig};
pub use issuers::{ClaimNames, IssuerConfig, JwksSource};
pub use metrics::{MetricsAccess, TracingConfig};
pub use push::{FcmConfig, Preview, PushConfig, WebPushConfig};
pub use report::{Loaded, Setting};
pub use retention::RetentionConfig;
pub use session::{DevicePolicy, OnConflict, SessionConfig};
pub use signed::Endpoint;
pub use sources::{ConfigError, FlagValue, load};

/// Everything an operator may decide, validated.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The listener and the threads behind it.
    pub server: ServerConfig,
    /// Where everything durable lives.
    pub storage: StorageConfig,
    /// Uploads and where their bytes lie.
    pub files: FilesConfig,
    /// Who gets in.
    pub auth: AuthConfig,
    /// What a user's sessions mean to each other.
    pub session: SessionConfig,
    /// How much a client may ask for.
    pub limits: LimitsConfig,
    /// Notifications to members who are away.
    pub push: PushConfig,
    /// What other programs hear of.
    pub events: EventsConfig,
    /// What another program has a say in.
    pub hook: HookConfig,
    /// What the server says about itself.
    pub log: LogConfig,
    /// Who may read `/metrics`.
    pub metrics: MetricsAccess,
    /// Traces of sampled entries, if they are wanted.
    pub tracing: Option<TracingConfig>,
}

/// The listener and the threads behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Address and port for WebSockets, the HTTP API and the page alike. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many shards (threads with a ring of their own); at least 1.
    pub shards: usize,
    /// How shards talk to the kernel.
    pub driver: DriverChoice,
    /// Most connections at a time, over all shards.
    pub max_connections: usize,
    /// Most of them that may speak HTTP at a time; one more is answered BUSY.
    pub max_http_connections: usize,
    /// Which sessions may compress their messages.
    pub compression: CompressionChoice,
    /// Which web pages of other origins may connect.
    pub allowed_origins: AllowedOrigins,
    /// Whose word about the addresses of clients counts.
    pub trusted_proxies: TrustedProxies,
}

/// Which sessions may compress their messages (permessage-deflate, RFC 7692).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressionChoice {
    /// None.
    Off,
    /// Those that asked for JSON by its subprotocol.
    Json,
}

/// How shards talk to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverChoice {
    /// io_uring where the kernel allows it, else epoll.
    Auto,
    /// io_uring, or no start.
    Uring,
    /// epoll.
    Epoll,
}

/// Which web pages may open connections. Programs that send no `Origin` are not concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Only pages that this server delivered itself.
    SameOrigin,
    /// Those, and pages of these origins (`https://example.org`), in lower case.
    List(Vec<String>),
    /// Pages of any origin.
    Any,
}

/// Where everything durable lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageConfig {
    /// Which database.
    pub database: Database,
    /// Folder for `jwt.secret` and the embedded database.
    pub data_dir: PathBuf,
    /// Writer threads for Postgres; SQLite has exactly one.
    pub writers: usize,
    /// Partitions of the log where a Postgres database is made; 0: one table.
    pub partitions: u32,
    /// How much one commit takes.
    pub batch: BatchLimits,
    /// How bodies are sealed.
    pub encryption: EncryptionConfig,
    /// Whether messages can be searched.
    pub search: bool,
    /// How long entries stay.
    pub retention: RetentionConfig,
}

/// Which database keeps the log.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// The embedded one, in the data folder.
    Sqlite,
    /// A Postgres server, by its URL, which may hold a password.
    Postgres(String),
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("sqlite"),
            Self::Postgres(url) => f.write_str(&redact::url(url)),
        }
    }
}

/// Who gets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthConfig {
    /// The file with the key that signs this server's own tokens.
    pub jwt_secret_file: KeyFile,
    /// `iss` of this server's own tokens.
    pub issuer: String,
    /// `aud` that a token must name.
    pub audience: String,
    /// Files with keys that signed this server's own tokens before; they still verify.
    pub previous_secret_files: Vec<PathBuf>,
    /// How long a token from login or registration is valid, in seconds.
    pub token_ttl_s: u64,
    /// How long a login lasts without being refreshed, in seconds.
    pub refresh_ttl_s: u64,
    /// Whether a valid token with an unknown subject makes a new user.
    pub provision_unknown_users: bool,
    /// Whether `POST /api/v1/auth/register` is open.
    pub registration: bool,
    /// Who mails tokens for forgotten passwords; `None`: nobody.
    pub password_reset: Option<MailerConfig>,
    /// How long such a token is good, in seconds.
    pub password_reset_ttl_s: u64,
    /// Keys of other issuers whose tokens are accepted.
    pub trusted_keys: Vec<TrustedKey>,
    /// Other issuers whose tokens are accepted, by the sets of keys they publish.
    pub issuers: Vec<IssuerConfig>,
}

/// The operator's mailer: it is told of each token for a forgotten password.
#[derive(Clone, PartialEq, Eq)]
pub struct MailerConfig {
    /// Where it listens.
    pub url: String,
    /// The file with the secret that requests to it are signed with.
    pub secret_file: PathBuf,
}

impl fmt::Debug for MailerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailerConfig")
            .field("url", &redact::url(&self.url))
            .field("secret_file", &self.secret_file)
            .finish()
    }
}

/// A key of another issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// `iss` of its tokens.
    pub issuer: String,
    /// The one algorithm this key is for.
    pub algorithm: TokenAlgorithm,
    /// PEM for public keys, the secret itself for HS256.
    pub key_file: PathBuf,
    /// `aud` that its tokens must name, where it differs from [`AuthConfig::audience`].
    pub audience: Option<String>,
    /// `kid` of its tokens, where an issuer has several keys.
    pub kid: Option<String>,
}

/// How tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256: a shared secret.
    Hs256,
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
}

/// How much a client may ask for. Bounds that no operator needs to change are in `limits.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Longest text of a message, in bytes of UTF-8.
    pub max_text_bytes: u32,
    /// Largest sum of metadata keys and values of a message, in bytes.
    pub max_metadata_bytes: u32,
    /// Most members of a group.
    pub max_group_members: u32,
    /// How long after sending a message its sender may edit it, in seconds; 0: for ever.
    pub edit_window_s: u32,
    /// Likewise take it back.
    pub recall_window_s: u32,
    /// Most sessions of a user with a connection.
    pub max_sessions_per_user: u32,
    /// What an address may do, before it is known who it is and afterwards.
    pub address: AddressLimits,
    /// What one session may send.
    pub session_rate: CommandRate,
    /// What all sessions of a user may send together.
    pub user_rate: CommandRate,
    /// How often an address may try to log in, register or set a forgotten password.
    pub address_attempts: AttemptRate,
    /// How often a password may be wrong for one name.
    pub account_attempts: AttemptRate,
}

impl LimitsConfig {
    /// [`LimitsConfig::edit_window_s`] in milliseconds.
    pub const fn edit_window_ms(&self) -> u64 {
        self.edit_window_s as u64 * 1000
    }

    /// [`LimitsConfig::recall_window_s`] in milliseconds.
    pub const fn recall_window_ms(&self) -> u64 {
        self.recall_window_s as u64 * 1000
    }
}

/// A token bucket of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptRate {
    /// Attempts per minute in the long run; 0: no limit.
    pub per_min: u32,
    /// Attempts at once after a pause; at least 1.
    pub burst: u32,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandRate {
    /// Commands per second in the long run; 0: no limit.
    pub per_s: u32,
    /// Commands at once after a pause; at least 1.
    pub burst: u32,
}

/// What the server says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Directives of `tracing_subscriber::EnvFilter`, such as `info,ringwire_gateway::session=debug`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}
