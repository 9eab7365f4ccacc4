//! What a configuration file may say, as text and numbers, with the defaults. `doc/` says what each
//! option means and makes `deploy/ringwire.toml` of both.

use serde::{Deserialize, Serialize};

use super::batch::RawBatch;
use super::encryption::RawEncryption;
use super::files::RawFiles;
use super::hooks::{RawEvents, RawHook};
use super::issuers::RawIssuer;
use super::metrics::{RawMetrics, RawTracing};
use super::number::Number;
use super::push::RawPush;
use super::retention::RawRetention;
use super::session::RawSession;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Raw {
    pub(super) server: RawServer,
    pub(super) storage: RawStorage,
    pub(super) files: RawFiles,
    pub(super) auth: RawAuth,
    pub(super) session: RawSession,
    pub(super) limits: RawLimits,
    pub(super) push: RawPush,
    pub(super) events: RawEvents,
    pub(super) hook: RawHook,
    pub(super) log: RawLog,
    pub(super) metrics: RawMetrics,
    pub(super) tracing: RawTracing,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawServer {
    pub(super) listen: String,
    pub(super) shards: Number,
    pub(super) driver: String,
    pub(super) max_connections: Number,
    pub(super) max_http_connections: Number,
    pub(super) compression: String,
    pub(super) allowed_origins: Vec<String>,
    pub(super) trusted_proxies: Vec<String>,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            shards: Number::Whole(0),
            driver: "auto".to_owned(),
            max_connections: Number::Whole(0),
            max_http_connections: Number::Whole(1024),
            compression: "off".to_owned(),
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawStorage {
    pub(super) database: String,
    pub(super) data_dir: String,
    pub(super) writers: Number,
    pub(super) partitions: Number,
    pub(super) batch: RawBatch,
    pub(super) search: bool,
    pub(super) encryption: RawEncryption,
    pub(super) retention: RawRetention,
}

impl Default for RawStorage {
    fn default() -> Self {
        Self {
            database: "sqlite".to_owned(),
            data_dir: "./ringwire-data".to_owned(),
            writers: Number::Whole(2),
            partitions: Number::Whole(0),
            batch: RawBatch::default(),
            search: true,
            encryption: RawEncryption::default(),
            retention: RawRetention::default(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawAuth {
    pub(super) jwt_secret_file: String,
    pub(super) previous_secret_files: Vec<String>,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) token_ttl_s: Number,
    pub(super) refresh_ttl_s: Number,
    pub(super) provision_unknown_users: bool,
    pub(super) registration: bool,
    pub(super) password_reset_url: String,
    pub(super) password_reset_secret_file: String,
    pub(super) password_reset_ttl_s: Number,
    pub(super) trusted_keys: Vec<RawTrustedKey>,
    pub(super) issuers: Vec<RawIssuer>,
}

impl Default for RawAuth {
    fn default() -> Self {
        Self {
            jwt_secret_file: String::new(),
            previous_secret_files: Vec::new(),
            issuer: "ringwire".to_owned(),
            audience: "ringwire".to_owned(),
            token_ttl_s: Number::Whole(24 * 60 * 60),
            refresh_ttl_s: Number::Whole(30 * 24 * 60 * 60),
            provision_unknown_users: true,
            registration: true,
            password_reset_url: String::new(),
            password_reset_secret_file: String::new(),
            password_reset_ttl_s: Number::Whole(60 * 60),
            trusted_keys: Vec::new(),
            issuers: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawTrustedKey {
    pub(super) issuer: String,
    pub(super) algorithm: String,
    pub(super) key_file: String,
    pub(super) audience: Option<String>,
    pub(super) kid: Option<String>,
}

impl RawTrustedKey {
    /// The keys of one item of `auth.trusted_keys`.
    pub(super) const KEYS: [&str; 5] = ["issuer", "algorithm", "key_file", "audience", "kid"];
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawLimits {
    pub(super) max_text_bytes: Number,
    pub(super) max_metadata_bytes: Number,
    pub(super) max_group_members: Number,
    pub(super) edit_window_s: Number,
    pub(super) recall_window_s: Number,
    pub(super) max_sessions_per_user: Number,
    pub(super) address_connections_per_s: Number,
    pub(super) address_connections_burst: Number,
    pub(super) address_handshakes: Number,
    pub(super) handshakes: Number,
    pub(super) exempt_loopback: bool,
    pub(super) session_commands_per_s: Number,
    pub(super) session_commands_burst: Number,
    pub(super) user_commands_per_s: Number,
    pub(super) user_commands_burst: Number,
    pub(super) address_commands_per_s: Number,
    pub(super) address_commands_burst: Number,
    pub(super) address_attempts_per_min: Number,
    pub(super) address_attempts_burst: Number,
    pub(super) account_attempts_per_min: Number,
    pub(super) account_attempts_burst: Number,
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            max_text_bytes: Number::Whole(8192),
            max_metadata_bytes: Number::Whole(4096),
            max_group_members: Number::Whole(10_000),
            edit_window_s: Number::Whole(24 * 60 * 60),
            recall_window_s: Number::Whole(24 * 60 * 60),
            max_sessions_per_user: Number::Whole(64),
            address_connections_per_s: Number::Whole(50),
            address_connections_burst: Number::Whole(1000),
            address_handshakes: Number::Whole(256),
            handshakes: Number::Whole(16_384),
            exempt_loopback: true,
            session_commands_per_s: Number::Whole(1000),
            session_commands_burst: Number::Whole(2000),
            user_commands_per_s: Number::Whole(2000),
            user_commands_burst: Number::Whole(4000),
            address_commands_per_s: Number::Whole(0),
            address_commands_burst: Number::Whole(20_000),
            address_attempts_per_min: Number::Whole(120),
            address_attempts_burst: Number::Whole(300),
            account_attempts_per_min: Number::Whole(6),
            account_attempts_burst: Number::Whole(20),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RawLog {
    pub(super) filter: String,
    pub(super) format: String,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: "pretty".to_owned() }
    }
}
