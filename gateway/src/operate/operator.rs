//! `ringwire operator`: who administers the server. The first one is made here; without one, administration is closed.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use ringwire_storage::Store;
use ringwire_storage::audit::{AuditEntry, AuditOutcome};
use ringwire_storage::operators::OperatorRole;
use zeroize::Zeroizing;

use crate::api::hash_password;
use crate::auth::is_username;
use crate::cli::{say, unix_now_ms};
use crate::config::{Database, Loaded, StorageConfig};
use crate::startup;

/// The shortest password, in characters.
const MIN_PASSWORD_CHARS: usize = 12;
/// The longest one, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Make an operator; prints a password unless one comes on the standard input.
    Create(CreateArgs),
    /// Print all operators.
    List,
    /// Keep an operator out and end their logins.
    Disable(WhichOperator),
    /// Give an operator another password, let them in again and end their logins.
    ResetPassword(ResetArgs),
}

/// Which operator.
#[derive(Debug, Args)]
pub struct WhichOperator {
    /// Name of the operator.
    #[arg(long, value_name = "NAME")]
    pub name: String,
}

/// Flags of `ringwire operator create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Name of the operator: letters (a-z), digits, underscores, dots, hyphens.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// viewer looks, moderator also speaks to people and keeps them out, admin may do everything.
    #[arg(long, value_name = "ROLE", default_value = "admin", value_parser = parse_role)]
    pub role: OperatorRole,
    /// Read the password from the standard input instead of making one.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Flags of `ringwire operator reset-password`.
#[derive(Debug, Args)]
pub struct ResetArgs {
    /// Name of the operator.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Read the password from the standard input instead of making one.
    #[arg(long)]
    pub password_stdin: bool,
}

fn parse_role(text: &str) -> Result<OperatorRole, String> {
    OperatorRole::from_name(text).ok_or_else(|| "expected viewer, moderator or admin".to_owned())
}

/// Does it.
pub fn operator(loaded: &Loaded, command: &OperatorCommand) -> anyhow::Result<ExitCode> {
    let made = missing_database(&loaded.config.storage);
    if let (Some(file), false) = (&made, matches!(command, OperatorCommand::Create(_))) {
        bail!(
            "there is no database {file}; mend --data-dir, or storage.data_dir in the file of --config"
        );
    }
    crate::secret::prepare_data_dir(&loaded.config.storage.data_dir)?;
    super::run(async {
        let config = startup::store_config(&loaded.config)?;
        let store = Store::open(config, Arc::new(|_, _| {})).await?;
        match command {
            OperatorCommand::Create(args) => {
                create(&store, args).await?;
                if let Some(file) = made {
                    // Nobody has to read that.
                    let _ = writeln!(
                        io::stderr(),
                        "There was no database {file}, so a new one was made: is this the data folder you mean?"
                    );
                }
                Ok(())
            }
            OperatorCommand::List => list(&store).await,
            OperatorCommand::Disable(WhichOperator { name }) => disable(&store, name).await,
            OperatorCommand::ResetPassword(args) => reset(&store, args).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The file of the embedded database, if it is used and is not there: an operator may be made before the first start,
/// but a mistyped folder looks the same.
fn missing_database(config: &StorageConfig) -> Option<String> {
    let file = super::file_in(&config.data_dir);
    let is_missing = matches!(config.database, Database::Sqlite) && !Path::new(&file).exists();
    is_missing.then_some(file)
}

/// A password, and whether it has to be shown.
fn password(from_stdin: bool) -> anyhow::Result<(Zeroizing<String>, bool)> {
    if !from_stdin {
        let mut bytes = Zeroizing::new([0; 18]);
        getrandom::fill(&mut *bytes).context("the system gives no random bytes")?;
        return Ok((Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)), true));
    }
    let mut text = Zeroizing::new(String::new());
    let most = MAX_PASSWORD_BYTES as u64 + 2;
    io::stdin().take(most).read_to_string(&mut text).context("cannot read the password")?;
    let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if password.chars().count() < MIN_PASSWORD_CHARS || password.len() > MAX_PASSWORD_BYTES {
        bail!(
            "an operator's password has {MIN_PASSWORD_CHARS} characters or more, at most {MAX_PASSWORD_BYTES} bytes"
        );
    }
    Ok((password, false))
}

async fn create(store: &Store, args: &CreateArgs) -> anyhow::Result<()> {
    let CreateArgs { name, role, password_stdin } = args;
    if !is_username(name) {
        bail!("--name: letters (a-z), digits, underscores, dots or hyphens");
    }
    let (password, shown) = password(*password_stdin)?;
    let hash = hash_password(&password).context("the password cannot be hashed")?;
    if !store.create_operator(name, &hash, *role, unix_now_ms()).await? {
        bail!("there is an operator {name} already; see ringwire operator reset-password");
    }
    note(store, "operator.create", name).await?;
    say(format_args!("Operator {name} may do what the role {} allows, at /admin.", role.name()))?;
    show(&password, shown)
}

fn show(password: &str, shown: bool) -> anyhow::Result<()> {
    if shown {
        say(format_args!("Password: {password}"))?;
    }
    Ok(())
}

async fn list(store: &Store) -> anyhow::Result<()> {
    for operator in store.operators().await? {
        let state = if operator.disabled_at > 0 { "disabled" } else { "enabled" };
        say(format_args!("{}\t{}\t{state}", operator.name, operator.role.name()))?;
    }
    Ok(())
}

async fn disable(store: &Store, name: &str) -> anyhow::Result<()> {
    if !store.disable_operator(name, unix_now_ms()).await? {
        bail!("there is no operator {name}");
    }
    note(store, "operator.disable", name).await?;
    Ok(say(format_args!("Operator {name} is kept out; their logins are over."))?)
}

async fn reset(store: &Store, args: &ResetArgs) -> anyhow::Result<()> {
    let (password, shown) = password(args.password_stdin)?;
    let hash = hash_password(&password).context("the password cannot be hashed")?;
    let name = &args.name;
    if !store.reset_operator(name, &hash).await? {
        bail!("there is no operator {name}");
    }
    note(store, "operator.reset_password", name).await?;
    say(format_args!("Operator {name} has another password; their logins are over."))?;
    show(&password, shown)
}

async fn note(store: &Store, action: &str, name: &str) -> anyhow::Result<()> {
    let entry = AuditEntry {
        actor: None,
        operator: None,
        action: action.to_owned(),
        target: format!("operator:{name}"),
        detail: "{}".to_owned(),
        outcome: AuditOutcome::Done,
    };
    store.append_audit(entry).await?;
    Ok(())
}
