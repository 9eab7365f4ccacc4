//! What happens once, before the first connection: descriptors, data folder, key, store. Each failure is one line
//! that says how to mend it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ringwire_storage::outbox::{HookRule, Outbox};
use ringwire_storage::search::SearchText;
use ringwire_storage::{CompletionSink, Database as StoreDatabase, Store, StoreConfig, StoreError};

use crate::auth::{KeyError, RefreshMinter, TokenMinter, TokenVerifier};
use crate::body_keys::{self, BodyKeysError};
use crate::config::{Config, Database, TracingConfig};
use crate::conversation::entry::searched_text;
use crate::files::BytesError;
use crate::files::link::LinkSigner;
use crate::observe::exporter::{Exported, Exporter};
use crate::observe::trace::Tracing;
use crate::outbound::Outgoing;
use crate::push::{self, PushError, VapidKey};
use crate::secret::{self, SecretError, SecretKey};

/// The first pause before the database is tried again.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST_RETRY: Duration = Duration::from_secs(15);

/// Why the server does not start. The program ends with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; {}", mend_listen(.source))]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder or the signing key cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A key of a trusted issuer cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keys that seal bodies cannot be used.
    #[error(transparent)]
    BodyKeys(#[from] BodyKeysError),
    /// The store of files cannot be opened.
    #[error(transparent)]
    Files(#[from] BytesError),
    /// Notifications cannot be sent.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The store cannot be opened, and trying again will not help.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No client for requests to other servers can be made.
    #[error(
        "cannot make requests to other servers: {0}; see whether this machine has root certificates"
    )]
    Outgoing(#[from] reqwest::Error),
    /// The operating system refuses something else.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

fn mend_listen(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program has this port: stop it or choose another address with --listen"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need a privilege: choose a higher one with --listen"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have that address: choose one of its own with --listen"
        }
        _ => "choose another address with --listen",
    }
}

/// Traces of sampled entries, and who sends them.
pub struct Traces {
    /// For the shards.
    pub tracing: Tracing,
    /// Sends them, when it is run.
    pub exporter: Exporter,
    /// What became of them.
    pub exported: Exported,
}

/// Prepares traces, if they are wanted.
pub fn traces(config: Option<&TracingConfig>, outgoing: &Outgoing) -> Option<Traces> {
    let TracingConfig { endpoint, sample_ratio } = config?;
    let (exporter, spans, exported) = Exporter::new(outgoing.clone(), endpoint);
    let tracing = Tracing::new(*sample_ratio, spans);
    Some(Traces { tracing, exporter, exported })
}

/// The server's own key in its roles.
#[derive(Debug)]
pub struct Keys {
    /// Checks tokens; shared by the shards and the HTTP API.
    pub verifier: Arc<TokenVerifier>,
    /// Makes tokens after login.
    pub minter: TokenMinter,
    /// Makes what logins go on with.
    pub refresh: RefreshMinter,
    /// Signs links to files.
    pub links: LinkSigner,
    /// Signs Web Push; `None`: it is off.
    pub vapid: Option<Arc<VapidKey>>,
}

/// Makes the data folder and the signing key if need be, and loads all keys.
pub fn load_keys(config: &Config) -> Result<Keys, StartError> {
    secret::prepare_data_dir(&config.storage.data_dir)?;
    // Some are read again where they are needed; what is missing is told before a key or database is made.
    check_files(config)?;
    // Asked before the key is made, told once it turned out to be one.
    let lost_database = lost_database(config);
    let own = config.auth.jwt_secret_file.load()?;
    if lost_database {
        tracing::warn!(
            data_dir = %config.storage.data_dir.display(),
            "the data folder has its jwt.secret, but ringwire.db is missing or empty: a new database is made. At a first \
             start that is as it should be; otherwise tokens \
             given before stay valid and will belong to whoever gets their user's id next. If a database was lost, \
             stop the server and restore a backup of the data folder; if all is to begin anew, stop it, remove \
             jwt.secret and ringwire.db* and start again"
        );
    }
    Ok(Keys {
        verifier: Arc::new(TokenVerifier::new(&own, &config.auth)?),
        minter: TokenMinter::new(&own, &config.auth),
        refresh: RefreshMinter::new(&own, &config.auth),
        links: LinkSigner::new(&own),
        vapid: match &config.push.web_push {
            Some(web_push) => Some(Arc::new(VapidKey::load(&web_push.key_file)?)),
            None => None,
        },
    })
}

/// Reads every file with keys that the configuration names, as a start does, and makes none.
pub fn check_files(config: &Config) -> Result<(), StartError> {
    let own = config.auth.jwt_secret_file.look()?;
    // One that will be made is as good as any; the others do not depend on it.
    let own = own.unwrap_or_else(|| SecretKey::new(Vec::new()));
    TokenVerifier::new(&own, &config.auth)?;
    if let Some(mailer) = &config.auth.password_reset {
        secret::read_key(&mailer.secret_file)?;
    }
    body_keys::load(&config.storage.encryption)?;
    Ok(push::check_files(&config.push)?)
}

/// Whether the embedded database is gone from a folder that was in use: its signing key is still there.
fn lost_database(config: &Config) -> bool {
    let dir = &config.storage.data_dir;
    let empty = |path: &Path| fs::metadata(path).map_or(true, |file| file.len() == 0);
    matches!(config.storage.database, Database::Sqlite)
        && dir.join("jwt.secret").exists()
        && empty(&dir.join("ringwire.db"))
}

/// How this configuration opens the store.
pub fn store_config(config: &Config) -> Result<StoreConfig, StartError> {
    let database = match &config.storage.database {
        Database::Sqlite => StoreDatabase::Sqlite { dir: config.storage.data_dir.clone() },
        Database::Postgres(url) => StoreDatabase::Postgres { url: url.clone() },
    };
    Ok(StoreConfig {
        writers: config.storage.writers,
        partitions: config.storage.partitions,
        keys: body_keys::load(&config.storage.encryption)?,
        batch: config.storage.batch,
        outbox: Arc::new(outbox(config)),
        search_text: config.storage.search.then_some(searched_text as SearchText),
        ..StoreConfig::new(database)
    })
}

/// Who is to be told of what is written.
fn outbox(config: &Config) -> Outbox {
    let hooks = config.events.webhooks.iter();
    Outbox {
        push_delay_ms: config.push.is_on().then_some(config.push.delay_ms.into()),
        hooks: hooks
            .map(|hook| HookRule { name: hook.name.as_str().into(), events: hook.events })
            .collect(),
    }
}

/// Opens the store. While the database is away it says so and tries again, more and more slowly, without end.
pub async fn open_store(config: &Config, completions: CompletionSink) -> Result<Store, StartError> {
    let store_config = store_config(config)?;
    let mut pause = FIRST_RETRY;
    loop {
        match Store::open(store_config.clone(), completions.clone()).await {
            // What has to be mended is told at once; waiting would hide it.
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(
                    database = %config.storage.database,
                    retry_in_ms = pause.as_millis() as u64,
                    "{error}"
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_RETRY);
            }
            result => return Ok(result?),
        }
    }
}

/// A number that no other start has, nor can anybody guess it.
pub fn boot_number() -> Result<u64, StartError> {
    getrandom::u64().map_err(|error| StartError::System {
        action: "read random bytes",
        source: io::Error::other(error),
    })
}

/// Lets the process have as many descriptors as the hard limit allows; returns how many.
pub fn raise_descriptor_limit() -> Result<usize, StartError> {
    let failed = |action| StartError::System { action, source: io::Error::last_os_error() };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place for the answer.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(failed("read the limit of open files"));
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is a valid limit, no higher than the hard one just read.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(failed("raise the limit of open files"));
    }
    Ok(usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX))
}
